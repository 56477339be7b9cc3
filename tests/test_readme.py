"""README and docs/ show commands that are run here, with their true output, and name what is there.

A page is a session: its console blocks are run in their order, in a folder of its own. A text block right after one is
what the command prints, except for times, sizes, the width of gaps, and what a line with nothing but … stands for. A block of
Python or of a .cfg that begins with a file's name is that file, from there on.
"""

import contextlib
import importlib
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import fields
from pathlib import Path

import click
import pytest
from babel.messages.frontend import CommandLineInterface
from warcio.warcwriter import WARCWriter

from crawler import settings
from crawler.cli.main import main
from crawler.items import Source
from crawler.sources.toml_file import CrawlSettings, parse_sources
from tests.conftest import CORPUS, ROOT, broadsheet, run_scrapy
from tests.support.loopback import article_html, story
from tests.support.mutations import write_page
from tests.support.reading import reading_room

PAGES = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
BLOCKS = re.compile(r"^```console\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
FILES = re.compile(r"^```(?:python|ini)\n# (\S+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
WITH_COMMANDS = sorted(name for name, text in PAGES.items() if BLOCKS.search(text))

ASKS_THE_WEB = ("crawl", "sources add")
WATCHED = '[[source]]\nurl = "https://www.calderwickledger.example/"\n'


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_of_a_page_does_what_the_page_shows(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    begin(tmp_path, PAGES[name], request)
    for step in sorted((*FILES.finditer(PAGES[name]), *BLOCKS.finditer(PAGES[name])), key=re.Match.start):
        if step.re is FILES:
            write(tmp_path / step[1], step[2])
            continue
        commands, shown = step.groups()
        printed = "".join(run(command, tmp_path) for command in commands.splitlines())
        if shown:
            assert elided(lines(printed), lines(shown)) == lines(shown), f"{name} must show:\n{printed}"


def begin(folder: Path, text: str, request: pytest.FixtureRequest) -> None:
    """What a reader of the page has: the bundled web, and what its own commands do not make: demo, sources and archive."""
    (folder / "local_corpus").symlink_to(CORPUS)
    (folder / "scrapy.cfg").symlink_to(ROOT / "scrapy.cfg")
    if "library.warc.gz" in text:
        write_library(folder / "library.warc.gz", CORPUS / "elfarodelmirto.example")
    if "broadsheet demo" not in text:
        (folder / "demo").mkdir()
        shutil.copy(request.getfixturevalue("demo"), folder / "demo/news.db")
    if "sources add" not in text:
        (folder / "sources.toml").write_text(WATCHED)
        shutil.copy(request.getfixturevalue("demo"), folder / "news.db")


def write_library(file: Path, site: Path) -> None:
    """A WARC file of a site of the bundled web, as a library has one."""
    with file.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for page in sorted(site.rglob("*.html")):
            write_page(writer, f"https://{page.relative_to(site.parent)}", page.read_bytes())


def write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)  # scrapy.cfg is a link to the project's own
    file.write_text(text)


def run(line: str, folder: Path) -> str:
    """What a command prints. What is installed before it on the line is there already; nothing asks the network."""
    program, *arguments = shlex.split(line.rpartition("&& ")[2])
    match Path(program).name:
        case "broadsheet" if arguments[0] == "serve":
            return visit(folder, arguments[1:])
        case "broadsheet":
            done = broadsheet(*arguments, *offline(arguments, folder), cwd=folder, workers=0)
            assert done.returncode == 0, done.stderr
            return done.stdout
        case "scrapy":
            done = run_scrapy(*arguments, cwd=folder)
            assert done.returncode == 0, done.stderr
            return done.stdout
        case "sqlite-utils":
            command = [sys.executable, "-m", "sqlite_utils", *arguments]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        case "python":
            command = [sys.executable, "-W", "error", *arguments]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        case "pybabel":
            return translate(arguments, folder)
        case "pytest":
            return ""  # .ci/run runs this very line
        case _:
            raise AssertionError(f"no test knows how to run {program}")


def translate(arguments: list[str], folder: Path) -> str:
    """Babel's command in a folder that has what it reads of a checkout."""
    if not (folder / "pipelines").exists():
        shutil.copytree(ROOT / "pipelines" / "publish", folder / "pipelines" / "publish")
        (folder / "crawler").mkdir()
        shutil.copy(ROOT / "crawler" / "reasons.py", folder / "crawler")
    with contextlib.chdir(folder):
        CommandLineInterface().run(["pybabel", "-q", *arguments])  # type: ignore[no-untyped-call]
    return ""


def visit(folder: Path, options: list[str]) -> str:
    db, *others = options[1:] if options[:1] == ["--db"] else ["news.db", *options]
    with reading_room(folder / db, *others) as address, urllib.request.urlopen(address) as answer:
        assert answer.status == 200
    return ""


def offline(arguments: list[str], folder: Path) -> list[str]:
    """What keeps a command from the network: an invented site at the address that stands for the reader's own."""
    if arguments[0] == "demo":
        return ["--no-serve"]
    if "--offline" in arguments or not " ".join(arguments).startswith(ASKS_THE_WEB):
        return []
    site = folder / "web/www.example.com"
    if not site.exists():
        site.mkdir(parents=True)
        links = "".join(
            f'<a href="/2026/11/{name}-is-mended.html">The {name} of our town is mended</a>' for name in NEWS
        )
        (site / "index.html").write_text(f"<title>Example</title>{links}")
        (site / "2026/11").mkdir(parents=True)
        for name in NEWS:
            (site / f"2026/11/{name}-is-mended.html").write_text(article_html(f"The {name} is mended", story(name)))
    return ["--offline", str(site.parent), *(["--yes"] if "add" in arguments else [])]


NEWS = ("old-bell", "slipway", "winter-timetable")


def lines(text: str) -> list[str]:
    """Lines with one space between words, every day and time as 000 and every size as 000 MB: its last digit is chance."""
    return [_CHANCE.sub(r"000\1", " ".join(line.split())) for line in text.splitlines()]


_CHANCE = re.compile(r"(?:\d{4}-\d\d-\d\d[ T][\d:]+Z?|(?<=the last on )\d{4}-\d\d-\d\d|\b\d+\.\d( MB)\b)")


def elided(printed: list[str], shown: list[str]) -> list[str]:
    """What is printed, with … for the lines that the page leaves out."""
    if "…" not in shown:
        return printed
    before = shown.index("…")
    after = len(shown) - before - 1
    return [*printed[:before], "…", *printed[len(printed) - after :]]


NAMED = {
    (name, span)
    for name, text in PAGES.items()
    for span in re.findall(r"`(?:\.venv/bin/)?(broadsheet [^`]+)`", text.replace("\n", " "))
}


@pytest.mark.parametrize(("page", "line"), sorted(NAMED))
def test_every_command_that_a_sentence_names_is_there(page: str, line: str) -> None:
    assert unknown(line.split()[1:]) == []


def test_every_command_and_no_other_has_a_row() -> None:
    rows = [
        row.replace(r"\|", " ") for row in re.findall(r"^\| (`[a-z].*?) \| ", PAGES["docs/commands.md"], re.MULTILINE)
    ]
    spans = [span for row in rows for span in re.findall(r"`([^`]+)`", row)]
    assert [unknown(span.split()) for span in spans] == [[]] * len(spans)
    assert {" ".join(path_of(span.split())) for span in spans} == {" ".join(path) for path in every_command(main)}


def unknown(words: list[str]) -> list[str]:
    """Options that the command has not got; all words where there is no such command."""
    command: click.Command = main
    for word in path_of(words):
        assert isinstance(command, click.Group)
        command = command.commands[word]
    if command is main and not words[0].startswith("-"):
        return words
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    return [word for word in (word.strip("[]") for word in words) if word.startswith("--") and word not in known]


def path_of(words: list[str]) -> list[str]:
    """The words that name a command: `sources add` of `sources add URL --yes`."""
    command: click.Command = main
    path = list[str]()
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
        path.append(word)
    return path


def every_command(group: click.Group) -> list[list[str]]:
    return [
        [name, *path]
        for name, command in group.commands.items()
        for path in (every_command(command) if isinstance(command, click.Group) else [[]])
    ]


def test_every_setting_of_our_own_is_explained() -> None:
    ours = re.search(r"# Ours:.*?\n\n", Path(settings.__file__).read_text("utf-8"), re.DOTALL)
    assert ours is not None
    names = re.findall(r"^([A-Z_]+)\b", ours[0], re.MULTILINE)
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in PAGES["docs/extend.md"]] == []


def test_the_sources_toml_that_is_explained_is_one_and_has_every_key() -> None:
    example = re.search(r"```toml\n(.*?)```", PAGES["docs/sources.md"], re.DOTALL)
    assert example is not None
    keys = {line.split()[0] for line in example[1].splitlines() if " = " in line}
    assert parse_sources(example[1], "docs/sources.md").sources[0].name == "Example"
    assert keys == {field.name for field in (*fields(Source), *fields(CrawlSettings))}


SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


LIMITS = re.findall(r"\| ([\d,.]+) \| `([\w.]+\.[A-Z_\d]+)` \|", SECURITY + PAGES["docs/method.md"])


@pytest.mark.parametrize(("value", "name"), LIMITS)
def test_every_limit_and_threshold_that_is_named_is_the_one_in_the_code(value: str, name: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) == float(value.replace(",", ""))


# Links, and what sentences name

TEXTS = PAGES | {
    name: (ROOT / name).read_text("utf-8")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "local_corpus/README.md")
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_link_leads_to_a_file_and_a_heading_in_it(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXTS[name])
    assert [link for link in links if not leads_somewhere(name, link)] == []


def leads_somewhere(name: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (ROOT / name).parent / path if path else ROOT / name
    return target.exists() and (not anchor or anchor in anchors(target.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """What headings are called in addresses: `## Is a source well?` is `#is-a-source-well`."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_file_and_module_that_is_named_is_there(name: str) -> None:
    paths = re.findall(r"(?<!-o )\b(?:crawler|pipelines|tests|docs)/[\w./-]*[\w/]", TEXTS[name])
    modules = re.findall(r"\btests\.(?:benchmarks\.)?\w+", TEXTS[name])
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_task_that_is_named_is_one_of_run_sh(name: str) -> None:
    taught = subprocess.run([ROOT / "run.sh"], capture_output=True, text=True, check=True).stdout
    tasks = set(re.findall(r"^\./run\.sh (\w+)", taught, re.MULTILINE))
    assert set(re.findall(r"\./run\.sh (\w+)", TEXTS[name])) <= tasks


def test_security_names_a_test_for_what_it_promises() -> None:
    assert len(set(re.findall(r"tests/\w+\.py", SECURITY))) > 8
