"""Headers: decoded one by one, only those that are used, within bounds (RFC 5322, 2047, 2231)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from datetime import UTC
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Final

from reclamo.mail.charsets import decode_bytes, find_codec
from reclamo.mail.limits import Limits, over_limit
from reclamo.message import without_surrogates
from reclamo.text import clean_text

USED: Final = frozenset(
    {
        *("subject", "from", "sender", "date", "message-id", "in-reply-to", "references", "return-path"),
        *("auto-submitted", "precedence", "list-unsubscribe", "list-post", "feedback-id", "x-failed-recipients"),
        *("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply"),
        *("content-type", "content-transfer-encoding", "content-disposition"),
    }
)
MAX_PARAMETERS: Final = 64
MAX_WORDS: Final = 1000
MAX_PIECES: Final = 100  # pieces of base64 in one body, each with its own padding
MAX_REFERENCES: Final = 100

_FOLD = re.compile(r"\r?\n[ \t]?|\r")
_WORD = re.compile(r"=\?([A-Za-z0-9._:+-]{1,40})(?:\*[A-Za-z0-9-]{0,20})?\?([bBqQ])\?([^?]*+)\?=")
_PARAMETER = re.compile(r";\s*+([^\s=;\"]++)\s*+=\s*+(?:\"((?:[^\"\\]|\\.)*+)\"?|([^;\s]*+))")
_CONTINUED = re.compile(r"^(.+?)\*(\d{1,3})?(\*)?$")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_PADDING = re.compile(rb"=+")
_JUNK_LINE = re.compile(rb"^(?![!-9;-~]{1,200}[ \t]*:|[ \t]).*(?:\r?\n|\Z)", re.MULTILINE)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")
_ADDRESS = re.compile(r"<\s*+([^<>\s]{1,320})\s*+>")
_BARE_ADDRESS = re.compile(r"[^\s<>()\",;:@]{1,64}+@[^\s<>()\",;:@]{1,255}+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


class Headers:
    """The used headers of one block, as raw text by lower-case name; the first of a name wins."""

    def __init__(self, values: dict[str, str], count: int) -> None:
        self._values = values
        self._count = count

    def raw(self, name: str) -> str:
        """Give the unfolded value, undecoded; empty where the header is absent."""
        return self._values.get(name, "")

    def text(self, name: str, charset: str | None = None) -> str:
        """Give the decoded value on one line."""
        return " ".join(clean_text(decode_header(self.raw(name), charset)).split())

    def __bool__(self) -> bool:
        return self._count > 0

    def __contains__(self, name: str) -> bool:
        return name in self._values


def parse_headers(block: bytes, limits: Limits) -> Headers:
    """Read a header block; raise Refusal where it, or a header that is used, is past its limit.

    Lines that are no header (a broken fold, a postmark) are passed over, so that the headers after them count.
    """
    if len(block) > limits.header_block_bytes:
        raise over_limit("header block", len(block), limits.header_block_bytes, "bytes")
    message = BytesHeaderParser(policy=compat32).parsebytes(_JUNK_LINE.sub(b"", block))
    values: dict[str, str] = {}
    for name, value in message.raw_items():
        key = name.lower()
        if key not in USED or key in values:
            continue
        if len(value) > limits.header_bytes:
            raise over_limit(f"header {key}", len(value), limits.header_bytes, "bytes")
        values[key] = _FOLD.sub(" ", str(value)).strip()
    return Headers(values, len(message))


def decode_header(value: str, charset: str | None = None) -> str:
    """Decode the encoded words of an unfolded header (RFC 2047) and its stray eight-bit characters.

    Neighbouring words of one charset are joined as bytes first, since programs cut between the bytes of a letter.
    Example: "=?utf-8?B?zqDOsQ==?= x" -> "Πα x".
    """
    words = list(_WORD.finditer(value))[:MAX_WORDS]
    out: list[str] = []
    held, held_charset, end = b"", "", 0
    for word in words:
        gap = value[end : word.start()]
        name, data = word[1].lower(), _word_bytes(word[2], word[3])
        if not (held and name == held_charset and not gap.strip()):
            out.append(_flush(held, held_charset))
            held = b""
            out.append("" if end and not gap.strip() else _stray_bytes(gap, charset))
        held, held_charset, end = held + data, name, word.end()
    out.append(_flush(held, held_charset))
    out.append(_stray_bytes(value[end:], charset))
    return "".join(out)


def _flush(data: bytes, charset: str) -> str:
    return decode_bytes(data, charset)[0] if data else ""


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("ascii", "surrogateescape") if payload.isascii() else payload.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return decode_base64(data)
    return _HEX.sub(lambda m: bytes([int(m[1], 16)]), data.replace(b"_", b" "))


def _stray_bytes(value: str, charset: str | None) -> str:
    if value.isascii():
        return value
    data = value.encode("utf-8", "surrogateescape")
    return decode_bytes(data, charset if find_codec(charset) else None)[0]


def decode_base64(data: bytes) -> bytes:
    """Decode base64 with whatever stands between its letters left out; a cut end gives what is whole, pieces in a row all."""
    return b"".join(_decode_letters(letters) for letters in _PADDING.split(_NOT_BASE64.sub(b"", data), maxsplit=MAX_PIECES))


def _decode_letters(letters: bytes) -> bytes:
    letters = letters.replace(b"=", b"")
    whole = letters[:-1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type or Content-Disposition into its lower-case kind and its parameters (RFC 2045, 2231).

    Example: 'text/plain; charset="utf-8"' -> ("text/plain", {"charset": "utf-8"}).
    """
    kind = value.split(";", 1)[0].strip().lower()
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value)):
        if count == MAX_PARAMETERS:
            break
        name, content = match[1].lower(), match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        if continued := _CONTINUED.match(name):
            pieces.setdefault(continued[1], []).append((int(continued[2] or 0), bool(continued[3] or not continued[2]), content))
        else:
            plain.setdefault(name, content)
    for name, parts in pieces.items():
        plain[name] = _join_parameter(sorted(parts))
    return kind, plain


