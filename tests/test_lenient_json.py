"""A stranger's JSON that is nearly JSON."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.lenient_json import MAX_STEPS, Repairs, UnreadableJSON, read_json
from crawler.parsers.listings import read_listing

DAMAGED = {
    "a comment": '{"a": "x",\n// by the theme\n"b": ["y"]}',
    "another comment": '{"a": "x", /* by the theme */ "b": ["y"]}',
    "a comma too many": '{"a": "x", "b": ["y",],}',
    "a comma too few": '{"a": "x"\n"b": ["y"]}',
    "a semicolon": '{"a": "x", "b": ["y"]};',
    "a comment of HTML": '<!--\n{"a": "x", "b": ["y"]}\n-->',
    "CDATA": '<![CDATA[\n{"a": "x", "b": ["y"]}\n]]>',
    "CDATA behind slashes": '//<![CDATA[\n{"a": "x", "b": ["y"]}\n//]]>',
    "CDATA in comments": '/*<![CDATA[*/{"a": "x", "b": ["y"]}/*]]>*/',
    "entities": "{&quot;a&quot;: &quot;x&quot;, &quot;b&quot;: [&quot;y&quot;]}",
    "a mark of byte order": '\ufeff{"a": "x", "b": ["y"]}',
    "a brace too few": '{"a": "x", "b": ["y"]',
    "single quotes": "{'a': 'x', 'b': ['y']}",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_what_is_nearly_json_is_read_as_it_is_meant(text: str) -> None:
    assert read_json(text, Repairs()) == {"a": "x", "b": ["y"]}


def test_quotes_inside_a_text_end_it_not() -> None:
    assert read_json('{"a": "The "old" slip, "new" once", "b": "C:\\dir"}', Repairs()) == {
        "a": 'The "old" slip, "new" once',
        "b": "C:\\dir",
    }


def test_two_objects_in_a_row_are_a_list() -> None:
    assert read_json('{"a": 1}\n{"b": 2}', Repairs()) == [{"a": 1}, {"b": 2}]


@given(
    st.recursive(st.text() | st.booleans() | st.none(), lambda some: st.lists(some) | st.dictionaries(st.text(), some))
)
def test_what_is_json_is_read_as_json(value: object) -> None:
    repairs = Repairs()
    assert read_json(json.dumps(value), repairs) == value
    assert repairs.steps_left == MAX_STEPS


PILES = (
    "{",
    "[{",
    '[\\"”,',
    '"x":',
    'The "old" slip ',
    '{"a":"',
    "{'a//#",
    '{"a":"}*///}#/.\\',
    "#null",
    "/*",
    "`",
    "“``",
)


@settings(max_examples=25)
@given(st.sampled_from(PILES), st.sampled_from(PILES), st.integers(1, 20_000))
def test_no_pile_of_damage_costs_more_than_its_repair_may(first: str, unit: str, count: int) -> None:
    repairs = Repairs()
    with suppress(UnreadableJSON):
        read_json(first + unit * count, repairs)
    assert repairs.steps_left > -20_000, "one slice of a text goes beyond, no more"


def test_a_json_feed_with_a_comma_too_many_is_read() -> None:
    feed = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "https://x.example/a", "title": "A "fine" day"},],}'
    (link,) = read_listing(feed, "https://x.example/feed.json", "feed").links
    assert (link.url, link.hints.title) == ("https://x.example/a", 'A "fine" day')
