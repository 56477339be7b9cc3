"""Content negotiation (RFC 9110, 12.5.4): in which language a page is made. `?lang=de` first, which a cookie keeps, then that cookie,
then Accept-Language.

What programs read, `.json`, `.csv` and feeds, is English, unless its address has a `lang` of its own: no cookie or header of whoever
fetches it makes it another.
"""

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from babel import Locale, UnknownLocaleError

from pipelines.publish import translation
from pipelines.publish.base_url import App, Message, Receive, Send

PARAMETER = "lang"

COOKIE = "broadsheet_lang"

COOKIE_SECONDS = 365 * 24 * 60 * 60

_FOR_PROGRAMS = re.compile(r"\.(json|csv|atom)$")

_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)

_others: ContextVar[tuple[tuple[str, str], ...] | None] = ContextVar("others", default=())
"""The other parameters of the page that is being made; None where it takes no language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A language that the page can be read in."""

    tag: str  #: `pt-BR`
    name: str  #: its own: `Português (Brasil)`
    direction: str  #: ltr or rtl
    query: str  #: with which the same page is asked for in it


def choices() -> list[Choice]:
    """The languages of the switch on every page; none where another program's database may have a column of that name."""
    others = _others.get()
    return [] if others is None else [_choice(name, others) for name in translation.languages()]


def _choice(language: str, others: tuple[tuple[str, str], ...]) -> Choice:
    locale, tag = Locale.parse(language), language.replace("_", "-")
    name = locale.get_display_name() or tag
    query = "?" + urlencode([*others, (PARAMETER, tag)])
    return Choice(tag=tag, name=name[0].upper() + name[1:], direction=locale.text_direction, query=query)


def negotiated(app: App, base: str, is_ours: Callable[[str], bool]) -> App:
    """The application, which makes pages for their readers. `is_ours` says by path, without the base URL, whether HTML is of the
    reading room: such pages say in which language they are, and keep the one that was chosen."""

    async def negotiate(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path = "/" + scope["path"].removeprefix(base).lstrip("/")
        asked = parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True)
        takes, is_data = is_ours(path) and not _is_of_sql(asked), _FOR_PROGRAMS.search(path) is not None
        chosen = next((known for name, said in asked if name == PARAMETER and takes and (known := _known(said))), None)
        kept, accepted = ("", "") if is_data else (_cookie(scope), _header(scope, b"accept-language"))
        locale = locale_for(chosen or _known(kept), accepted)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message) and is_ours(path):
                message = {
                    **message,
                    "headers": [*_marked(message["headers"]), *(_keep(chosen, base) if chosen else ())],
                }
            await send(message)

        others = tuple((name, said) for name, said in asked if name != PARAMETER)
        before = _others.set(others if takes else None)
        try:
            with translation.read_in(locale):
                await app(_without(scope) if chosen and not is_data else scope, receive, send_marked)
        finally:
            _others.reset(before)

    return negotiate


def _is_of_sql(asked: list[tuple[str, str]]) -> bool:
    """Whether `lang` is a value that a reader's own SQL asks for."""
    return any(name == "sql" and re.search(rf":{PARAMETER}\b", said) for name, said in asked)


def _without(scope: Message) -> Message:
    """The request without its language, which Datasette would take for a column of its table."""
    parts = scope["query_string"].split(b"&")
    kept = [part for part in parts if part.partition(b"=")[0] != PARAMETER.encode()]
    return {**scope, "query_string": b"&".join(kept)}


def locale_for(chosen: str | None, accepted: str) -> Locale:
    """The locale of a reader who has chosen a language, or none, and whose browser accepts some. The region is the browser's, where
    it names one of that language; English that names none is ENGLISH."""
    wanted = [locale for locale in _locales(accepted) if chosen in (None, translation.language_of(locale))]
    if chosen:
        wanted.append(Locale.parse(chosen))
    found = next((locale for locale in wanted if translation.language_of(locale)), translation.ENGLISH)
    return translation.ENGLISH if found == Locale("en") else found


def _locales(accepted: str) -> Iterator[Locale]:
    """The locales of an Accept-Language, the best first. What is malformed, or not known to CLDR, is none; q=0 wants none of it."""
    ranges = []
    for said in accepted.split(","):
        name, *parameters = (part.strip() for part in said.split(";"))
        quality = _QUALITY.fullmatch(parameters[0]) if parameters else None
        if not parameters or (quality and float(quality[1])):
            ranges.append((float(quality[1]) if quality else 1.0, name))
    for _, name in sorted(ranges, key=lambda one: -one[0]):
        locale = _parsed(name) or _parsed(name.partition("-")[0])
        if locale:
            yield locale


def _parsed(name: str) -> Locale | None:
    try:
        return Locale.parse(name, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def _known(said: str) -> str | None:
    """The name of the catalogue of a tag; None of a language that there is none for."""
    return next(
        (name for name in translation.languages() if name.replace("_", "-").lower() == said.strip().lower()), None
    )


def _header(scope: Message, name: bytes) -> str:
    return ",".join(value.decode("latin1") for known, value in scope["headers"] if known.lower() == name)


def _cookie(scope: Message) -> str:
    """The language that was kept. Not by http.cookies, which gives up at the first cookie of another program that it cannot read."""
    pairs = (part.strip().partition("=") for part in re.split("[;,]", _header(scope, b"cookie")))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _is_html(message: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def _marked(headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    varies = [b"Accept-Language", b"Cookie"]
    for name, value in headers:
        if name.lower() == b"vary":
            varies += [one for part in value.split(b",") if (one := part.strip()) not in varies]
        else:
            yield name, value
    yield b"content-language", translation.tag().encode()
    yield b"vary", b", ".join(varies)


def _keep(language: str, base: str) -> Iterator[tuple[bytes, bytes]]:
    """The cookie, in an answer that no cache may keep for others."""
    cookie = f"{COOKIE}={language.replace('_', '-')}; Max-Age={COOKIE_SECONDS}; Path={base}; SameSite=Lax; HttpOnly"
    yield b"set-cookie", cookie.encode()
    yield b"cache-control", b"private, no-store"