def _join_parameter(parts: Iterable[tuple[int, bool, str]]) -> str:
    charset, data = "", b""
    for number, encoded, content in parts:
        if encoded and number == 0 and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        piece = content.encode("utf-8", "surrogateescape")
        data += _PERCENT.sub(lambda m: bytes([int(m[1], 16)]), piece) if encoded else piece
    return decode_bytes(data, charset)[0]


def parse_sender(value: str) -> tuple[str, str]:
    """Split a decoded From into (name, address); either may be empty. Only the first mailbox counts.

    Example: '"Ana Ruiz" <ana@ejemplo.es>' -> ("Ana Ruiz", "ana@ejemplo.es").
    """
    if match := _ADDRESS.search(value):
        name = value[: match.start()].strip(" \t,;")
        if len(name) > 1 and name[0] == name[-1] == '"':
            return name[1:-1].replace('\\"', '"').strip(), match[1]
        return name.strip("\"'"), match[1]
    if match := _BARE_ADDRESS.search(value):
        return "", match[0]
    return value.strip(' "'), ""


def parse_message_ids(value: str) -> tuple[str, ...]:
    """Give the ids of a Message-ID, In-Reply-To or References without their angle brackets, at most the last 100 after the first."""
    value = without_surrogates(value)
    found = _MESSAGE_ID.findall(value)
    if not found:
        bare = value.strip(" \t<>")
        return (bare[:900],) if bare and not re.search(r"\s", bare) else ()
    return tuple(found if len(found) <= MAX_REFERENCES else [found[0], *found[1 - MAX_REFERENCES :]])


def parse_date(value: str) -> str | None:
    """Give an RFC 5322 date in ISO 8601 with its offset (UTC where it says none), or None where it is no date."""
    try:
        date = parsedate_to_datetime(value[:120])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    try:
        return date.isoformat()
    except (ValueError, OverflowError):
        return None
