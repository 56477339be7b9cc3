"""What `crawl --retry` asks again: pages by their state, of all sources or of what was named. Reads only."""

import json
from dataclasses import dataclass

from pipelines.database.connection import Row
from pipelines.database.schema import FORGOTTEN
from pipelines.database.sqlite import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """States of pages, and which of them are meant."""

    states: tuple[str, ...]
    only: tuple[str, ...]  #: addresses of pages, and of sources or their names; (): all
    source_ids: frozenset[int]  #: of the sources among them

    @classmethod
    def of(cls, db: Database, states: list[str], only: list[str]) -> "Retries":
        sql = "select id from sources where name in (select value from json_each(?1)) or url in (select value from json_each(?1))"
        ids = frozenset(source_id for (source_id,) in db.execute(sql, [json.dumps(only)]).fetchall())
        return cls(states=tuple(states), only=tuple(only), source_ids=ids)

    def include(self, url: str, row: Row) -> bool:
        """Whether a page is to be asked again; what was taken down never is."""
        if row["state"] not in self.states or row["reason"] == FORGOTTEN:
            return False
        return not self.only or url in self.only or row["source_id"] in self.source_ids

    def condition(self) -> tuple[str, list[str]]:
        """The same in SQL over `pages`, with its parameters; those of them that are FORGOTTEN, too, which include() leaves out."""
        if not self.states:
            return "false", []
        states = "state in (select value from json_each(?))"
        if not self.only:
            return states, [json.dumps(self.states)]
        named = "url in (select value from json_each(?)) or source_id in (select value from json_each(?))"
        parameters = (self.states, self.only, sorted(self.source_ids))
        return f"({states} and ({named}))", [json.dumps(one) for one in parameters]
