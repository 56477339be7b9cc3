"""Standard output and error: exit statuses, messages on one line, what cannot be written."""

import codecs
import contextlib
import errno
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

DONE, FAILED, USAGE, STORAGE, BUSY = 0, 1, 2, 74, 75
"""Exit codes; 74 and 75 are sysexits' EX_IOERR and EX_TEMPFAIL. Cron lines depend on them."""


MAX_MESSAGE_CHARS = 1_000
"""Longest error message: it repeats what is wrong, which may be a megabyte."""


def is_absent(path: Path) -> bool:
    """Whether nothing has this name; where nobody lets us look, reading it says why."""
    try:
        return not path.exists()
    except OSError:
        return False


def cannot_begin(error: OSError, db: Path) -> str:
    """Why there can be no lock beside an archive, and what to do about it, in one line."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = "make room" if full else "a run must be able to write there"
    return f"{error.filename or db}: {error.strerror or error}; {what}, then say it again"


def print_error(message: str, code: int, *, quiet: bool = False) -> int:
    """Print an error on stderr and return the exit code; where that cannot be written, the status alone has to tell."""
    if not quiet:
        try:
            print(f"broadsheet: {printable(message)}", file=sys.stderr)  # noqa: T201
        except OSError:
            _redirect_to_devnull(sys.stderr)
    return code


@contextlib.contextmanager
def upgrading(db: Path, *, quiet: bool = False) -> Iterator[Callable[[int, int], object]]:
    """Show how an archive of an earlier release is brought up to date, as what is yielded is told: on a terminal by a bar, elsewhere in
    a line before. Nothing is shown of one that is."""
    with contextlib.ExitStack() as shown:
        bar: list[Callable[[int, int], object]] = []

        def follow(done: int, of: int) -> None:
            if not bar:
                from crawler.cli.progress import counting  # loads rich

                if not sys.stderr.isatty():
                    print_error(f"{db} is of an earlier release; it is brought up to date first", DONE, quiet=quiet)
                bar.append(shown.enter_context(counting(f"bringing {db.name} up to date", quiet=quiet)))
            bar[0](done, of)

        yield follow


def print_errors(messages: Sequence[str], code: int) -> int:
    """Print errors on stderr, one a line, and return the exit code."""
    for message in messages[:MOST_LINES]:
        print_error(message, code)
    if len(messages) > MOST_LINES:
        print_error(f"and {len(messages) - MOST_LINES:,} more", code)
    return code


def printable(text: str) -> str:
    """A text on one line, terminal escape sequences and control characters escaped: they are shown as Python writes it. Of
    a long one both ends."""
    text = (
        text
        if len(text) <= MAX_MESSAGE_CHARS
        else f"{text[: MAX_MESSAGE_CHARS // 2]} … {text[-MAX_MESSAGE_CHARS // 2 :]}"
    )
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def counted(number: int, noun: str) -> str:
    """`1 article`, `1,200 articles`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


MOST_NAMED = 5
"""Sources or mistakes that a sentence names; it gives the number of the others."""


def some(texts: Sequence[str], between: str) -> str:
    """The first of the texts, and how many more there are."""
    rest = [f"and {len(texts) - MOST_NAMED:,} more"] if len(texts) > MOST_NAMED else []
    return between.join([*texts[:MOST_NAMED], *rest])


def print_counts(what: str, counts: Counter[str]) -> None:
    """Print on stderr what was counted, in one line, the most frequent first; nothing where nothing was."""
    if counts:
        named = ", ".join(f"{name} ({number:,})" for name, number in counts.most_common())
        print(printable(f"{what}: {named}"), file=sys.stderr)  # noqa: T201


MOST_LINES = 20
"""Lines of a list that a terminal is shown."""


def folded(lines: Iterable[str], *, whole: bool) -> Iterator[str]:
    """The first lines of a list and how many more there are, for a terminal; all of them where they go elsewhere."""
    number = 0
    for number, line in enumerate(lines, 1):
        if whole or number <= MOST_LINES:
            yield line
    if not whole and number > MOST_LINES:
        yield f"and {number - MOST_LINES:,} more; all of them into a pipe or a file"


def _redirect_to_devnull(stream: TextIO) -> None:
    """Redirect a stream that cannot be written to /dev/null: Python would try again at its end, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class CheckedStdout(io.TextIOWrapper):
    """Standard output that keeps the first OSError of writing it as its `failure`."""

    failure: OSError | None = None

    def write(self, text: str) -> int:
        with self._remembering():
            return super().write(text)

    def flush(self) -> None:
        with self._remembering():
            super().flush()

    @contextlib.contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


ESCAPED = "broadsheet-escaped"
"""How what a terminal or file cannot be written in comes out: as Python and JSON escape it, `\\u0412`."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return re.sub("....", r"\\u\g<0>", units), error.end


codecs.register_error(ESCAPED, _escaped)


@contextlib.contextmanager
def exit_when_stdout_fails() -> Iterator[None]:
    """Exit with 74 when standard output fails: what is printed inside is written, or the disk is full.

    A reader that has seen enough (`| head -1`) is no fault: that ends with 1 and without a word, as click and rich do it.
    """
    if sys.stdout is None:  # closed by the caller: nobody wants to read
        yield
        return
    was = sys.stdout
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors=ESCAPED)
    out = CheckedStdout(was.buffer, was.encoding, ESCAPED, line_buffering=was.isatty(), write_through=True)
    try:
        with contextlib.redirect_stdout(out):
            yield
    finally:
        with contextlib.suppress(OSError):
            out.flush()
        if out.failure:
            _redirect_to_devnull(was)
        out.detach()
        if isinstance(out.failure, BrokenPipeError):
            sys.exit(FAILED)
        if out.failure:
            sys.exit(print_error(f"standard output: {out.failure.strerror}", STORAGE))
