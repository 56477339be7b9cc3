"""Which blocks of a page are its article: the walk, the features, the trees, the path."""

import json
import math
from typing import Any

import lxml.html
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract.choose.blocks import read_blocks
from pipelines.extract.choose.choose import MODEL, are_like, best_path, judge, load_model, model_from
from pipelines.extract.choose.features import all_names, measure, table_of
from pipelines.extract.choose.texts import PageContext
from pipelines.extract.reading import first_reading
from pipelines.extract.tree import parse

URL = "https://www.hollin-echo.example/works/kiln"
LONG = "The kiln at Hollin was lit again on Monday, nineteen months after its chimney had fallen into the yard."


def texts(html: str) -> list[str]:
    return [block.text for block in read_blocks(parse(html), URL).blocks]


def test_a_block_ends_where_another_element_of_its_kind_begins() -> None:
    assert texts(f"<div>Above<p>{LONG}</p>Below <b>it</b><ul><li>one</li><li>two</ul></div>") == [
        "Above", LONG, "Below it", "one", "two",
    ]  # fmt: skip


def test_breaks_part_paragraphs_and_keep_verse_together() -> None:
    assert texts(f"<p>{LONG}<br>{LONG}</p>") == [LONG, LONG]
    assert texts("<p>The kiln is out<br>The clay is dry<br><br>And nobody<br>asks why</p>") == [
        "The kiln is out\nThe clay is dry", "And nobody\nasks why",
    ]  # fmt: skip


def test_a_row_of_a_table_is_one_block() -> None:
    assert texts("<table><tr><th>Year<th>Pots</tr><tr><td>1874<td> 40 <td></tr></table>") == [
        "Year | Pots",
        "1874 | 40 |",
    ]


def test_preformatted_text_keeps_its_lines() -> None:
    assert texts("<pre>one line\nand one more\n\nthe last</pre>") == ["one line\nand one more", "the last"]


def test_a_block_knows_what_of_it_is_linked_and_bold() -> None:
    html = "<p><a href='/x'>four</a> and <b>more</b> <a href='https://other.example'>else</a></p>"
    (block,) = read_blocks(parse(html), URL).blocks
    assert (block.linked, block.internal, block.links, block.bold) == (8, 4, 2, 4)


@pytest.mark.parametrize(
    ("odds", "path"),
    [
        ([], []),
        ([3.0, 3.0, -3.0], [True, True, False]),
        ([-3.0, 3.0, -0.4, 3.0, -3.0], [False, True, True, True, False]),
        ([-3.0, 0.1, -3.0], [False, False, False]),
    ],
)
def test_a_change_must_be_worth_its_price(odds: list[float], path: list[bool]) -> None:
    assert best_path(np.array(odds)) == path


def test_a_reading_that_took_a_small_container_gives_way_to_one_that_holds_the_article() -> None:
    opening = "".join(f"<p>{LONG} That was note {number}.</p>" for number in range(4))
    story = "".join(f"<p>{LONG} So ends chapter {number}, as the potters have it.</p>" for number in range(30))
    lines = first_reading(parse(f"<div class='entry-content'>{opening}</div><div class='story'>{story}</div>"))
    assert any("chapter 29" in line for line in lines)


def article_of(html: str, **known: Any) -> list[str]:
    """The texts that are chosen of a page, as it is read first."""
    tree = parse(html)
    page = read_blocks(tree, URL)
    chosen = judge(page, PageContext(lines=first_reading(tree), **known)).chosen()
    return [block.text for block in chosen or []]


KILN = [f"{LONG} It took {number} cords of wood, and the potters sat up with it all night." for number in range(3, 9)]


@pytest.mark.parametrize(
    ("inside", "kept"),
    [
        ("<h2>The second firing</h2>", "The second firing"),
        ("<blockquote><p>“We had given it up,” said one of them, “and sold the clay.”</p></blockquote>", "“We had given it up,” said one of them, “and sold the clay.”"),
        ("<ul><li>Ash glaze, from the orchard's own prunings</li><li>Salt, thrown in at the end</li></ul>", "Salt, thrown in at the end"),
        ("<p>Nobody slept.</p>", "Nobody slept."),
    ],
    ids=("heading", "quotation", "list", "short paragraph"),
)  # fmt: skip
def test_what_stands_among_the_paragraphs_is_the_articles(inside: str, kept: str) -> None:
    first, last = ("".join(f"<p>{text}</p>" for text in some) for some in (KILN[:3], KILN[3:]))
    chosen = article_of(f"<main><article><h1>The kiln is lit</h1>{first}{inside}{last}</article></main>")
    assert [text for text in chosen if text in KILN] == KILN
    assert kept in chosen


