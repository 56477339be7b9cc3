"""How Datasette is started on an archive: `broadsheet serve` only spares the typing.

Plain `datasette news.db --metadata datasette_metadata.json` shows the same.
"""

import json
import tempfile
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


def datasette_arguments(db: Path, port: int, *, public: bool) -> list[str]:
    """What to start Datasette with. It always binds loopback; a public site puts a reverse proxy in front."""
    db = _fit_for_an_address(db)
    settings = SETTINGS | (PUBLIC_SETTINGS if public else {})
    flags = [word for name, value in settings.items() for word in ("--setting", name, value)]
    file = ["--immutable", str(db)] if is_sealed(db) else [str(db)]
    return ["serve", *file, "--metadata", str(metadata_for(db)), "--host", "127.0.0.1", "--port", str(port), *flags]


def _fit_for_an_address(db: Path) -> Path:
    """The archive, or a link to it where `?`, `#` or `%` is in its path: Datasette 0.65 puts that into a `file:` address as it is.

    SQLite follows the link and finds the log beside the archive.
    """
    if not set("?#%") & set(str(db)):
        return db
    link = Path(tempfile.mkdtemp(prefix="broadsheet-")) / f"{NAME}.db"
    link.symlink_to(db.absolute())
    return link


def metadata_for(db: Path) -> Path:
    """The metadata file for this archive. Datasette names a database after its file, so another name needs a copy."""
    if db.stem == NAME:
        return METADATA
    links = METADATA.read_text("utf-8").replace(f'href=\\"{NAME}/', f'href=\\"{tilde_encode(db.stem)}/')
    metadata: dict[str, Any] = json.loads(links)
    metadata["databases"] = {db.stem: metadata["databases"][NAME]}
    copy = Path(tempfile.mkdtemp(prefix="broadsheet-")) / "metadata.json"
    copy.write_text(json.dumps(metadata, ensure_ascii=False), "utf-8")
    return copy
