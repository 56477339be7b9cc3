"""Content types of saved files, by their extensions."""

from mimetypes import MimeTypes
from pathlib import Path

_types = MimeTypes()
"""Python's own table: the system's tables differ, and some call `/about-x.com` a program."""


for _suffix, _type in {
    ".atom": "application/atom+xml",
    ".gz": "application/gzip",
    ".rdf": "application/rdf+xml",
    ".rss": "application/rss+xml",
    ".xhtml": "application/xhtml+xml",
}.items():
    _types.add_type(_type, _suffix)


def content_type_of(path: Path) -> str:
    """The content type of a file by its extension; what has none, or one of a server's scripts, is a page."""
    suffix = Path(path.name.partition("?")[0]).suffix.lower()
    return _types.types_map[True].get(suffix, "text/html")


def is_of_another_kind(path: Path) -> bool:
    """Whether a file's extension says that it is no page: a picture, a style sheet, a feed."""
    return "html" not in _types.types_map[True].get(path.suffix.lower(), "text/html")
