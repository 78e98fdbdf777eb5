"""The parts of a message: found with a loop over byte offsets, none copied, none opened."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from reclamo.mail.appended import split_appended
from reclamo.mail.headers import Headers, decode_base64, decode_header, parse_headers, parse_parameters
from reclamo.mail.limits import Deadline, Limits, over_limit

MAX_BOUNDARY: Final = 1000  # RFC 2046 allows 70

_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r(?!\n)")
_FIRST_DASHES = re.compile(rb"[\r\n]--([^\s\r\n-][^\r\n]{0,200})(?=[\r\n])")
_KIND = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$")


@dataclass(kw_only=True, slots=True)
class Part:
    """One part: its kind and where its body lies in the message's bytes; `is_body` says that it is read though it has a file name."""

    kind: str
    parameters: dict[str, str]
    encoding: str
    disposition: str
    filename: str
    start: int
    end: int
    depth: int
    children: list[Part] = field(default_factory=list)
    is_body: bool = False

    @property
    def may_be_text(self) -> bool:
        """True for plain text or HTML that is not an attachment by its own word."""
        return self.kind in ("text/plain", "text/html") and self.disposition != "attachment"

    @property
    def is_text(self) -> bool:
        """True for a body that is read: plain text or HTML that is not an attachment, nor has a file name as attachments have."""
        return self.may_be_text and (self.is_body or not self.filename or self.depth == 0)

    def payload(self, raw: bytes) -> tuple[bytes, bytes]:
        """Give the body with its transfer encoding undone, and the text that was put behind it without encoding."""
        data = raw[self.start : self.end]
        encoded, appended = split_appended(data) if self.encoding == "base64" else (data, b"")
        return decode_transfer(encoded, self.encoding), appended


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one leaves the bytes as they are (RFC 2045)."""
    if encoding == "base64":
        return decode_base64(data)
    return binascii.a2b_qp(data) if encoding == "quoted-printable" else data


def split_head(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Give where the header block of raw[start:end] ends and where its body starts."""
    if raw[start : start + 1] == b"\n":
        return start, start + 1
    if raw[start : start + 2] == b"\r\n":
        return start, start + 2
    match = _HEADER_END.search(raw, start, end)
    return (match.start(), match.end()) if match else (end, end)


def read_head(raw: bytes, limits: Limits) -> tuple[Headers, int]:
    """Read the message's own header block; give it with the offset of the body."""
    head, body = split_head(raw, 0, len(raw))
    return parse_headers(raw[:head], limits), body


def walk_parts(raw: bytes, headers: Headers, body: int, limits: Limits, deadline: Deadline) -> Part:
    """Find every part of the message and give the root; raise Refusal past the limits of depth and number."""
    root = _make_part(headers, body, len(raw), depth=0)
    pending, count = [root], 1
    while pending:
        part = pending.pop()
        deadline.check()
        if not part.kind.startswith("multipart/"):
            continue
        if part.depth >= limits.depth:
            raise over_limit("multiparts inside one another", part.depth + 1, limits.depth, "levels")
        ranges = _split(raw, part, limits.parts - count)
        count += len(ranges)
        if count > limits.parts:
            raise over_limit("parts", count, limits.parts, "or more")
        for start, end in ranges:
            head, content = split_head(raw, start, end)
            child = _make_part(parse_headers(raw[start:head], limits), min(content, end), end, part.depth + 1)
            part.children.append(child)
        if not ranges:
            part.kind = "text/plain"
        pending.extend(reversed(part.children))
    return root


def _make_part(headers: Headers, start: int, end: int, depth: int) -> Part:
    kind, parameters = parse_parameters(headers.raw("content-type"))
    disposition, extra = parse_parameters(headers.raw("content-disposition"))
    filename = decode_header(extra.get("filename") or parameters.get("name") or "")
    return Part(
        kind=kind if _KIND.match(kind) else "text/plain",
        parameters=parameters,
        encoding=headers.raw("content-transfer-encoding").split(";")[0].strip().lower(),
        disposition=disposition,
        filename=filename[:200],
        start=start,
        end=end,
        depth=depth,
    )


def _split(raw: bytes, part: Part, room: int) -> list[tuple[int, int]]:
    """Give the ranges between the boundary lines of a multipart, at most one more than there is room for."""
    boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        guess = _FIRST_DASHES.search(raw, max(0, part.start - 1), min(part.end, part.start + 65536))
        if guess is None:
            return []
        boundary = guess[1].rstrip()
    needle = b"--" + boundary
    ranges: list[tuple[int, int]] = []
    opened, position = -1, part.start
    while len(ranges) <= room and (found := raw.find(needle, position, part.end)) >= 0:
        position = found + len(needle)
        if found > part.start and raw[found - 1] not in b"\r\n":
            continue
        line_end, closing = _boundary_line(raw, position, part.end)
        if line_end < 0:
            continue
        if opened >= 0:
            ranges.append((opened, max(opened, _before_newline(raw, found))))
        opened, position = (-1 if closing else line_end), line_end
        if closing:
            break
    if opened >= 0:
        ranges.append((opened, part.end))
    return ranges


def _boundary_line(raw: bytes, position: int, end: int) -> tuple[int, bool]:
    """Give where the line after a boundary starts (-1 where it is no boundary line), and whether it closes."""
    closing = raw[position : position + 2] == b"--"
    position += 2 if closing else 0
    while position < end and raw[position] in b" \t":
        position += 1
    if position >= end:
        return end, closing
    if raw[position : position + 2] == b"\r\n":
        return position + 2, closing
    return (position + 1, closing) if raw[position] in b"\r\n" else (-1, False)


def _before_newline(raw: bytes, found: int) -> int:
    if raw[found - 2 : found] == b"\r\n":
        return found - 2
    return found - 1
