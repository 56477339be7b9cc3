"""Start of a server: its log kept still, a browser opened once it answers. Read off the metadata that `broadsheet serve` writes."""

import logging
import threading
import time
import urllib.error
import urllib.request
import webbrowser

MAX_WAIT = 60
"""Seconds until a server that does not answer is given up: on a busy machine it takes ten."""


def silence() -> None:
    """Log warnings and errors alone: no line for each request, none about the start."""
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_is_warning)  # a filter, which uvicorn's own configuration leaves in place


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def open_soon(url: str) -> None:
    """Open a page in the reader's browser as soon as it is there."""
    threading.Thread(target=_open_when_there, args=(url,), daemon=True).start()


def _open_when_there(url: str) -> None:
    end = time.monotonic() + MAX_WAIT
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as error:  # it answers: the page says what is wrong
            error.close()
        except OSError:
            time.sleep(0.1)
            continue
        webbrowser.open(url)
        return