@pytest.mark.parametrize(
    ("beside", "left"),
    [
        ("<aside><h3>Related</h3><ul><li><a href='/a'>Clay from the river is back</a></li><li><a href='/b'>Potters want a second kiln</a></li></ul></aside>", "Potters want a second kiln"),
        ("<div class='newsletter'><p>Sign up for our newsletter and get the Echo every morning.</p></div>", "Sign up for our newsletter and get the Echo every morning."),
        ("<footer><p>© 2026 Hollin Echo. All rights reserved.</p></footer>", "© 2026 Hollin Echo. All rights reserved."),
    ],
    ids=("related", "newsletter", "footer"),
)  # fmt: skip
def test_what_stands_beside_the_article_is_not(beside: str, left: str) -> None:
    text = "".join(f"<p>{text}</p>" for text in KILN)
    chosen = article_of(f"<main><article><h1>The kiln is lit</h1>{text}</article></main>{beside}")
    assert [text for text in chosen if text in KILN] == KILN
    assert left not in chosen


def test_the_model_file_holds_numbers_and_names_of_features_alone() -> None:
    stored, model = json.loads(MODEL.read_text("utf-8")), load_model()
    columns, _ = measure(read_blocks(parse(f"<p>{LONG}</p>"), URL), PageContext(), {})
    assert set(model.columns) <= set(all_names(columns))
    assert sorted(stored) == ["columns", "names", "trees"]
    assert all(isinstance(number, int) for row in stored["names"] for number in row)
    assert all(isinstance(number, int | float) for tree in stored["trees"] for row in tree.values() for number in row)


def test_trees_read_by_numpy_are_those_of_lightgbm() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    from tests.benchmarks.train import NameCounts, exported

    chance = np.random.default_rng(3)
    rows = chance.normal(size=(2_000, 6)).astype(np.float32).round(1)
    right = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0.2).astype(float)
    settings_: dict[str, Any] = {
        "objective": "binary",
        "num_leaves": 15,
        "use_missing": False,
        "verbose": -1,
        "num_threads": 1,
    }
    booster = lightgbm.train(settings_, lightgbm.Dataset(rows, right), 40)
    model = model_from(json.loads(json.dumps(exported(booster, NameCounts(({}, {})), [f"c{n}" for n in range(6)]))))
    picked = rows[:, [int(name[1:]) for name in model.columns]]
    assert np.abs(model.trees.log_odds(picked) - booster.predict(rows, raw_score=True)).max() < 1e-4


def test_no_feature_is_missing_whatever_the_page() -> None:
    for html in (
        "<p>1</p>",
        "<p>é</p><p><a href='#'>x</a>",
        f"<article><h1>{LONG}</h1><div>{LONG}<br>{LONG}</div></article>",
    ):
        page = read_blocks(parse(html), URL)
        columns, candidates = measure(page, PageContext(titles=(LONG,), body=LONG, lines=[LONG]), load_model().names)
        table = table_of(columns, candidates, all_names(columns))
        assert table.shape[0] == len(candidates)
        assert np.isfinite(table).all()


TAGS = st.sampled_from(("p", "div", "li", "ul", "h2", "a", "b", "br", "td", "tr", "table", "pre", "article", "span"))
NODES = st.recursive(
    st.one_of(st.text(max_size=30), st.sampled_from((LONG, "Read also:", "11 May 2026", "12", "–", "العالم", "記事"))),
    lambda inner: st.builds(lambda tag, parts: (tag, parts), TAGS, st.lists(inner, max_size=6)),
    max_leaves=40,
)


def built(node: Any) -> lxml.html.HtmlElement:
    """An element of a drawn tree; characters that no tree holds are left out."""
    element = lxml.html.HtmlElement()
    element.tag = "div" if isinstance(node, str) else node[0]
    for part in [node] if isinstance(node, str) else node[1]:
        if isinstance(part, str):
            part = "".join(letter for letter in part if letter.isprintable())
            if len(element):
                element[-1].tail = (element[-1].tail or "") + part
            else:
                element.text = (element.text or "") + part
        else:
            element.append(built(part))
    return element


@given(NODES)
@settings(max_examples=60, deadline=None)
def test_whatever_the_tree_what_is_chosen_are_blocks_of_it_in_their_order(node: Any) -> None:
    page = read_blocks(built(node), URL)
    chosen = judge(page, PageContext(lines=[LONG], titles=("Read also",))).chosen()
    places = [page.blocks.index(block) for block in chosen or []]
    assert places == sorted(set(places))
    assert all(0 <= one.first <= one.end <= len(page.blocks) for one in page.containers)
    assert not any(math.isnan(block.linked) for block in page.blocks)


def test_an_entry_is_like_two_that_stand_in_boxes_equal_to_its_own() -> None:
    entries = "".join(f"<section class=post id=post-{number}><p>{LONG}</p></section>" for number in range(4))
    page = read_blocks(parse(f"<main>{entries}<aside id=box-4><p>{LONG}</p></aside></main>"), URL)
    everything, two = np.arange(5), np.array([True, True, False, False, False])
    assert are_like(page, everything, two).tolist() == [True, True, True, True, False]
    assert not are_like(page, everything, np.array([True, False, False, False, False])).any()
