"""What one message may cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from reclamo.errors import ReclamoError
from reclamo.message import UnscoredReason

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The bounds of one message; at a bound it is read, one past it becomes a record with the reason `over_limit`.

    Attributes:
        message_bytes: the whole message as it lies in the source.
        header_block_bytes: the header block of the message, and of each of its parts.
        header_bytes: one header that Reclamo reads (the others are never decoded).
        depth: multiparts inside one another; a plain message has depth 0.
        parts: leaves and multiparts together.
        text_chars: the decoded body, before quoted history goes.
        seconds: wall-clock time for one message.
        explained_spans: how many of the spans that cleaning took are told; none are asked for by default.
        explained_chars: how many characters of theirs are told in full.
    """

    message_bytes: int = 25 * MIB
    header_block_bytes: int = 256 * 1024
    header_bytes: int = 16 * 1024
    depth: int = 32
    parts: int = 1000
    text_chars: int = MIB
    seconds: float = 5.0
    explained_spans: int = 0
    explained_chars: int = 0


class Refusal(ReclamoError):
    """A message that is not read: a coded reason and a sentence; becomes a `Problem`, never reaches the caller."""

    def __init__(self, reason: UnscoredReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: UnscoredReason = reason
        self.detail = detail


def over_limit(what: str, seen: int, allowed: int, unit: str) -> Refusal:
    """Give the refusal for a number past its bound."""
    return Refusal("over_limit", f"{what}: {seen:,} {unit}; at most {allowed:,} are read")


class Deadline:
    """A clock started for one message; `check` refuses the message once the time is spent."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise Refusal when the time is spent."""
        if time.monotonic() > self._end:
            raise Refusal("over_limit", f"reading took longer than {self._seconds:g} s")
