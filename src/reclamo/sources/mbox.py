"""Mbox files, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reclamo.errors import SourceError
from reclamo.mail import Limits, ParsedMail, read_mail, read_oversized
from reclamo.mail.mbox import RawMail, Splitter
from reclamo.message import Message
from reclamo.sources.ids import UniqueIds


def read_mbox(path: Path, limits: Limits = Limits(), include_automatic: bool = False) -> Iterator[Message]:
    """Give the messages of an mbox file in order, one at a time; memory does not grow with the file.

    Ids are the Message-ID, else `<file>#<ordinal>`. Raises SourceError where the file cannot be read or is no mbox.
    """
    path = Path(path)
    return mbox_messages(path, path.name, UniqueIds(), limits, include_automatic=include_automatic)


def mbox_messages(path: Path, name: str, ids: UniqueIds, limits: Limits, *, include_automatic: bool) -> Iterator[Message]:
    """Give the messages of one mbox, with ids that are unique among all that `ids` handed out."""
    for ordinal, raw in enumerate(split_mbox(path, limits), start=1):
        mail = read_raw(raw, limits)
        yield mail.to_message(ids.take(mail.message_id or f"{name}#{ordinal}"), include_automatic=include_automatic)


def read_raw(raw: RawMail, limits: Limits) -> ParsedMail:
    """Read a message, or make the record of one that is past the limit."""
    return read_mail(raw.data, limits) if raw.size <= limits.message_bytes else read_oversized(raw.data, raw.size, limits)


def split_mbox(path: Path, limits: Limits) -> Iterator[RawMail]:
    """Give the messages of an mbox as bytes, `>From ` unescaped; one past the limit is read over and only its head kept."""
    try:
        with path.open("rb") as file:
            yield from Splitter(file, path, limits).messages()
    except OSError as error:
        raise SourceError(f"the mbox could not be read ({error.strerror})", path=path) from error
