"""X-Reclamo headers put into a message whose other bytes stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

from reclamo.mail.mbox import PIECE

_OURS = re.compile(rb"x-reclamo-[!-9;-~]{1,100}[ \t]*:", re.IGNORECASE)
_HEADER = re.compile(rb"^[!-9;-~]{1,100}[ \t]*:", re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r(?!\n)")


def stamp(source: BinaryIO, target: BinaryIO, length: int, headers: Sequence[str]) -> None:
    """Copy the next `length` bytes, one message from its first header on, with `headers` on top and older X-Reclamo headers left out.

    Lines end as the message's first line ends. What has no header at all is no mail, and is copied as it is. Memory is bounded.
    Raises EOFError where the source is shorter.
    """
    place = source.tell()
    first = source.read(min(PIECE, length))
    source.seek(place)
    if _has_header(first):
        newline = b"\r\n" if first.partition(b"\n")[0].endswith(b"\r") and b"\n" in first else b"\n"
        target.write(b"".join(header.encode("ascii") + newline for header in headers))
        length -= _copy_head(source, target, length)
    copy_bytes(source, target, length)


def copy_bytes(source: BinaryIO, target: BinaryIO, length: int) -> None:
    """Copy the next `length` bytes; raise EOFError where the source is shorter."""
    while length > 0:
        piece = source.read(min(PIECE, length))
        if not piece:
            raise EOFError("the source became shorter while it was copied")
        length -= len(piece)
        target.write(piece)


def _copy_head(source: BinaryIO, target: BinaryIO, length: int) -> int:
    """Copy lines up to the first blank one, older X-Reclamo headers and their folded lines left out; give the bytes read."""
    done, at_start, is_ours = 0, True, False
    while done < length and (line := source.readline(min(PIECE, length - done))):
        done += len(line)
        if at_start:
            is_ours = _OURS.match(line) is not None or (is_ours and line.startswith((b" ", b"\t")))
        if not is_ours:
            target.write(line)
        if at_start and line in (b"\n", b"\r\n"):
            break
        at_start = line.endswith(b"\n")
    return done


def _has_header(start: bytes) -> bool:
    """Whether a header stands above the first blank line."""
    if start.startswith((b"\n", b"\r\n")):
        return False
    end = _HEAD_END.search(start)
    return _HEADER.search(start, 0, end.start() if end else len(start)) is not None
