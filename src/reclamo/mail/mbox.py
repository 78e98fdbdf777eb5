"""The mbox format: where its messages begin and end (RFC 4155; mboxo, mboxrd, mboxcl, mboxcl2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from reclamo.errors import SourceError
from reclamo.mail.limits import Limits

PIECE: Final = 64 * 1024  # the longest stretch of a line that is held at once
MAX_BLANK: Final = 2  # the blank line between two messages, CRLF at most

_POSTMARK = re.compile(rb"From [^\r\n]{0,300}\d{1,2}:\d{2}[^\r\n]{0,60}\d{4}|From [^\r\n]{0,300}\d{4}[^\r\n]{0,40}\d{1,2}:\d{2}")
_HEADER = re.compile(rb"(?:>?From |[!-9;-~]{1,100}[ \t]*:)")
_BARE_FROM = re.compile(rb"^From ", re.MULTILINE)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_CONTENT_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class RawMail:
    """The bytes of one message, or only its first ones where `size` is past the limit.

    Of an mbox, the message lies from `start` (its postmark) over `head` (its first header) up to `end`.
    """

    data: bytes
    size: int
    start: int = 0
    head: int = 0
    end: int = 0


def is_postmark(line: bytes) -> bool:
    """Say whether a line is the "From " line of an mbox: an address, then a date with a time and a year."""
    return line.startswith(b"From ") and _POSTMARK.match(line) is not None


class Splitter:
    """A position in an mbox and the message that is being put together."""

    def __init__(self, file: BinaryIO, path: Path, limits: Limits) -> None:
        self._file, self._path, self._limits = file, path, limits
        self._data = bytearray()
        self._size = 0
        self._is_counted = False
        self._offset = self._start = self._head = self._end = 0

    def messages(self) -> Iterator[RawMail]:
        """Split the file at its postmarks."""
        first = self._first_line()
        if not first:
            return
        if not first.startswith(b"From "):
            raise SourceError('the file does not begin with "From "; expected an mbox', path=self._path)
        strict = is_postmark(first)
        self._skip_line(first)
        while True:
            self._head = self._offset
            more = self._read_message(strict)
            yield self._take_message()
            self._start = self._end
            if not more:
                return

    def _line(self) -> bytes:
        line = self._file.readline(PIECE)
        self._offset += len(line)
        return line

    def _first_line(self) -> bytes:
        line = self._line().removeprefix(b"\xef\xbb\xbf")
        while line in (b"\n", b"\r\n"):
            line = self._line()
        return line

    def _skip_line(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._line()

    def _read_message(self, strict: bool) -> bool:
        """Collect lines up to the next postmark; True where one was found."""
        in_head, at_start, blank = True, True, False
        while line := self._line():
            if at_start and line.startswith(b"From ") and self._is_boundary(line, blank=blank, strict=strict):
                self._end = self._offset - len(line)
                self._skip_line(line)
                return True
            self._keep(line)
            blank = at_start and line in (b"\n", b"\r\n")
            at_start = line.endswith(b"\n")
            if in_head and blank:
                in_head = False
                self._take_counted_body()
        self._end = self._offset
        return False

    def _is_boundary(self, line: bytes, *, blank: bool, strict: bool) -> bool:
        if blank and not strict:
            return True
        return is_postmark(line) and (blank or self._is_header_next())

    def _is_header_next(self) -> bool:
        peek = getattr(self._file, "peek", None)
        return peek is not None and _HEADER.match(bytes(peek(512)[:512])) is not None

    def _keep(self, piece: bytes) -> None:
        """Add to the message; past the limit only its head stays."""
        self._size += len(piece)
        head = self._limits.header_block_bytes
        if self._size <= self._limits.message_bytes + MAX_BLANK:
            self._data += piece
        elif len(self._data) > head:
            del self._data[head:]
        else:
            self._data += piece[: head - len(self._data)]

    def _take_counted_body(self) -> None:
        """Take as many bytes as Content-Length says, where a postmark or the end of the file stands behind them (mboxcl)."""
        match = _CONTENT_LENGTH.search(self._data)
        if match is None or not self._file.seekable():
            return
        start, length = self._file.tell(), int(match[1])
        self._file.seek(0, 2)
        inside = start + length <= self._file.tell()
        self._file.seek(start + length)
        plausible = inside and self._is_end_here()
        self._file.seek(start)
        self._is_counted = plausible
        while plausible and length > 0 and (piece := self._file.read(min(PIECE, length))):
            self._keep(piece)
            self._offset += len(piece)
            length -= len(piece)

    def _is_end_here(self) -> bool:
        line = self._file.readline(PIECE)
        if line in (b"\n", b"\r\n"):
            line = self._file.readline(PIECE)
        return not line or is_postmark(line)

    def _take_message(self) -> RawMail:
        """Give the message without the blank line that mbox adds, its `>From ` lines unescaped."""
        data, size = bytes(self._data), self._size
        is_whole, is_counted = size == len(data), self._is_counted
        place = {"start": self._start, "head": self._head, "end": self._end}
        self._data, self._size, self._is_counted = bytearray(), 0, False
        if not is_whole:
            return RawMail(data=data, size=size, **place)
        if data.endswith((b"\r\n\r\n", b"\n\n")):
            data = data.removesuffix(b"\n").removesuffix(b"\r")
        if not (is_counted and _BARE_FROM.search(data)):
            data = _ESCAPED.sub(rb"\1", data)
        return RawMail(data=data, size=len(data), **place)
