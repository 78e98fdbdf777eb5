"""Hostile mail: every row of what was measured on the standard parser, bounded in time and its value checked."""

from __future__ import annotations

import time

import pytest

from reclamo.mail import Limits, clean_body, parse_mail
from reclamo.message import Message

HEAD = b"From: Ana Ruiz <ana@correo.example>\r\nSubject: Prueba\r\nMessage-ID: <m1@correo.example>\r\n"
TEXT = "Hola, no funciona."
BODY = TEXT.encode() + b"\r\n"
MIB = 1024 * 1024
PATIENT = Limits(seconds=600)  # these tests count processor time; a busy machine must not fail them


def mail(*headers: bytes, body: bytes = BODY) -> bytes:
    return HEAD + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def parts_of(number: int) -> bytes:
    return mail(b"Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n\r\nuno\r\n" * number + b"--b--\r\n")


def nested(depth: int) -> bytes:
    blocks = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD + blocks + b"\r\n" + BODY


def reason(message: Message) -> str | None:
    return message.problem.reason if message.problem else None


READ = {
    "open parentheses in To": mail(b"To: " + b"(" * 1000),
    "open quote in To": mail(b'To: "'),
    "open parentheses in From": b"From: " + b"(" * 1000 + b"\r\n\r\n" + BODY,
    "open quote in From": b'From: "\r\n\r\n' + BODY,
    "unknown charset": mail(b"Content-Type: text/plain; charset=quenya"),
    "empty charset": mail(b"Content-Type: text/plain; charset="),
    "misspelt charset": mail(b'Content-Type: text/plain; charset="utf-8'),
    "charset idna": mail(b"Content-Type: text/plain; charset=idna"),
    "charset undefined": mail(b"Content-Type: text/plain; charset=undefined"),
    "charset NUL": mail(b"Content-Type: text/plain; charset=\x00"),
    "1,000 parameters": mail(b"Content-Type: text/plain" + b"".join(b"; a%d=b" % i for i in range(1000))),
    "a multipart without a boundary": mail(b"Content-Type: multipart/mixed"),
    "a multipart whose boundary never comes": mail(b"Content-Type: multipart/mixed; boundary=nunca"),
    "a multipart that names no boundary but has one": mail(b"Content-Type: multipart/mixed", body=b"--q\r\n\r\n" + BODY + b"--q--\r\n"),
    "a content type of noise": mail(b"Content-Type: ;;;===///"),
    "an unknown transfer encoding": mail(b"Content-Transfer-Encoding: rot13"),
    "a header line without a colon": mail(b"this is no header", b"Content-Type: text/plain; charset=utf-8"),
    "40,000 headers": mail(b"\r\n".join([b"X: y"] * 40_000)),
    "encoded words up to the limit of a header": b"Subject: " + b"=?utf-8?q?a?= " * 1160 + b"\r\n\r\n" + BODY,
    "encoded words that never end": b"Subject: " + b"=?utf-8?b?" * 1600 + b"\r\n\r\n" + BODY,
    "open parentheses and quotes in every header": b"\r\n".join(name + b': (("<' * 500 for name in (b"From", b"Subject", b"References"))
    + b"\r\n\r\n"
    + BODY,
    "a date of noise": mail(b"Date: 99999999999999999999"),
}


@pytest.mark.parametrize("raw", READ.values(), ids=READ.keys())
def test_what_can_be_read_is_read(raw: bytes) -> None:
    start = time.thread_time()
    message = parse_mail(raw, PATIENT)
    assert time.thread_time() - start < 1
    assert (message.problem, message.text) == (None, TEXT)


REFUSED = {
    "8,000 parameters": (mail(b"Content-Type: text/plain" + b"".join(b"; a%d=b" % i for i in range(8000))), "over_limit"),
    "a subject of 200,000 words": (b"Subject: " + b"a " * 200_000 + b"\r\n\r\n" + BODY, "over_limit"),
    "20,000 parts": (parts_of(20_000), "over_limit"),
    "a boundary of 1 MB": (mail(b"Content-Type: multipart/mixed; boundary=" + b"b" * MIB), "over_limit"),
    "20 MB of boundary letters": (
        mail(b"Content-Type: multipart/mixed; boundary=" + b"-" * 900, body=b"-" * 20 * MIB),
        "over_limit",
    ),
    "900 levels": (nested(900), "over_limit"),
    "3,000 levels": (nested(3000), "over_limit"),
    "an image": (mail(b"Content-Type: image/png", body=b"\x89PNG\r\n"), "not_text"),
    "winmail.dat": (mail(b'Content-Type: application/ms-tnef; name="winmail.dat"', body=b"\x78\x9f"), "not_text"),
    "S/MIME": (mail(b"Content-Type: application/pkcs7-mime", body=b"MIA="), "not_text"),
    "binary that says it is text": (mail(body=bytes(range(256)) * 40), "not_text"),
    "nothing": (b"", "broken"),
    "NULs": (b"\x00" * 1000, "broken"),
    "no header": (b"hola que tal", "broken"),
    "headers alone": (HEAD, "empty"),
    "20 MB of base64 padding": (mail(b"Content-Transfer-Encoding: base64", body=b"=A" * 10 * MIB), "over_limit"),
}


