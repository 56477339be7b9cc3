"""Text that only scripts show: it is found in what they hold, whatever framework wrote it, and a page without is refused as what it is."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Page
from pipelines.extract import Refusal, extract
from pipelines.extract.scripts.page_data import page_data
from pipelines.extract.scripts.rich_text import Reader
from tests.support.work import calls

TITLE = "The gate of the old brickworks stays shut"

TEXT = [
    "The side gate of the old brickworks stays shut until the autumn, because nobody has found the key that the caretaker left.",
    "Two locksmiths have looked at it. One said that the lock is older than the wall, and the other that it was put in upside down.",
    "The council has set aside four hundred pounds for a new gate, which the school's own workshop is to make before October.",
    "“We would rather have the key,” said Edda Marlowe, who chairs the committee. “There is nothing wrong with the gate itself.”",
    "Until then visitors go round by the canal, which takes eleven minutes on foot and, when the lock is being filled, rather longer.",
]

HTML = "".join(f"<p>{line}</p>" for line in TEXT)


def written(value: Any) -> str:
    """JSON as it is written into scripts."""
    return json.dumps(value).replace("<", "\\u003c")


def lines(body: str, head: str = "") -> list[str]:
    page = f'<html lang="en"><head><title>{TITLE} - Hollin Echo</title>{head}</head><body>{body}</body></html>'
    url = "https://www.hollin-echo.example/town/gate"
    given = Page(url=url, final_url=url, via="file", body=page.encode(), content_type="text/html", fetched_at=NOW)
    return extract(given).text.split("\n\n")


NOW = datetime(2026, 5, 2, tzinfo=UTC)


# ---------------------------------------------------------------------------------------------------- kinds of rich text
def runs(line: str, key: str, **more: Any) -> list[dict[str, Any]]:
    """A paragraph's runs, the second of them bold."""
    return [{**more, key: line[:30]}, {**more, key: line[30:50], "bold": True}, {**more, key: line[50:]}]


KINDS: dict[str, Any] = {
    "HTML": HTML,
    "plain text": "\n\n".join(TEXT),
    "HTML with entities": HTML.replace("<", "&lt;").replace(">", "&gt;"),
    "a list of paragraphs": TEXT,
    "JSON in a string": json.dumps([{"type": "p", "children": [{"type": "text", "data": line}]} for line in TEXT]),
    "Draft.js": {"blocks": [{"key": "a", "type": "unstyled", "text": line} for line in TEXT], "entityMap": {}},
    "Editor.js": {"time": 1, "blocks": [{"type": "paragraph", "data": {"text": line}} for line in TEXT]},
    "ProseMirror": {"type": "doc", "content": [{"type": "paragraph", "content": runs(line, "text", type="text")} for line in TEXT]},
    "Slate": [{"type": "paragraph", "children": runs(line, "text")} for line in TEXT],
    "Lexical": {"root": {"type": "root", "children": [{"type": "paragraph", "children": runs(line, "text", type="text")} for line in TEXT]}},
    "Portable Text": [{"_type": "block", "style": "normal", "children": runs(line, "text", _type="span")} for line in TEXT],
    "Contentful": {"nodeType": "document", "content": [{"nodeType": "paragraph", "content": runs(line, "value", nodeType="text")} for line in TEXT]},
    "Gutenberg": [{"name": "core/paragraph", "attributes": {"content": line}} for line in TEXT],
    "elements of a story": [{"type": "text", "content": line} for line in TEXT] + [{"type": "image", "caption": "The gate in the rain, as it was seen on Monday by a passer-by on the way to the canal."}],
    "JsonML": ["div", {"class": "body"}, *(["p", line[:30], ["a", {"href": "/x"}, line[30:50]], line[50:]] for line in TEXT)],
    "rendered": {"rendered": HTML, "protected": False},
    "Quill": {"ops": [{"insert": piece} for line in TEXT for piece in (line[:30], line[30:50], line[50:] + "\n")]},
    "Notion": [{"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": line}, "plain_text": line}]}} for line in TEXT],
    "a list with a gap": {str(n): {"type": "p", "text": line} for n, line in enumerate(TEXT, 3)},
    "Markdown": "\n\n".join(f"**{line[:20].strip()}**{line[:20][len(line[:20].strip()):]}{line[20:]}" for line in TEXT),
}  # fmt: skip


@pytest.mark.parametrize("body", KINDS.values(), ids=KINDS)
def test_a_text_is_read_whatever_kind_of_rich_text_it_is(body: Any) -> None:
    state = {
        "props": {"article": {"title": TITLE, "description": TEXT[0], "content": body, "author": {"bio": TEXT[2] * 9}}}
    }
    assert lines(f'<div id="app"></div><script type="application/json">{written(state)}</script>') == TEXT


