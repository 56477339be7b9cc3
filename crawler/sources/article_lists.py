"""Lists of articles that a person wrote, CSV or one address a line -> what they say of each. Strict; pure.

Spreadsheets write CSV as their country does: UTF-8 with a mark, UTF-16 or Windows-1252; a comma, a semicolon or a tab between
two cells. What is not understood is a mistake with its line, and nothing is done by half.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from crawler.dates.listed import listing_habits, read_date
from crawler.dates.moments import Habits
from crawler.items import Hints
from crawler.redirectors import behind_redirectors
from crawler.sources.exchange import delimiter_of
from crawler.sources.toml_file import nearest
from crawler.urls import UnusableURL, canonical_url
from pipelines.text import clean

COLUMNS = ("file", "url", "outlet", "date", "title")
"""What a CSV may say of an article, in the words of its header."""

MOST_MISTAKES = 5
"""Mistakes that a message names; it gives the number of the others."""

MAX_LIST_BYTES = 64 * 2**20
"""Size limit of a list: some 400,000 articles with address, outlet, date and title."""


class UnusableList(Exception):
    """The list cannot be used; the message says why, with the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What one line says of an article."""

    line: int  #: of the list; the first is 1
    file: str | None = None  #: name or path of a saved page, as_listed() applied
    url: str | None = None  #: canonical_url() applied
    outlet: str | None = None  #: what its source is called
    hints: Hints = field(default_factory=Hints)


def read_articles(data: bytes, suffix: str, *, of_files: bool = False) -> list[Listed]:
    """Read a list by the ending of its name: `.csv` (of_files: of saved pages, else of addresses), or `.txt`, of addresses.

    Each article comes once. Raises UnusableList with the first mistakes.
    """
    text = _decoded(data)
    mistakes: list[str] = []
    lines = _lines(text) if suffix == ".txt" else _rows(text, of_files=of_files)
    articles: dict[str | None, Listed] = {}
    for number, read in lines:
        try:
            article = read()
            _once(article, articles, of_files=of_files)
        except (UnusableList, UnusableURL) as mistake:
            mistakes.append(f"line {number}: {mistake}")
    if mistakes:
        more = [f"and {len(mistakes) - MOST_MISTAKES:,} more"] if len(mistakes) > MOST_MISTAKES else []
        raise UnusableList("; ".join([*mistakes[:MOST_MISTAKES], *more]))
    if not articles:
        raise UnusableList("names no article")
    return [*articles.values()]


Lines = Iterable[tuple[int, Callable[[], Listed]]]
"""Numbers of lines, each with what reads it, or raises UnusableList or UnusableURL."""


def _once(article: Listed, articles: dict[str | None, Listed], *, of_files: bool) -> None:
    """Take an article up, unless it is there; what two lines say of one saved page must not differ."""
    first = articles.setdefault(article.file or article.url, article)
    if of_files and replace(article, line=first.line) != first:
        raise UnusableList(f"says something else of {article.file or article.url} than line {first.line}")


def as_listed(path: str) -> str:
    """A file's name or path as lists and folders are compared by: `/` for Windows' `\\`, letters with accents as one (NFC)."""
    return unicodedata.normalize("NFC", path.replace("\\", "/")).removeprefix("./")


def _decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252, as spreadsheets write."""
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnusableList("is no text in UTF-8, UTF-16 or Windows-1252")


def _lines(text: str) -> Lines:
    for number, line in enumerate(io.StringIO(text), 1):
        if address := re.sub(r"(\A|\s)#.*", "", line).strip():
            yield number, lambda number=number, address=address: Listed(line=number, url=_address(address))  # type: ignore[misc]


def _rows(text: str, *, of_files: bool) -> Lines:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        rows = [(reader.line_num, [" ".join(cell.split()) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise UnusableList(f"no CSV: line {reader.line_num}: {error}") from None
    rows = [row for row in rows if any(row[1])]
    if not rows:
        raise UnusableList("is empty")
    (at, header), *rows = rows
    columns = _columns(at, header, of_files=of_files)
    dates = [cells[columns.index("date")] for _, cells in rows if "date" in columns[: len(cells)]]
    habits = listing_habits(dates, None)
    for number, cells in rows:
        yield number, lambda number=number, cells=cells: _listed(number, cells, columns, habits)  # type: ignore[misc]


def _columns(at: int, header: Sequence[str], *, of_files: bool) -> list[str]:
    """The columns by their places; "" for one without a name, as spreadsheets leave it at the end."""
    known = COLUMNS if of_files else COLUMNS[1:]
    columns = [cell.lower() for cell in header]
    if "file" in columns and not of_files:
        raise UnusableList(f"line {at}: a column `file` is for `import --metadata`; here known are {', '.join(known)}")
    if _is_no_header(columns):
        raise UnusableList(f"line {at}: is no header: the first line names the columns, of {', '.join(known)}")
    for name in filter(None, columns):
        if name not in known:
            raise UnusableList(f"line {at}: unknown column {name!r}{nearest(name, known)}")
        if columns.count(name) > 1:
            raise UnusableList(f"line {at}: two columns are called {name}")
    if not {"file", "url"} & set(columns):
        raise UnusableList(f"no column is called {'file or url' if of_files else 'url'}; known are {', '.join(known)}")
    return columns


def _is_no_header(cells: Iterable[str]) -> bool:
    """Whether a first line is one of articles: it names no column, and a file or an address."""
    return not {*COLUMNS} & {*cells} and any("." in cell or "/" in cell for cell in cells)


def _listed(number: int, cells: Sequence[str], columns: Sequence[str], habits: Habits) -> Listed:
    """The article of a row. Raises UnusableList or UnusableURL."""
    named = dict(zip(columns, cells, strict=False))
    if any(cells[len(columns) :]) or named.pop("", ""):
        raise UnusableList(
            "has more cells than the header; what holds a comma, or what else stands between two, is quoted"
        )
    said = {name: cell for name, cell in named.items() if cell}
    if not {"file", "url"} & set(said):
        raise UnusableList("names no file and no url" if "file" in columns else "names no url")
    return Listed(
        line=number,
        file=as_listed(said["file"]) if "file" in said else None,
        url=_address(said["url"]) if "url" in said else None,
        outlet=clean(said.get("outlet", "")) or None,
        hints=Hints(
            title=clean(said.get("title", "")) or None,
            date_published=_date(said["date"], habits) if "date" in said else None,
        ),
    )


def _address(said: str) -> str:
    return behind_redirectors(canonical_url(said))


def _date(said: str, habits: Habits) -> str:
    """A date as hints have it. Raises UnusableList where it is none, or where it may be two."""
    found = read_date(said, habits)
    if found is None or _TWO_FIGURES.match(said):
        raise UnusableList(f"date: {said!r}: expected a day such as 2026-11-03")
    either = _EITHER.match(said)
    if either and habits.month_first is None and max(int(either[1]), int(either[2])) <= 12 and either[1] != either[2]:
        raise UnusableList(f"date: {said!r} may be of two months: write it as 2026-11-03")
    return found.isoformat()


_EITHER = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")
_TWO_FIGURES = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}\b")
"""Dates in figures that say too little: which is the month, which the year."""
