"""URL normalization (canonical_url) and registrable domains (same_site). Pure.

canonical_url() removes only what is safe to remove before anybody has fetched the page: it never merges two addresses
that could be two articles. Mobile and AMP twins are left to the page's own canonical link.
"""

import re
from functools import cache, lru_cache
from ipaddress import IPv6Address
from string import ascii_letters, digits
from urllib.parse import SplitResult, quote, urlsplit

import idna
from publicsuffixlist import PublicSuffixList
from w3lib.url import safe_url_string

TRACKERS = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|igshid|igsh|li_fat_id|mc_cid|mc_eid"
    r"|mkt_tok|oly_anon_id|oly_enc_id|vero_id|vero_conv|_hsenc|_hsmi|hsctatracking|__hs\w+|_openstat|s_cid|ncid|cmpid|cmp_id"
    r"|at_medium|at_campaign|at_custom\d|at_link_\w+|at_bbc_team|at_ptr_name|at_format|xtor|wt_mc|wt_zmc|mtm_\w+|pk_campaign|pk_kwd|pk_source|pk_medium"
    r"|ns_(campaign|mchannel|source|linkname|fee)|srsltid|smid|smtyp|sr_share|__twitter_impression|guccounter|guce_referrer\w*|ocid|soc_src|soc_trk|spm|_ga|_gl|epik|wickedid"
)
"""Query parameters that only say how a reader came: campaign tags and click identifiers, as their vendors document them.
Anything shorter or more general (`ref`, `source`, `id`, `page`) can choose the article on some site and stays."""

SESSION_IDS = re.compile(r"jsessionid|phpsessid|aspsessionid\w*|cfid|cftoken|oscsid|zenid")
"""Parameters in which servers keep a session where there is no cookie: Java, PHP, ASP, ColdFusion, two shops. They are another at
every look, and never choose the article."""

_MAYBE_SESSION = re.compile(r"sid|session_?id|sess_?id")
_RANDOM = re.compile(r"(?=[A-Za-z]*+[0-9])(?=[0-9]*+[A-Za-z])(?![0-9a-f]{24}\Z)[0-9A-Za-z]{16,}")
"""A name that is a session's on some sites and a story's on others (`?sid=26/11/03/171`) goes with a value as nobody numbers
stories: 16 letters and digits or more, but not the 24 of a document database; and only where something else names the page."""

_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*+", re.IGNORECASE)
_SCRIPT_PATH = re.compile(r"(?:.*/)?(?:[^/]*\.(?:php\d?|aspx?|cgi|pl|jsp|cfm|dll|do|fcgi))?", re.IGNORECASE)
"""A path that names no page without its query."""

_DEFAULT_PORT = {"http": 80, "https": 443}
_UNRESERVED = frozenset(ascii_letters + digits + "-._~")
"""Characters that never need an escape (RFC 3986, 2.3)."""
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+\]")
"""What a resolver takes (RFC 1035, 2.3.4), after IDNA encoding; the underscore is in no standard and in many host names."""
_FRONT_PAGE = re.compile(r"/*((index|default)\.(x?html?|shtml|php\d?|aspx?|jsp|cfm)/*)?", re.IGNORECASE)
"""The root, or one of the names under which web servers keep it."""

_HASH_ROUTE = re.compile(r"(?:!/*+|/++)[^/?#\s](?:(?!%23)[^#\s])*+")
"""A fragment that names a page: `#!` is the mark of the former scheme for crawlers (hashbang), `#/` what routers in browsers write.
`#!` and `#/` alone are the page itself."""
_ROUTED_PATH = re.compile(
    r"(?:/[a-z]{2})?(?:/[a-z]{1,20})?(?:/(?:(?:index|default|home|main|app)\.[a-z]{2,5})?)?", re.IGNORECASE
)
"""The one page of a site whose JavaScript shows all others: at the root, in a language or a folder. Behind an article's own address
such a fragment is a picture of its gallery, or a comment."""

