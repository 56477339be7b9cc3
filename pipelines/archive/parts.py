"""The table `parts`: articles that a site splits over several pages, joined into one text.

    a page that links others as pages of its article ──► `parts`: which of them each is; those unknown are pending, and asked
    each that answers and goes on with the article   ──► its own text in `parts`, its page a duplicate `part` of the article
    the texts in their order, joined                 ──► the article's text, by the page with the lowest number

Where a page that shows them all is linked it is asked first; the others wait as duplicates, and are asked should it fail. A
part that answers for the first time completes the text, and is no version; one that says something else later makes one, and
is looked at again as long as the article is. Called within the writer's transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crawler.items import LOCAL, Hints, Outcome, Page
from crawler.pagination import ALL
from crawler.times import stamp
from pipelines.archive import articles, pages, runs, variants, versions
from pipelines.archive.pages import Stored
from pipelines.archive.rows import article_of, update
from pipelines.database.connection import Row, first_row
from pipelines.database.sqlite import Database
from pipelines.deduplicate.match import Match, canonical_claim, is_same_text, match
from pipelines.deduplicate.near_copies import Text
from pipelines.deduplicate.parts import Place, goes_on, group_of, joined_text
from pipelines.text import content_hash, word_count

Known = Mapping[str, Row]
"""Rows of `pages` by their address, as match.known_pages() gives them."""


def keep(db: Database, outcome: Outcome, known: Known, place: Place) -> Stored:
    """Write a page that is a part of an article: as the article, joined, or as a part of the one that is known."""
    assert outcome.article is not None
    _note_links(db, outcome, place)
    others = [part for part in group_of(db, place) if part["state"] == "article" and part["url"] != place.url]
    before = next((part for part in others if not _leads(place, part)), None)
    if before is None:
        return _keep_first(db, outcome, known, place, others)
    owner = article_of(db, before["article_id"])
    if not goes_on(owner, outcome.article, place):
        return _keep_other(db, outcome, known, place)
    here = known.get(place.url)
    if here and here["state"] == "article":  # the next look at the first page makes them one
        return articles.apply(db, match(db, outcome, known))
    return _keep_later(db, outcome, here, place, owner)


def _leads(place: Place, other: Row) -> bool:
    """Whether a part comes before another one as the article's page."""
    return place.number != ALL and (other["number"] == ALL or place.number < other["number"])


def _note_links(db: Database, outcome: Outcome, place: Place) -> None:
    assert outcome.article is not None
    db.conn.executemany(
        "insert or ignore into parts (url, whole, number) values (?, ?, ?)",
        [(url, place.whole, number) for number, url in ((place.number, place.url), *outcome.article.parts)],
    )


def _forget(db: Database, url: str) -> None:
    db.execute("delete from parts where url = ?", [url])


def _put_text(db: Database, url: str, text: str) -> None:
    db.execute("update parts set text = ? where url = ?", [text, url])


def _texts(db: Database, place: Place) -> dict[int, str]:
    """The texts of an article's other parts, by their numbers."""
    texts: dict[int, str] = {}
    for part in group_of(db, place):
        if part["text"] and part["url"] != place.url:
            texts.setdefault(part["number"], part["text"])
    return texts


# The part that is the article's page


def _keep_first(db: Database, outcome: Outcome, known: Known, place: Place, others: Sequence[Row]) -> Stored:
    """The page becomes or stays the article's; `others` are later parts that are articles until now."""
    article = outcome.article
    assert article is not None
    here = known.get(place.url)
    if here and here["state"] == "article" and match(db, outcome, known).reused:
        _begin_anew(db, place)
        _note_links(db, outcome, place)
    displaced = []
    for part in others:
        row = article_of(db, part["article_id"])
        if goes_on(row, article, place):
            displaced.append(row)
            _put_text(db, part["url"], part["text"])
        else:
            _forget(db, part["url"])
    text = joined_text(_texts(db, place) | {place.number: article.text}, (article.title, article.description))
    found = match(db, outcome if text == article.text else _with_text(outcome, text), known)
    stored = articles.apply(db, _displacing(db, found, displaced) if displaced else found)
    now = first_row(db, _ARTICLE_AT, [place.url])
    if now is None:  # a copy of another article
        return stored
    if stored.outcome in ("new", "known") or now["content_hash"] == found.content_hash:  # else it is doubted
        _put_text(db, place.url, article.text)
    _settle(db, place, now["id"])
    _follow(db, outcome.page, place, now["id"])
    return stored


