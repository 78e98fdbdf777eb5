"""An output that goes on where it was stopped: rows by chunks in a work file, and a journal beside it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, Protocol

from reclamo.errors import SinkError, UsageError
from reclamo.message import Message
from reclamo.sinks.files import part_of
from reclamo.sinks.journal import (
    Identity,
    State,
    hash_start,
    journal_of,
    measure,
    read_journal,
    source_fingerprint,
    step,
    sync_folder,
    write_journal,
)
from reclamo.tags import Tags

STDIN: Final = "-"
AGAIN: Final = "--again starts the batch anew, or choose another output"


class Rows(Protocol):
    """How rows become bytes, and how the work file becomes the output.

    `work_ending` follows the output's name; `.part` where the work file is the output itself.
    """

    work_ending: str

    def encode(self, tags: Tags, *, first: bool) -> bytes:
        """Give one row; `first` is true for the first one of the output."""

    def finish(self, work: Path, part: Path) -> None:
        """Make `part`, a finished output under a temporary name, of the work file; nothing where they are one."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch to be made resumable.

    Attributes:
        source: as the caller gave it; `-` is standard input.
        options, model: see `Identity`.
        every: rows in a chunk; a multiple of the tagger's, so that batches and with them numbers stay the same.
        again: start anew, whatever is there.
    """

    source: str
    options: Mapping[str, object]
    model: str
    every: int
    again: bool = False


class ResumableSink:
    """Write rows to `path` so that a batch stopped anywhere goes on.

    Wrap the messages in `remaining` before they are tagged. Where `is_finished`, there is nothing to do and nothing to write.

    Raises:
        UsageError: the output belongs to another batch, was altered, or is being written. SinkError: it cannot be written.
    """

    def __init__(self, path: Path, rows: Rows, batch: Batch) -> None:
        self.path, self.rows, self.batch = path, rows, batch
        self.part, self.work = part_of(path), path.with_name(path.name + rows.work_ending)
        self._is_stdin = batch.source == STDIN
        own = (path, self.part, self.work, journal_of(path), journal_of(path).with_name(journal_of(path).name + ".new"))
        source = source_fingerprint(batch.source, frozenset(file.resolve() for file in own))
        self._identity = Identity(source=source, options=dict(batch.options), model=batch.model)
        self._pending: list[bytes] = []
        self._read: deque[tuple[str, str]] = deque()
        had_work = self.work.exists()
        try:
            self._file = self._open()
            self._state = self._found()
            self._digest: Any = hash_start(self.work, self._state.length)
            self._take_up()
        except BaseException as error:
            self._let_go(forget=not had_work)
            if isinstance(error, OSError):
                raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=path) from error
            raise
        self.counts: Counter[str] = Counter(self._state.counts)

    @property
    def is_finished(self) -> bool:
        """Whether every row is there."""
        return self._state.finished

    @property
    def rows_done(self) -> int:
        """Rows that are safe on disk."""
        return self._state.rows

    def remaining(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Read over the messages that are done, and give the others.

        Raises:
            UsageError: the source now gives other messages than those that are done.
        """
        done, number, digest = self._state.rows, 0, hashlib.sha256()
        for number, message in enumerate(messages, 1):
            digest.update(self._mark(message))
            if number > done:
                self._read.append((message.id, digest.hexdigest()))
                yield message
            elif number == done and (message.id, digest.hexdigest()) != (self._state.last_id, self._state.read_sha256):
                seen = f"message {number} of the source is {message.id!r}, and was {self._state.last_id!r}"
                self._refuse(f"was begun on other messages: {seen if message.id != self._state.last_id else 'their text changed'}; {AGAIN}")
        if number < done:
            self._refuse(f"was begun on other messages: the source ends after {number}, and {done} are done; {AGAIN}")

    def write(self, tags: Tags) -> None:
        """Take one row."""
        row = self._state.rows + len(self._pending) + 1
        self._pending.append(self.rows.encode(tags, first=row == 1))
        self.counts[tags.unscored_reason or "tagged"] += 1
        if row % self.batch.every == 0:
            self._checkpoint()

    def close(self) -> None:
        """Finish: the last rows, the output under a temporary name, the journal, the rename."""
        if self._pending:
            self._checkpoint()
        with self._explained():
            self.rows.finish(self.work, self.part)
            length, sha256 = measure(self.part)
            self._state = replace(self._state, length=length, sha256=sha256, finished=True)
            write_journal(self.path, self._state)
            self._file.close()
            self._rename()

    def abort(self) -> None:
        """Leave what is safe on disk for the next run; where nothing is, leave nothing."""
        self._let_go(forget=self._state.rows == 0 and not journal_of(self.path).exists())

    def _open(self) -> BinaryIO:
        """Open the work file and lock it: two runs at once would write into each other."""
        file = os.fdopen(os.open(self.work, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", buffering=0)
        if not _is_locked(file, self.work):
            file.close()
            raise UsageError("is being written by another run; wait for it, or choose another output", path=self.path)
        return file

    def _found(self) -> State:
        """What there is to go on from, once it is known to be of this batch and whole."""
        start = State(identity=self._identity)
        if self.batch.again:
            journal_of(self.path).unlink(missing_ok=True)
            sync_folder(self.path.parent)
            return start
        state = read_journal(self.path)
        if state is None or (state.finished and (self._is_stdin or not (self.path.exists() or _is_whole(self.part, state)))):
            return start
        if difference := self._identity.difference(state.identity):
            self._refuse(f"belongs to another batch: {difference}; {AGAIN}")
        whole = _is_whole(self.part, state) or _is_whole(self.path, state) if state.finished else _is_start(self.work, state)
        if not whole:
            self._refuse(f"was altered since {'it was finished' if state.finished else 'the batch was stopped'}; {AGAIN}")
        return state

    def _take_up(self) -> None:
        if not self.is_finished:
            self._file.truncate(self._state.length)
            self._file.seek(self._state.length)
            return
        self._file.close()
        if _is_whole(self.part, self._state):
            self._rename()
        self.work.unlink(missing_ok=True)

    def _checkpoint(self) -> None:
        """Make the pending rows durable: their bytes, then the journal that names them."""
        data, count = b"".join(self._pending), len(self._pending)
        with self._explained():
            with step("append rows"):
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
            with step("sync rows"):
                os.fsync(self._file.fileno())
            self._digest.update(data)
            last_id, read = [self._read.popleft() for _ in range(count)][-1]
            state = replace(self._state, rows=self._state.rows + count, length=self._state.length + len(data), last_id=last_id)
            state = replace(state, sha256=self._digest.hexdigest(), read_sha256=read, counts=dict(self.counts))
            write_journal(self.path, state)
        self._state, self._pending = state, []

    def _rename(self) -> None:
        with step("rename output"):
            self.part.replace(self.path)
        sync_folder(self.path.parent)
        with step("remove work file"):
            self.work.unlink(missing_ok=True)

    def _mark(self, message: Message) -> bytes:
        """What stands for a message in the running hash: its id, and its content where no fingerprint vouches for that."""
        parts = (message.id, message.text, message.role or "", message.lang or "") if self._is_stdin else (message.id,)
        return ("\0".join(parts) + "\n").encode("utf-8", "surrogatepass")

    def _refuse(self, why: str) -> NoReturn:
        raise UsageError(why, path=self.path)

    def _let_go(self, *, forget: bool) -> None:
        if hasattr(self, "_file"):
            self._file.close()
            if forget:
                self.work.unlink(missing_ok=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(f"could not be written ({error.strerror}); mend that, and the same command goes on", path=self.path) from error


def _is_start(path: Path, state: State) -> bool:
    """Whether a file begins with the bytes that the journal names."""
    digest = hash_start(path, state.length)
    return digest is not None and digest.hexdigest() == state.sha256


def _is_whole(path: Path, state: State) -> bool:
    if path.is_dir():
        return measure(path) == (state.length, state.sha256)
    return path.is_file() and path.stat().st_size == state.length and _is_start(path, state)


def _is_locked(file: BinaryIO, path: Path) -> bool:
    """Lock a file for this run, where the system can; False where another run has it, or just renamed it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
