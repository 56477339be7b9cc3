"""Captures that lead nowhere are found, and the repair that is printed works when it is typed as it stands."""

import random
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.archive.captures_check import SAMPLE
from tests.conftest import broadsheet, connect
from tests.support.loopback import article_html, serving, story
from tests.support.newsroom import Newsroom
from tests.support.originals import complaints, files
from tests.test_doctor import needs_shell, typed


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    newsroom = Newsroom(tmp_path_factory.mktemp("published"))
    with serving() as site:
        for name in ("crane", "bell", "pier"):
            noise = b64encode(random.Random(name).randbytes(30_000)).decode()
            site.add(f"/{name}", article_html(name, f"{story(name)}<!--{noise}-->"), packed=name == "bell")
        site.add("/old", status=301, Location="/pier")
        site.feed("/feed", *(f"{site.url}/{name}" for name in ("crane", "bell", "old")))
        newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
        newsroom.crawl()
        yield newsroom


@pytest.fixture
def newsroom(published: Newsroom, tmp_path: Path) -> Newsroom:
    """A copy of its own, of as odd a name as can be."""
    folder = tmp_path / "my $HOME's"
    (folder / "warc").mkdir(parents=True)
    connect(published.db).execute("vacuum into ?", [str(folder / "news.db")])
    for file in files(published.folder):
        (folder / "warc" / file.name).write_bytes(file.read_bytes())
    return Newsroom(folder)


def examined(newsroom: Newsroom, *options: str) -> tuple[list[str], str]:
    """The faults, and the repairs."""
    done = broadsheet("doctor", "--db", newsroom.db, *options)
    lines = done.stdout.splitlines()
    found = [line.removeprefix("FAULT  ") for line in lines if line.startswith("FAULT")]
    assert (done.returncode, done.stderr) == (int(bool(found)), "")
    return found, "\n".join(line for line in lines if not line.startswith(("FAULT", "ok")))


def change_byte(newsroom: Newsroom, name: str, at: int) -> None:
    ((offset,),) = newsroom.rows(
        f"select offset from captures join pages on pages.id = page_id where url like '%/{name}'"
    )
    data = bytearray(files(newsroom.folder)[0].read_bytes())
    data[offset + at] ^= 0xFF
    files(newsroom.folder)[0].write_bytes(data)


