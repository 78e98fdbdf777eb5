"""A copy of the mbox or Maildir that was read, each message with its tags in X-Reclamo headers."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from email.header import Header
from pathlib import Path
from typing import BinaryIO, Final

from reclamo.errors import SinkError, UsageError
from reclamo.mail import Limits
from reclamo.mail.maildir import LEADING, is_maildir, maildir_files
from reclamo.mail.mbox import Splitter
from reclamo.mail.stamp import copy_bytes, stamp
from reclamo.sinks.journal import journal_of, read_journal, step
from reclamo.tags import HeadTag, Tags
from reclamo.taxonomy import Taxonomy

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]+")


def tag_headers(tags: Tags, taxonomy: Taxonomy) -> list[str]:
    """Give the headers of one message, in ASCII, one line each.

    Examples: "X-Reclamo-Complaint: yes; p=0.99", "X-Reclamo-Grounds: delay, billing", "X-Reclamo-Status: unscored; reason=empty".
    """
    status = tags.status if tags.unscored_reason is None else f"{tags.status}; reason={tags.unscored_reason}"
    values = {"Status": status, "Model": tags.model, "Language": tags.lang or "", "Role": tags.role or ""}
    for name in taxonomy.by_name:
        tag = tags.heads.get(name)
        if tag is not None and name != "role":
            values[name.replace("_", "-").title()] = _value(tag)
    if tags.status == "tagged":
        values["Needs-Review"] = "yes" if tags.needs_review else "no"
    return [f"X-Reclamo-{name}: {_ascii(value)}" for name, value in values.items() if value]


def _value(tag: HeadTag) -> str:
    if isinstance(tag.value, list):
        return ", ".join(tag.value) or "none"
    p = tag.p.get(str(tag.value)) if isinstance(tag.p, dict) else tag.p
    value = ("yes" if tag.value else "no") if isinstance(tag.value, bool) else tag.value
    return value if p is None else f"{value}; p={p:.2f}"


def _ascii(value: str) -> str:
    value = _UNSAFE.sub(" ", value)
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=900).encode()


class _CopyRows:
    """The headers of each message, kept as JSON lines until every one is there; then the copy is made in one pass."""

    work_ending = ".rows"
    can_grow = False

    def __init__(self, taxonomy: Taxonomy, source: Path) -> None:
        self.taxonomy, self.source = taxonomy, source

    def start(self) -> bytes:
        """Give nothing."""
        return b""

    def encode(self, tags: Tags) -> bytes:
        """Give one message's headers as a line."""
        return (json.dumps(tag_headers(tags, self.taxonomy)) + "\n").encode()

    def ids(self, work: Path) -> Iterator[str]:
        """Give none: a finished copy cannot grow."""
        return iter(())

    def _headers(self, work: Path) -> Iterator[list[str]]:
        with work.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def _changed(self) -> SinkError:
        return SinkError("changed while it was tagged; nothing is copied; run the same command with --again", path=self.source)


class MboxCopy(_CopyRows):
    """An mbox: postmarks, bodies and their From_-quoting stay byte for byte, so that the copy is of the source's own dialect."""

    def finish(self, work: Path, part: Path) -> None:
        """Write the copy and make it durable."""
        with step("write copy"), self.source.open("rb") as spans, self.source.open("rb") as file, part.open("wb") as target:
            self._write(spans, file, target, self._headers(work))
            target.flush()
            with step("sync copy"):
                os.fsync(target.fileno())

    def _write(self, spans: BinaryIO, file: BinaryIO, target: BinaryIO, rows: Iterator[list[str]]) -> None:
        try:
            for raw, headers in zip(Splitter(spans, self.source, Limits()).messages(), rows, strict=True):
                copy_bytes(file, target, raw.head - raw.start)
                stamp(file, target, raw.end - raw.head, headers)
        except (ValueError, EOFError) as error:
            raise self._changed() from error


class MaildirCopy(_CopyRows):
    """A Maildir: names, flags and times of delivery stay."""

    def finish(self, work: Path, part: Path) -> None:
        """Write the copy and make it durable."""
        with step("write copy"):
            shutil.rmtree(part, ignore_errors=True)
            for folder in ("cur", "new", "tmp"):
                (part / folder).mkdir(parents=True)
            try:
                for file, headers in zip(maildir_files(self.source, self.source), self._headers(work), strict=True):
                    _copy_file(file, part / file.parent.name / file.name, headers)
            except (ValueError, EOFError, FileNotFoundError) as error:
                raise self._changed() from error
        with step("sync copy"):
            os.sync()


def _copy_file(source: Path, target: Path, headers: list[str]) -> None:
    with source.open("rb") as file, target.open("wb") as copy:
        size = os.fstat(file.fileno()).st_size
        leading = LEADING.match(file.read(4096))
        file.seek(0)
        before = leading.end() if leading else 0
        copy_bytes(file, copy, before)
        stamp(file, copy, size - before, headers)
    about = source.stat()
    os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))


def open_copy(name: str, output: Path, source: str, taxonomy: Taxonomy, *, again: bool) -> Copy:
    """Give the rows of a copy in the format `name`, "mbox" or "maildir".

    Raises:
        UsageError: the source is no mbox or Maildir, or the output is mail that no earlier run wrote.
    """
    place = Path(source)
    wanted, fits = ("a Maildir", is_maildir(place)) if name == "maildir" else ("an mbox file", _is_mbox(place))
    if not fits:
        raise UsageError(f"the format {name} is a copy of {wanted} with X-Reclamo headers, and this source is none", path=source)
    if output.resolve().is_relative_to(place.resolve()):
        raise UsageError("is the source or lies in it; choose another output", path=output)
    if output.exists() and not journal_of(output).exists():
        raise UsageError("exists, and no earlier run wrote it; mail is never replaced: choose another output", path=output)
    if output.is_dir() and (again or not _is_finished(output)):
        raise UsageError("exists; a folder of mail is never replaced: remove it, or choose another output", path=output)
    return _COPIES[name](taxonomy, place)


def _is_finished(output: Path) -> bool:
    state = read_journal(output)
    return state is not None and state.finished


def _is_mbox(path: Path) -> bool:
    """Whether the source is read as an mbox."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix.lower() in MBOX_ENDINGS or (not path.suffix and file.read(5) == b"From ")


Copy = MboxCopy | MaildirCopy
MBOX_ENDINGS: Final = (".mbox", ".mbx")
_COPIES: Final[dict[str, type[Copy]]] = {"mbox": MboxCopy, "maildir": MaildirCopy}
