"""Rich text: what content systems keep a text as (blocks, nodes, HTML in strings), written as HTML.

Draft.js, Editor.js, ProseMirror, Slate, Lexical, Portable Text, Contentful, Gutenberg, React's elements and JsonML all say: here is
a list, its entries have a kind and a content. So kinds and contents are known by what they are called, no format by its name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from crawler.lenient_json import Repairs, UnreadableJSON, read_json
from pipelines.text import TAG, is_prose, width

MAX_NODES = 30_000
"""Values of a page's data that are looked at for text; the largest state of labelled pages has 25,000."""


MAX_LEVELS = 60


@dataclass(frozen=True, slots=True)
class RichText:
    """A text as HTML, and how much of it is prose."""

    html: str = ""
    prose: int = 0  #: characters of its lines that are sentences, one of CJK counting three

    def __add__(self, other: "RichText") -> "RichText":
        return RichText(self.html + other.html, self.prose + other.prose)


NOTHING = RichText()


KIND_KEYS = ("type", "nodeType", "_type", "blockName", "__typename", "name", "kind", "component", "tag")


CONTENT_KEYS = ("children", "content", "text", "value", "html", "literal", "body", "data", "attributes", "attrs", "props",
                "fields", "rendered", "innerHTML", "items", "paragraph", "p", "rich_text")  # fmt: skip
"""Where the text of a block stands, the likeliest first."""


TEXT_KEY = re.compile(
    r"(?i)(?:^|[_a-z])(?:text|content|body|html|value|data|literal|rendered|paragraph|children|copy|markup)$|^p$"
)


OTHER_KEY = re.compile(
    r"(?i)desc|summary|excerpt|teaser|snippet|abstract|caption|credit|legend|copyright|bio$|biograph|author|byline|creator|publisher"
    r"|comment|related|recommend|popular|trending|latest|more|newsletter|promo|advert|sponsor|disclaim|footer|header$|menu|navig"
    r"|^seo|meta|social|share|image|photo|picture|video|media|gallery|audio|embed|^alt|style|class|^css|script|config|setting|i18n"
    r"|translation|locale|message|label|faq|consent|cookie|polic|terms|error|^url|href|^id$|^key$|markdefs|^marks"
)
"""Keys of what stands beside a text: descriptions, captions, other works, words of the program."""


OTHER_KIND = re.compile(
    r"(?i)image|photo|picture|figure|video|embed|advert|^ads?$|promo|related|newsletter|teaser|card|widget|gallery|audio|social"
    r"|tweet|caption|atomic|media|^img|^iframe|divider|separator|comment|interstitial|author|byline|button|recirc|slideshow"
)


HEADING_KIND = re.compile(r"(?i)head|^h[1-6]$|^sub-?title")
QUOTE_KIND = re.compile(r"(?i)quot|^bq$")
ITEM_KIND = re.compile(r"(?i)list[-_ ]?item|^[ou]?li$")
LIST_KIND = re.compile(r"(?i)list|^[ou]l$")
TEXT_KIND = re.compile(r"(?i)para|^p$|text|^block$|unstyled|^normal$|^copy$")
BREAK_KIND = re.compile(r"(?i)^(?:hard-?_?)?(?:line-?_?)?br(?:eak)?$")


MARKUP = re.compile(
    r"<(?:p|br|div|h[1-6]|ul|ol|li|blockquote|section|article)\b[^<>]{0,300}>|</(?:p|div|a|b|i|em|strong|span)>", re.I
)


LINE_END = re.compile(r"<(?:br|/p|/div|/h[1-6]|/li|/blockquote|p)\b[^<>]{0,300}>|\n", re.I)


CONTAINER_NAMES, TEXT_NAMES = (
    "div section article main body ul ol table tbody tr td",
    "p h1 h2 h3 h4 h5 h6 li blockquote pre dd dt",
)
INLINE_NAMES = "a b i em strong span u s small sub sup mark q cite abbr time code br"
SILENT_NAMES = """
nav aside header footer button svg script style form img video audio iframe figure figcaption noscript input picture source
select label template
"""


TEXT_TAGS, SILENT_TAGS = frozenset(TEXT_NAMES.split()), frozenset(SILENT_NAMES.split())
KNOWN_TAGS = TEXT_TAGS | SILENT_TAGS | set(CONTAINER_NAMES.split()) | set(INLINE_NAMES.split())


