"""What articles are grouped by, kept in the file: their words, their vectors, and who shares a rare term or a passage.

Frames are spans of days whose articles were weighed together: the frequencies of their terms stand still until so many
articles are new that the frame is made anew. An article without a cluster waits to be placed.
"""

import json
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from operator import attrgetter
from typing import Any

from pipelines.database.connection import first_row, rows
from pipelines.database.sqlite import Database
from pipelines.deduplicate.clusters import (
    DAYS,
    MIN_PASSAGES,
    Document,
    Frequencies,
    Member,
    Passages,
    candidate_terms,
    unpack,
)
from pipelines.deduplicate.fingerprints import COMMON
from pipelines.deduplicate.furniture import names, pack_sentences, sentences, terms, unpack_sentences
from pipelines.deduplicate.near_copies import Text
from pipelines.deduplicate.regions import Cluster
from pipelines.deduplicate.winnowing import SHARED_PRINTS

JULIAN = 1721424.5
"""The Julian date at which day 0 of Python's dates begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A span of days whose articles were weighed together."""

    id: int
    first_day: str  #: YYYY-MM-DD
    last_day: str  #: YYYY-MM-DD
    articles: int  #: how many were weighed
    changes: int  #: how many came or changed since
    common: frozenset[str]

    @property
    def reach(self) -> tuple[float, float]:
        """From when to when, as Julian dates."""
        first, last = (date.fromisoformat(day).toordinal() + JULIAN for day in (self.first_day, self.last_day))
        return first, last + 1


def frames(db: Database) -> list[Frame]:
    """All frames, the earliest first. No two have a day in common."""
    found = rows(db, "select * from story_frames where articles > 0 order by first_day")
    return [Frame(**row | {"common": frozenset(json.loads(row["common"]))}) for row in found]


def document(row: Mapping[str, Any]) -> Document:
    """What is to be known of an article: a row with id, url, day, title and text."""
    body = Text(row["text"])
    words = [("", terms(Text(row["title"] or ""))), *sentences(row["text"])]
    at_hand = prints_at_hand.get(hash(row["text"]))
    prints = body.prints if at_hand is None else frozenset(at_hand)
    return Document(id=row["id"], url=row["url"], when=row["day"], words=words, prints=prints)


def keep_at_hand(text: str, prints: Iterable[int]) -> None:
    """Remember the prints of a text that a worker made, until the stories are renewed."""
    if len(prints_at_hand) < PRINTS_AT_HAND:
        prints_at_hand[hash(text)] = array("i", prints)


PRINTS_AT_HAND = 4096
"""Texts whose prints are remembered, half a kilobyte each: making them again would be a third of what stories cost a run."""

prints_at_hand: dict[int, "array[int]"] = {}
"""By the hash of their text."""


# Rows of one article, written within the writer's transaction


def put(db: Database, one: Document) -> None:
    """Note the words and prints of an article."""
    prints = sorted(one.prints)
    db.execute(
        "insert or replace into story_articles (article_id, day, prints, words) values (?, ?, ?, ?)",
        [one.id, one.when, struct.pack(f"<{len(prints)}i", *prints), pack_sentences(one.words)],
    )
    rows = ((print_, one.when, one.id) for print_ in prints)
    db.conn.executemany("insert or ignore into story_prints (hash, day, article_id) values (?, ?, ?)", rows)


def put_vector(db: Database, one: Member, cluster: int | None = None) -> None:
    """Note the vector of an article that is put() already, and the terms that it is found by."""
    before, now = _terms_of(db, one.id), set(candidate_terms(one.vector))
    db.execute("update story_articles set vector = ?, cluster = ? where article_id = ?", [one.packed, cluster, one.id])
    _drop_terms(db, one.id, one.when, before - now)
    rows = ((_key(term), one.when, one.id) for term in now - before)
    db.conn.executemany("insert or ignore into story_terms (term, day, article_id) values (?, ?, ?)", rows)


def drop(db: Database, article_id: int) -> None:
    """Forget what is kept of an article."""
    row = first_row(db, "select day, prints from story_articles where article_id = ?", [article_id])
    if row:
        _drop_terms(db, article_id, row["day"], _terms_of(db, article_id))
        rows = ((print_, row["day"], article_id) for print_ in _unpacked_prints(row["prints"]))
        db.conn.executemany("delete from story_prints where hash = ? and day = ? and article_id = ?", rows)
        db.execute("delete from story_articles where article_id = ?", [article_id])


def _terms_of(db: Database, article_id: int) -> set[str]:
    found = db.execute("select vector from story_articles where article_id = ?", [article_id]).fetchone()
    return set(candidate_terms(unpack(found[0]))) if found and found[0] else set()


