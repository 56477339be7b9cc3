"""How long `broadsheet alert` takes in a large archive, by how many articles were stored or changed since it was run last.

    python -m tests.benchmarks.alerts [--size 300000] [--keep FILE]

Three alerts (of a word that nearly every article holds, of one that one in 25,000 holds, of a beginning in one source), each with a file and
a command. Prints for each number of changes the seconds of the clock and of the CPU of a whole start, the least of five, and how many
articles were sent. `--keep` makes the archive there, or uses the one that is there (tests.benchmarks.pages makes them).
"""

import argparse
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from pipelines.database.connection import connect
from tests.benchmarks.export import Cost, run
from tests.benchmarks.pages import beginnings, common_words, make

CHANGES, STARTS = (0, 10, 1_000), 5


def sources_toml() -> str:
    """The alerts."""
    common, beginning = common_words()[0], beginnings()[5]
    asked = {"common": common, "rare": "zyzzyva", "beginning": f'{beginning}*"\nsource = "Paper 7'}
    return "\n".join(
        f'[[alert]]\nname = "{name}"\nquery = "{query}"\nfile = "{name}.atom"\ncommand = "true"\n'
        for name, query in asked.items()
    )


def change(db: Path, number: int, chance: random.Random) -> None:
    """Change so many articles, as a crawl would that found another section."""
    with closing(sqlite3.connect(db)) as base, base:
        (most,) = base.execute("select max(id) from articles").fetchone()
        ids = [(f"section {chance.random()}", chosen) for chosen in chance.sample(range(1, most + 1), number)]
        base.executemany("update articles set section = ? where id = ?", ids)


def start(db: Path) -> Cost:
    """One start of the command, to its end."""
    alert = ("-m", "crawler", "alert", "--quiet", "--db", str(db), "--sources", str(db.with_name("sources.toml")))
    return run(*alert)


def sent(db: Path) -> int:
    with closing(sqlite3.connect(db)) as base:
        return int(base.execute("select count(*) from alert_hits").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=300_000, help="articles of the archive")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where the archive is, or is to be made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = arguments.keep or folder / "large.db"
        if not made.exists():
            make(made, arguments.size)
        db = folder / "news.db"
        shutil.copy(made, db)
        connect(db, write=True).close()  # it may be of an earlier release
        (folder / "sources.toml").write_text(sources_toml(), "utf-8")
        start(db)  # it begins to watch
        print("changes   seconds    (CPU)   articles sent")
        for changes in CHANGES:
            before, taken = sent(db), []
            for number in range(STARTS):
                change(db, changes, random.Random(f"{changes} {number}"))
                taken.append(start(db))
            wall, cpu = min(one.seconds for one in taken), min(one.cpu_seconds for one in taken)
            print(f"{changes:7,} {wall:9.2f} {cpu:8.2f} {(sent(db) - before) / STARTS:15,.0f}", flush=True)


if __name__ == "__main__":
    main()
