"""Alerts: what is new arrives once by every way, whatever was down or killed meanwhile."""

import asyncio
import html
import json
import random
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import feedparser
import pytest
from datasette.app import Datasette

from crawler.cli.alert import send_after
from crawler.items import Alert
from crawler.sources.toml_file import SourcesError, parse_sources
from crawler.times import stamp
from pipelines.alerts import outbox
from pipelines.alerts.outbox import Failure
from pipelines.archive import alert_changes
from pipelines.archive.store import Archive
from pipelines.database.lock import run_lock
from tests.conftest import broadsheet, run_killed
from tests.support.killed_alert import MOMENTS
from tests.support.loopback import Site, story
from tests.support.newsroom import Newsroom
from tests.support.pki import Pki
from tests.support.receivers import Mailbox, Sink, sendmail, up
from tests.test_deduplicate import A, B, article, page, report
from tests.test_forget import forget, keep

QUIET = ("alert", "--quiet")


class Desk(Newsroom):
    """An archive that articles are put into, and alerts of it."""

    def alerts(self, *tables: str, more: str = "") -> None:
        entries = "\n".join(f"[[alert]]\n{table}" for table in tables)
        (self.folder / "sources.toml").write_text(f"{more}\n{entries}\n")

    def alert(self, *options: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        done = broadsheet("alert", *options, cwd=self.folder, env=env)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stderr if code else done.stdout

    def store(self, name: str, words: str = "ferry", minutes: int = 0) -> None:
        with closing(Archive(self.db)) as archive:
            keep(
                archive,
                page(f"https://a.example/{name}", minutes=minutes),
                article(report(name, 80), title=f"{words} {name}"),
            )

    def feed(self) -> Any:
        return feedparser.parse((self.folder / "alerts/ferries.atom").read_bytes())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.store("old")
    return made


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with up(Mailbox()) as server:
        yield server


@pytest.fixture
def sink() -> Iterator[Sink]:
    with up(Sink()) as server:
        yield server


FERRIES = 'name = "ferries"\nquery = "ferry"\n'


def test_the_first_run_watches_and_each_later_one_sends_what_is_new_once(desk: Desk) -> None:
    desk.alerts(FERRIES + 'file = "alerts/ferries.atom"')
    assert desk.alert() == "ferries: watched from now on; what is stored later is sent\n"
    assert (desk.feed().bozo, desk.feed().entries) == (False, [])
    desk.store("new")
    desk.store("other", words="tram")
    assert desk.alert("--dry-run") == "ferries\t2026-11-03T12:00:00Z\ta.example\tferry new\thttps://a.example/new\n"
    assert desk.alert() == "ferries: 1 article to alerts/ferries.atom\n"
    assert [(entry.title, entry.link) for entry in desk.feed().entries] == [("ferry new", "https://a.example/new")]
    before = (desk.folder / "alerts/ferries.atom").stat().st_mtime_ns
    assert desk.alert() == ""
    assert (desk.folder / "alerts/ferries.atom").stat().st_mtime_ns == before


def test_what_was_found_late_is_sent_whatever_its_time(desk: Desk, sink: Sink) -> None:
    desk.alerts(FERRIES + f'webhook = "{sink.url}"')
    desk.alert()
    desk.store("ancient", minutes=-60 * 24 * 3650)
    assert desk.alert() == "ferries: 1 article to the webhook at 127.0.0.1\n"
    (body,) = sink.bodies
    assert {name: body[name] for name in ("alert", "query")} == {"alert": "ferries", "query": "ferry"}
    assert [(hit["url"], hit["first_seen_at"]) for hit in body["hits"]] == [
        ("https://a.example/ancient", "2016-11-05T12:00:00Z")
    ]
    assert sink.keys == [f'"{body["key"]}"']


def test_what_only_a_copy_or_a_later_version_says_is_sent(desk: Desk, sink: Sink) -> None:
    desk.alerts(FERRIES + f'webhook = "{sink.url}"')
    text = report("pier", 120)
    with closing(Archive(desk.db)) as archive:
        keep(archive, page(A), article(text, title="The pier"))
        keep(archive, page("https://a.example/late"), article(report("late", 90), title="Plain"))
        desk.alert()
        keep(archive, page(B, minutes=5), article(text, title="A ferry at the pier"))
        keep(
            archive,
            page("https://a.example/late", minutes=9),
            article(report("late", 90) + " A ferry came.", title="Plain"),
        )
        desk.alert()
        keep(archive, page("https://c.example/pier", minutes=15), article(text, title="The ferry again"))
        desk.alert()
    hits = {hit["url"]: hit for body in sink.bodies for hit in body["hits"]}
    assert [len(body["hits"]) for body in sink.bodies] == [2]
    assert (hits[A]["said_in"], hits[A]["copy_url"], hits[A]["said_title"]) == ("copy", B, "A **ferry** at the pier")
    assert hits["https://a.example/late"]["said_in"] == "article"


def test_filters_and_words_are_those_of_the_reading_room(desk: Desk, sink: Sink) -> None:
    desk.alerts('name = "both"\nquery = \'"ferry new" OR tra* -gale\'\nlanguage = "de"\n' + f'webhook = "{sink.url}"')
    desk.alert()
    for name in ("new", "b"):
        desk.store(name, words="ferry")
    desk.store("c", words="tram")
    desk.store("d", words="tram gale")
    desk.change("update articles set language = 'de' where title not like '% c'")
    desk.alert()
    assert [[hit["title"] for hit in body["hits"]] for body in sink.bodies] == [["ferry new"]]
    desk.change("update articles set language = 'de'")
    desk.alert()
    assert [[hit["title"] for hit in body["hits"]] for body in sink.bodies] == [["ferry new"], ["tram c"]]


def test_an_alert_is_of_a_category_as_the_reading_room_is(desk: Desk, sink: Sink) -> None:
    desk.alerts(FERRIES + f'category = "Local"\nwebhook = "{sink.url}"')
    desk.change("update sources set category = 'Local/North; Far'")
    desk.alert()
    desk.store("new")
    desk.alert()
    desk.change("insert into sources (name, url, domain, category) values ('Other', 'o', 'o', 'Far')")
    desk.store("far")
    desk.change("update articles set source_id = (select max(id) from sources) where title like '%far'")
    desk.alert()
    assert [[hit["title"] for hit in body["hits"]] for body in sink.bodies] == [["ferry new"]]


def test_every_way_gets_each_article_once(desk: Desk, sink: Sink, mailbox: Mailbox) -> None:
    (desk.folder / "keep.py").write_text(
        "import os, sys; open('lines', 'a').write(os.environ['BROADSHEET_KEY'] + ' ' + sys.stdin.read())"
    )
    ways = f'webhook = "{sink.url}"\nemail = "a@example.org"\ncommand = "{sys.executable} keep.py"\nfile = "alerts/ferries.atom"'
    desk.alerts(FERRIES + ways, more=f'[alerts]\nsmtp = "smtp://127.0.0.1:{mailbox.port}"\nsender = "b@example.org"')
    desk.alert()
    desk.store("new")
    desk.store("zwei", words="Fähre: ferry")
    assert desk.alert("--quiet") == desk.alert("--quiet") == ""
    (mail,), (body,) = mailbox.mails, sink.bodies
    key, _, lines = (desk.folder / "lines").read_text().partition(" ")
    assert (mail["to"], mail["from"], mail["subject"]) == ("a@example.org", "b@example.org", "ferries: 2 articles")
    assert mail["date"].datetime is not None
    assert mail.get_content().splitlines()[:3] == [
        "ferry new",
        "a.example, 2026-11-03 12:00 UTC",
        "https://a.example/new",
    ]
    assert "Fähre: ferry zwei" in mail.get_content()
    told = [json.loads(line) for line in lines.splitlines()]
    assert (
        [one["title"] for one in told] == ["ferry new", "Fähre: ferry zwei"] == [hit["title"] for hit in body["hits"]]
    )
    assert len(desk.feed().entries) == 2
    assert len({key, body["key"], mail["message-id"]}) == 3 and mail["message-id"].endswith("@broadsheet.invalid>")


def test_a_machine_with_sendmail_needs_no_server(desk: Desk) -> None:
    desk.alerts(FERRIES + 'email = "a@example.org"')
    working = sendmail(desk.folder)
    desk.alert(env=working)
    desk.store("new")
    said = desk.alert(code=1, env=sendmail(desk.folder, code=75))
    assert re.sub(r"\d{4}-\S+ \S+ UTC", "TIME", said) == (
        "broadsheet: alert ferries: not delivered to a@example.org: sendmail ended with 75: queue is full; it waits for the next run, since TIME\n"
    )
    assert desk.alert(env=sendmail(desk.folder)) == "ferries: 1 article to a@example.org\n"
    arguments, mail = (desk.folder / "sent").read_text().split("\n", 1)
    assert (arguments, "Subject: ferries: ferry new" in mail, mail.count("https://a.example/new")) == ("-i -t", True, 1)


def test_a_password_goes_over_tls_alone(desk: Desk, tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    env = pki.trust() | {"SECRET": "right"}
    tls = pki.server(pki.intermediate)
    for scheme, server in (("smtps", Mailbox(tls=tls, implicit=True)), ("smtp", Mailbox(tls=tls)), ("smtp", Mailbox())):
        host = "localhost" if server.tls is None else "127.0.0.1"
        with up(server):
            server.parting = "421 shutting down"  # no failure: it has the mail
            smtp = f'[alerts]\nsmtp = "{scheme}://me%40x@{host}:{server.port}"\npassword_env = "SECRET"'
            desk.alerts(FERRIES.replace("ferries", f"f{server.port}") + 'email = "a@example.org"', more=smtp)
            desk.alert(env=env)
            desk.store(f"new {server.port}")
            desk.alert("--quiet", env=env)
            desk.alert("--quiet", env=env)
        assert (server.logins, len(server.mails)) == ([("me@x", "right")], 1)


def test_a_receiver_that_was_down_for_a_day_gets_each_once(desk: Desk) -> None:
    sink, mailbox = Sink(), Mailbox()
    sink.server_close()
    mailbox.server_close()
    desk.alerts(
        FERRIES + f'webhook = "{sink.url}"\nemail = "a@example.org"\nfile = "alerts/ferries.atom"',
        more=f'[alerts]\nsmtp = "smtp://127.0.0.1:{mailbox.port}"\nsender = "b@example.org"',
    )
    desk.alert()
    for hour, told in enumerate((["it waits"] * 2, [], [], ["4 messages wait"])):
        desk.store(f"hour {hour}")
        if hour == 3:
            desk.change("update alert_failures set told_at = '2026-01-01T00:00:00Z' where way = 'email'")
        said = desk.alert("--quiet", code=1)
        assert [re.sub(".*; (.*) for the next run, since .*", r"\1", line) for line in said.splitlines()] == told
    assert len(desk.feed().entries) == 4
    with up(Sink(sink.server_port)) as sink, up(Mailbox(mailbox.port)) as mailbox:
        sink.status = 503
        mailbox.refusal = "452 full"
        assert desk.alert("--quiet", code=1) == ""  # another reason, and the last was told just now
        desk.change("update alert_failures set told_at = '2026-01-01T00:00:00Z'")
        assert "it answers 503" in (said := desk.alert("--quiet", code=1)) and "says 452 full" in said
        sink.status, mailbox.refusal = 204, ""
        for _ in range(2):
            desk.alert("--quiet")
        wanted = [f"ferry hour {hour}" for hour in range(4)]
        assert sorted(hit["title"] for body in sink.bodies for hit in body["hits"]) == wanted
        assert sorted(mail["subject"] for mail in mailbox.mails) == [f"ferries: {title}" for title in wanted]
    assert desk.rows("select distinct reason from alert_messages") == [(None,)]
    assert desk.rows("select * from alert_failures") == []


@pytest.mark.parametrize(
    ("minutes", "reason", "is_news"),
    [
        (10, "down", False),
        (60 * 24 - 1, "down", False),
        (60 * 24, "down", True),
        (10, "full", False),
        (60, "full", True),
    ],
)
def test_a_failure_is_news_again_after_a_day_or_for_another_reason(
    desk: Desk, minutes: int, reason: str, is_news: bool
) -> None:
    began = datetime(2026, 11, 3, 12, tzinfo=UTC)
    with closing(Archive(desk.db)) as archive:
        base = archive.db.conn
        number = outbox.begin(base, Alert(name="x", query="y"), stamp(began))
        assert outbox.failed(base, number, "email", "down", stamp(began)).is_news
        later = stamp(began + timedelta(minutes=minutes))
        again = outbox.failed(base, number, "email", reason, later)
        assert again == Failure(reason=reason, since=stamp(began), waiting=0, is_news=is_news)
        outbox.recovered(base, number, "email")
        assert outbox.failed(base, number, "email", "down", later).since == later


def test_changes_that_no_alert_looks_at_do_not_grow_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_changes, "MOST", 2)
    desk.alerts(FERRIES + 'file = "x.atom"')
    desk.alert()
    for name in "abcd":
        desk.store(name)
    with closing(Archive(desk.db)) as archive:
        archive.start_run(argv=[], version="", now=datetime.now(UTC))
    assert desk.alert() == "ferries: 2 articles to x.atom\n"


def test_a_message_that_is_never_taken_keeps_no_other_back(desk: Desk) -> None:
    (desk.folder / "picky.py").write_text(
        "import sys; t = sys.stdin.read(); 'bad' in t and sys.exit('not this'); open('taken', 'a').write(t)"
    )
    desk.alerts(FERRIES + f'command = "{sys.executable} picky.py"')
    desk.alert()
    for name in ("bad", "good", "better"):
        desk.store(name)
        desk.alert("--quiet", code=1)
    assert [json.loads(line)["title"] for line in (desk.folder / "taken").read_text().splitlines()] == [
        "ferry good",
        "ferry better",
    ]


def test_what_is_taken_down_is_gone_from_file_and_outbox(desk: Desk) -> None:
    sink = Sink()
    sink.server_close()
    desk.alerts(FERRIES + f'webhook = "{sink.url}"\nfile = "alerts/ferries.atom"')
    desk.alert()
    desk.store("new")
    desk.store("zwei")
    desk.alert("--quiet", code=1)
    with closing(Archive(desk.db)) as archive:
        forget(archive, "https://a.example/new")
    with up(Sink(sink.server_port)) as sink:
        desk.alert()
        assert [[hit["title"] for hit in body["hits"]] for body in sink.bodies] == [["ferry zwei"]]
    assert [entry.title for entry in desk.feed().entries] == ["ferry zwei"]
    assert desk.rows("select count(*) from alert_hits") == [(1,)]


def test_articles_that_turn_out_to_be_one_are_not_sent_again(desk: Desk, sink: Sink) -> None:
    desk.alerts(FERRIES + f'webhook = "{sink.url}"')
    desk.alert()
    long, other = report("long", 200), report("other", 200)
    with closing(Archive(desk.db)) as archive:
        keep(archive, page(A), article(long, title="ferry one"))
        keep(archive, page(B), article(other, title="ferry two"))
        desk.alert()
        keep(archive, page(A, minutes=60), article(other, title="ferry two"))
        desk.alert()
    assert [len(body["hits"]) for body in sink.bodies] == [2]


# Kills


@pytest.mark.parametrize(
    "moments",
    [["noting", "tried", "accepted"], pytest.param([*MOMENTS] * 8 + ["accepted", "noting"], marks=pytest.mark.soak)],
    ids=len,
)
def test_killed_at_any_moment_nothing_is_lost_and_a_repeat_can_be_told(
    desk: Desk, sink: Sink, mailbox: Mailbox, moments: list[str]
) -> None:
    desk.alerts(
        FERRIES + f'webhook = "{sink.url}"\nemail = "a@example.org"\nfile = "alerts/ferries.atom"',
        more=f'[alerts]\nsmtp = "smtp://127.0.0.1:{mailbox.port}"\nsender = "b@example.org"',
    )
    desk.alert()
    chance = random.Random(len(moments))
    for number, moment in enumerate(moments):
        desk.store(f"n{number}")
        times = str(chance.choice([1, 2]) if moment in ("tried", "accepted", "marked") else 1)
        done = run_killed(moment, times, *QUIET, cwd=desk.folder, at="killed_alert")
        assert done.returncode in (0, -9), done.stderr
    desk.alert("--quiet")
    wanted = sorted(f"ferry n{number}" for number in range(len(moments)))
    assert sorted(entry.title for entry in desk.feed().entries) == wanted
    hooks = {body["key"]: [hit["title"] for hit in body["hits"]] for body in sink.bodies}
    mails = {mail["message-id"]: mail.get_content().splitlines() for mail in mailbox.mails}
    assert sorted(title for titles in hooks.values() for title in titles) == wanted
    assert sorted(line for lines in mails.values() for line in lines if line.startswith("ferry ")) == wanted
    repeated = len(sink.bodies) - len(hooks) + len(mailbox.mails) - len(mails)
    print(f"{len(moments)} kills: {repeated} messages repeated, none lost")  # noqa: T201
    assert repeated <= moments.count("accepted")
    assert broadsheet("doctor", "--db", desk.db).returncode == 0


# What a person may get wrong


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", ['needs name = "…"', 'needs query = "…"', "goes nowhere; say one of file, email, webhook, command, apprise"]),
        ('name = "x"\nquery = "-"\nfile = "x"', ["(x): query: there is no word in '-' to look for"]),
        ('name = "x"\nquery = "y"\nmail = "a@x.example"', ["(x): unknown key 'mail'; did you mean 'email'?"]),
        ('name = "x"\nquery = ["y"]\nfile = "x"', ["(x): query: expected a string in quotes, not ['y']"]),
        ('name = "x\\n"\nquery = "y"\nfile = "x"', [": name: 'x\\n' holds a control character"]),
        ('name = "x"\nquery = "y"\nemail = "x, y@x.example"', ["(x): email: expected one address such as you@example.org"]),
        ('name = "x"\nquery = "y"\nemail = "-f@x.example"', ["(x): email: expected one address such as you@example.org"]),
        ('name = "x"\nquery = "y"\nwebhook = "ftp://x"', ["(x): webhook: no address to send to: expected https://host/path"]),
        ('name = "x"\nquery = "y"\nwebhook = "http://[x"', ["(x): webhook: no address to send to: "]),
        ('name = "x"\nquery = "y"\ncommand = "it\'s"', ["(x): command: \"it's\": No closing quotation"]),
        ('name = "x"\nquery = "y"\ncommand = " "', ["(x): command: ' ': no word in it"]),
        ('name = "x"\nquery = "y"\nlanguage = "klingon"\nfile = "x"', ["(x): unknown language 'klingon'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_alert_is_said_at_once(table: str, said: list[str]) -> None:
    with pytest.raises(SourcesError) as raised:
        parse_sources(f"[[alert]]\n{table}\n", may_be_empty=True)
    assert [one for one, wanted in zip(raised.value.args, said, strict=True) if wanted not in one] == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('smtp = "smtp://me:secret@x.example"', "a password does not belong there"),
        ('smtp = "https://x.example"', "smtp: expected"),
        ('smtp = "smtp://x.example:99999"', "smtp: expected"),
        ('sender = "me"', "sender: expected one address"),
        ('password_env = "A"\npassword_file = "b"', "password_env and password_file: say one of them"),
        ('from = "me@x.example"', "unknown key 'from'"),
    ],
)
def test_what_is_wrong_with_a_mail_server_is_said(table: str, said: str) -> None:
    with pytest.raises(SourcesError, match=re.escape(said)) as raised:
        parse_sources(f"[alerts]\n{table}\n", may_be_empty=True)
    assert "secret" not in str(raised.value)


def test_two_alerts_have_two_names_and_two_files() -> None:
    one = '[[alert]]\nname = "x"\nquery = "y"\nfile = "z"\n'
    with pytest.raises(SourcesError) as raised:
        parse_sources(one + one, may_be_empty=True)
    assert [said.partition(": ")[2] for said in raised.value.args] == [
        "[[alert]] 2 has the same name as [[alert]] 1: x; give each its own",
        "[[alert]] 2 has the same file as [[alert]] 1: z; give each its own",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('source = "The Bay"\nfile = "x"', "alert 'ferries': no source is called 'The Bay'"),
        ('category = "Loc"\nfile = "x"', "alert 'ferries': no source is in the category 'Loc'"),
        ('command = "no-such-program x"', "alert 'ferries': command: there is no program 'no-such-program'"),
        ('email = "a@x.example"', "alert 'ferries': password_env: the environment has no NO_SUCH_PASSWORD"),
    ],
)
def test_what_the_machine_lacks_is_said_before_anything_is_noted(desk: Desk, table: str, said: str) -> None:
    desk.alerts(FERRIES + table, more='[alerts]\nsmtp = "smtp://me@127.0.0.1:9"\npassword_env = "NO_SUCH_PASSWORD"')
    assert said in desk.alert(code=2)
    assert desk.rows("select * from alerts") == []