def _drop_terms(db: Database, article_id: int, day: float, dropped: Iterable[str]) -> None:
    rows = ((_key(term), day, article_id) for term in dropped)
    db.conn.executemany("delete from story_terms where term = ? and day = ? and article_id = ?", rows)


def unplace(db: Database, article_ids: Iterable[int]) -> None:
    """Dissolve the clusters of these articles: each waits to be placed again."""
    db.execute(
        """update story_articles set cluster = null where cluster in (
               select cluster from story_articles where article_id in (select value from json_each(?)))""",
        [json.dumps(list(article_ids))],
    )


def unplace_around(db: Database, article_id: int, holders: range) -> None:
    """Dissolve the cluster of an article, and those that hold a print of it which so many articles have."""
    row = first_row(db, "select prints from story_articles where article_id = ?", [article_id])
    if row is None:
        return
    found = db.execute(
        """select distinct article_id from (
               select article_id, count(*) over (partition by hash) as holders
               from json_each(?) cross join story_prints on hash = value)
           where holders between ? and ?""",
        [json.dumps(_unpacked_prints(row["prints"])), holders.start, holders.stop - 1],
    )
    unplace(db, {article_id, *(other for (other,) in found)})


def _unpacked_prints(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}i", packed)


def _key(term: str) -> int:
    """A term as a number: a file from which an article was taken out is to hold none of its words."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), signed=True)


# Reading


def texts(db: Database, article_ids: Iterable[int]) -> Iterator[Mapping[str, Any]]:
    """What document() needs of articles."""
    return rows(
        db,
        """select articles.id, url, title, text, coalesce(julianday(sort_at), julianday(first_seen_at)) as day
           from json_each(?) cross join articles on articles.id = value""",
        [json.dumps(list(article_ids))],
    )


def documents(db: Database, article_ids: Iterable[int]) -> Iterator[Document]:
    """Articles that are put()."""
    found = rows(
        db,
        """select article_id, url, day, words, prints from json_each(?)
           cross join story_articles on article_id = value join articles on articles.id = article_id""",
        [json.dumps(list(article_ids))],
    )
    for row in found:
        words = unpack_sentences(row["words"])
        prints = frozenset(_unpacked_prints(row["prints"]))
        yield Document(id=row["article_id"], url=row["url"], when=row["day"], words=words, prints=prints)


def prints_of(db: Database, article_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    rows = db.execute(
        "select article_id, prints from json_each(?) cross join story_articles on article_id = value",
        [json.dumps(list(article_ids))],
    )
    return {article_id: _unpacked_prints(prints) for article_id, prints in rows}


def without(db: Database, column: str, article_ids: Iterable[int]) -> list[int]:
    """Those of these articles of which there are no words, or no vector yet."""
    rows = db.execute(
        f"""select value from json_each(?) where value not in (
                select article_id from story_articles where {column} is not null)""",
        [json.dumps(list(article_ids))],
    )
    return [article_id for (article_id,) in rows]


def frequencies(db: Database, frame: Frame, documents: Iterable[Document]) -> Frequencies:
    """Those of a frame, as far as these documents need them."""
    keys = {_key(name): name for one in documents for name in names(one.words, one.site)}
    rows = db.execute(
        """select term, number from json_each(?) cross join story_frequencies on frame_id = ? and term = value""",
        [json.dumps(list(keys)), frame.id],
    )
    used_by = {keys[key]: number for key, number in rows}
    return Frequencies(documents=frame.articles, used_by=used_by, common=frame.common)


def frequency_rows(frame_id: int, used_by: Mapping[str, int]) -> Iterator[tuple[int, int, int]]:
    """What is to be kept of frequencies: a term that is missing is in one article."""
    return ((frame_id, _key(term), number) for term, number in used_by.items() if number > 1)


def put_frequencies(db: Database, rows: Iterable[tuple[int, int, int]]) -> None:
    db.conn.executemany("insert or replace into story_frequencies (frame_id, term, number) values (?, ?, ?)", rows)


def most_users(db: Database, frame: Frame, article_ids: Iterable[int]) -> int:
    """How many articles of a frame have the most frequent of the terms by which these articles are found."""
    rows = db.execute(
        "select vector from json_each(?) cross join story_articles on article_id = value",
        [json.dumps(list(article_ids))],
    )
    rare = {term for (vector,) in rows for term in candidate_terms(unpack(vector))} - frame.common
    (most,) = db.execute(
        """select max(number) from (
               select count(*) as number from json_each(?) cross join story_terms
                   on term = value and day >= ? and day < ? group by term)""",
        [json.dumps([_key(term) for term in rare]), *frame.reach],
    ).fetchone()
    return most or 0


def waiting(db: Database) -> list[tuple[int, float]]:
    """Articles that are weighed and in no cluster, with their days, in their order."""
    return db.execute(
        """select article_id, day from story_articles join articles on articles.id = article_id
           where cluster is null and vector is not null order by day, url"""
    ).fetchall()


def stories_of(db: Database, article_ids: Iterable[int]) -> dict[int, int | None]:
    """The story that each of these articles has until now."""
    sql = "select articles.id, story_id from json_each(?) cross join articles on articles.id = value"
    return dict(db.execute(sql, [json.dumps(sorted(article_ids))]).fetchall())


def put_clusters(db: Database, clusters: Iterable[Cluster]) -> None:
    """Note the cluster of each of these articles, by the least of its ids."""
    rows = ((min(cluster), article_id) for cluster in clusters for article_id in cluster)
    db.conn.executemany("update story_articles set cluster = ? where article_id = ?", rows)


# Frames: one without articles is given up, or being made when its changes are negative


def begin_frame(db: Database, first: str, last: str) -> int:
    """Reserve the number of a frame that is being made."""
    (frame_id,) = db.execute("select 1 + coalesce(max(id), 0) from story_frames").fetchone()
    db.execute("insert into story_frames values (?, ?, ?, 0, -1, '[]')", [frame_id, first, last])
    return int(frame_id)


def end_frame(db: Database, frame_id: int, articles: int, common: Set[str], longest: int) -> None:
    """A frame is made. What others have of its days they lose; what is left of one goes to the one before, if it can."""
    made = next(rows(db, "select first_day, last_day from story_frames where id = ?", [frame_id]))
    for other in frames(db):
        if other.first_day <= made["last_day"] and made["first_day"] <= other.last_day:
            _cut(db, other, made["first_day"], made["last_day"])
    db.execute(
        "update story_frames set articles = ?, changes = 0, common = ? where id = ?",
        [articles, json.dumps(sorted(common), ensure_ascii=False), frame_id],
    )
    for earlier, later in pairwise(frames(db)):
        if later.id != frame_id and later.reach[1] - earlier.reach[0] <= longest:
            db.execute("update story_frames set last_day = ? where id = ?", [later.last_day, earlier.id])
            db.execute("update story_frames set articles = 0 where id = ?", [later.id])
            break


def _cut(db: Database, frame: Frame, first: str, last: str) -> None:
    """Take these days from a frame: of what is left on either side it keeps the longer."""
    before = (date.fromisoformat(first) - date.fromisoformat(frame.first_day)).days
    after = (date.fromisoformat(frame.last_day) - date.fromisoformat(last)).days
    if max(before, after) <= 0:
        db.execute("update story_frames set articles = 0 where id = ?", [frame.id])
    elif before >= after:
        day = date.fromordinal(date.fromisoformat(first).toordinal() - 1).isoformat()
        db.execute("update story_frames set last_day = ? where id = ?", [day, frame.id])
    else:
        day = date.fromordinal(date.fromisoformat(last).toordinal() + 1).isoformat()
        db.execute("update story_frames set first_day = ? where id = ?", [day, frame.id])


def widen(db: Database, frame: Frame, first: str, last: str, changes: int) -> None:
    """Note that a frame has more days, as far as no other has them, and more articles."""
    others = [other for other in frames(db) if other.id != frame.id]
    if any(other.first_day <= last and first <= other.last_day for other in others):
        first, last = frame.first_day, frame.last_day
    db.execute(
        "update story_frames set first_day = ?, last_day = ?, changes = changes + ? where id = ?",
        [first, last, changes, frame.id],
    )


def give_up_frames(db: Database, days: int) -> None:
    """Mark the frames that end so many days before the last one."""
    db.execute(
        """update story_frames set articles = 0 where julianday(last_day) < (
               select julianday(max(last_day)) - ? from story_frames where articles > 0)""",
        [days],
    )


def given_up(db: Database) -> Iterator[tuple[int, list[int]]]:
    """Frames that are to be dropped, and the articles that are in no other, or that one was about to weigh when it was killed."""
    for (frame_id,) in db.execute("select id from story_frames where articles = 0").fetchall():
        articles = db.execute(
            """select article_id from story_articles where not exists (
                   select 1 from story_frames where articles > 0 and day >= julianday(first_day)
                       and day < julianday(last_day) + 1)
               or exists (
                   select 1 from story_frames where id = ? and changes < 0 and day >= julianday(first_day)
                       and day < julianday(last_day) + 1)""",
            [frame_id],
        ).fetchall()
        yield frame_id, [article_id for (article_id,) in articles]


def drop_frequencies(db: Database, frame_id: int, most: int) -> int:
    """Drop some of a frame's frequencies, and the frame with the last of them; returns how many."""
    dropped = db.execute(
        """delete from story_frequencies where frame_id = :frame and term in (
               select term from story_frequencies where frame_id = :frame limit :most)""",
        {"frame": frame_id, "most": most},
    ).rowcount
    if not dropped:
        db.execute("delete from story_frames where id = ?", [frame_id])
    return dropped


