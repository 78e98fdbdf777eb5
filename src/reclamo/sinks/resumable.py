"""An output that goes on where it was stopped: rows by chunks in a work file, and a journal beside it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, Protocol, cast

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

    `work_ending` follows the output's name; `.part` where the work file is the output itself. `can_grow` says whether rows can be
    added to a finished output.
    """

    work_ending: str
    can_grow: bool

    def start(self) -> bytes:
        """Give what stands before the first row, and alone where there is none."""

    def encode(self, tags: Tags) -> bytes:
        """Give one row."""

    def finish(self, work: Path, part: Path) -> None:
        """Make `part`, a finished output under a temporary name, of the work file; nothing where they are one."""

    def ids(self, work: Path) -> Iterator[str]:
        """Give the ids of the rows in a work file that can grow."""


class GrowingSource(Protocol):
    """A source that gives more each time it is iterated, and can go on behind what is done without reading that again.

    `fingerprint` says what makes it the source it is.
    """

    can_grow: bool
    fingerprint: Mapping[str, Any]

    def __iter__(self) -> Iterator[Message]:
        """Give the messages behind those that are done."""

    def resume(self, last_id: str, done: Callable[[], Iterable[str]]) -> None:
        """Go on behind the message of that id; `done` gives the ids of all that are done."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch to be made resumable.

    Attributes:
        source: as the caller gave it; `-` is standard input.
        options, model: see `Identity`.
        every: rows in a chunk; a multiple of the tagger's, so that batches and with them numbers stay the same.
        again: start anew, whatever is there.
        fingerprint: of a source that is no file; None has it taken from the files.
        grows: whether the source may give more later, so that a finished output goes on, where its form can.
        in_place: write under the final name from the start; only where the output can grow.
    """

    source: str
    options: Mapping[str, object]
    model: str
    every: int
    again: bool = False
    fingerprint: Mapping[str, Any] | None = None
    grows: bool = False
    in_place: bool = False


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
        self._grows = batch.grows and rows.can_grow
        own = (path, self.part, self.work, journal_of(path), journal_of(path).with_name(journal_of(path).name + ".new"))
        source = batch.fingerprint or source_fingerprint(batch.source, frozenset(file.resolve() for file in own))
        self._identity = Identity(source=dict(source), options=dict(batch.options), model=batch.model)
        self._pending: list[tuple[str, bytes]] = []
        self._read: deque[str] = deque()
        self._is_in_place = self._goes_on_in_place()
        if self._is_in_place:
            self.work = path
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
        """Whether every row is there, and no more can come."""
        return self._state.finished and not self._grows

    @property
    def rows_done(self) -> int:
        """Rows that are safe on disk."""
        return self._state.rows

    def last_ids(self, count: int) -> list[str]:
        """Give the ids of the last rows that are safe on disk, of forms that can grow."""
        return list(deque(self.rows.ids(self.work), maxlen=count)) if self._state.rows else []

    def remaining(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Give the messages that are left to do: a source that grows goes on behind what is done, any other is read over up to there.

        Raises:
            UsageError: the source now gives other messages than those that are done.
        """
        if self.batch.grows:
            if self._state.rows:
                cast(GrowingSource, messages).resume(self._state.last_id, lambda: self.rows.ids(self.work))
            return iter(messages)
        return self._read_over(messages)

    def _read_over(self, messages: Iterable[Message]) -> Iterator[Message]:
        done, number, digest = self._state.rows, 0, hashlib.sha256()
        for number, message in enumerate(messages, 1):
            digest.update(self._mark(message))
            if number > done:
                self._read.append(digest.hexdigest())
                yield message
            elif number == done and (message.id, digest.hexdigest()) != (self._state.last_id, self._state.read_sha256):
                seen = f"message {number} of the source is {message.id!r}, and was {self._state.last_id!r}"
                self._refuse(f"was begun on other messages: {seen if message.id != self._state.last_id else 'their text changed'}; {AGAIN}")
        if number < done:
            self._refuse(f"was begun on other messages: the source ends after {number}, and {done} are done; {AGAIN}")

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self._pending.append((tags.id, self.rows.encode(tags)))
        self.counts[tags.unscored_reason or "tagged"] += 1
        if len(self._pending) == self.batch.every:  # a chunk of the tagger's, wherever this run began
            self._checkpoint()

    def flush(self) -> None:
        """Make the rows durable that were written so far."""
        if self._pending:
            self._checkpoint()

    def close(self) -> None:
        """Finish: the last rows, the output under a temporary name, the journal, the rename."""
        if self._pending or (not self._state.length and self.rows.start()):
            self._checkpoint()
        with self._explained():
            if self._is_in_place:
                self._file.close()
                if not self._state.finished:
                    write_journal(self.path, replace(self._state, finished=True))
                return
            self.rows.finish(self.work, self.part)
            length, sha256 = measure(self.part)
            self._state = replace(self._state, length=length, sha256=sha256, finished=True)
            write_journal(self.path, self._state)
            self._file.close()
            self._rename()

    def abort(self) -> None:
        """Leave what is safe on disk for the next run; where nothing is, leave nothing."""
        self._let_go(forget=self._state.rows == 0 and not journal_of(self.path).exists())

    def _goes_on_in_place(self) -> bool:
        """Whether rows are added to the output itself: it is followed, or was finished and more came."""
        if not self._grows:
            return False
        if self.batch.again:
            return self.batch.in_place
        state = read_journal(self.path)
        if self.batch.in_place and self.work.exists():
            self._refuse(f"was begun without --watch and is not finished; finish it without --watch first, or {AGAIN}")
        if self.batch.in_place and state is None and self.path.exists() and self.path.stat().st_size:
            self._refuse(f"is there, and no journal says of what; {AGAIN}")
        return self.batch.in_place or (state is not None and not self.work.exists() and self.path.exists())

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
        if self._is_in_place:
            start = replace(start, sha256=hashlib.sha256().hexdigest())
        if self.batch.again:
            journal_of(self.path).unlink(missing_ok=True)
            if self._is_in_place:
                self.part.unlink(missing_ok=True)
            sync_folder(self.path.parent)
            return start
        state = read_journal(self.path)
        if state is None and self.path.is_file() and self.path.stat().st_size:
            self._refuse(f"is there, and no journal says of what; {AGAIN}")
        if state is None or (state.finished and not (self.path.exists() or _is_whole(self.part, state))):
            return start
        if state.finished and self._is_stdin and state.identity.source == self._identity.source:
            return start  # what came in then cannot be told from what comes now
        if difference := self._identity.difference(state.identity):
            self._refuse(f"belongs to another batch: {difference}; {AGAIN}")
        whole = _is_whole(self.part, state) or _is_whole(self.path, state) if state.finished else _is_start(self.work, state)
        if not whole:
            self._refuse(f"was altered since {'it was finished' if state.finished else 'the batch was stopped'}; {AGAIN}")
        return state

    def _take_up(self) -> None:
        if self._is_in_place or not self.is_finished:
            if self._file.seek(0, os.SEEK_END) != self._state.length:
                self._file.truncate(self._state.length)
            self._file.seek(self._state.length)
            if self._is_in_place and not self._state.rows:
                write_journal(self.path, self._state)  # before the first row: what stands in the output is known to be ours
            return
        self._file.close()
        if _is_whole(self.part, self._state):
            self._rename()
        self.work.unlink(missing_ok=True)

    def _checkpoint(self) -> None:
        """Make the pending rows durable, and what stands before the first: their bytes, then the journal that names them."""
        data, count = b"".join(row for _, row in self._pending), len(self._pending)
        last_id = self._pending[-1][0] if self._pending else self._state.last_id
        if not self._state.length:
            data = self.rows.start() + data
        with self._explained():
            if self._state.finished:  # more came: the journal must not vouch for the whole file while rows are added to it
                self._state = replace(self._state, finished=False)
                write_journal(self.path, self._state)
            with step("append rows"):
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
            with step("sync rows"):
                os.fsync(self._file.fileno())
            self._digest.update(data)
            read = [self._read.popleft() for _ in range(count)][-1] if self._read else ""
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
