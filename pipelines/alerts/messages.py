"""Hits -> what is sent of them: an e-mail, JSON, JSON lines, an Atom file."""

import json
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from crawler.items import Alert
from pipelines.publish.feed import atom
from pipelines.publish.formatting import exactly, starred, where_in_words

Row = dict[str, Any]

TITLE_CHARS = 120
"""Of a subject: longer ones are cut by mail programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one receiver gets at once."""

    alert: Alert
    key: str  #: the same at every attempt
    rows: list[Row]  #: of Found, at least one

    @property
    def title(self) -> str:
        """`ferries: Storm stops the ferry`, or `ferries: 3 articles`."""
        (first, *others) = self.rows
        said = f"{len(self.rows):,} articles" if others else _on_one_line(first["title"] or "(without a title)")
        return f"{self.alert.name}: {said[:TITLE_CHARS]}"

    @property
    def text(self) -> str:
        """The articles for people, in plain text."""
        return "\n\n".join(_told(row) for row in self.rows) + "\n"

    def email(self, sender: str, receiver: str) -> EmailMessage:
        """The same as a mail. Message-ID is made of the key."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, receiver, self.title
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{self.key}@broadsheet.invalid>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices
        mail["X-Broadsheet-Alert"] = quote(self.alert.name)
        mail.set_content(self.text, cte="quoted-printable")
        return mail

    @property
    def json(self) -> str:
        """The same for programs."""
        return json.dumps(self._about | {"hits": [_for_programs(row) for row in self.rows]}, ensure_ascii=False)

    @property
    def json_lines(self) -> str:
        """The same, a line an article."""
        lines = (json.dumps(self._about | _for_programs(row), ensure_ascii=False) for row in self.rows)
        return "".join(f"{line}\n" for line in lines)

    @property
    def _about(self) -> Row:
        return {"alert": self.alert.name, "query": self.alert.query, "key": self.key}


def feed_of(alert: Alert, rows: list[Row]) -> bytes:
    """An Atom file of an alert's articles in this order."""
    urls = {row["id"]: row["url"] for row in rows}
    return atom(alert.name, rows, f"urn:broadsheet:alert:{quote(alert.name)}", None, urls.__getitem__)


def _told(row: Row) -> str:
    said = ": ".join(filter(None, (where_in_words(row), starred(row["said_title"]), starred(row["snippet"]))))
    about = ", ".join(filter(None, (row["source"], exactly(row["sort_at"]))))
    lines = (row["title"] or "(without a title)", about, row["url"], row["copy_url"], said)
    return "\n".join(_on_one_line(line) for line in lines if line)


_FOR_PROGRAMS = (
    "id", "url", "title", "source", "language", "section", "date_published", "first_seen_at", "found_at", "said_in", "copy_url",
    "copy_source",
)  # fmt: skip


def _for_programs(row: Row) -> Row:
    said = {"said_title": row["said_title"] and starred(row["said_title"]), "snippet": starred(row["snippet"])}
    return {name: row[name] for name in _FOR_PROGRAMS} | said


def _on_one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