def _begin_anew(db: Database, place: Place) -> None:
    """Forget the parts of an article whose address now holds another one: theirs may, too."""
    db.execute(
        """update pages set state = 'pending', reason = null, article_id = null, next_fetch_at = null, etag = null, last_modified = null
           where state = 'duplicate' and reason = 'part' and url in (select url from parts where whole = ?)""",
        [place.whole],
    )
    db.execute("delete from parts where whole = ?", [place.whole])


_ARTICLE_AT = """select articles.* from pages join articles on articles.id = article_id
    where pages.url = ? and state = 'article'"""


def _with_text(outcome: Outcome, text: str) -> Outcome:
    assert outcome.article is not None
    article = replace(outcome.article, text=text, word_count=word_count(text))
    return replace(outcome, article=article, content_hash=None, fingerprints=None)


def _displacing(db: Database, found: Match, displaced: Sequence[Row]) -> Match:
    """The articles of later parts become that of this page."""
    ids = {row["id"] for row in displaced}
    if found.here and found.here["state"] == "article":
        ids.add(found.here["article_id"])
    first, *others = sorted(ids)
    claimed = canonical_claim(found.page, found.article)
    is_free = claimed is not None and first_row(db, "select 1 from pages where url = ?", [claimed]) is None
    return replace(
        found,
        kind="original",
        known=article_of(db, first),
        reason="part",
        merges=tuple(others),
        url=claimed if claimed and is_free else found.page.final_url,
        reserves=is_free,
        false_claim_of=None,
        reused=False,
    )


def _settle(db: Database, place: Place, article_id: int) -> None:
    """Pages of an article that are its parts are so for no other reason."""
    db.execute(
        """update pages set reason = 'part', similarity = null
           where article_id = ? and state = 'duplicate' and url in (select url from parts where whole = ? and text is not null)""",
        [article_id, place.whole],
    )


def _follow(db: Database, page: Page, place: Place, article_id: int) -> None:
    """Have the parts that nobody has found yet asked, or the one alone that shows them all; those of a local copy must come by themselves."""
    if page.via in LOCAL or page.source is None:
        return
    wanted = [part for part in group_of(db, place) if part["page_id"] or page.source.wants(part["url"])]
    has_whole = any(part["number"] == ALL and _may_answer(part) for part in wanted)
    if not has_whole:
        _free_waiting(db, place.whole)
    reserved = {"state": "duplicate", "reason": "part", "article_id": article_id}
    named = replace(page, hints=Hints())
    for part in wanted:
        if part["page_id"] is None:
            waits = has_whole and part["number"] != ALL
            pages.inserted(db, part["url"], named, **(reserved if waits else {}))


def _may_answer(part: Row) -> bool:
    return part["state"] in (None, "pending", "article") or part["reason"] == "part"


# The others


def _keep_later(db: Database, outcome: Outcome, here: Row | None, place: Place, owner: Row) -> Stored:
    """A page that goes on with an article that is known: its duplicate, whose text completes or changes the article's."""
    page, article = outcome.page, outcome.article
    assert article is not None
    here = here or pages.inserted(db, place.url, page)
    (known_text,) = db.execute("select text from parts where url = ?", [place.url]).fetchone()
    if known_text is not None and stamp(page.fetched_at) < (
        here["last_fetched_at"] or ""
    ):  # an archive's older capture
        return _keep_unread(db, page, here)
    own = Match(
        kind="duplicate",
        page=page,
        article=article,
        content_hash=outcome.content_hash or content_hash(article.text),
        url=place.url,
        known=owner,
        reason="part",
    )
    texts, headings = _texts(db, place), (owner["title"], owner["description"])
    text = joined_text(texts | {place.number: article.text}, headings)
    is_first, adds = known_text is None, text != joined_text(texts, headings)
    is_agreed = is_first or own.content_hash == here["content_hash"]
    word = _put_joined(db, page, owner, text, is_first=is_first, is_agreed=is_agreed) if adds else "known"
    if word != "doubted":
        _put_text(db, place.url, article.text)
    columns = pages.fetched(page, here) | pages.settled(own, owner)
    if adds:
        columns |= pages.recheck(page, owner, doubted=word == "doubted")
        _settle_waiting(db, place, owner["id"])
        _follow(db, page, place, owner["id"])
    elif place.number == ALL:
        _free_waiting(db, place.whole)
    update(db, "pages", here["id"], columns)
    found = here | columns if page.url == place.url else pages.redirected(db, page, owner["id"])
    word = "duplicate" if is_first else "updated" if word == "doubted" else word
    runs.touch(db, found["id"], found["source_id"], word)
    return Stored(
        page_id=found["id"], state=found["state"], reason=found["reason"], article_id=owner["id"], outcome=word
    )


