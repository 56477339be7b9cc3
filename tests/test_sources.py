"""sources.toml: what a user may write, and that every mistake is named with its place and its way out."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import KINDS, Source
from crawler.selectors import to_xpath
from crawler.sources.toml_file import CrawlSettings, SourcesError, SourcesFile, parse_sources, read_sources

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)


def one(lines: str, url: str = "https://www.x.example/") -> str:
    return f'[[source]]\nurl = "{url}"\n{lines}\n'


def crawl(line: str) -> str:
    return f"[crawl]\n{line}\n{one('')}"


def complaint(text: str) -> str:
    with pytest.raises(SourcesError) as raised:
        parse_sources(text, "s.toml")
    return str(raised.value)


def test_an_address_alone_is_a_source() -> None:
    source = Source(url="https://www.x.example/", name="x.example", discover=KINDS)
    assert parse_sources(one("")) == SourcesFile(crawl=CrawlSettings(), sources=(source,))


def test_everything_a_user_may_say_arrives() -> None:
    text = """
        [crawl]
        user_agent = "monitor (+https://x.example/about)"
        delay = 2
        concurrency = 3
        since = "36h"
        allow_private = ["127.0.0.0/8", "::1/128"]
        [[source]]
        url = "https://www.x.example/"
        name = "X"
        feeds = ["https://www.x.example/feed"]
        sitemaps = ["https://www.x.example/sitemap.xml"]
        pages = ["https://www.x.example/a?id=1"]
        discover = ["homepage"]
        language = "en"
        timezone = "Europe/London"
        category = "national"
        enabled = false
        include = ["/politics/"]
        exclude = ["/live/"]
        body = "article > div.text"
        strip = ["//aside", ".promo"]
        recheck = false
    """
    expected_crawl = CrawlSettings(
        user_agent="monitor (+https://x.example/about)",
        delay=2,
        concurrency=3,
        since="36h",
        allow_private=("127.0.0.0/8", "::1/128"),
    )
    expected = Source(
        url="https://www.x.example/", name="X", feeds=("https://www.x.example/feed",), sitemaps=("https://www.x.example/sitemap.xml",),
        pages=("https://www.x.example/a?id=1",), discover=("homepage",), language="en", timezone="Europe/London", category="national",
        enabled=False, include=("/politics/",), exclude=("/live/",), body="article > div.text", strip=("//aside", ".promo"), recheck=False,
    )  # fmt: skip
    assert parse_sources(text) == SourcesFile(crawl=expected_crawl, sources=(expected,))


def test_empty_strings_and_lists_mean_nothing_was_said() -> None:
    text = one('name = ""\nlanguage = ""\nbody = ""\nstrip = []\nfeeds = []\ntimezone = ""')
    assert parse_sources(text) == parse_sources(one(""))


def test_named_entry_points_replace_discovery() -> None:
    (source,) = parse_sources(one('feeds = ["https://www.x.example/feed"]')).sources
    assert source.discover == ()


def test_strip_may_be_one_selector() -> None:
    (source,) = parse_sources(one('strip = ".promo"')).sources
    assert source.strip == (".promo",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "",
            's.toml: no source; add one with `broadsheet sources add URL`, or a [[source]] table with url = "https://…"',
            id="empty file",
        ),
        pytest.param("url =", "s.toml: not valid TOML: Invalid value (at end of document)", id="broken TOML"),
        pytest.param(
            '[source]\nurl = "https://x.example/"',
            "s.toml: source must be a list of tables: write [[source]], with two brackets",
            id="one bracket",
        ),
        pytest.param(
            "source = [1]",
            "s.toml: [[source]] 1: must be a table: write [[source]] above its keys",
            id="list of numbers",
        ),
        pytest.param("crawl = 1", "s.toml: [crawl]: must be a table", id="crawl is no table"),
        pytest.param("[[sorce]]", "s.toml: unknown key 'sorce'; did you mean 'source'?", id="misspelt table"),
        pytest.param(
            "zzzzzz = 1", "s.toml: unknown key 'zzzzzz'; known are crawl, source, alert, alerts", id="nothing near"
        ),
        pytest.param('[[source]]\nname = "X"', 's.toml: [[source]] 1: needs url = "https://…"', id="no url"),
        pytest.param(one("", ""), 's.toml: [[source]] 1: needs url = "https://…"', id="empty url"),
        pytest.param(
            '[[source]]\nulr = "https://x.example/"',
            "s.toml: [[source]] 1: unknown key 'ulr'; did you mean 'url'?",
            id="misspelt url",
        ),
        pytest.param(
            "[[source]]\nurl = 5", "s.toml: [[source]] 1: url: expected a string in quotes, not 5", id="url is a number"
        ),
    ],
)
def test_a_mistake_in_the_frame_is_named(text: str, message: str) -> None:
    assert complaint(text) == message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('feed = ["https://x.example/feed"]', "unknown key 'feed'; did you mean 'feeds'?"),
        ('feeds = "https://x.example/feed"', "feeds: expected a list of strings, not 'https://x.example/feed'"),
        ("feeds = [1]", "feeds: expected a list of strings, not [1]"),
        ('feeds = ""', "feeds: expected a list of strings, not ''"),
        ('feeds = ["/feed"]', "'/feed' is no http or https address"),
        ('pages = ["https://x.example:99999/"]', "'https://x.example:99999/': Port out of range 0-65535"),
        ('sitemaps = ["https://me:word@x.example/"]', "'https://me:word@x.example/' carries a user name"),
        ("enabled = 1", "enabled: expected true or false, not 1"),
        ('enabled = ""', "enabled: expected true or false, not ''"),
        ('recheck = "no"', "recheck: expected true or false, not 'no'"),
        ("name = true", "name: expected a string in quotes, not True"),
        ('discover = ["feeds"]', "discover: unknown kind 'feeds'; did you mean 'feed'?"),
        ('discover = ["everything"]', "discover: unknown kind 'everything'; known are feed, news_sitemap, sitemap, homepage"),
        ('include = ["("]', "'(' is no regular expression: missing ), unterminated subpattern at position 0"),
        ('exclude = ["a{99999999999}"]', "'a{99999999999}' is no regular expression: the repetition number is too large"),
        ('body = "//p["', "'//p[' is neither XPath nor CSS of an element: Invalid expression"),
        ('body = "div >"', "'div >' is neither XPath nor CSS of an element: Expected selector, got <EOF at 5>"),
        ('body = "//p[nope(.)]"', "'//p[nope(.)]' is neither XPath nor CSS of an element: Unregistered function"),
        ('strip = ["(1 + 1)"]', "'(1 + 1)' is neither XPath nor CSS of an element: it gives 2.0"),
        ('timezone = "Europe/Lodnon"', "unknown timezone 'Europe/Lodnon'; did you mean 'Europe/London'?: 'No time zone found with key Europe/Lodnon'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_source_names_the_source_and_the_way_out(line: str, message: str) -> None:
    assert (
        complaint(one("") + one(line, "https://y.example/")) == f"s.toml: [[source]] 2 (https://y.example/): {message}"
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = """
        sorce = 1
        [crawl]
        delya = 1
        bugdet = 2
        since = 7
        [[source]]
        ulr = "https://x.example/"
        nmae = "X"
        enabled = "yes"
        [[source]]
        url = "https://y.example/"
        feeds = ["/feed", "ftp://y.example/"]
        [[source]]
        url = "https://z.example/"
        exclude = ["("]
        body = "//p["
        [[source]]
        url = "https://z.example"
        [[source]]
        url = "https://good.example/"
    """
    with pytest.raises(SourcesError) as raised:
        parse_sources(text, "s.toml")
    starts = [message.partition(": missing")[0].partition(": Invalid")[0] for message in raised.value.args]
    assert starts == [
        "s.toml: unknown key 'sorce'; did you mean 'source'?",
        "s.toml: [crawl]: unknown key 'delya'; did you mean 'delay'?",
        "s.toml: [crawl]: unknown key 'bugdet'; did you mean 'budget'?",
        "s.toml: [crawl]: since: expected a string in quotes, not 7",
        "s.toml: [[source]] 1: unknown key 'ulr'; did you mean 'url'?",
        "s.toml: [[source]] 1: unknown key 'nmae'; did you mean 'name'?",
        "s.toml: [[source]] 1: enabled: expected true or false, not 'yes'",
        "s.toml: [[source]] 2 (https://y.example/): '/feed' is no http or https address",
        "s.toml: [[source]] 2 (https://y.example/): 'ftp://y.example/' is no http or https address",
        "s.toml: [[source]] 3 (https://z.example/): '(' is no regular expression",
        "s.toml: [[source]] 3 (https://z.example/): '//p[' is neither XPath nor CSS of an element",
    ]


def test_twins_are_named_beside_other_faults() -> None:
    text = one("nmae = 1") + one("", "https://y.example/") + one("", "https://y.example")
    with pytest.raises(SourcesError) as raised:
        parse_sources(text, "s.toml")
    assert [message.partition(";")[0] for message in raised.value.args] == [
        "s.toml: [[source]] 1 (https://www.x.example/): unknown key 'nmae'",
        "s.toml: [[source]] 3 (https://y.example/) is the same as [[source]] 2: https://y.example/",
    ]


@pytest.mark.parametrize("language", ["en", "EN", "en-GB", "en-gb", "zh-Hant-TW", "es-419", "ckb", "la", "de-1996"])
def test_a_language_tag_is_taken_as_people_write_it(language: str) -> None:
    (source,) = parse_sources(one(f'language = "{language}"')).sources
    assert source.language == language


@pytest.mark.parametrize(
    ("language", "way_out"),
    [
        ("English", "did you mean 'en'?"),
        ("deutsch", "did you mean 'de'?"),
        ("en_GB", "did you mean 'en-GB'?"),
        ("en-UK", "did you mean 'en-GB'?"),
        ("de, en", "expected one tag such as de or pt-BR"),
        ("12", "expected one tag such as de or pt-BR"),
        ("xx", "expected one tag such as de or pt-BR"),
        ("en-QX", "expected one tag such as de or pt-BR"),
    ],
)
def test_what_is_no_language_names_the_way_out(language: str, way_out: str) -> None:
    message = f"s.toml: [[source]] 1 (https://www.x.example/): unknown language {language!r}; {way_out}"
    assert complaint(one(f'language = "{language}"')) == message


@pytest.mark.parametrize("key", ["name", "category"])
@pytest.mark.parametrize("mark", ["\\n", "\\u001b", "\\u0085", "\\u2028"])
def test_what_is_shown_in_a_terminal_holds_no_control_character(key: str, mark: str) -> None:
    said = complaint(one(f'{key} = "A{mark}[2J"'))
    assert said.startswith("s.toml: [[source]] 1 (https://www.x.example/): ")
    assert (key in said, "holds a control character" in said, said.isprintable()) == (True, True, True)


def test_a_name_may_hold_the_joiners_that_scripts_spell_with() -> None:
    (source,) = parse_sources(one('name = "روزنامه\u200cها"')).sources
    assert source.name == "روزنامه\u200cها"


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Europe", "UTC\\u0000", "x" * 5000, "a.b", "/etc/localtime"])
def test_no_time_zone_of_that_name(zone: str) -> None:
    assert complaint(one(f'timezone = "{zone}"')).startswith(
        "s.toml: [[source]] 1 (https://www.x.example/): unknown timezone "
    )


@pytest.mark.parametrize(
    "url",
    ["www.x.example", "ftp://x.example/", "https://", "http://[x", "https://u:p@x.example/", "https://x.example:port/"],
)
def test_a_source_without_a_usable_address_is_named(url: str) -> None:
    assert complaint(one("", url)).startswith(f"s.toml: [[source]] 1 ({url}): '{url}'")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('user_agnet = "x"', "unknown key 'user_agnet'; did you mean 'user_agent'?"),
        ('user_agent = "a\\nb"', "user_agent: expected printable ASCII on one line, not 'a\\nb'"),
        ("delay = true", "delay: expected a number, not True"),
        ('delay = ""', "delay: expected a number, not ''"),
        ("delay = -1", "delay = -1: expected 0 to 3600 seconds"),
        ("delay = nan", "delay = nan: expected 0 to 3600 seconds"),
        ("concurrency = true", "concurrency: expected a whole number, not True"),
        ("concurrency = 1.5", "concurrency: expected a whole number, not 1.5"),
        ("concurrency = 0", "concurrency = 0: expected 1 to 16"),
        ('since = "7 days"', "since = '7 days': expected \"7d\", \"36h\" or \"2026-11-01\""),
        ('since = "2026-11-31"', "since = '2026-11-31': expected \"7d\", \"36h\" or \"2026-11-01\""),
        ('since = "2026-11-01T10:00:00+02:00"', "since = '2026-11-01T10:00:00+02:00': expected \"7d\", \"36h\" or \"2026-11-01\""),
        ("since = 2026-11-01", "since: expected a string in quotes, not 2026-11-01"),
        ("since = 7", "since: expected a string in quotes, not 7"),
        ('allow_private = ["10.0.0.1/8"]', 'allow_private: expected networks such as "127.0.0.0/8": 10.0.0.1/8 has host bits set'),
        ('allow_private = ["localhost"]', "allow_private: expected networks such as \"127.0.0.0/8\": 'localhost' does not appear to be an IPv4 or IPv6 network"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_manners_is_named(line: str, message: str) -> None:
    assert complaint(crawl(line)) == f"s.toml: [crawl]: {message}"


@pytest.mark.parametrize("twin", ["https://www.x.example/", "https://www.x.example", "HTTPS://WWW.X.example:443/#top"])
def test_one_site_named_twice_is_named_with_both_places(twin: str) -> None:
    message = complaint(one('name = "a"') + one('name = "b"', twin))
    here = "https://www.x.example/"
    assert message == f"s.toml: [[source]] 2 ({here}) is the same as [[source]] 1: {here}; remove one"


def test_two_sources_of_one_name_need_names() -> None:
    message = complaint(one("", "https://www.x.example/news/") + one("", "https://x.example/sport/"))
    assert (
        message
        == 's.toml: [[source]] 2 (https://x.example/sport/) is the same as [[source]] 1: x.example; give each its own name = "…"'
    )


@pytest.mark.parametrize(
    ("since", "oldest"),
    [
        ("7d", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("36h", datetime(2026, 11, 7, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("99999d", datetime(1753, 1, 24, 12, tzinfo=UTC)),
    ],
)
def test_since_is_a_span_or_a_day(since: str, oldest: datetime) -> None:
    assert parse_sources(crawl(f'since = "{since}"')).crawl.since_date(NOW) == oldest


@pytest.mark.parametrize(
    ("user_agent", "has_contact"),
    [("monitor (+https://x.example/)", True), ("monitor (me@x.example)", True), ("monitor", False), ("", False)],
)
def test_a_user_agent_says_whom_to_ask(user_agent: str, has_contact: bool) -> None:
    assert parse_sources(crawl(f'user_agent = "{user_agent}"')).crawl.has_contact == has_contact


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("", ["/politics/a", "/politics/live/b", "/sport/c"]),
        ('include = ["/politics/"]', ["/politics/a", "/politics/live/b"]),
        ('exclude = ["/live/"]', ["/politics/a", "/sport/c"]),
        ('include = ["/politics/", "/sport/"]\nexclude = ["/live/", "c$"]', ["/politics/a"]),
    ],
)
def test_include_and_exclude_choose_addresses(lines: str, wanted: list[str]) -> None:
    (source,) = parse_sources(one(lines)).sources
    paths = ["/politics/a", "/politics/live/b", "/sport/c"]
    assert [path for path in paths if source.wants(f"https://www.x.example{path}")] == wanted


@pytest.mark.parametrize("selector", ["//article", "./div", "(//p)[1]", "descendant::p"])
def test_an_xpath_stays_as_it_is(selector: str) -> None:
    assert to_xpath(selector) == selector


def test_css_becomes_an_xpath() -> None:
    assert to_xpath("article > p") == "descendant-or-self::article/p"


# Files


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_bytes(b"\xef\xbb\xbf" + one("").replace("\n", "\r\n").encode())
    assert read_sources(file) == parse_sources(one(""))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "no such file; `broadsheet sources add URL` begins one", id="missing"),
        pytest.param("folder", "cannot be read: Is a directory", id="folder"),
        pytest.param(one('name = "Zürich"').encode("latin-1"), "not UTF-8 (byte 51); save it as UTF-8", id="Latin-1"),
        pytest.param(one("").encode("utf-16"), "not UTF-8 (byte 0); save it as UTF-8", id="UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | str | None, message: str) -> None:
    file = tmp_path / "sources.toml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    with pytest.raises(SourcesError) as raised:
        read_sources(file)
    assert str(raised.value) == f"{file}: {message}"


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a = " + "{a=" * 5000])
def test_toml_that_breaks_the_parser_is_a_mistake_of_the_file(text: str) -> None:
    assert complaint(text).startswith("s.toml: not valid TOML: ")


@pytest.mark.parametrize("entry", ['url = "https://x.example/{}"', 'url = "https://x.example/"\nstrip = ["{}"]'])
def test_a_value_of_a_megabyte_is_a_mistake(entry: str) -> None:
    with pytest.raises(SourcesError, match=r"1,0.*characters; at most 10,000"):
        parse_sources(f"[[source]]\n{entry.format('a' * 1_000_000)}")


KEYS = st.sampled_from(
    [
        "url",
        "name",
        "feeds",
        "pages",
        "discover",
        "include",
        "body",
        "strip",
        "timezone",
        "enabled",
        "delay",
        "since",
        "allow_private",
        "x",
    ]
)
VALUES = st.one_of(
    st.text(max_size=12).map(lambda text: '"' + "".join(f"\\u{ord(char) % 0xD800:04x}" for char in text) + '"'),
    st.sampled_from(["1", "true", "nan", "2026-11-01", "[]", '["a"]', '""', '"//p["', '"https://[x"', '"("', '["https://x.example/"]', "{}", '"a:::"']),
)  # fmt: skip
LINES = st.one_of(
    st.sampled_from(["[crawl]", "[[source]]", "[source]", 'url = "https://x.example/"']),
    st.builds("{} = {}".format, KEYS, VALUES),
    st.text(max_size=20),
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join))
def test_no_text_gives_anything_but_sources_or_a_named_mistake(text: str) -> None:
    with contextlib.suppress(SourcesError):
        assert parse_sources(text).sources


def test_an_address_with_a_control_character_is_a_mistake() -> None:
    assert complaint('[[source]]\nurl = "https://x.example/feed\\u0008.xml"').endswith("holds a control character")
