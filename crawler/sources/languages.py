"""Language tags (BCP 47): is it one, and which one was meant."""

import re
from functools import cache

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-[a-z0-9]{4,8})*", re.IGNORECASE)
"""A language, then perhaps its script, region and variants (RFC 5646, 2.1)."""


def is_language(tag: str) -> bool:
    """Whether this is a BCP 47 tag of a language, and of a region where it names one, that Unicode's CLDR knows."""
    match = _LANGUAGE.fullmatch(tag)
    languages, regions = _languages_and_regions()
    return match is not None and tag.split("-")[0].lower() in languages and (match[3] or "001").upper() in regions


@cache
def _languages_and_regions() -> tuple[frozenset[str], frozenset[str]]:
    from babel import Locale

    english = Locale("en")
    return frozenset(english.languages), frozenset(english.territories)


def language_meant(text: str) -> str:
    """What somebody meant who wrote `en_GB`, `en-UK` or `English`."""
    tag = re.sub("-UK$", "-GB", text.replace("_", "-"), flags=re.IGNORECASE)
    tag = tag if is_language(tag) else _languages_by_name().get(text.lower(), "")
    return f"did you mean {tag!r}?" if tag else "expected one tag such as de or pt-BR"


@cache
def _languages_by_name() -> dict[str, str]:
    """Tags by what languages are called in English and by those who speak them, in lower case; 0.7 s to make."""
    from babel import Locale
    from babel.localedata import locale_identifiers

    own = {(Locale(tag).language_name or tag).lower(): tag for tag in locale_identifiers() if "_" not in tag}
    return own | {name.lower(): tag.replace("_", "-") for tag, name in Locale("en").languages.items()}