def test_without_alerts_and_of_an_unknown_name_the_way_out_is_said(desk: Desk) -> None:
    desk.alerts()
    assert "sources.toml: no alert; an [[alert]] table has name, query and where to" in desk.alert(code=2)
    desk.alerts(FERRIES + 'file = "x"')
    assert "no alert is called 'ferry'; did you mean 'ferries'?" in desk.alert("ferry", code=2)
    assert "no such database" in desk.alert("--db", "nowhere/news.db", code=2)


def test_a_second_start_ends_at_once_and_a_crawl_is_not_in_the_way(desk: Desk) -> None:
    desk.alerts(FERRIES + 'file = "x.atom"')
    with run_lock(desk.db):
        desk.alert()
    with run_lock(desk.folder / "news.db.alerts"):
        assert "alerts are being sent by another start" in desk.alert(code=75)


def test_a_crawl_sends_alerts_when_its_lock_is_free(site: Site, newsroom: Newsroom) -> None:
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]\n[[alert]]\n{FERRIES}command = "/bin/sh look.sh"')
    (newsroom.folder / "look.sh").write_text("ls *.lock > locks; cat > hits")
    site.feed("/feed", site.article("/1", "One", story("one")))
    newsroom.crawl("--alert", "--now", "--quiet")
    site.feed("/feed", site.article("/2", "A ferry", story("two")))
    newsroom.crawl("--alert", "--now", "--quiet")
    with run_lock(newsroom.folder / "news.db.alerts"):
        newsroom.crawl("--alert", "--now", "--quiet")
    assert (newsroom.folder / "locks").read_text() == "news.db.alerts.lock\n"
    assert json.loads((newsroom.folder / "hits").read_text())["title"] == "A ferry"


