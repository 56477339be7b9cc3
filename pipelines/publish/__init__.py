"""news.db -> its readers: how Datasette is started, and what it says of every table and column.

Plain `datasette news.db --metadata datasette_metadata.json` shows the same; `broadsheet serve` only spares the typing.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

METADATA = Path(__file__).resolve().parents[2] / "datasette_metadata.json"

SETTINGS = {
    "default_page_size": "50",
    "max_returned_rows": "1000",
    "sql_time_limit_ms": "5000",
    "facet_time_limit_ms": "500",
    "truncate_cells_html": "500",
    "allow_download": "on",
}
"""A page of a table is read, not scrolled; queries over a large archive may take seconds on the owner's own machine."""

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
    settings = SETTINGS | (PUBLIC_SETTINGS if public else {})
    flags = [word for name, value in settings.items() for word in ("--setting", name, value)]
    return ["serve", str(db), "--metadata", str(metadata_for(db)), "--host", "127.0.0.1", "--port", str(port), *flags]


def metadata_for(db: Path) -> Path:
    """The metadata file for this archive. Datasette names a database after its file, so another name needs a copy."""
    if db.stem == "news":
        return METADATA
    metadata: dict[str, Any] = json.loads(METADATA.read_text("utf-8"))
    metadata["databases"] = {db.stem: metadata["databases"]["news"]}
    copy = Path(tempfile.mkdtemp(prefix="broadsheet-")) / "metadata.json"
    copy.write_text(json.dumps(metadata, ensure_ascii=False), "utf-8")
    return copy
