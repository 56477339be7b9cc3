"""Translation of the reading room (i18n): the reader's locale, out of Accept-Language, and gettext's catalogues, translations/*.po.

English is what the templates are written in. Another language is a file more: docs/extend.md says how it is begun and kept whole.
"""

import gettext as catalogues
import io
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

FOLDER = Path(__file__).parent / "translations"

ENGLISH = Locale("en", "GB")
"""Whose dates cannot be misread: `21 November 2026`, and a day that begins with 0 hours."""

_reader: ContextVar[Locale] = ContextVar("reader", default=ENGLISH)


def reader() -> Locale:
    """The locale of the page that is being made: English where no request is answered. Threads that read the archive do not know it."""
    return _reader.get()


def read_in(locale: Locale) -> None:
    """From here on, in this task, pages are made for a reader of this locale."""
    _reader.set(locale)


@cache
def languages() -> list[str]:
    """The languages that there are catalogues for, and English: `["ar", "de", "en"]`."""
    return sorted({"en", *(file.stem for file in FOLDER.glob("*.po"))})


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    file = FOLDER / f"{language}.po"
    if language == "en" or not file.is_file():
        return catalogues.NullTranslations()
    packed = io.BytesIO()
    with file.open("rb") as text:
        write_mo(packed, read_po(text, locale=language))
    packed.seek(0)
    return catalogues.GNUTranslations(packed)


def gettext(said: str) -> str:
    """A message in the reader's language; as it is where nobody has translated it."""
    return _catalogue(reader().language).gettext(said)


def ngettext(one: str, many: str, number: int) -> str:
    """A message in the form that goes with a number: English has two, Arabic six."""
    return _catalogue(reader().language).ngettext(one, many, number)


def install(environment: Environment) -> None:
    """Templates say `{{ _("News") }}`, `{% trans %}`: Jinja's own extension, whose macros translate, too."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    extended: Any = environment
    extended.install_gettext_callables(gettext, ngettext, newstyle=True)