def test_a_crawl_fails_for_a_receiver_only_when_it_tells_of_it(desk: Desk) -> None:
    desk.alerts(FERRIES + 'command = "/bin/false"')
    desk.alert()
    desk.store("new")
    assert [send_after(0, desk.folder / "sources.toml", desk.db, quiet=True) for _ in range(2)] == [1, 0]
    assert desk.alert("--quiet", code=1) == ""


@pytest.mark.parametrize("public", [False, True])
def test_the_page_of_a_search_has_the_lines_for_its_owner(desk: Desk, public: bool) -> None:
    datasette = Datasette([str(desk.db)], settings={"default_allow_sql": not public})
    asked = urlencode(
        {"q": 'ferry "old <b>" -x', "source": "1", "category": "Local", "language": "de", "section": "a\\b"}
    )
    with asyncio.Runner() as runner:
        shown = runner.run(datasette.client.get(f"/search?{asked}")).text
    found = [html.unescape(lines) for lines in re.findall(r"<pre[^>]*>(.*?)</pre>", shown, re.DOTALL)]
    if public:
        assert found == []
        return
    (alert,) = parse_sources(found[0], may_be_empty=True).alerts
    assert alert == Alert(
        name="ferry-old-b-x",
        query='ferry "old <b>" -x',
        source="a.example",
        category="Local",
        language="de",
        section="a\\b",
        file="alerts/ferry-old-b-x.atom",
    )


def test_few_changes_in_a_large_archive_are_looked_up_by_their_numbers(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.db)) as base:
        plans = [
            row[3]
            for sql in (outbox._CHANGED, outbox._LAST.replace("?", ":alert"))
            for row in base.execute(f"explain query plan {sql}", {"alert": 1, "last": 9})
        ]
    assert [plan for plan in plans if plan.startswith("SCAN") and "CONSTANT" not in plan] == []
