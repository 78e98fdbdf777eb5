"""What must hold of any bytes that are read as mail; shared by the mutants, the fuzzer and the crashes that it found."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from reclamo.mail import Limits, ParsedMail, read_mail
from reclamo.mail.mbox import Splitter
from reclamo.mail.outlook import read_outlook
from reclamo.sources.mbox import read_raw

PATIENCE = 600.0  # seconds by the clock: what is asserted is processor time, and a busy machine must not decide


class Unforeseen(AssertionError):
    """An error that the parser caught only with its last net."""


def check(raw: bytes, limits: Limits = Limits()) -> ParsedMail:
    """Read a message and assert what is promised of every one: text or a reason, in time, spans that lie in the body."""
    start = time.process_time()
    mail = read_mail(raw, replace(limits, seconds=PATIENCE))
    seconds = time.process_time() - start
    if mail.problem is not None and mail.problem.detail.startswith("the message could not be read"):
        raise Unforeseen(mail.problem.detail)
    assert seconds < limits.seconds, f"{seconds:.1f} s"
    assert (mail.problem is None) == bool(mail.text)
    for part in (mail.text, mail.subject, mail.sender, mail.message_id):
        (part or "").encode("utf-8")
    position = 0
    for span in mail.removed:
        assert position <= span.start < span.end <= len(mail.body)
        position = span.end
    return mail


def check_any(data: bytes) -> int:
    """Check a message, and what begins like an mbox or an Outlook message as such too; give the number of rows."""
    check(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        mail = read_outlook(data)
        assert (mail.problem is None) == bool(mail.text)
    if not data.startswith(b"From "):
        return 1
    rows = 0
    for raw in Splitter(cast(Any, io.BufferedReader(cast(Any, io.BytesIO(data)))), Path("fuzz"), Limits()).messages():
        read_raw(raw, Limits())
        rows += 1
    assert rows
    return rows
