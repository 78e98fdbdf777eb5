"""Mail that no person wrote to the company: bounces, out-of-office notes, receipts, newsletters."""

from __future__ import annotations

import re
from typing import Final, Literal

from reclamo.mail.headers import Headers, parse_parameters

Automatic = Literal["bounce", "receipt", "out_of_office", "generated", "newsletter"]

# Tried in order: the mark, the header, what its value looks like.
_MARKS: Final[tuple[tuple[Automatic, str, str], ...]] = (
    ("bounce", "x-failed-recipients", r"."),
    ("bounce", "from", r"(?:^|[<\s\"])(?:mailer-daemon|postmaster)@|^\"?mail delivery (?:sub)?system"),
    ("out_of_office", "auto-submitted", r"^auto-(?:replied|notified)"),
    ("out_of_office", "x-autoreply", r"^(?!no\b)."),
    ("out_of_office", "x-auto-reply", r"^(?!no\b)."),
    ("out_of_office", "x-autorespond", r"."),
    ("out_of_office", "x-autoresponder", r"."),
    ("out_of_office", "precedence", r"^auto_?reply"),
    ("generated", "auto-submitted", r"^auto-"),
    ("newsletter", "precedence", r"^(?:bulk|junk)"),
    ("newsletter", "list-unsubscribe", r"."),
    ("newsletter", "feedback-id", r"."),
)
_SUBJECTS: Final = re.compile(
    r"(?:respuesta autom[aá]tica|autorespuesta|fuera de (?:la )?oficina|ausente de la oficina|αυτ[οό]ματη απ[αά]ντηση|εκτ[οό]ς γραφε[ιί]ου"
    r"|risposta automatica|fuori (?:sede|ufficio)|assente dall'ufficio|automatic reply|auto(?:matic)?[ -]?reply|out of (?:the )?office"
    r"|resposta autom[aá]tica)\b",
    re.IGNORECASE,
)
_COMPILED: Final = tuple((mark, header, re.compile(pattern, re.IGNORECASE)) for mark, header, pattern in _MARKS)


def find_automatic(headers: Headers, subject: str) -> Automatic | None:
    """Say which kind of automatic mail the headers mark, or None.

    A discussion list (List-Post) is no newsletter: companies read their own shared inbox through one. Sources: RFC 3834,
    RFC 3464, RFC 8098, RFC 2369.
    """
    kind, parameters = parse_parameters(headers.raw("content-type"))
    if kind == "multipart/report":
        return "receipt" if parameters.get("report-type", "").lower() == "disposition-notification" else "bounce"
    for mark, header, pattern in _COMPILED:
        if mark == "newsletter" and "list-post" in headers:
            continue
        if pattern.search(headers.raw(header)):
            return mark
    return "out_of_office" if _SUBJECTS.match(subject) else None
