"""A message's bytes to a Message: nothing that is sent can stop it."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from typing import Final

from reclamo.mail.automatic import Automatic, find_automatic
from reclamo.mail.body import Body, read_body
from reclamo.mail.clean import Removed, clean_body
from reclamo.mail.explain import explain_cleaning
from reclamo.mail.headers import Headers, parse_date, parse_message_ids, parse_sender
from reclamo.mail.limits import Deadline, Limits, Refusal, over_limit
from reclamo.mail.markers import FORWARD_SUBJECT, REPLY_SUBJECT
from reclamo.mail.mime import read_head, walk_parts
from reclamo.message import Cleaning, Message, Problem
from reclamo.text import clean_text

SUBJECT_WORDS: Final = 3  # a subject alone says something from so many words on
_LOG = logging.getLogger("reclamo")
_AUTOMATIC: Final[dict[Automatic, str]] = {
    "bounce": "a bounce of the mail system",
    "receipt": "a receipt that a program sent",
    "out_of_office": "an out-of-office note or other automatic reply",
    "generated": "a mail that a program generated",
    "newsletter": "a newsletter or other bulk mail",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedMail:
    """What was read of one message.

    Attributes:
        subject, sender, date: decoded; `sender` as `Name <address>`, `date` in ISO 8601.
        message_id, in_reply_to, references: ids without angle brackets.
        thread: the id of the message that began the conversation.
        automatic: which kind of automatic mail it is, if any.
        body: the decoded text, before cleaning. text: what the writer wrote; where that is blank, a subject of some words.
        removed: what the cleaning took, as spans of `body` with their kinds.
        cleaning: `removed` as rows tell it, where the limits ask for it.
        charset: the codec of the body. attachments: the names of what was left closed.
        problem: why there is no text.
    """

    subject: str | None = None
    sender: str | None = None
    date: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    thread: str | None = None
    automatic: Automatic | None = None
    body: str = ""
    text: str = ""
    removed: tuple[Removed, ...] = ()
    cleaning: Cleaning | None = None
    charset: str | None = None
    attachments: tuple[str, ...] = ()
    problem: Problem | None = None

    def to_message(self, id: str, *, include_automatic: bool = False) -> Message:
        """Give the Message; automatic mail has no text and the problem `automatic` unless it is asked for."""
        problem = self.problem
        if self.automatic is not None and not include_automatic and (problem is None or problem.reason in ("empty", "not_text")):
            problem = Problem(reason="automatic", detail=_AUTOMATIC[self.automatic])
        return Message(
            id=id,
            text="" if problem else self.text,
            subject=self.subject,
            date=self.date,
            thread=self.thread,
            sender=self.sender,
            problem=problem,
            cleaning=self.cleaning,
        )


def parse_mail(raw: bytes, limits: Limits = Limits(), id: str | None = None, *, include_automatic: bool = False) -> Message:
    """Read one message (RFC 5322) and give what its writer wrote; never raises.

    `id` defaults to the Message-ID, and where there is none to a hash of the bytes. A message that cannot be read, or is past
    one of the limits, has a `problem` and no text.
    """
    mail = read_mail(raw, limits)
    name = id or mail.message_id or hashlib.blake2b(raw[: limits.message_bytes], digest_size=12).hexdigest()
    return mail.to_message(name, include_automatic=include_automatic)


def read_mail(raw: bytes, limits: Limits = Limits()) -> ParsedMail:
    """Read everything that Reclamo uses of one message; never raises, `problem` says what went wrong."""
    deadline = Deadline(limits.seconds)
    mail = ParsedMail()
    try:
        if len(raw) > limits.message_bytes:
            mail = _read_head_only(raw, limits)
            raise over_limit("message", len(raw), limits.message_bytes, "bytes")
        headers, body_start = read_head(raw, limits)
        if not headers:
            raise Refusal("broken", "no mail header was found; expected a message as in RFC 5322")
        mail = _describe(headers)
        body = read_body(raw, walk_parts(raw, headers, body_start, limits, deadline), limits, deadline)
        return _with_text(mail, body, limits, deadline)
    except Refusal as refusal:
        return replace(mail, problem=Problem(reason=refusal.reason, detail=refusal.detail))
    except Exception as error:
        _LOG.warning("a message could not be read (%s)", type(error).__name__)
        return replace(mail, problem=Problem(reason="broken", detail=f"the message could not be read ({type(error).__name__})"))


def read_oversized(head: bytes, size: int, limits: Limits) -> ParsedMail:
    """Give the record of a message past `message_bytes` from its first bytes alone."""
    refusal = over_limit("message", size, limits.message_bytes, "bytes")
    return replace(_read_head_only(head, limits), problem=Problem(reason="over_limit", detail=refusal.detail))


def _read_head_only(raw: bytes, limits: Limits) -> ParsedMail:
    try:
        return _describe(read_head(raw[: limits.header_block_bytes], limits)[0])
    except Refusal:
        return ParsedMail()


def _describe(headers: Headers) -> ParsedMail:
    subject = headers.text("subject")
    name, address = parse_sender(headers.text("from"))
    own = parse_message_ids(headers.raw("message-id"))
    replied = parse_message_ids(headers.raw("in-reply-to"))
    references = parse_message_ids(headers.raw("references"))
    return ParsedMail(
        subject=subject or None,
        sender=(f"{name} <{address}>" if name and address else address or name) or None,
        date=parse_date(headers.raw("date")),
        message_id=own[0] if own else None,
        in_reply_to=replied[0] if replied else None,
        references=references,
        thread=next(iter((*references, *replied, *own)), None),
        automatic=find_automatic(headers, subject),
    )


def _with_text(mail: ParsedMail, body: Body, limits: Limits, deadline: Deadline) -> ParsedMail:
    forwarded = body.forwarded or bool(FORWARD_SUBJECT.match(mail.subject or ""))
    cleaned = clean_body(body.text, limits, forwarded=forwarded, deadline=deadline)
    text = cleaned.text or ("" if body.text.strip() else _subject_as_text(mail))
    problem = None
    if not text:
        detail = "nothing is left but quoted history and signatures" if body.text.strip() else "the body is blank"
        problem = Problem(reason="empty", detail=detail)
    return replace(
        mail,
        body=body.text,
        text=text,
        removed=cleaned.removed,
        cleaning=explain_cleaning(body.text, cleaned.removed, limits),
        charset=body.charset,
        attachments=body.attachments,
        problem=problem,
    )


def _subject_as_text(mail: ParsedMail) -> str:
    """The subject, where a blank body leaves it alone to say something: a few words, and not those that are answered or passed on."""
    subject = clean_text(mail.subject or "")
    answered = REPLY_SUBJECT.match(subject) or FORWARD_SUBJECT.match(subject)
    return subject if not answered and len(subject.split()) >= SUBJECT_WORDS else ""
