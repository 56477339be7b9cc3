"""How Datasette is started on an archive: `broadsheet serve` only spares the typing.

Plain `datasette news.db --metadata datasette_metadata.json` shows the same.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette.utils import tilde_encode

from pipelines.database.connection import is_sealed

METADATA = Path(__file__).resolve().parents[2] / "datasette_metadata.json"

NAME = "news"
"""What the metadata calls the database: Datasette's name for a file `news.db`."""

SETTINGS = {
    "default_page_size": "50",
    "max_returned_rows": "1000",
    "sql_time_limit_ms": "5000",
    "suggest_facets": "off",
    "truncate_cells_html": "300",
}
"""A page of a table is read, not scrolled; queries over a large archive may take seconds on the owner's own machine.
Suggesting facets tries every column and costs more than the page itself; the column menus offer them all the same. Facets
have Datasette's own 200 ms each, of which a million articles take 140 to 350 by source, language or section, and 1,000 by day
(measured): a page of a large archive comes within a second, without those that are not done."""

PUBLIC_SETTINGS = {
    "default_allow_sql": "off",
    "allow_download": "off",
    "allow_csv_stream": "off",
    "sql_time_limit_ms": "1000",
    "max_returned_rows": "200",
}
"""For visitors: one SELECT can take gigabytes of memory in spite of the time limit (hex(zeroblob(400000000)): 2.2 GB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an archive is shown, and to whom."""

    host: str = "127.0.0.1"
    port: int = 8001
    uds: Path | None = None  #: a Unix socket in place of host and port
    base_url: str = "/"  #: begins and ends with a slash
    public: bool = False
    index: bool = False  #: search engines may list it
    quiet: bool = False  #: no line for each request
    open: bool = False  #: show it in a browser

    @property
    def url(self) -> str:
        """Where it is seen from this machine; not over a Unix socket."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.base_url}"


def datasette_arguments(db: Path, place: Place) -> list[str]:
    """What to start Datasette with."""
    db = _fit_for_an_address(db)
    settings = SETTINGS | (PUBLIC_SETTINGS if place.public else {}) | {"base_url": place.base_url}
    flags = [word for name, value in settings.items() for word in ("--setting", name, value)]
    file = ["--immutable", str(db)] if is_sealed(db) else [str(db)]
    where = ["--uds", str(place.uds)] if place.uds else ["--host", place.host, "--port", str(place.port)]
    return ["serve", *file, "--metadata", str(metadata_for(db, place)), *where, *flags]


def _fit_for_an_address(db: Path) -> Path:
    """The archive, or a link to it where `?`, `#` or `%` is in its path: Datasette 0.65 puts that into a `file:` address as it is.

    SQLite follows the link and finds the log beside the archive.
    """
    if not set("?#%") & set(str(db)):
        return db
    link = Path(tempfile.mkdtemp(prefix="broadsheet-")) / f"{NAME}.db"
    link.symlink_to(db.absolute())
    return link


def metadata_for(db: Path, place: Place) -> Path:
    """The metadata file for this archive. Datasette names a database after its file, so another name needs a copy; so does
    what the plugin is to know of the place."""
    told = {"index": place.index, "quiet": place.quiet, "open": place.url if place.open else ""}
    if db.stem == NAME and not any(told.values()):
        return METADATA
    links = METADATA.read_text("utf-8").replace(f'href=\\"{NAME}/', f'href=\\"{tilde_encode(db.stem)}/')
    metadata: dict[str, Any] = json.loads(links)
    metadata["databases"] = {db.stem: metadata["databases"][NAME]}
    metadata["plugins"]["broadsheet"] |= {name: value for name, value in told.items() if value}
    copy = Path(tempfile.mkdtemp(prefix="broadsheet-")) / "metadata.json"
    copy.write_text(json.dumps(metadata, ensure_ascii=False), "utf-8")
    return copy
