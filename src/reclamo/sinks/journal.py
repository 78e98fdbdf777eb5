"""The journal beside an output: what a batch is, and how far it has come on disk.

Rows are appended to a work file; after each chunk its bytes are fsynced and only then the journal names them, in one atomic
rename. What lies past the bytes that the journal names is cut off when the batch goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from reclamo.errors import SinkError

FORMAT: Final = 1
BLOCK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What makes two batches the same batch.

    Attributes:
        source: of `source_fingerprint`.
        options: whatever else decides the bytes that come out, by option name.
        model: hash of the tagger's manifest, which names the hashes of its files.
    """

    source: Mapping[str, Any]
    options: Mapping[str, Any]
    model: str

    def difference(self, other: Identity) -> str | None:
        """Say in words what sets another batch apart, or None. Example: "the model changed"."""
        if self.source != other.source:
            return f"the source changed{_renumbered(self.source, other.source)}"
        if self.model != other.model:
            return "the model changed"
        names = sorted(name for name in {*self.options, *other.options} if self.options.get(name) != other.options.get(name))
        return f"{', '.join(names)} changed" if names else None


def _renumbered(now: Mapping[str, Any], was: Mapping[str, Any]) -> str:
    """Say where an IMAP folder is the same, and its messages have other numbers."""
    if now.get("path") != was.get("path") or "uidvalidity" not in now:
        return ""
    return f" (its UIDVALIDITY was {was.get('uidvalidity')} and is {now['uidvalidity']}: the server has renumbered its messages)"


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a batch has come.

    Attributes:
        identity: of the batch.
        rows, length, sha256: of the work file; once finished, length and sha256 are those of the output.
        last_id, read_sha256: the id of the last message done, and a running hash over the messages done.
        counts: of outcomes.
        finished: whether every row is there.
    """

    identity: Identity
    rows: int = 0
    length: int = 0
    sha256: str = ""
    last_id: str = ""
    read_sha256: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    finished: bool = False


def journal_of(path: Path) -> Path:
    """The name of an output's journal. Example: tags.csv -> tags.csv.journal."""
    return path.with_name(path.name + ".journal")


def read_journal(path: Path) -> State | None:
    """Read the journal of an output; None where there is none.

    Raises:
        SinkError: it cannot be read, or is of another version.
    """
    journal = journal_of(path)
    try:
        data = json.loads(journal.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise ValueError("another version")
        return State(**{**data, "identity": Identity(**data["identity"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SinkError(f"the journal cannot be read ({error}); --again starts the batch anew", path=journal) from error


def write_journal(path: Path, state: State) -> None:
    """Replace the journal of an output, durably."""
    journal = journal_of(path)
    fresh = journal.with_name(journal.name + ".new")
    data = json.dumps({"format": FORMAT, **asdict(state)}, ensure_ascii=True, indent=1) + "\n"
    with fresh.open("wb", buffering=0) as file:
        with step("write journal"):
            file.write(data.encode())
        with step("sync journal"):
            os.fsync(file.fileno())
    with step("rename journal"):
        fresh.replace(journal)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can."""
    with step("sync folder"):
        if os.name == "posix":
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def source_fingerprint(source: str, leave_out: frozenset[Path] = frozenset()) -> dict[str, Any]:
    """Say what a source is without reading it: its path, files, bytes, and a hash over names, sizes and times of change.

    Standard input has a name only. `leave_out` holds absolute paths: the output may lie in the folder that is read.
    """
    if source == "-":
        return {"path": "-"}
    root = Path(source).resolve()
    digest, files, size = hashlib.sha256(), 0, 0
    for file in _files(root):
        if file in leave_out:
            continue
        about = file.stat()
        line = f"{file.relative_to(root).as_posix()}\0{about.st_size}\0{about.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
        files, size = files + 1, size + about.st_size
    return {"path": str(root), "files": files, "bytes": size, "sha256": digest.hexdigest()}


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return
    for folder, below, names in os.walk(root):
        below.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file():
                yield file


def hash_start(path: Path, length: int) -> Any:
    """Hash the first `length` bytes of a file; None where it is shorter or missing. The hash can be carried on."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while length and (block := file.read(min(BLOCK, length))):
                digest.update(block)
                length -= len(block)
    except FileNotFoundError:
        return None
    return None if length else digest


def measure(path: Path) -> tuple[int, str]:
    """Give the bytes of a finished output and their SHA-256; of a folder, those of its files and a hash over names and contents."""
    if not path.is_dir():
        length = path.stat().st_size
        return length, hash_start(path, length).hexdigest()
    digest, total = hashlib.sha256(), 0
    for file in _files(path):
        length, content = measure(file)
        total += length
        digest.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode("utf-8", "surrogateescape"))
    return total, digest.hexdigest()


def _nothing(name: str) -> None:
    """Do nothing."""


# Called with "before …" and "after …" each durable step; the tests stop the batch there.
on_step: Callable[[str], None] = _nothing


@contextmanager
def step(name: str) -> Iterator[None]:
    """Mark a durable step."""
    on_step(f"before {name}")
    yield
    on_step(f"after {name}")
