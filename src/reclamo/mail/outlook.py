"""Outlook's .msg files: the few properties that Reclamo uses, put into the form of a mail (MS-OXMSG, MS-OXPROPS).

The container is read by olefile; attachments and embedded messages are not opened.
"""

from __future__ import annotations

import io
import re
import struct
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.util import find_spec
from typing import Any, Final

from reclamo.errors import MissingExtraError
from reclamo.mail.charsets import decode_bytes
from reclamo.mail.limits import Limits, Refusal, over_limit
from reclamo.mail.parse import ParsedMail, read_mail
from reclamo.message import Problem

_SUBJECT, _HEADERS, _BODY, _HTML, _RTF = 0x0037, 0x007D, 0x1000, 0x1013, 0x1009
_MESSAGE_ID, _REFERENCES, _IN_REPLY_TO = 0x1035, 0x1039, 0x1042
_NAMES: Final = (0x0042, 0x0C1A)  # who it is from, then who sent it
_ADDRESSES: Final = (0x5D02, 0x5D01, 0x0065, 0x0C1F)
_TIMES: Final = (0x0039, 0x0E06)  # submitted, then delivered
_CODE_PAGES: Final = (0x3FDE, 0x3FFD)
_TEXT, _EIGHT_BIT, _BINARY = 0x001F, 0x001E, 0x0102
_TOP_HEADER: Final = 32  # bytes before the entries of the message's own property stream
_CHARSETS: Final = {65001: "utf-8", 20127: "us-ascii", 1200: "utf-16-le", **{28590 + n: f"iso-8859-{n}" for n in range(1, 17)}}
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_OURS = re.compile(r"^(?:content-[a-z-]+|mime-version)[ \t]*:.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)", re.IGNORECASE | re.MULTILINE)


def need_olefile() -> None:
    """Make sure that olefile is installed; raise MissingExtraError with the pip line."""
    if find_spec("olefile") is None:
        raise MissingExtraError("olefile", "outlook")


def read_outlook(data: bytes, limits: Limits = Limits()) -> ParsedMail:
    """Read a .msg file as `read_mail` reads a mail; never raises, `problem` says what went wrong."""
    try:
        return read_mail(outlook_to_mail(data, limits), limits)
    except Refusal as refusal:
        return ParsedMail(problem=Problem(reason=refusal.reason, detail=refusal.detail))
    except MissingExtraError as error:
        return ParsedMail(problem=Problem(reason="broken", detail=str(error)))


def outlook_to_mail(data: bytes, limits: Limits = Limits()) -> bytes:
    """Give a .msg file as a mail: its own headers and its text, plain rather than HTML, for `read_mail` to read.

    Raises:
        Refusal: it is no .msg file, is broken, or has no text. MissingExtraError: olefile is not installed.
    """
    need_olefile()
    import olefile

    if len(data) > limits.message_bytes:
        raise over_limit("message", len(data), limits.message_bytes, "bytes")
    if not data.startswith(olefile.MAGIC):
        raise Refusal("broken", "the file is no Outlook message; expected a compound file (.msg)")
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            return _mail(_Properties(container))
    except Refusal:
        raise
    except Exception as error:  # olefile raises whatever its reading of broken tables runs into
        raise Refusal("broken", f"the Outlook message could not be read ({type(error).__name__})") from error


class _Properties:
    """The properties of a message, read one by one."""

    def __init__(self, container: Any) -> None:
        self._container = container
        table = self._stream("__properties_version1.0")[_TOP_HEADER:]
        entries = (struct.unpack_from("<HH4x8s", table, at) for at in range(0, len(table) - 15, 16))
        self._fixed = {number: value for _, number, value in entries}
        self.charset = next((_charset(page) for number in _CODE_PAGES if (page := self._integer(number))), "")

    def text(self, *numbers: int) -> str:
        """Give the first of these properties that is there and not blank."""
        for number in numbers:
            if found := self._stream(f"__substg1.0_{number:04X}{_TEXT:04X}"):
                value = found.decode("utf-16-le", "replace")
            else:
                value = decode_bytes(self._stream(f"__substg1.0_{number:04X}{_EIGHT_BIT:04X}"), self.charset)[0]
            if value.strip("\0 \t\r\n"):
                return value.rstrip("\0")
        return ""

    def binary(self, number: int) -> bytes:
        """Give a property of bytes; empty where it is absent."""
        return self._stream(f"__substg1.0_{number:04X}{_BINARY:04X}")

    def time(self, *numbers: int) -> str:
        """Give the first of these times in the form of a mail's Date, else nothing."""
        for number in numbers:
            if ticks := self._integer(number):
                try:
                    return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10))
                except OverflowError:
                    continue
        return ""

    def _integer(self, number: int) -> int:
        return int.from_bytes(self._fixed.get(number, b""), "little")

    def _stream(self, name: str) -> bytes:
        if not self._container.exists(name):
            return b""
        with self._container.openstream(name) as stream:
            return bytes(stream.read())


def _charset(page: int) -> str:
    page &= 0xFFFFFFFF
    return _CHARSETS.get(page, f"windows-{page}")


def _mail(properties: _Properties) -> bytes:
    kind, body = _body(properties)
    head = re.sub(r"\n{2,}", "\n", _OURS.sub("", properties.text(_HEADERS).replace("\r\n", "\n"))).strip("\n")
    lines = [head] if head else []
    for name, value in _named(properties):
        if value and not re.search(rf"^{name}[ \t]*:", head, re.IGNORECASE | re.MULTILINE):
            lines.append(f"{name}: {' '.join(value.split())}")
    lines += [f"Content-Type: {kind}", "Content-Transfer-Encoding: 8bit"]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n\n" + body


def _named(properties: _Properties) -> tuple[tuple[str, str], ...]:
    name, address = properties.text(*_NAMES).replace('"', ""), properties.text(*_ADDRESSES)
    address = address if "@" in address else ""
    return (
        ("From", f'"{name}" <{address}>' if address else name),
        ("Subject", properties.text(_SUBJECT)),
        ("Date", properties.time(*_TIMES)),
        ("Message-ID", properties.text(_MESSAGE_ID)),
        ("In-Reply-To", properties.text(_IN_REPLY_TO)),
        ("References", properties.text(_REFERENCES)),
    )


def _body(properties: _Properties) -> tuple[str, bytes]:
    if plain := properties.text(_BODY):
        return "text/plain; charset=utf-8", plain.encode("utf-8", "replace")
    if html := properties.binary(_HTML):
        return f"text/html; charset={properties.charset or 'utf-8'}", html
    if html_text := properties.text(_HTML):
        return "text/html; charset=utf-8", html_text.encode("utf-8", "replace")
    if properties.binary(_RTF):
        raise Refusal("not_text", "the text is in compressed RTF alone, which is not opened; save the message as HTML or plain text")
    return "text/plain; charset=utf-8", b""