_LETTERS = r"\x80-\ud7ff\ue000-\U0010ffff"
"""All that is escaped wherever it stands behind the host, as the inside of a character class: what is not ASCII."""
_PLAIN = re.compile(
    r"(https?)://(?=[^/?]{1,253}(?:[/?]|\Z))((?:[a-z0-9-]{1,63}\.)*+[a-z][a-z0-9-]{0,62})"
    r"(:(?!(?:80|443)(?:[/?]|\Z))[1-9][0-9]{0,3})?+"
    rf"((?:/(?!\.)(?:[A-Za-z0-9._~{_LETTERS}-]|%(?:[A-F89][0-9A-F]|20))*+)*+)(?:\?([A-Za-z0-9._~=&{_LETTERS}-]*+))?(?<!\s)"
)
"""An address with nothing that would have to be decoded or resolved, as most sites write all of theirs: canonical but for its
trackers and for letters that are to be escaped. Splitting it takes ten times as long, and a sitemap has 50,000."""


class UnusableURL(ValueError):
    """No http or https address, or one that carries credentials."""


def canonical_url(url: str) -> str:
    """Normalize a URL: fragment, tracking parameters, session ids, default port and needless escapes gone, scheme and host in lower case.

    A fragment that is a hash route is another page, and stays. Idempotent. Parameters keep their order: some sites' servers care. Raises UnusableURL.
    """
    if plain := _PLAIN.fullmatch(url):
        return _joined(f"{plain[1]}://{plain[2]}{plain[3] or ''}", _escaped(plain[4]), _escaped(plain[5] or ""))
    try:
        parts = urlsplit(safe_url_string(_with_ascii_host(url.strip())))
        host, port = _host(parts), parts.port
    except ValueError as error:
        raise UnusableURL(f"{url!r}: {error}") from None
    if parts.scheme not in _DEFAULT_PORT or not host:
        raise UnusableURL(f"{url!r} is no http or https address")
    if parts.username or parts.password:
        raise UnusableURL(f"{url!r} carries a user name")
    if not _HOST.fullmatch(host) or port == 0:
        raise UnusableURL(f"{url!r} names no host")
    if port and port != _DEFAULT_PORT[parts.scheme]:
        host = f"{host}:{port}"
    path = _SESSION_IN_PATH.sub("", parts.path) if ";" in parts.path else parts.path
    whole = _joined(f"{parts.scheme}://{host}", _normal_escapes(path), _normal_escapes(parts.query))
    route = _HASH_ROUTE.match(parts.fragment)
    if route and _ROUTED_PATH.fullmatch(urlsplit(whole).path) and "?" not in whole:
        path, _, query = _normal_escapes(route[0]).partition("?")
        return f"{whole}#{_joined('', path, query)}"
    return whole


def hash_route(url: str) -> str | None:
    """The route of a canonical address behind `#`, by which a site's JavaScript chooses the page: `/news/12`; None: it has none."""
    return url.partition("#")[2].lstrip("!") or None


def canonical_or_none(url: str) -> str | None:
    """The same for a stranger's string: None where it is no address that can be asked for."""
    try:
        return canonical_url(url)
    except UnusableURL:
        return None


def is_whole(url: str) -> bool:
    """Whether an address stands for itself wherever it is found, as far as one can tell at a glance."""
    return _PLAIN.fullmatch(url) is not None


def site_of(url: str) -> str | None:
    """The registrable domain an address belongs to (public suffix list); None for a URN or a damaged address.

    Where there is none (an IP address, `localhost`) it is the host with its port: such sites are told apart by port.
    """
    if plain := _PLAIN.fullmatch(url):
        return _registrable(plain[2], plain[3] or "")
    try:
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORT or not parts.hostname:
            return None
        port = "" if parts.port in (None, _DEFAULT_PORT[parts.scheme]) else f":{parts.port}"
        return _registrable(_host(parts), port)
    except ValueError:
        return None


def origin_of(url: str) -> str:
    """`scheme://host:port` of an address, as it is written there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host of an http or https address as `hosts.host` has it: lower case, with the port where it is not the usual one."""
    parts = urlsplit(url)
    port = f":{_DEFAULT_PORT[parts.scheme]}" if parts.scheme in _DEFAULT_PORT else ""
    return parts.netloc.rpartition("@")[2].lower().removesuffix(port).rstrip(".")


def same_site(one: str, other: str) -> bool:
    """Whether both addresses belong to one registrable domain (eTLD+1): `www.` and `m.` of a paper are one site, two blogs on
    one hosting service are two."""
    site = site_of(one)
    return site is not None and site == site_of(other)