class FrameWindow:
    """The articles of the file as regions.Window: their clusters as they were, and as they became since."""

    def __init__(self, db: Database, frame: Frame) -> None:
        self.common: Set[str] = frame.common
        self._db = db
        self._frame = frame
        self._members: dict[int, Member] = {}
        self._home: dict[int, Cluster | None] = {}
        self._likely: dict[int, set[int]] = {}
        self._kept: set[int] = set()

    def members(self, ids: Iterable[int]) -> list[Member]:
        ids = list(ids)
        self._load(one for one in ids if one not in self._members)
        return [self._members[one] for one in ids]

    def _load(self, ids: Iterable[int]) -> None:
        rows = self._db.execute(
            """select article_id, url, day, vector, length(prints) / 4 from json_each(?)
               cross join story_articles on article_id = value join articles on articles.id = article_id
               where vector is not null""",
            [json.dumps(list(ids))],
        )
        for article_id, url, day, vector, prints in rows:
            self._members[article_id] = Member(id=article_id, url=url, when=day, packed=vector, prints=prints)

    def likely(self, ids: Iterable[int]) -> set[int]:
        return set().union(*(self._likely_to(member) for member in self.members(ids)))

    def _likely_to(self, member: Member) -> set[int]:
        if member.id not in self._likely:
            keys = [_key(term) for term in candidate_terms(member.vector) if term not in self.common]
            told = {"keys": json.dumps(keys), "day": member.when, "reach": DAYS, "id": member.id}
            self._likely[member.id] = {article_id for (article_id,) in self._db.execute(_LIKELY, told)}
        return self._likely[member.id]

    def clusters_of(self, ids: Iterable[int]) -> set[Cluster]:
        ids = list(ids)
        unknown = [one for one in ids if one not in self._home]
        if unknown:
            self._home.update(dict.fromkeys(unknown))
            found: dict[int, list[int]] = {}
            for cluster, article_id in self._db.execute(_CLUSTERS, [json.dumps(unknown)]):
                found.setdefault(cluster, []).append(article_id)
            for members in found.values():
                self._home.update(dict.fromkeys(members, frozenset(members)))
        return {cluster for one in ids if (cluster := self._home[one])}

    def keep(self, cluster: Cluster) -> None:
        """Note a cluster that came about."""
        self._home.update(dict.fromkeys(cluster, cluster))
        self._kept |= cluster

    @property
    def kept(self) -> set[Cluster]:
        """Clusters that came about, as they are now."""
        return {cluster for article_id in self._kept if (cluster := self._home[article_id])}

    def passages(self, ids: Iterable[int]) -> list[Passages]:
        """What these articles share with others, in prints that are not common in the frame."""
        found: list[Passages] = []
        for article_id, prints in prints_of(self._db, ids).items():
            rows = self._db.execute(_PASSAGES, [json.dumps(prints), *self._frame.reach, COMMON, SHARED_PRINTS])
            shared = {other: number for other, number in rows if other != article_id}
            (own,) = self.members([article_id])
            self._load(other for other in shared if other not in self._members)
            for other in (self._members[other] for other in shared if other in self._members):
                one, two = sorted((own, other), key=attrgetter("order"))
                share = shared[other.id] / min(one.prints, two.prints)
                if share >= MIN_PASSAGES:
                    found.append((share, one, two))
        return found


_LIKELY = """
    select article_id from json_each(:keys) cross join story_terms
        on term = value and day between :day - :reach - 1 and :day + :reach + 1
    where abs(day - :day) <= :reach and article_id <> :id group by article_id having count(*) > 1
"""

_CLUSTERS = """
    select cluster, article_id from story_articles where cluster in (
        select cluster from json_each(?) cross join story_articles on article_id = value)
"""

_PASSAGES = """
    select article_id, count(*) from (
        select article_id, count(*) over (partition by hash) as holders
        from json_each(?) cross join story_prints on hash = value and day >= ? and day < ?)
    where holders <= ? group by article_id having count(*) >= ?
"""