class Reader:
    """Reads values as rich text; `is_other` tells objects that are works of their own."""

    def __init__(self, is_other: Callable[[dict[str, Any]], bool]) -> None:
        self._is_other, self._left = is_other, MAX_NODES

    def read(self, value: Any, key: str = "", depth: int = 0) -> RichText:
        """A value's text, the longest where it has several beside each other."""
        self._left -= 1
        if self._left < 0 or depth > MAX_LEVELS:
            return NOTHING
        if isinstance(value, str):
            return self._string(value, key, depth)
        if isinstance(value, list):
            return self._element(value, depth) or self._all(value, key, depth)
        return self._object(value, depth) if isinstance(value, dict) else NOTHING

    def _string(self, value: str, key: str, depth: int) -> RichText:
        if is_json(value):
            try:
                return self.read(read_json(value, Repairs(0)), key, depth + 1)
            except UnreadableJSON:
                return NOTHING
        written = from_string(value)
        return written if written.prose or TEXT_KEY.search(key) else NOTHING

    def _all(self, values: list[Any], key: str, depth: int) -> RichText:
        if pieces := [one["insert"] for one in values if isinstance(one, dict) and isinstance(one.get("insert"), str)]:
            return from_string("".join(pieces))  # Quill's: a text in pieces that end anywhere
        found = [
            self.read(one, key, depth + 1) for one in values if not (isinstance(one, dict) and self._is_other(one))
        ]
        return RichText("".join(one.html for one in found), sum(one.prose for one in found))

    def _element(self, value: list[Any], depth: int) -> RichText | None:
        """An element of React (`["$", "p", null, {"children": ...}]`) or of JsonML (`["p", {...}, ...]`); None for another list."""
        if len(value) == 4 and value[0] == "$":
            properties = value[3] if isinstance(value[3], dict) else {}
            inner = properties.get("dangerouslySetInnerHTML")
            children = inner.get("__html") if isinstance(inner, dict) else properties.get("children")
            tag = value[1] if isinstance(value[1], str) else ""
            if tag[:1] in ("", "$") or not tag.islower():  # a component: whatever it is given may be its text
                return self._object(properties, depth + 1)
        elif value and isinstance(value[0], str) and value[0] in KNOWN_TAGS and len(value) > 1:
            tag, children = value[0], value[2:] if isinstance(value[1], dict) else value[1:]
        else:
            return None
        if tag in TEXT_TAGS:
            return _paragraph(tag, self._inline(children, depth + 1))
        return NOTHING if tag in SILENT_TAGS else self.read(children, "children", depth + 1)

    def _object(self, value: dict[str, Any], depth: int) -> RichText:
        if len(value) > 1 and all(map(str.isdecimal, value)):  # how PHP writes a list with a gap
            return self._all(list(value.values()), "", depth)
        kind = _kind(value)
        if OTHER_KIND.search(kind):
            return NOTHING
        tag, content = _tag_of(kind), _content(value)
        if tag and content is not None:
            if tag == "ul" or self._holds_blocks(content):
                return self.read(content, "content", depth + 1)
            return _paragraph(tag, self._inline(content, depth + 1))
        return self.longest(value, depth)

    def longest(self, value: dict[str, Any], depth: int = 0) -> RichText:
        """The longest text of an object's properties, whatever it is called itself."""
        found = [
            self.read(one, name, depth + 1)
            for key, one in value.items()
            if isinstance(one, str | list | dict)
            and not OTHER_KEY.search(name := key.partition("(")[0])  # of Apollo's `body({"as": "blocks"})`
            and not (isinstance(one, dict) and self._is_other(one))
        ]
        return max(found, key=lambda one: (one.prose, len(one.html)), default=NOTHING)

    @staticmethod
    def _holds_blocks(content: Any) -> bool:
        """Whether a content is made of blocks, not of the runs of one."""
        if isinstance(content, str):
            return MARKUP.match(content.lstrip()) is not None and "</p>" in content
        if isinstance(content, dict):
            content = _content(content)
        return isinstance(content, list) and any(
            isinstance(one, dict) and _kind(one).lower() not in ("text", "span", "link") and _tag_of(_kind(one))
            for one in content
        )

    def _inline(self, value: Any, depth: int) -> str:
        """The text of a block, with such markup as its strings bring."""
        self._left -= 1
        if self._left < 0 or depth > MAX_LEVELS:
            return ""
        if isinstance(value, str):
            return value if TAG.search(value) else escape(value, quote=False)
        if isinstance(value, list):
            if len(value) == 4 and value[0] == "$" and isinstance(value[3], dict):
                return "" if value[1] in SILENT_TAGS else self._inline(value[3].get("children"), depth + 1)
            tag = value[0] if value and isinstance(value[0], str) and value[0] in KNOWN_TAGS else None
            if tag is not None and len(value) > 1:
                return (
                    ""
                    if tag in SILENT_TAGS
                    else self._inline(value[2:] if isinstance(value[1], dict) else value[1:], depth + 1)
                )
            return "<br>" if tag == "br" else "".join(self._inline(one, depth + 1) for one in value)
        if isinstance(value, dict):
            kind = _kind(value)
            if BREAK_KIND.search(kind):
                return "<br>"
            return "" if OTHER_KIND.search(kind) else self._inline(_content(value), depth + 1)
        return ""