def test_a_headline_is_known_in_a_title_whose_longest_word_is_the_site_s() -> None:
    state = f'<script type="application/json">{written({"headline": TITLE, "body": HTML})}</script>'
    page = f"<html lang=en><title>{TITLE} - Hollinghamshire Echo</title><div id=app></div>{state}"
    url = "https://www.hollin-echo.example/a"
    given = Page(url=url, final_url=url, via="file", body=page.encode(), content_type="text/html", fetched_at=NOW)
    assert extract(given).text.split("\n\n") == TEXT


def test_settings_that_name_the_site_are_not_the_article() -> None:
    site = "The Hollinghamshire Echo, a paper for people who like towers"
    settings = {
        "name": site,
        "text": "We use cookies to measure who reads us. You may say no to that at any time. " * 9,
    }
    head = f"<title>{TITLE} - {site}</title><meta property=og:title content={TITLE!r}>"
    short = f"<p>{TEXT[0]}</p><script>(function(c){{}})({written(settings)})</script>"
    page = f"<html lang=en><head>{head}</head><body><h1>{TITLE}</h1>{short}</body></html>"
    url = "https://www.hollin-echo.example/a"
    given = Page(url=url, final_url=url, via="file", body=page.encode(), content_type="text/html", fetched_at=NOW)
    assert extract(given).text.split("\n\n") == TEXT[:1]


# -------------------------------------------------------------------------------------------------- what states are kept in
def flight(*rows: str) -> str:
    """A stream of React's server components, in pieces that end anywhere."""
    stream = "".join(rows)
    pieces = [stream[at : at + 150] for at in range(0, len(stream), 150)]
    return "".join(f"<script>self.__next_f.push({json.dumps([1, piece])})</script>" for piece in pieces)


def row(name: str, value: Any) -> str:
    return f"{name}:{json.dumps(value)}\n"


ARTICLE = {"headline": TITLE, "body": HTML}
NUMBERED = [["ShallowReactive", 1], {"data": 2}, {"gate": 3}, {"headline": 4, "body": 5, "more": 6}, TITLE, HTML, []]
CACHE = {
    "ROOT_QUERY": {"__typename": "Query", "article": {"__ref": "Article:1"}},
    "Article:1": {"__typename": "Article", "title": TITLE, "body({})": [{"__ref": f"Text:{n}"} for n in range(5)]},
    **{f"Text:{number}": {"__typename": "Text", "text": line} for number, line in enumerate(TEXT)},
}
OLD_CACHE = {
    "Article:1": {
        "__typename": "Article",
        "title": TITLE,
        "blocks": [{"type": "id", "id": f"$1.{n}"} for n in range(5)],
    },
    **{f"$1.{number}": {"__typename": "TextBlock", "content": line} for number, line in enumerate(TEXT)},
}
PARAGRAPHS = [
    ["$", "p", str(n), {"children": [line[:30], ["$", "b", None, {"children": line[30:]}]]}]
    for n, line in enumerate(TEXT)
]

