"""A file that holds one message."""

from __future__ import annotations

import os
from pathlib import Path

from reclamo.mail import Limits, ParsedMail
from reclamo.mail.maildir import LEADING
from reclamo.mail.mbox import RawMail
from reclamo.mail.outlook import read_outlook
from reclamo.message import Message, Problem
from reclamo.sources.ids import UniqueIds
from reclamo.sources.mbox import read_raw


def file_message(path: Path, name: str, ids: UniqueIds, limits: Limits, *, include_automatic: bool) -> Message:
    """Read a file that holds one message; a file that cannot be read becomes a message with a problem."""
    try:
        raw = read_file(path, limits)
    except OSError as error:
        problem = Problem(reason="broken", detail=f"the file could not be read ({error.strerror})")
        return Message(id=ids.take(f"{name}#1"), text="", problem=problem)
    mail = read_one(raw, path.suffix, limits)
    return mail.to_message(ids.take(mail.message_id or f"{name}#1"), include_automatic=include_automatic)


def read_one(raw: RawMail, ending: str, limits: Limits) -> ParsedMail:
    """Read a message by the ending of its file: Outlook's .msg, else a mail."""
    if ending.lower() == ".msg" and raw.size <= limits.message_bytes:
        return read_outlook(raw.data, limits)
    return read_raw(raw, limits)


def read_file(path: Path, limits: Limits) -> RawMail:
    """Read the bytes of one message, without what may stand before its first header; of one over the limit its headers alone."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(limits.message_bytes + 1 if size <= limits.message_bytes else limits.header_block_bytes)
    data = LEADING.sub(b"", data, count=1)
    return RawMail(data=data, size=size if size > limits.message_bytes else len(data))