def is_json(value: str) -> bool:
    """Whether a string is an object or a list of such, written as JSON."""
    return BEGINS_JSON.match(value) is not None


BEGINS_JSON = re.compile(r"\s{0,9}+[\[{]\s{0,40}+[\[{\"]")


def from_string(value: str) -> RichText:
    """A string, HTML, Markdown or plain, as paragraphs."""
    if "&" in value and not MARKUP.search(value):
        value = unescape(unescape(value))
    if MARKDOWN.search(value):
        value = "\n".join(_without_marks(line) for line in value.splitlines() if not line.startswith(MARKDOWN_BOXES))
    if MARKUP.search(value):
        lines = [TAG.sub("", line) for line in LINE_END.split(value)]
        return RichText(f"<div>{value}</div>", _prose(lines))
    lines = [line for line in value.splitlines() if line.strip()]
    return RichText("".join(f"<p>{escape(line, quote=False)}</p>" for line in lines), _prose(lines))


MARKDOWN = re.compile(r"\]\([^()\s]{1,2000}\)|\*\*[^*\s][^*]{1,300}\*\*|^#{1,6}\s", re.M)
MARKDOWN_LINK = re.compile(r"\[([^\[\]]{1,300})\]\([^()\s]{1,2000}\)(?:\{[^{}]{0,200}\})?")
MARKDOWN_BOXES = ("+++", "[#", "![", "***", "---")


def _without_marks(line: str) -> str:
    """A line of Markdown without its marks."""
    return MARKDOWN_LINK.sub(r"\1", line).replace("**", "").lstrip("#> ")


def _prose(lines: list[str]) -> int:
    prose = (line for raw in lines if is_prose(line := raw.strip()) and WORDS.search(line) and '":' not in line)
    return sum(map(width, prose))


WORDS = re.compile(r"[^\W\d_]{1,30}\s[^\W\d_]{1,30}\s|[^\x00-\u02ff]{12}")
"""What text holds and addresses, keys and code do not: words beside each other, or letters of scripts that part none."""


def _paragraph(tag: str, inner: str) -> RichText:
    return RichText(f"<{tag}>{inner}</{tag}>", _prose(TAG.sub("", inner).splitlines())) if inner.strip() else NOTHING


def _kind(value: dict[str, Any]) -> str:
    """What kind of block an object is, by its own word."""
    kind = next((one for key in KIND_KEYS if isinstance(one := value.get(key), str) and KIND.fullmatch(one)), "")
    style = value.get("style")
    if kind == "block" and isinstance(style, str) and style != "normal":
        return style
    return kind.rpartition("/")[2]


KIND = re.compile(r"[\w:./-]{1,40}")


def _tag_of(kind: str) -> str | None:
    """The element that a kind of block is; None for a container, and for what is no block."""
    for pattern, tag in (
        (ITEM_KIND, "li"),
        (HEADING_KIND, "h2"),
        (QUOTE_KIND, "blockquote"),
        (LIST_KIND, "ul"),
        (TEXT_KIND, "p"),
    ):
        if pattern.search(kind):
            return tag
    return None


def _content(value: dict[str, Any]) -> Any:
    """What a block's text is: the first of CONTENT_KEYS that it has."""
    return next((one for key in CONTENT_KEYS if (one := value.get(key)) and isinstance(one, str | list | dict)), None)
