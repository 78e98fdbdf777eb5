"""What cleaning took, told in lines and characters that a person can look up in the body."""

from __future__ import annotations

from typing import Any

import pytest
from tests.mail.seeds import cases

from reclamo.mail import Limits, parse_mail, read_mail
from reclamo.message import Cleaning
from reclamo.tags import Tags
from reclamo.text.redaction import redact_tags

ASKED = Limits(explained_spans=100, explained_chars=10_000)
BODY = "Sigue roto.\n\nUn saludo\nAna Ruiz, 612 34 56 78\n\nEl 3/3/26 a las 10:12, Luz <a@b.example> escribió:\n> Pruebe\n> otra vez\n"
RAW = f"From: ana@correo.example\nMessage-ID: <1@x>\nContent-Type: text/plain; charset=utf-8\n\n{BODY}".encode()


def cleaning_of(limits: Limits, raw: bytes = RAW) -> Cleaning:
    cleaning = parse_mail(raw, limits).cleaning
    assert cleaning is not None
    return cleaning


def test_a_worked_example() -> None:
    told = cleaning_of(ASKED).to_dict()
    assert told["characters"] == len(BODY)
    assert told["removed"] == {"signature": 33, "introduction": 51, "quoted": 20}
    assert told["left_out"] == 0
    assert told["spans"] == [
        {"kind": "signature", "start": 13, "end": 46, "line": 3, "lines": 2, "text": "Un saludo\nAna Ruiz, 612 34 56 78\n"},
        {"kind": "introduction", "start": 47, "end": 98, "line": 6, "lines": 1, "text": BODY.split("\n")[5] + "\n"},
        {"kind": "quoted", "start": 98, "end": 118, "line": 7, "lines": 2, "text": "> Pruebe\n> otra vez\n"},
    ]


def test_nothing_is_told_or_kept_unless_asked() -> None:
    assert parse_mail(RAW).cleaning is None
    assert {span.text for span in cleaning_of(Limits(explained_spans=9)).spans} == {None}
    assert "text" not in str(cleaning_of(Limits(explained_spans=9)).to_dict())


def test_spans_and_characters_at_their_limits_and_one_past() -> None:
    assert [len(cleaning_of(Limits(explained_spans=n)).spans) for n in (2, 3)] == [2, 3]
    assert [cleaning_of(Limits(explained_spans=n)).left_out for n in (2, 3)] == [1, 0]
    whole = sum(span.end - span.start for span in cleaning_of(ASKED).spans)
    for chars, missing in ((whole, 0), (whole - 1, 1)):
        told = cleaning_of(Limits(explained_spans=9, explained_chars=chars))
        assert sum(span.text is None for span in told.spans) == missing


@pytest.mark.parametrize("case", [case for _, case in cases()], ids=lambda case: case["name"])
def test_lines_and_characters_agree_with_the_body(case: dict[str, Any]) -> None:
    kind = "html" if "html" in case else "plain"
    raw = f"From: a@b.example\nContent-Type: text/{kind}; charset=utf-8\n\n{case.get('html') or case['body']}".encode()
    mail = read_mail(raw, ASKED)
    assert mail.cleaning is not None
    lines = mail.body.split("\n")
    for span in mail.cleaning.spans:
        assert span.text == mail.body[span.start : span.end]
        assert span.text.removesuffix("\n") == "\n".join(lines[span.line - 1 : span.line - 1 + span.lines])
    assert sum(mail.cleaning.removed.values()) == sum(span.end - span.start for span in mail.cleaning.spans)


def test_mail_that_is_all_history_is_explained_too() -> None:
    message = parse_mail(b"From: a@b.example\n\n> uno\n> dos\n", ASKED)
    assert message.problem is not None and message.problem.reason == "empty"
    assert message.cleaning is not None and message.cleaning.removed == {"quoted": 12}


def test_the_pieces_are_redacted_with_the_text() -> None:
    tags = Tags(id="1", lang="es", role=None, status="tagged", heads={}, model="m", text="Sigue roto.", cleaning=cleaning_of(ASKED))
    redacted = redact_tags(tags).cleaning
    assert redacted is not None
    assert redacted.spans[0].text == "Un saludo\nAna Ruiz, [phone]\n"
    assert "[email]" in str(redacted.spans[1].text)
