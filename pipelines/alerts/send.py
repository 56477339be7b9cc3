"""Alerts of sources.toml -> receivers: note what is new, send what waits, mark what arrived."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.items import Alert, Delivery
from pipelines.alerts import outbox, ways
from pipelines.alerts.messages import Message, Row, feed_of
from pipelines.publish.search import shown

Clock = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one alert by one way in this run."""

    alert: Alert
    way: str | None  #: None: it was only begun
    articles: int = 0  #: that arrived
    failure: outbox.Failure | None = None  #: why the others wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends alerts of one archive, open to be written and with sqlite3.Row rows."""

    base: sqlite3.Connection
    delivery: Delivery
    folder: Path  #: of sources.toml: what relative files are beside
    clock: Clock  #: `YYYY-MM-DDTHH:MM:SSZ`

    def send(self, alert: Alert) -> Iterator[Done]:
        """Send what is new of an alert, and what has waited."""
        number = outbox.number_of(self.base, alert)
        if number is None:
            number = outbox.begin(self.base, alert, self.clock())
            yield Done(alert=alert, way=None)
        outbox.note(self.base, alert, number, self.clock())
        for way in alert.ways:
            articles, reason = self._file(alert, number) if way == "file" else self._by(way, alert, number)
            failure = outbox.failed(self.base, number, way, reason, self.clock()) if reason else None
            if failure is None:
                outbox.recovered(self.base, number, way)
            yield Done(alert=alert, way=way, articles=articles, failure=failure)

    def _file(self, alert: Alert, number: int) -> tuple[int, str | None]:
        """Write the Atom file of an alert anew from what was found: it has nothing to lose or to repeat. Returns how many articles are
        new in it, or why it could not be written."""
        rows = shown(self.base, outbox.words_of(alert), outbox.found_last(self.base, number))
        try:
            is_new = ways.write_file(self.folder / (alert.file or ""), feed_of(alert, rows))
        except ways.NotDelivered as error:
            return 0, str(error)
        return len(rows) if is_new else 0, None

    def _by(self, way: str, alert: Alert, number: int) -> tuple[int, str | None]:
        """Send what waits by a way, until one message does not arrive: the receiver may be down, and the next run tries again. Returns
        how many articles arrived, and why the others did not."""
        articles = 0
        for message in outbox.waiting(self.base, number, way):
            rows = shown(self.base, outbox.words_of(alert), message.articles)
            outbox.try_it(self.base, message, self.clock())
            if rows:  # else all of them were taken down
                try:
                    told = Message(alert=alert, key=message.key, rows=rows)
                    ways.deliver(way, told, self.delivery, self.folder)
                except (ways.NotDelivered, ways.CannotDeliver) as error:
                    outbox.not_sent(self.base, message, str(error))
                    return articles, str(error)
            outbox.sent(self.base, message, self.clock())
            articles += len(rows)
        return articles, None


def would_send(base: sqlite3.Connection, alert: Alert) -> list[Row] | None:
    """The articles that a run would send now, nothing is written; None for an alert that has not been watched for yet."""
    number = outbox.number_of(base, alert)
    if number is None:
        return None
    found, _ = outbox.new_hits(base, alert, number)
    kept = {article for way in alert.ways for one in outbox.waiting(base, number, way) for article in one.articles}
    return shown(base, outbox.words_of(alert), sorted({*found, *kept}))


def faults(base: sqlite3.Connection, alerts: Sequence[Alert], delivery: Delivery, folder: Path) -> list[str]:
    """All that a person has to change before these can be sent."""
    found = []
    for alert in alerts:
        try:
            ways.check(alert, delivery, folder)
            outbox.filters_of(base, alert)
        except ways.CannotDeliver as error:
            found.append(f"alert {alert.name!r}: {error}")
        except outbox.UnknownSource as error:
            found.append(str(error))
    return found