def _put_joined(db: Database, page: Page, owner: Row, text: str, *, is_first: bool, is_agreed: bool) -> str:
    """Give an article its joined text; returns known, updated, or doubted: as with a page of its own, that waits for the next look."""
    row = owner | {"text": text, "word_count": word_count(text), "content_hash": content_hash(text)}
    row["last_fetched_at"] = max(owner["last_fetched_at"], stamp(page.fetched_at))
    if is_same_text(owner, row):
        return "known"
    if not is_first or owner["version_count"] > 1:
        versions.add(db, owner, versions.article_page(db, owner["id"]), row)
        variants.renew(db, owner["id"])
    if not is_agreed and articles.is_doubtful(owner, row):
        return "doubted"
    fields = {name: row[name] for name in ("text", "word_count", "content_hash", "last_fetched_at")}
    update(db, "articles", owner["id"], fields)
    update(db, "pages", versions.article_page(db, owner["id"]), {"content_hash": row["content_hash"]})
    versions.add_prints(db, owner["id"], Text(text).prints)
    variants.renew(db, owner["id"])
    return "updated"


def _settle_waiting(db: Database, place: Place, article_id: int) -> None:
    """With the page that shows them all the others need not be asked any more."""
    if place.number == ALL:
        db.execute(
            """update pages set state = 'duplicate', reason = 'part', article_id = ?, next_fetch_at = null
               where (state in ('pending', 'failed') or reason = 'part') and url in (
                   select url from parts where whole = ? and number <> ?)""",
            [article_id, place.whole, ALL],
        )


def _free_waiting(db: Database, whole: str) -> None:
    """Without it they are."""
    db.execute(
        """update pages set state = 'pending', reason = null, article_id = null
           where state = 'duplicate' and reason = 'part' and last_fetched_at is null
                 and url in (select url from parts where whole = ?)""",
        [whole],
    )


def _keep_other(db: Database, outcome: Outcome, known: Known, place: Place) -> Stored:
    """What is linked as a part and is another article; where a part answered before, its text stays (a wall, an error page)."""
    here = known.get(place.url)
    if here and here["reason"] == "part" and here["last_fetched_at"]:
        return _keep_unread(db, outcome.page, here)
    _forget(db, place.url)
    if place.number == ALL:
        _free_waiting(db, place.whole)
    return articles.apply(db, match(db, outcome, known))


def _keep_unread(db: Database, page: Page, here: Row) -> Stored:
    looked = {"attempts": here["attempts"] + 1, "http_status": page.status}
    looked["last_fetched_at"] = max(here["last_fetched_at"], stamp(page.fetched_at))
    update(db, "pages", here["id"], looked | _next_look(db, page, here["article_id"]))
    runs.touch(db, here["id"], here["source_id"], "known")
    return Stored(
        page_id=here["id"], state=here["state"], reason=here["reason"], article_id=here["article_id"], outcome="known"
    )


def _next_look(db: Database, page: Page, article_id: int) -> Row:
    return {"next_fetch_at": pages.recheck(page, article_of(db, article_id))["next_fetch_at"]}


def note_missing(db: Database, page: Page, stored: Stored) -> None:
    """A part that gave no article: looked at again as the article is; where it was to show all, the others are asked."""
    if stored.state == "duplicate" and stored.reason == "part" and stored.article_id is not None:
        next_look = _next_look(db, page, stored.article_id)
        db.execute("update pages set next_fetch_at = ? where url = ?", [next_look["next_fetch_at"], page.url])
    elif stored.state in ("refused", "failed"):
        whole = first_row(db, "select whole from parts where url = ? and number = ?", [page.url, ALL])
        if whole:
            _free_waiting(db, whole["whole"])