@pytest.mark.parametrize(("raw", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_says_why(raw: bytes, expected: str) -> None:
    start = time.thread_time()
    message = parse_mail(raw, PATIENT)
    assert time.thread_time() - start < 2
    assert reason(message) == expected
    assert message.text == "" and message.problem is not None and message.problem.detail


def test_smuggling_charsets_are_not_decoded() -> None:
    for charset in (b"utf-7", b"unicode_escape", b"raw_unicode_escape", b"punycode", b"rot13", b"base64"):
        assert parse_mail(mail(b"Content-Type: text/plain; charset=" + charset, body=b"+AGE- \\u0041 N")).text == "+AGE- \\u0041 N"


HTML = {
    "24 KB of <a": b"<a " * 8000,
    "200,000 open div": b"<div>" * 200_000 + b"x",
    "20,000 open div": b"<div>" * 19_000 + b"x",
    "400,000 attributes": b"<div " + b" ".join(b"x%d=1" % i for i in range(200_000)) + b">x",
    "open formatting before paragraphs": b"".join(b"<b id=%d>" % i for i in range(10_000)) + b"<p>x" * 9000,
    "open links before paragraphs": b"".join(b"<a id=%d>" % i for i in range(10_000)) + b"<p>x" * 9000,
    "open tables": b"<table>" * 19_000 + b"x",
    "open quotes": b'<a "' * 100_000 + b"x",
    "open comments": b"<!--" * 100_000 + b"x",
    "open styles": b"<style><!--" * 50_000 + b"x",
    "entities": b"&amp" * 100_000 + b"x",
}


@pytest.mark.parametrize("source", HTML.values(), ids=HTML.keys())
def test_hostile_html_is_linear(source: bytes) -> None:
    start = time.thread_time()
    message = parse_mail(mail(b"Content-Type: text/html", body=source + b"<p>fin"), PATIENT)
    assert time.thread_time() - start < 2.5
    assert message.problem is None and message.text.endswith("fin")


LINES = {
    "one line": "a" * 200_000,
    "one quoted line": ">" * 200_000,
    "one line of on": "On " * 60_000 + "wrote:",
    "one line of labels": "De: " * 50_000,
    "blank lines": "a" + "\n" * 200_000 + "b",
    "introductions": "On 10:10 a@b wrote\n" * 10_000,
    "introductions with quotations": "On 10:10 a@b wrote:\n\n> x\ny\n" * 8_000,
    "separators": "-----Original Message-----\n" * 8_000,
    "forwards": "---------- Forwarded message ---------\nx\n" * 5_000,
    "senders": "From: x\n" * 25_000,
    "header blocks": "From: a@b\nTo: c\nSubject: d\n" * 7_000,
    "rules": "________________________________\n" * 6_000,
    "bare dashes": "--\n" * 60_000,
    "closings": "Un saludo\n\n" * 18_000,
    "footers": "Unsubscribe\n\n" * 15_000,
    "devices": ("Enviado desde " + "outlook " * 10 + "\n") * 2_000,
    "disclaimers": "x\n\n" + "Este mensaje es confidencial\n" * 7_000,
    "marks": "a" + "\u0301\u0316" * 100_000,
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES.keys())
def test_hostile_lines_are_linear(text: str) -> None:
    """Ten times the text may take thirty times the processor time and a little, not a hundred times; up to three tries, for noise."""
    most = min(2, 30 * min(_seconds(text[: len(text) // 10]) for _ in range(3)) + 0.3)
    assert any(_seconds(text) < most for _ in range(3))


def _seconds(text: str) -> float:
    start = time.thread_time()
    clean_body(text, PATIENT)
    return time.thread_time() - start


CAPITALS = {
    "introduction": "ΣΤΙΣ 3/3/26 10:12, Ο ΧΡΗΣΤΗΣ ΗΛΕΚΤΡΟΝ <A@B.EXAMPLE> ΕΓΡΑΨΕ:\nΚΑΛΗΜΕΡΑ",
    "header block": "ΑΠΟ: ΗΛΕΚΤΡΟΝ <A@B.EXAMPLE>\nΕΣΤΑΛΗ: ΤΡΙΤΗ 3 ΜΑΡΤΙΟΥ\nΠΡΟΣ: ΑΝΝΑ\nΚΟΙΝΟΠΟΙΗΣΗ: ΝΙΚΟΣ\nΘΕΜΑ: ΑΠ: Χ\n\nΚΑΛΗΜΕΡΑ",
    "header block of a portal": "ΑΠΟΣΤΟΛΕΑΣ: A@B.EXAMPLE\nΠΑΡΑΛΗΠΤΗΣ: ΑΝΝΑ\nΗΜΕΡΟΜΗΝΙΑ: 3/3\nΘΕΜΑ: Χ\n\nΚΑΛΗΜΕΡΑ",
    "device": "ΣΤΑΛΘΗΚΕ ΑΠΟ ΤΟ IPHONE ΜΟΥ",
    "closing": "ΜΕ ΕΚΤΙΜΗΣΗ\nΑΝΝΑ",
    "disclaimer": "ΤΟ ΠΑΡΟΝ ΜΗΝΥΜΑ ΕΙΝΑΙ ΕΜΠΙΣΤΕΥΤΙΚΟ ΚΑΙ ΑΠΟΡΡΗΤΟ ΓΙΑ ΟΠΟΙΟΝ ΔΕΝ ΕΙΝΑΙ ΠΑΡΑΛΗΠΤΗΣ.",
    "spanish": "DE: LUZ <A@B.EXAMPLE>\nENVIADO EL: MARTES\nPARA: ANA\nASUNTO: X\n\nHOLA",
    "italian": "IL GIORNO 3 MAR 2026 ALLE ORE 10:12 LUCE <A@B.EXAMPLE> HA SCRITTO:\nSALVE",
}


@pytest.mark.parametrize("tail", CAPITALS.values(), ids=CAPITALS.keys())
def test_markers_in_capitals_without_accents(tail: str) -> None:
    assert clean_body(f"ΑΚΟΜΗ ΠΕΡΙΜΕΝΩ\n\n{tail}\n").text == "ΑΚΟΜΗ ΠΕΡΙΜΕΝΩ"


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\ufeff", "\u2060"])
def test_markers_with_invisible_characters_and_loose_accents(mark: str) -> None:
    assert clean_body(f"Sigue.\n\nEl\u00a03/3/26 a{mark} las 10:12, Luz <a@b.example> escri{mark}bio\u0301:\nHola").text == "Sigue."
    assert clean_body(f"Μένει.\n\nΑ{mark}πο\u0301: Χ <a@b.example>\nΠρος: Ψ\nΘε\u0301μα: Ω\n\nΓεια").text == "Μένει."


def at_and_past(limits: Limits, at: bytes, past: bytes) -> None:
    good, bad = parse_mail(at, limits), parse_mail(past, limits)
    assert good.problem is None and good.text
    assert reason(bad) == "over_limit" and bad.text == ""


def test_message_size_at_the_limit_and_one_past() -> None:
    raw = mail()
    at_and_past(Limits(message_bytes=len(raw)), raw, raw + b"x")
    assert parse_mail(raw + b"x", Limits(message_bytes=len(raw))).id == "m1@correo.example"


def test_header_block_at_the_limit_and_one_past() -> None:
    block = Limits().header_block_bytes
    room = block - len(HEAD) - len(b"X: ")
    at_and_past(Limits(), mail(b"X: " + b"y" * room), mail(b"X: " + b"y" * (room + 1)))


def test_header_at_the_limit_and_one_past() -> None:
    at = Limits().header_bytes
    at_and_past(Limits(), b"Subject: " + b"y" * at + b"\r\n\r\nHola", b"Subject: " + b"y" * (at + 1) + b"\r\n\r\nHola")


def test_a_long_header_that_is_not_read_does_no_harm() -> None:
    assert parse_mail(mail(b"To: " + b"a@b.example, " * 5000)).text == TEXT


def test_depth_at_the_limit_and_one_past() -> None:
    at_and_past(Limits(), nested(32), nested(33))


def test_parts_at_the_limit_and_one_past() -> None:
    at_and_past(Limits(), parts_of(999), parts_of(1000))  # the multipart itself counts


def test_text_at_the_limit_and_one_past() -> None:
    at_and_past(Limits(text_chars=1000), mail(body=b"ab\n" * 333 + b"c"), mail(body=b"ab\n" * 333 + b"cd"))


def test_the_default_text_limit_is_read_in_time() -> None:
    message = parse_mail(mail(body=b"dos\n" * (MIB // 4)), Limits(seconds=60))
    assert message.problem is None and len(message.text) == MIB - 1


def test_deadline() -> None:
    message = parse_mail(mail(), Limits(seconds=-1))
    assert reason(message) == "over_limit"
    assert parse_mail(mail(), Limits(seconds=5)).problem is None


def test_an_unforeseen_error_becomes_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("reclamo.mail.parse.read_body", fail)
    message = parse_mail(mail())
    assert (message.id, reason(message)) == ("m1@correo.example", "broken")