STATES = {
    "__NEXT_DATA__": f'<script id="__NEXT_DATA__" type="application/json">{written({"props": {"pageProps": {"a": ARTICLE}}})}</script>',
    "flight": flight(
        ':HL["/a.css","style"]\n',
        '1:"$Sreact.fragment"\n',
        '2:I[7,["c"],"A"]\n',
        row("3", ["$", "$L2", None, {"article": ARTICLE}]),
    ),
    "a text of flight": flight(
        f"4:T{len(HTML.encode()):x},{HTML}", row("5", ["$", "$L2", None, {"title": TITLE, "html": "$4"}])
    ),
    "elements of flight": flight(
        row("0", ["$", "article", None, {"children": [["$", "h1", None, {"children": TITLE}], PARAGRAPHS]}])
    ),
    "Nuxt's payload": f'<script type="application/json" id="__NUXT_DATA__">{written(NUMBERED)}</script>',
    "Nuxt's function": f"<script>window.__NUXT__=(function(a,b){{return {{data:[{{title:b,body:{written(HTML)},n:a}}]}}}}(null,{written(TITLE)}));</script>",
    "a cache of Apollo": f"<script>window.__APOLLO_STATE__ = {written(CACHE)};</script>",
    "an old cache of Apollo": f"<script>window.__APOLLO_STATE__ = {written(OLD_CACHE)};</script>",
    "a literal of JavaScript": f"<script>var state = {{ // made here\n article: {{headline: '{TITLE}', html: `{HTML}`, n: undefined, t: ['a',]}} }};</script>",
    "one of several": f'<script>F.site="x";F.path="/";F.content={written({"headlines": {"basic": TITLE}, "content_elements": KINDS["elements of a story"]})};F.y={{"a":1}};</script>',
    "JSON in a string": f"<script>window.__STATE__ = JSON.parse({json.dumps(json.dumps(ARTICLE))});</script>",
    "Angular's": f'<script id="app-state" type="application/json">{json.dumps(ARTICLE).replace(chr(34), "&q;")}</script>',
    "SvelteKit's": f'<script>{{ const data = [null,{{type:"data",data:{written(ARTICLE)},uses:{{}}}}]; start(app, {{node_ids: [0, 2], data}}); }}</script>',
    "Remix's stream": f"<script>c.enqueue({json.dumps(json.dumps([{'_1': 2}, 'story', {'_3': 4, '_5': 6}, 'title', TITLE, 'body', HTML]))});</script>",
    "JSON in base64": f'<script>window.state = JSON.parse(atob("{b64encode(json.dumps(ARTICLE).encode()).decode()}"));</script>',
    "JSON as an address": f'<script type="text/x-json">{quote(json.dumps(ARTICLE))}</script>',
    "a string that is JSON": f"<script>window.data={written(json.dumps(ARTICLE))};</script>",
    "an answer as it came": f'<script type="application/json">{written({"status": 200, "body": json.dumps(ARTICLE)})}</script>',
    "SvelteKit's, in the call": f'<script>{{then(([kit, app]) => {{kit.start(app, el, {{node_ids: [0, 2], data: [null,{{type:"data",data:{written(ARTICLE)}}}]}});}});}}</script>',
    "an attribute": f'<div data-page="{escape(json.dumps({"props": ARTICLE}))}"></div>',
    "Astro's islands": f'<astro-island props="{escape(json.dumps({"story": [0, {"title": [0, TITLE], "parts": [1, [[0, line] for line in TEXT]]}]}))}"></astro-island>',
    "beside its title": f'<script type="application/json">{written({"page": {"meta": {"title": TITLE}, "content": {"main": HTML}}})}</script>',
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_text_is_found_wherever_scripts_keep_it(state: str) -> None:
    assert lines(f'<div id="root"><i>Loading</i></div>{state}') == TEXT


@pytest.mark.parametrize("mode", ["shadowrootmode", "shadowRootMode", "shadowroot"])
def test_a_declarative_shadow_root_is_part_of_the_page(mode: str) -> None:
    inner = f'<style>p {{ margin: 0 }}</style><div>{HTML}</div><template {mode}="closed"></template>'
    assert lines(f'<h1>{TITLE}</h1><story-text><template {mode}="open">{inner}</template></story-text>') == TEXT


# ------------------------------------------------------------------------------------------------ whole, or only a teaser
TEASER = f"<article><h1>{TITLE}</h1><p>{TEXT[0]}</p><p>{TEXT[1][:50]}…</p></article>"


@pytest.mark.parametrize(
    "body",
    [HTML, "\n".join(TEXT), KINDS["HTML with entities"], TEXT],
    ids=["HTML", "plain", "entities", "list"],
)
def test_a_teaser_beside_the_whole_article_does_not_pass_for_it(body: str) -> None:
    said = {"@type": "NewsArticle", "headline": TITLE, "articleBody": body}
    assert lines(TEASER, f'<script type="application/ld+json">{written(said)}</script>') == TEXT


@pytest.mark.parametrize("shown", [1, 2, 3, 4])
@pytest.mark.parametrize("between", ["\n", " "], ids=["paragraphs", "one block"])
def test_however_much_of_an_article_is_shown_its_rest_is_in_the_data(shown: int, between: str) -> None:
    said = {"@type": "NewsArticle", "headline": TITLE, "articleBody": between.join(TEXT)}
    part = "".join(f"<p>{line}</p>" for line in TEXT[:shown])
    read = lines(
        f"<article><h1>{TITLE}</h1>{part}</article>", f'<script type="application/ld+json">{written(said)}</script>'
    )
    assert " ".join(read) == " ".join(TEXT)


def test_an_article_that_is_shown_whole_keeps_its_paragraphs() -> None:
    said = {
        "@type": "NewsArticle",
        "headline": TITLE,
        "articleBody": " ".join([*TEXT, f"[#image: /1]|||{TEXT[0]}", *TEXT[:2]]),
    }
    assert lines(f"<article>{HTML}</article>", f'<script type="application/ld+json">{written(said)}</script>') == TEXT


def test_what_is_to_be_paid_for_stays_a_teaser() -> None:
    said = {"@type": "NewsArticle", "headline": TITLE, "articleBody": HTML, "isAccessibleForFree": False}
    assert lines(TEASER, f'<script type="application/ld+json">{written(said)}</script>')[0] == TEXT[0]
    assert TEXT[4] not in lines(TEASER, f'<script type="application/ld+json">{written(said)}</script>')


def test_another_story_in_the_data_is_not_the_article() -> None:
    other = {"title": "The tower that leans a little more each year", "url": "/tower", "body": HTML}
    with pytest.raises(Refusal, match="scripted"):
        lines(f'<div id="root"></div><script>window.s = {written({"related": [other]})};</script>')
    post = {"link": "/a", "title": {"rendered": other["title"]}, "content": {"rendered": HTML * 9}}
    own = {
        "link": "/town/gate",
        "title": {"rendered": TITLE},
        "content": {"rendered": f"<p>{TEXT[0]}</p><p>{TEXT[1]}</p>"},
    }
    state = {"related": [other] * 9, "posts": [post, own, post], "more": {"a": post}}
    assert lines(f'<div id="root"></div><script>window.s = {written(state)};</script>') == TEXT[:2]


def test_a_page_whose_html_holds_its_text_has_no_script_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.extract.scripts.scripted.page_data", lambda scripts: pytest.fail("parsed"))
    assert lines(f"<article>{HTML * 3}</article>{STATES['__NEXT_DATA__']}")


# ----------------------------------------------------------------------------------------------------- nothing to be found
APP = '<script src="/app.js"></script>'

SHELLS = {
    "a place to fill": f'<div id="root"><div class="spinner">Loading…</div></div>{APP}',
    "a word to readers": f"<noscript>You need to enable JavaScript to run this app.</noscript><div></div>{APP}",
    "menus around it": f'<header><a href="/">Hollin Echo</a></header><main><h1>{TITLE}</h1></main><footer>© Hollin Echo</footer>{APP}',
}


@pytest.mark.parametrize("body", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("head", ["", '<meta property="og:type" content="article">'], ids=["unnamed", "named"])
def test_a_page_that_a_browser_would_have_to_make_is_refused_as_that(body: str, head: str) -> None:
    with pytest.raises(Refusal, match="scripted"):
        lines(body, head)


@pytest.mark.parametrize("body", ["<div></div>", f"<img src=/crane.jpg>{APP}"], ids=["without scripts", "a picture"])
def test_a_page_without_text_that_scripts_do_not_make_has_none(body: str) -> None:
    with pytest.raises(Refusal, match="no_text"):
        lines(body)


# ------------------------------------------------------------------------------------------------------------------- laws
SIGNS = ("self.__next_f.push([1,", '"1:T', "window.a=", "(function(a,b){return ", "JSON.parse(", "{", "[", '"', "'", "`", "\\", '{"a":', ",", "}", "]", ")", "$1", "_1", "0", '["$","p",null,', "<p>", "//", "/*", "&q;")  # fmt: skip


@given(st.lists(st.sampled_from(SIGNS) | st.text(max_size=9), max_size=60), st.sampled_from(["", "application/json"]))
def test_whatever_scripts_hold_they_are_read_to_the_end(parts: list[str], kind: str) -> None:
    for value in page_data([(kind, "".join(parts).ljust(250) + "__next_f"), (kind, "".join(parts).ljust(250))]):
        assert Reader(lambda one: False).read(value).prose >= 0


def nested(count: int) -> str:
    """Rows that each name the row below twice: a tree of 2 ** count leaves."""
    return flight(*(row(f"{n:x}", [f"${n + 1:x}", f"${n + 1:x}"]) for n in range(count)), row(f"{count:x}", TEXT[0]))


PILES: dict[str, Callable[[int], str]] = {
    "references to references": nested,
    "assignments": lambda n: f"<script>{'a={b:1,' * n}</script>",
    "parameters": lambda n: f"<script>{'(function(a){return {b:a' * n}</script>",
    "strings that never end": lambda n: f"<script>{'JSON.parse(' * n}{chr(34)}{'x' * 300}</script>",
    "texts that are the title": lambda n: (
        f'<script type="application/json">{written([{"t": TITLE, "u": []}] * n)}</script>'
    ),
}


@pytest.mark.parametrize("pile", PILES.values(), ids=PILES)
def test_twice_the_data_take_no_more_than_twice_the_work(pile: Callable[[int], str]) -> None:
    def read(count: int) -> None:
        with pytest.raises(Refusal):
            lines(f"<div id=root></div>{APP}{pile(count)}")

    read(200)
    assert calls(lambda: read(800)) < 2.5 * calls(lambda: read(400)) + 20_000


def test_the_data_tell_where_the_title_ends_and_the_sites_name_begins() -> None:
    body = f"<html><head><title>{TITLE} - Hollin Echo</title></head><body>{STATES['__NEXT_DATA__']}</body></html>"
    page = Page(
        url="https://a.example/x",
        final_url="https://a.example/x",
        via="file",
        fetched_at=datetime(2026, 11, 30, tzinfo=UTC),
        content_type="text/html",
        body=body.encode(),
    )
    assert extract(page).title == TITLE
