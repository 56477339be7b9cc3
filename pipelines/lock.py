"""One run per database. Imports nothing heavy: a run that finds the lock taken must cost next to nothing."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockTaken(Exception):
    """Another run holds this database."""


@contextmanager
def run_lock(database: Path) -> Iterator[None]:
    """Hold `database`.lock, beside the database, until the end of the block. Raises LockTaken at once, or OSError.

    A link to a database has the lock of what it leads to. The lock's file stays: to remove it would let two in.

    The database itself is never locked this way: SQLite's own locks live there. The descriptor is not inherited, so a
    worker that outlives its parent does not keep the next run out.
    """
    try:
        file = database.resolve()
    except RuntimeError:  # so until Python 3.12
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(database)) from None
    descriptor = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockTaken(f"{database}: another run holds this database") from None
        yield
    finally:
        os.close(descriptor)
