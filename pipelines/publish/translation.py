"""Translation of the reading room (i18n): the reader's locale, and gettext's catalogues, translations/*.po.

English is what the templates are written in. Another language is a file more: docs/extend.md says how it is begun and kept whole.
"""

import gettext as catalogues
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel import Locale
from markupsafe import Markup

if TYPE_CHECKING:  # no other part of Broadsheet needs templates
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "translations"

ENGLISH = Locale("en", "GB")
"""Whose dates cannot be misread: `21 November 2026`, and a day that begins with 0 hours."""

IN_ENGLISH = Markup('lang="en" dir="ltr"')
"""The attributes of what is English in every language: Datasette's own words, and what the metadata says of tables."""

_reader: ContextVar[Locale] = ContextVar("reader", default=ENGLISH)


def reader() -> Locale:
    """The locale of the page that is being made: English where no request is answered. Threads that read the archive do not know it."""
    return _reader.get()


@contextmanager
def read_in(locale: Locale) -> Iterator[None]:
    """Within this, in this task, pages are made for a reader of this locale."""
    before = _reader.set(locale)
    try:
        yield
    finally:
        _reader.reset(before)


@cache
def languages() -> list[str]:
    """The languages that there are catalogues for, and English, as the files are named: `["ar", "de", "en", "pt_BR"]`."""
    return sorted({"en", *(file.stem for file in FOLDER.glob("*.po"))})


@cache
def language_of(locale: Locale) -> str | None:
    """Which of languages() a locale's reader reads, the nearest first: of `zh_Hant_TW` that is `zh_Hant` before `zh`. None of them, None."""
    names = (("language", "script", "territory"), ("language", "script"), ("language", "territory"), ("language",))
    said = ("_".join(part for name in some if (part := getattr(locale, name))) for some in names)
    return next((name for name in said if name in languages()), None)


def tag() -> str:
    """The language of the page that is being made, as HTML and HTTP have it (RFC 5646): `pt-BR`."""
    return (language_of(reader()) or "en").replace("_", "-")


def direction() -> str:
    """Whether the page that is being made runs `ltr` or `rtl`."""
    return reader().text_direction


def ours() -> Markup:
    """The attributes of our own words within a text of another language."""
    return Markup('lang="{}" dir="{}"').format(tag(), direction())


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return catalogues.NullTranslations()
    with file.open("rb") as text:
        read = read_po(text, locale=language)
    for message in [one for one in read if one.id and not _is_sound(one.id, one.string)]:
        read.delete(message.id, message.context)
    packed = io.BytesIO()
    write_mo(packed, read)
    packed.seek(0)
    return catalogues.GNUTranslations(packed)


_Forms = str | Sequence[str] | None


def _is_sound(said: _Forms, translated: _Forms) -> bool:
    """Whether a translation is there in all its forms and takes the values of its message: no slip of a translator breaks a page."""
    known, forms = ([one] if isinstance(one, str) else one or () for one in (said, translated))
    values = dict.fromkeys(re.findall(r"%\((\w+)\)s", "".join(known)), "")
    try:
        return bool(forms) and all(form and form % values for form in forms)
    except (KeyError, TypeError, ValueError):
        return False


def _readers() -> catalogues.NullTranslations:
    return _catalogue(language_of(reader()) or "en")


def gettext(said: str, **values: object) -> str:
    """A message in the reader's language, as it is where nobody has translated it, with values in place of its `%(name)s`."""
    text = _readers().gettext(said)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """A message in the form that goes with a number: English has two, Arabic six."""
    text = _readers().ngettext(one, many, number)
    return text % values if values else text


def pgettext(context: str, said: str) -> str:
    """A word that means more than one thing, as it is meant here."""
    return _readers().pgettext(context, said)


def npgettext(context: str, one: str, many: str, number: int) -> str:
    """The same in the form that goes with a number."""
    return _readers().npgettext(context, one, many, number)


def install(environment: "Environment") -> None:
    """Templates say `{{ _("News") }}`, `{% trans %}`: Jinja's own extension, whose macros translate, too; and `{{ ours() }}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals |= {"language": tag, "direction": direction, "ours": ours, "english": IN_ENGLISH}
    extended: Any = environment
    extended.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)
