"""Headers: encoded words, parameters, senders, ids, dates; each within bounds."""

from __future__ import annotations

import time
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclamo.mail.headers import decode_base64, decode_header, parse_date, parse_headers, parse_message_ids, parse_parameters, parse_sender
from reclamo.mail.limits import Limits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Hola", "Hola"),
        ("=?utf-8?B?zqDOsc+BzqzPgM6/zr3Ov8+C?=", "Παράπονος"),
        ("=?iso-8859-7?Q?=D0=E1=F1=DC?=", "Παρά"),
        ("=?utf-8?q?una_queja?=", "una queja"),
        ("=?utf-8?Q?a=C3?= =?utf-8?Q?=B1o?=", "año"),
        ("=?utf-8?Q?uno?=\t=?iso-8859-1?Q?a=F1o?=", "unoaño"),
        ("=?utf-8?Q?uno?= y =?utf-8?Q?dos?=", "uno y dos"),
        ("Re: =?utf-8?Q?raz=C3=B3n?= [12]", "Re: razón [12]"),
        ("=?utf-8?Q?con espacio?=", "con espacio"),
        ("=?utf-8*es?Q?a=C3=B1o?=", "año"),
        ("=?quenya?Q?a=F1o?=", "año"),
        ("=?utf-7?Q?+AGE-?=", "+AGE-"),
        ("=?utf-8?B?####?=", ""),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?Q?abierto", "=?utf-8?Q?abierto"),
        ("a\udcf1o", "año"),
        ("", ""),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decode_header(value) == text


@given(
    st.text(alphabet="abcñáéüçàèìΑΒάήώ ¿?=_-.", min_size=1, max_size=80).map(lambda t: " ".join(t.split())),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_what_the_standard_library_encodes_is_decoded(text: str, charset: str) -> None:
    encoded = Header(text, "utf-8" if charset == "utf-16" else charset, maxlinelen=40).encode(linesep="\r\n")
    headers = parse_headers(b"Subject: " + encoded.encode() + b"\r\n\r\n", Limits())
    assert "".join(headers.text("subject").split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ('text/plain; charset="utf-8"', "text/plain", {"charset": "utf-8"}),
        ("TEXT/Html;Charset=UTF-8 ; format=flowed", "text/html", {"charset": "UTF-8", "format": "flowed"}),
        ('multipart/mixed; boundary="a\\"b;c"', "multipart/mixed", {"boundary": 'a"b;c'}),
        ("application/pdf; name*=utf-8''factura%20%C3%B1.pdf", "application/pdf", {"name": "factura ñ.pdf"}),
        ("a/b; name*0*=iso-8859-1''a%F1; name*1=o.txt", "a/b", {"name": "año.txt"}),
        ("multipart/mixed; boundary*1=dos; boundary*0=uno", "multipart/mixed", {"boundary": "unodos"}),
        ("text/plain; charset", "text/plain", {}),
        ("", "", {}),
    ],
)
def test_parameters(value: str, kind: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(value) == (kind, parameters)


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        ('"Ana Ruiz" <ana@correo.example>', ("Ana Ruiz", "ana@correo.example")),
        ("ana@correo.example", ("", "ana@correo.example")),
        ("Ruiz, Ana <ana@correo.example>", ("Ruiz, Ana", "ana@correo.example")),
        ("ana@correo.example (Ana)", ("", "ana@correo.example")),
        ('"Ana \\"la de Soria\\"" <ana@correo.example>', ('Ana "la de Soria"', "ana@correo.example")),
        ("Ana", ("Ana", "")),
        ("((((", ("((((", "")),
        ('"', ("", "")),
        ("", ("", "")),
    ],
)
def test_sender(value: str, sender: tuple[str, str]) -> None:
    assert parse_sender(value) == sender


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@b>", ("a@b",)),
        ("<a@b>\t<c@d>", ("a@b", "c@d")),
        ("a@b", ("a@b",)),
        ("no id here", ()),
        ("", ()),
        (" ".join(f"<{n}@x>" for n in range(300)), ("0@x", *(f"{n}@x" for n in range(201, 300)))),
    ],
)
def test_message_ids(value: str, ids: tuple[str, ...]) -> None:
    assert parse_message_ids(value) == ids


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("Tue, 3 Mar 2026 10:12:13 +0200", "2026-03-03T10:12:13+02:00"),
        ("3 Mar 2026 10:12 GMT", "2026-03-03T10:12:00+00:00"),
        ("Tue, 03 Mar 2026 10:12:13 -0000", "2026-03-03T10:12:13+00:00"),
        ("Tue, 3 Mar 2026 10:12:13 +9999", None),
        ("Tue, 32 Mar 2026 10:12:13 +0000", None),
        ("mañana", None),
        ("", None),
    ],
)
def test_date(value: str, date: str | None) -> None:
    assert parse_date(value) == date


@pytest.mark.parametrize(
    ("data", "decoded"),
    [
        (b"SG9s\r\nYQ==", b"Hola"),
        (b"SG9sYQ", b"Hola"),
        (b"SG9sYQ==SG9sYQ==", b"HolaHola"),
        (b"S-G9s!YQ", b"Hola"),
        (b"S", b""),
        (b"====", b""),
    ],
)
def test_base64_is_lenient(data: bytes, decoded: bytes) -> None:
    assert decode_base64(data) == decoded


@pytest.mark.parametrize(
    "value", ["=?a?q?" * 2500, "=?" * 8000, "=?utf-8?q?" + "?" * 16000, '; a="' + "\\" * 16000, "; a*" * 4000, "<" * 16000, "a@" * 8000]
)
def test_hostile_values_are_linear(value: str) -> None:
    start = time.process_time()
    decode_header(value)
    parse_parameters(value)
    parse_message_ids(value)
    parse_sender(value)
    assert time.process_time() - start < 0.3
