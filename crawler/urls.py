"""Addresses: canonical_url() and same_site(). Pure.

canonical_url() removes only what is safe to remove before anybody has fetched the page: it never merges two addresses
that could be two articles. Mobile and AMP twins are left to the page's own canonical link.
"""

import re
from functools import lru_cache
from string import ascii_letters, digits
from urllib.parse import urlsplit

import tldextract
from w3lib.url import safe_url_string

TRACKERS = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|igshid|igsh|li_fat_id|mc_cid|mc_eid"
    r"|mkt_tok|oly_anon_id|oly_enc_id|vero_id|vero_conv|_hsenc|_hsmi|hsctatracking|__hs\w+|_openstat|s_cid|ncid|cmpid|cmp_id"
    r"|at_medium|at_campaign|at_custom\d|at_link_\w+|at_bbc_team|at_ptr_name|at_format|xtor|wt_mc|wt_zmc|mtm_\w+|pk_campaign|pk_kwd|pk_source|pk_medium"
    r"|smid|smtyp|sr_share|__twitter_impression|guccounter|guce_referrer\w*|ocid|soc_src|soc_trk|spm|_ga|_gl|epik|wickedid"
)
"""Query parameters that only say how a reader came: campaign tags and click identifiers, as their vendors document them.
Anything shorter or more general (`ref`, `source`, `id`, `page`) can choose the article on some site and stays."""

_UNRESERVED = frozenset(ascii_letters + digits + "-._~")

_extract_domain = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class UnusableURL(ValueError):
    """No http or https address, or one that carries credentials."""


def canonical_url(url: str) -> str:
    """The address with its fragment, trackers, default port and needless escapes gone, scheme and host in lower case.

    Idempotent. Parameters keep their order: some sites' servers care. Raises UnusableURL.
    """
    try:
        safe = safe_url_string(url.strip())
        parts = urlsplit(safe)
        port = parts.port
    except ValueError as error:
        raise UnusableURL(f"{url!r}: {error}") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host:
        raise UnusableURL(f"{url!r} is no http or https address")
    if parts.username or parts.password:
        raise UnusableURL(f"{url!r} carries a user name")
    host = f"[{host}]" if ":" in host else host
    if port and port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _is_tracker(pair))
    return _normal_escapes(f"{parts.scheme}://{host}{parts.path or '/'}{'?' + query if query else ''}")


def site_of(url: str) -> str | None:
    """The registrable domain an address belongs to (public suffix list); None for a URN or a damaged address.

    Where there is none (an IP address, `localhost`) it is the host with its port: such sites are told apart by port.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        address = f"{host}:{parts.port or ''}"
    except ValueError:
        return None
    return _registrable(host, address) if parts.scheme in ("http", "https") and host else None


def same_site(one: str, other: str) -> bool:
    """Whether both addresses belong to one registrable domain: `www.` and `m.` of a paper are one site, two blogs on
    one hosting service are two."""
    site = site_of(one)
    return site is not None and site == site_of(other)


def is_front_page(url: str) -> bool:
    """Whether the address is the root of its host, with nothing in the query."""
    parts = urlsplit(url)
    return parts.path.strip("/") in ("", "index.html", "index.htm", "index.php") and not parts.query


def _is_tracker(pair: str) -> bool:
    return TRACKERS.fullmatch(pair.partition("=")[0].lower()) is not None


def _normal_escapes(url: str) -> str:
    """RFC 3986, 6.2.2: hexadecimal digits in upper case, unreserved characters unescaped."""
    return re.sub("%([0-9A-Fa-f]{2})", lambda escape: _unescaped(int(escape[1], 16)), url)


def _unescaped(code: int) -> str:
    return chr(code) if chr(code) in _UNRESERVED else f"%{code:02X}"


@lru_cache(maxsize=4096)
def _registrable(host: str, address: str) -> str:
    found = _extract_domain(host, include_psl_private_domains=True)
    if found.domain and found.suffix:
        return f"{found.domain}.{found.suffix}"
    is_name = "." in host and not re.fullmatch(r"[0-9.]+", host) and ":" not in host
    return ".".join(host.split(".")[-2:]) if is_name else address
