"""One run per database. Imports nothing heavy: a run that finds the lock taken must cost next to nothing."""

import contextlib
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

    A link to a database has the lock of what it leads to. Its file is removed at the end, by whoever holds it; so whoever
    locks a file looks if it is still there: of one that is gone, the next would make another, and both would be let in.

    The database itself is never locked this way: SQLite's own locks live there. The descriptor is not inherited, so a
    worker that outlives its parent does not keep the next run out.
    """
    try:
        file = database.resolve()
    except RuntimeError:  # so until Python 3.12
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(database)) from None
    lock = file.with_name(file.name + ".lock")
    descriptor = _hold(lock, database)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # where nobody may remove it, it stays
            if _is_at(lock, descriptor):
                lock.unlink()
        os.close(descriptor)


def _hold(lock: Path, database: Path) -> int:
    """The descriptor of the lock's file, which is there and ours."""
    while True:
        with contextlib.ExitStack() as unless_ours:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            unless_ours.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockTaken(f"{database}: another run holds this database") from None
            if _is_at(lock, descriptor):
                unless_ours.pop_all()
                return descriptor


def _is_at(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