def cut(newsroom: Newsroom) -> None:
    data = files(newsroom.folder)[0].read_bytes()
    files(newsroom.folder)[0].write_bytes(data[: len(data) * 2 // 3])


FAULTS: dict[str, tuple[Callable[[Newsroom], object], tuple[str, ...], str]] = {
    "a file that is gone": (
        lambda newsroom: files(newsroom.folder)[0].unlink(), (), "1 of 1 WARC files missing"),
    "all files gone": (
        lambda newsroom: shutil.rmtree(newsroom.folder / "warc"), (),
        "1 of 1 WARC files missing"),
    "a file cut off": (cut, (), "captures looked at cannot be read"),
    "an offset that is none": (
        lambda newsroom: newsroom.change("update captures set offset = offset + 1 where id = 2"), (),
        "1 of 4 captures looked at cannot be read"),
    "an offset of a request": (
        lambda newsroom: newsroom.change("update captures set offset = offset + length where id = 2"), (),
        "1 of 4 captures looked at cannot be read"),
    "an offset behind the file": (
        lambda newsroom: newsroom.change("update captures set offset = 99999999 where id = 2"), (),
        "1 of 4 captures looked at cannot be read"),
    "another page's record": (
        lambda newsroom: newsroom.change("update captures set page_id = (select id from pages where url like '%/crane')"), (),
        "3 of 4 captures looked at lead to another page's record"),
    "a head that is not what was written": (
        lambda newsroom: change_byte(newsroom, "bell", 1), (), "1 of 4 captures looked at cannot be read"),
    "a body that is not what was written": (
        lambda newsroom: change_byte(newsroom, "bell", 15_000), ("--deep",), "1 of 4 captures cannot be read"),
    "a digest that is not what was written": (
        lambda newsroom: newsroom.change("update captures set digest = 'sha1:A' where id = 2"), ("--deep",),
        "1 of 4 captures cannot be read"),
}  # fmt: skip


@needs_shell
@pytest.mark.parametrize(("damage", "options", "said"), FAULTS.values(), ids=FAULTS)
def test_the_printed_repair_repairs(
    newsroom: Newsroom, damage: Callable[[Newsroom], object], options: tuple[str, ...], said: str
) -> None:
    assert examined(newsroom, *options) == ([], "")
    damage(newsroom)
    (found,), repair = examined(newsroom, *options)
    assert said in found
    typed(repair, newsroom.folder)
    assert examined(newsroom, *options) == ([], "")


def test_the_repair_names_the_file_to_copy_back(newsroom: Newsroom) -> None:
    cut(newsroom)
    (file,) = files(newsroom.folder)
    first, second, *_ = (line.strip() for line in examined(newsroom)[1].splitlines())
    assert first == f"# copy {file.name} from a backup into {file.parent}."
    assert second.endswith("their articles stay:")


def test_a_page_whose_file_is_gone_names_none_any_more(newsroom: Newsroom) -> None:
    files(newsroom.folder)[0].unlink()
    typed(examined(newsroom)[1], newsroom.folder)
    assert newsroom.rows("select count(warc) + count(warc_offset) from pages") == [(0,)]


def test_a_body_that_is_not_what_was_written_takes_reading_all_to_be_found(newsroom: Newsroom) -> None:
    change_byte(newsroom, "bell", 15_000)
    assert examined(newsroom) == ([], "")


def test_what_was_taken_down_is_no_fault(newsroom: Newsroom) -> None:
    """Nor is a row that leads there: of a takedown that was killed, or of a copy of the database."""
    ((url,),) = newsroom.rows("select url from pages where url like '%/bell'")
    copy = newsroom.folder / "copy.db"
    connect(newsroom.db).execute("vacuum into ?", [str(copy)])
    broadsheet("forget", url, "--db", newsroom.db)
    assert examined(newsroom, "--deep") == ([], "")
    newsroom.db.unlink()
    copy.rename(newsroom.db)
    assert examined(newsroom, "--deep") == ([], "")
    assert complaints(newsroom.folder) == 0


def test_damage_that_no_capture_names_is_told_and_is_no_fault(newsroom: Newsroom) -> None:
    ((file, offset),) = newsroom.rows("select warc, warc_offset from pages where url like '%/bell'")
    change_byte(newsroom, "bell", 15_000)
    newsroom.change(f"delete from captures where offset = {offset}")
    done = broadsheet("doctor", "--deep", "--db", newsroom.db)
    said = f"ok     1 damaged records that no capture names: {file} at byte {offset:,}"
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, said)


def test_of_many_captures_a_sample_is_looked_at(newsroom: Newsroom) -> None:
    newsroom.change(
        f"""with recursive each(n) as (select 10 union all select n + 1 from each where n < {SAMPLE * 10})
            insert into captures (id, page_id, fetched_at, status, file, offset, length, digest)
            select n, page_id, fetched_at, status, file, offset, length, digest from captures, each where captures.id = 2"""
    )
    done = broadsheet("doctor", "--db", newsroom.db)
    (line,) = [line for line in done.stdout.splitlines() if "cannot be read" in line]
    assert line.startswith("ok     0 of 2")
    assert line.endswith(" captures looked at cannot be read (`--deep` reads all)")


def test_what_is_being_written_is_no_fault(newsroom: Newsroom) -> None:
    with files(newsroom.folder)[0].open("ab") as stream:
        stream.write(b"\x1f\x8b\x08")
    assert examined(newsroom, "--deep") == ([], "")


def test_saved_pages_that_are_not_what_they_were_are_told_and_are_no_fault(newsroom: Newsroom) -> None:
    for name in ("a", "b", "c"):
        (newsroom.folder / f"{name}.html").write_text(article_html(name, story(name)))
    assert broadsheet("import", "a.html", "b.html", "c.html", cwd=newsroom.folder).returncode == 0
    (newsroom.folder / "b.html").write_text("Something else")
    (newsroom.folder / "c.html").unlink()
    done = broadsheet("doctor", "--deep", cwd=newsroom.folder)
    assert (done.returncode, [line for line in done.stdout.splitlines() if "imported" in line]) == (0, [
        "ok     1 of 3 imported files not where they were: ./c.html",
        "ok     1 of 3 imported files hold something else by now: ./b.html",
    ])  # fmt: skip
