"""Our extraction beside plain trafilatura's, on the same pages in the same run.

    python tests/benchmarks/extraction.py [BENCH] [--copies COPIES]

BENCH holds `score.py`, `truth.json` and `truth_meta.json` with their pages; COPIES the text copies and their `truth.json`.
About two minutes on one core. The line chooser was trained on these very pages: what it does on sites that it has not seen
is in `pipelines/extract/choose/card.json`, from `python -m tests.benchmarks.train`. One table per set, one row per extractor; every page goes to all of them in turn:

    f1 prec. recall exact   the body: shingles of four words, and the share of texts that are equal word for word
    title authors day       share of pages, mean F1 of names, share of pages
    instant                 within a minute; of ours it is the stored UTC value on the page's own clock, see stated()
    pages/s                 pages per CPU-second, metadata included
    gain of ours            body F1 of ours less that of this row, with its 95 % interval (pairs, 2,000 draws)
    speed ratio             CPU seconds of this row by those of ours: above 1 ours is faster

The functions below have the signature score.py asks for: `score.py benchmarks.extraction:ours` in tests/ lists the worst
pages with `--worst 10`. A rule is developed on some of the pages, is kept if the others do not lose by it, and names a
cause: the pages that count are those that nobody here has seen.
"""

import argparse
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import trafilatura  # noqa: E402

from crawler.items import Article, Page  # noqa: E402
from pipelines.extract import Refusal, extract  # noqa: E402

FETCHED_AT = datetime(2026, 11, 21, tzinfo=UTC)
"""After the newest labelled page; results must not depend on the day of the run."""

Result = dict[str, Any]
Extractor = Callable[[bytes, str | None], Result]


def ours(page: bytes, url: str | None, content_type: str | None = None) -> Result:
    """What a crawl stores, the date as stated()."""
    address = url or "https://page.example/"
    try:
        article = extract(
            Page(
                url=address, final_url=address, via="file", fetched_at=FETCHED_AT, content_type=content_type, body=page
            )
        )
    except Refusal:
        return {}
    return {
        "text": article.text,
        "title": article.title,
        "authors": list(article.authors),
        "date_published": stated(article),
    }


def stated(article: Article) -> str | None:
    """The stored instant as the page's clock shows it, which is what the labels hold: most name no offset.

    The UTC value is moved to the offset of date_published_raw, so that it is the value that is measured. A time that
    the page gives without offset is stored as the bare day, and is measured as the page's own string.
    """
    try:
        raw = datetime.fromisoformat(article.date_published_raw or "")
    except ValueError:
        return article.date_published
    if len(article.date_published or "") == 10:
        return article.date_published_raw
    return datetime.fromisoformat(article.date_published or "").astimezone(raw.tzinfo).isoformat()


def plain(page: bytes, url: str | None, **options: Any) -> Result:
    """trafilatura's own result."""
    document: Any = trafilatura.bare_extraction(page, url=url, with_metadata=True, **options)
    if document is None:
        return {}
    authors = document.author.split("; ") if document.author else []
    return {"text": document.text, "title": document.title, "authors": authors, "date_published": document.date}


def wrapped(extractor: Extractor, page: bytes, url: str | None) -> Result:
    """A text copy as trafilatura can read it: each line a paragraph."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in page.decode().splitlines() if line.strip())
    return extractor(f"<html><head><title></title></head><body>{lines}</body></html>".encode(), url)


default: Extractor = partial(plain)
no_comments: Extractor = partial(plain, include_comments=False)
favor_precision: Extractor = partial(plain, include_comments=False, favor_precision=True)
fast: Extractor = partial(plain, include_comments=False, fast=True)
PLAIN = {"default": default, "no comments": no_comments, "favor_precision": favor_precision, "fast": fast}


def load_score(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder}: no score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(score: ModuleType, truth_file: Path, extractors: Mapping[str, Extractor]) -> None:
    """One table: every extractor on every page of one set, pages in turn."""
    truth = json.loads(truth_file.read_text("utf-8"))
    found, raised, spent = score.run(list(extractors.values()), truth, truth_file.parent)
    print(f"\n{truth_file} ({len(truth)} pages)")
    print(
        f"{'':16}{'f1':>7}{'prec.':>7}{'recall':>7}{'exact':>7}{'title':>7}{'authors':>8}{'day':>7}{'instant':>8}{'pages/s':>9}   gain of ours (95 %), speed ratio"
    )
    for number, name in enumerate(extractors):
        figures, _ = score.score(truth, found[number])
        row = "".join(f"{figures[key]:{width}.3f}" if key in figures else " " * width for key, width in COLUMNS)
        print(
            f"{name:16}{row}{len(truth) / spent[number]:9.1f}   {gain(score, truth, found, spent, number)}{raised[number] or ''}"
        )


COLUMNS = (
    ("f1", 7),
    ("precision", 7),
    ("recall", 7),
    ("exact", 7),
    ("title", 7),
    ("authors", 8),
    ("day", 7),
    ("instant", 8),
)


def gain(score: ModuleType, truth: Mapping[str, Any], found: list[Any], spent: list[float], number: int) -> str:
    """Ours against the extractor of a row; nothing in our own."""
    if number == 0:
        return ""
    difference, low, high = score.difference(truth, found[0], found[number])
    return f"{difference:+.4f} ({low:+.4f} to {high:+.4f}), {spent[number] / spent[0]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?", type=Path, default=ROOT / "../shared/bench/extraction")
    parser.add_argument("--copies", type=Path, help="default: textcopies beside BENCH")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    bench = args.bench.resolve()
    score = load_score(bench)
    for name in ("truth.json", "truth_meta.json"):
        compare(score, bench / name, {"ours": partial(ours, content_type="text/html"), **PLAIN})
    copies = (args.copies or bench.parent / "textcopies").resolve() / "truth.json"
    if copies.exists():
        plainly = {name: partial(wrapped, extractor) for name, extractor in PLAIN.items()}
        compare(score, copies, {"ours": partial(ours, content_type="text/plain"), **plainly})


if __name__ == "__main__":
    main()
