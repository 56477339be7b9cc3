"""`broadsheet sources remove`, `disable`, `enable` and `rename`: sources.toml stays its owner's, and the archive's rows stay."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crawler.cli.main import main
from crawler.sources.edit import with_values, without_sources
from crawler.sources.toml_file import SourcesError, parse_sources
from tests.conftest import CORPUS, broadsheet, connect

TEXT = """\
# my papers
[[source]]  # the first
url = "https://a.example/"
name = "The A"  # as it says itself

# asked by Anna
[[source]]
url = "https://b.example/"
strip = [
    ".promo",  # everywhere
]
# until March

[crawl]
delay = 2

# dear to us

[[source]]
url = "https://c.example/"
enabled = false  # on holiday
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sources.toml").write_text(TEXT)
    return tmp_path / "sources.toml"


def sources(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sources", *arguments])


def test_a_removed_site_takes_its_table_along_and_no_comment(file: Path) -> None:
    done = sources("remove", "b.example")
    assert (done.exit_code, done.stdout.startswith("sources.toml: removed b.example. Articles stay")) == (0, True)
    table = '[[source]]\nurl = "https://b.example/"\nstrip = [\n    ".promo",  # everywhere\n]\n'
    assert file.read_text() == TEXT.replace(table, "")


def test_several_are_removed_at_once_by_name_and_address_and_all_may_go(file: Path) -> None:
    assert sources("remove", "The A", "https://C.example").exit_code == 0
    assert [source.name for source in parse_sources(file.read_text()).sources] == ["b.example"]
    assert sources("remove", "b.example").exit_code == 0
    assert "[[source]]" not in file.read_text()
    assert [line for line in TEXT.splitlines() if line.startswith("#")] == [
        line for line in file.read_text().splitlines() if line.startswith("#")
    ]


def test_a_site_is_disabled_and_enabled_where_it_stands(file: Path) -> None:
    done = sources("disable", "The A", "c.example")
    assert done.stdout.splitlines() == [
        "sources.toml: disabled The A. Articles stay in the archive; nothing more is asked.",
        "sources.toml: disabled already: c.example.",
    ]
    first = 'name = "The A"  # as it says itself\n'
    assert file.read_text() == TEXT.replace(first, f"{first}enabled = false\n")
    assert sources("enable", "c.example").exit_code == 0
    assert "enabled = true  # on holiday\n" in file.read_text()


def test_a_site_is_renamed_and_stays_the_same_source_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('[[source]]\nurl = "https://fenmoorpost.example/"\n')
    crawl = ("crawl", "--offline", CORPUS, "--now")
    assert broadsheet(*crawl, cwd=tmp_path).returncode == 0
    of_old = [tuple(row) for row in connect(tmp_path / "news.db").execute("select id, url, enabled from sources")]
    done = broadsheet("sources", "rename", "fenmoorpost.example", "The Post", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        "sources.toml: fenmoorpost.example is called The Post now, in the archive from the next crawl on.\n",
    )
    assert broadsheet(*crawl, cwd=tmp_path).returncode == 0
    db = connect(tmp_path / "news.db")
    assert [tuple(row) for row in db.execute("select id, url, enabled from sources")] == of_old
    assert [*map(tuple, db.execute("select distinct source from latest"))] == [("The Post",)]


def test_a_removed_site_s_articles_stay_and_it_is_off(tmp_path: Path) -> None:
    names = ("fenmoorpost", "www.northvaledaily")
    text = "".join(f'[[source]]\nurl = "https://{name}.example/"\n' for name in names)
    (tmp_path / "sources.toml").write_text(text)
    crawl = ("crawl", "--offline", CORPUS)
    assert broadsheet(*crawl, cwd=tmp_path).returncode == 0
    assert broadsheet("sources", "remove", "fenmoorpost.example", cwd=tmp_path).returncode == 0
    assert broadsheet(*crawl, cwd=tmp_path).returncode == 0
    db = connect(tmp_path / "news.db")
    sql = "select sources.name, status, count(*) from articles join sources on sources.id = source_id group by 1 order by 1"
    assert [*map(tuple, db.execute(sql))] == [("fenmoorpost.example", "off", 4), ("northvaledaily.example", "ok", 5)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remove", "The B"], "no source is called 'The B'; did you mean 'The A'?"),
        (["remove", "The A", "zzzz"], "no source is called 'zzzz'; `broadsheet sources list` shows them"),
        (["disable", "ftp://x"], "no source is called 'ftp://x'"),
        (["rename", "The A", "b.example"], "'b.example' is the name of https://b.example/; names are unique"),
        (["rename", "The A", "The A"], "https://a.example/ is called 'The A' already"),
        (["rename", "The A", "\x1b[2J"], "holds a control character"),
        (["remove"], "Missing argument"),
    ],
)
def test_what_cannot_be_done_changes_nothing(file: Path, arguments: list[str], said: str) -> None:
    done = sources(*arguments)
    assert (done.exit_code, said in done.stderr, file.read_text()) == (2, True, TEXT), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        'source = [{url = "https://a.example/"}, {url = "https://b.example/"}]\n',
        '[[source]]\nurl = "https://a.example/"\nbody = """\n[[source]]\n"""\n[[source]]\nurl = "https://b.example/"\n',
        '[[source]]\nurl = "https://a.example/"\n[[source]]\nurl = "https://b.example/"\nbody = """\n[crawl]\n"""\n',
    ],
    ids=["inline tables", "one inside a string", "another table inside a string"],
)
def test_what_is_not_written_in_plain_tables_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(SourcesError, match="a person has to edit it"):
        without_sources(text, {1})
    with pytest.raises(SourcesError, match="a person has to edit it"):
        with_values(text, 1, {"enabled": False})


@given(st.lists(st.sampled_from(["", "# x", "strip = ['''\n# y\n''']", "category = 'z'"]), max_size=4), st.data())
def test_every_line_end_and_comment_stays(between: list[str], data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    after = sorted(dict.fromkeys(between), key=lambda line: line[:1] in ("", "#"))  # keys, then comments
    lines = [line for number in range(3) for line in (f"[[source]]\nurl = 'https://{number}.example/'", *after)]
    text = "\n".join(lines).replace("\n", end) + data.draw(st.sampled_from(["", end]))
    number = data.draw(st.integers(0, 2))
    changed = with_values(text, number, {"enabled": False})
    assert changed.replace(f"enabled = false{end}", "").rstrip() == text.rstrip()
    shorter = without_sources(text, {number})
    assert shorter.count("# x") == text.count("# x")
    assert shorter.count(end) == shorter.count("\n") if end == "\r\n" else "\r" not in shorter