def is_front_page(url: str) -> bool:
    """Whether the address is the root of its host, with nothing in the query, and no hash route."""
    parts = urlsplit(url)
    return _FRONT_PAGE.fullmatch(parts.path) is not None and not parts.query and not _HASH_ROUTE.match(parts.fragment)


_ARCHIVED = re.compile(
    r"https?://[^/?#]++(?:/[^/?#]*){0,3}?/(?:\d{4,14}(?:[a-z]{2}_)?|\d{4}\.\d\d\.\d\d-\d{6})/(https?)(?::|%3A)/{1,2}+([^/].*)",
    re.IGNORECASE,
)
"""An address in a web archive, as Wayback, OpenWayback, pywb and archive.today write it: the capture's time, and the address it is of."""


def original_url(url: str) -> str:
    """The address that a web archive's copy is of; any other as it is."""
    found = _ARCHIVED.fullmatch(url)
    return f"{found[1]}://{found[2]}" if found else url


def _host(parts: SplitResult) -> str:
    """The host as resolvers want it: lower case, IDNA, no final dot, an IPv6 address in its brackets."""
    name = (parts.hostname or "").rstrip(".")
    if ":" in name:
        return f"[{IPv6Address(name).compressed}]"
    return _ascii_name(name)


def _with_ascii_host(url: str) -> str:
    """With the host's name as IDNA 2008 has it, as browsers do: by that of 2003, w3lib's, `straße` is another host's."""
    if url.isascii():
        return url
    return _AUTHORITY.sub(lambda found: f"{found[1]}{_ascii_name(found[2])}", url, count=1)


_AUTHORITY = re.compile(r"\A(https?://(?:[^/?#@]{0,200}@)?)([^/?#@:]{1,253})", re.IGNORECASE)


def _ascii_name(name: str) -> str:
    """A host's name by IDNA 2008 and UTS 46, by IDNA 2003 what only that takes (emoji). Raises UnicodeError, a ValueError."""
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name.encode("idna").decode("ascii")


def _joined(origin: str, path: str, query: str) -> str:
    query = _without_trackers(query, path) if query else ""
    return f"{origin}{path or '/'}{'?' + query if query else ''}"


def _escaped(text: str) -> str:
    """With all that is not ASCII as the escapes of its UTF-8 bytes (RFC 3987, 3.1)."""
    return text if text.isascii() else re.sub(f"[{_LETTERS}]+", lambda letters: _escapes(letters[0]), text)


_escapes = lru_cache(maxsize=4096)(quote)  # a site's sections and words return


def _without_trackers(query: str, path: str) -> str:
    kept, doubted = [], []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = name.lower()
        if pair and not TRACKERS.fullmatch(name) and not SESSION_IDS.fullmatch(name):
            kept.append(pair)
            if _MAYBE_SESSION.fullmatch(name) and _RANDOM.fullmatch(value):
                doubted.append(pair)
    if doubted and (len(doubted) < len(kept) or not _SCRIPT_PATH.fullmatch(path)):
        kept = [pair for pair in kept if pair not in doubted]
    return "&".join(kept)


def _normal_escapes(text: str) -> str:
    """RFC 3986, 6.2.2: hexadecimal digits in upper case, unreserved characters unescaped; a lone `%` is escaped."""
    return re.sub("%([0-9A-Fa-f]{2})?", lambda escape: _normal_escape(escape[1]), text)


def _normal_escape(digits: str | None) -> str:
    if digits is None:
        return "%25"
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else f"%{digits.upper()}"


@cache
def _suffixes() -> PublicSuffixList:
    """Public suffixes as they were when the library was released: nothing is downloaded."""
    return PublicSuffixList(accept_unknown=False)


@lru_cache(maxsize=4096)
def _registrable(host: str, port: str) -> str:
    if domain := _suffixes().privatesuffix(host):
        return str(domain)
    is_name = "." in host and not re.fullmatch(r"[0-9.]+|\[.*", host)
    return ".".join(host.split(".")[-2:]) if is_name else f"{host}{port}"


def default_name(url: str) -> str:
    """What a source is called until its user says otherwise: its host, without `www.`."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


OUTLET = "urn:outlet:"
"""How the address begins of a source that is known by its name alone."""


def outlet_url(name: str) -> str:
    """The address of an outlet of which only saved pages are at hand: its source's identity is the name that a person gave it."""
    return f"{OUTLET}{quote(name)}"
