"""Mail in .zip and .tar archives, read as a stream: nothing is written to disk, and what unpacks without end is cut off."""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

from reclamo.errors import SourceError
from reclamo.mail import Limits
from reclamo.mail.maildir import LEADING
from reclamo.mail.mbox import PIECE, RawMail, Splitter
from reclamo.message import Message, Problem, without_surrogates
from reclamo.sources.eml import MESSAGE_ENDINGS, begins_as_mbox, nothing_but
from reclamo.sources.ids import UniqueIds
from reclamo.sources.mailfile import read_one
from reclamo.sources.notices import Say, passed_over, to_log

_DECOMPRESSORS: Final[dict[str, Callable[[IO[bytes]], Any]]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".tbz2": bz2.open,
    ".xz": lzma.open,
    ".txz": lzma.open,
}
_BROKEN: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, NotImplementedError)
_LOG = logging.getLogger("reclamo")


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """How much may come out of an archive: `ratio` bytes for each byte of it, and `free_bytes` in any case."""

    ratio: int = 100
    free_bytes: int = 64 * 1024 * 1024


class _Spent(Exception):
    """More came out of the archive than its limits allow."""


class _Budget:
    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        self.allowed = max(limits.free_bytes, limits.ratio * path.stat().st_size)
        self.left = self.allowed

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise _Spent


class _Counted(io.RawIOBase):
    """A stream whose bytes are counted; it cannot seek."""

    def __init__(self, file: IO[bytes], budget: _Budget | None) -> None:
        self._source, self._budget = file, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(min(len(buffer), PIECE))
        if self._budget is not None:
            self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    open: Callable[[], IO[bytes]]


def read_archive(
    path: Path,
    limits: Limits = Limits(),
    include_automatic: bool = False,
    archive_limits: ArchiveLimits = ArchiveLimits(),
    say: Say = to_log,
) -> Iterator[Message]:
    """Give the messages of the .eml and .msg files, mboxes and Maildirs in an archive, in its order; other files are passed over,
    which is said at the end.

    A member that is broken or encrypted becomes a message with a problem, and so does the point where more came out than
    `archive_limits` allow; nothing is read behind that. Archives in archives are not opened. Ids are the Message-ID, else
    `<member>#<ordinal>`.

    Raises:
        SourceError: the file is no archive of its ending, or holds other files and no mail.
    """
    ids, name = UniqueIds(), path.name
    passed, seen = Counter[str](), False
    try:
        budget = _Budget(path, archive_limits)
        is_zip = path.suffix.lower() == ".zip"
        for member in _zip_members(path) if is_zip else _tar_members(path, budget):
            name = member.name
            try:
                stream = cast(io.BufferedReader, io.BufferedReader(_Counted(member.open(), budget if is_zip else None)))
                if not _is_mail(stream, member):
                    passed[without_surrogates(PurePosixPath(name).suffix.lower()) or "no ending"] += 1
                    _LOG.debug("passed over %s: no mail by its ending", name)
                    continue
                seen = True
                for ordinal, raw in enumerate(_mails(stream, member, limits), 1):
                    mail = read_one(raw, PurePosixPath(name).suffix, limits)
                    yield mail.to_message(ids.take(mail.message_id or f"{name}#{ordinal}"), include_automatic=include_automatic)
            except _BROKEN as error:
                seen = True
                yield _problem(ids, name, "broken", f"{name} in {path.name} cannot be read ({error}); unpack the archive and look at it")
    except _Spent:
        detail = f"{name}: more than {budget.allowed:,} bytes came out of {path.name}; what follows is not read; unpack it first"
        yield _problem(ids, name, "over_limit", detail)
        return
    except _BROKEN as error:
        if name != path.name:  # the archive was cut short: what came before stays good
            yield _problem(ids, path.name, "broken", f"{path.name} cannot be read behind {name} ({error}); what follows is lost")
            return
        raise SourceError(f"cannot be read as {path.suffix} ({error}); expected an archive of mail", path=path) from error
    if passed and not seen:
        raise SourceError(nothing_but(passed), path=path)
    if passed:
        say(passed_over(path, passed))


def _problem(ids: UniqueIds, name: str, reason: Any, detail: str) -> Message:
    return Message(id=ids.take(f"{name}#1"), text="", problem=Problem(reason=reason, detail=without_surrogates(detail)))


def _mails(stream: io.BufferedReader, member: _Member, limits: Limits) -> Iterator[RawMail]:
    if _is_message(member):
        data = LEADING.sub(b"", stream.read(limits.message_bytes + 1), count=1)
        yield RawMail(data=data[: limits.header_block_bytes] if len(data) > limits.message_bytes else data, size=len(data))
        return
    yield from Splitter(cast(Any, stream), Path(member.name), limits).messages()


def _is_message(member: _Member) -> bool:
    place = PurePosixPath(member.name)
    return place.suffix.lower() in MESSAGE_ENDINGS or place.parent.name in ("cur", "new")


def _is_mail(stream: io.BufferedReader, member: _Member) -> bool:
    """Whether a member is one message, or an mbox."""
    if _is_message(member):
        return True
    ending, head = PurePosixPath(member.name).suffix, stream.peek(1024)[:1024]
    return begins_as_mbox(ending, head.partition(b"\n")[0] or head)


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _Member(name=info.filename, open=lambda info=info: archive.open(info))  # type: ignore[misc]


def _tar_members(path: Path, budget: _Budget) -> Iterator[_Member]:
    with path.open("rb") as file:
        unpack = _DECOMPRESSORS.get(path.suffix.lower())
        plain = unpack(file) if unpack else file
        with tarfile.open(fileobj=io.BufferedReader(_Counted(plain, budget)), mode="r|") as archive:
            for info in archive:
                if info.isfile():
                    yield _Member(name=info.name, open=lambda info=info: cast(Any, archive.extractfile(info)))  # type: ignore[misc]
                vars(archive)["members"] = []  # tarfile keeps every header that it met
