"""Bytes to text: the allow-list and the chain of fall-backs."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclamo.mail.charsets import CHARSETS, decode_bytes, find_codec


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (' "ISO-8859-7" ', "iso8859_7"),
        ("iso_8859_7", "iso8859_7"),
        ("ELOT_928", "iso8859_7"),
        ("Windows-1253", "cp1253"),
        ("cp1253", "cp1253"),
        ("iso-8859-1", "cp1252"),
        ("latin1", "cp1252"),
        ("iso-8859-15", "iso8859_15"),
        ("utf-7", None),
        ("unicode_escape", None),
        ("idna", None),
        ("undefined", None),
        ("rot13", None),
        ("\x00", None),
        ("", None),
        (None, None),
    ],
)
def test_allow_list(name: str | None, codec: str | None) -> None:
    assert find_codec(name) == codec


def test_every_codec_on_the_list_exists_and_decodes_text() -> None:
    for codec in set(CHARSETS.values()):
        assert codecs.lookup(codec)._is_text_encoding


@pytest.mark.parametrize(
    ("text", "written", "declared"),
    [
        ("Καλημέρα, δεν λειτουργεί", "cp1253", None),
        ("Καλημέρα, δεν λειτουργεί", "cp1253", "iso-8859-1"),
        ("Καλημέρα, δεν λειτουργεί", "cp1253", "us-ascii"),
        ("Καλημέρα, δεν λειτουργεί", "utf-8", "iso-8859-7"),
        ("Άργησε πολύ", "iso8859_7", None),
        ("Άργησε πολύ", "cp1253", None),
        ("«Άργησε» – ξανά", "cp1253", "iso-8859-7"),
        ("Άργησε πολύ η χρέωση, λέει η Άννα. Άλλη φορά όχι.\nΆΡΓΗΣΕ", "cp1253", "iso-8859-7"),
        ("Άργησε πολύ, λέει η Άννα. Άλλη φορά όχι.\n(Άδικα)", "iso8859_7", "windows-1253"),
        ("Άργησε – χρέωση 30 €", "cp1253", "iso-8859-7"),
        ("Θα ’ναι αύριο, να ’ρθει, που ’χουν; Απ’ όλα τίποτα, σ’ αφήνουν", "iso8859_7", "iso-8859-7"),
        ("Απ’ όλα τίποτα, 30 € χρέωση", "iso8859_7", "windows-1253"),
        ("Απ’ όλα τίποτα, 30 € χρέωση", "iso8859_7", None),
        ("Χρέωση 30 €, ‘δήθεν’ δωρεάν", "iso8859_7", "iso-8859-7"),
        ("Χρέωση 30 €, ’δήθεν’ δωρεάν", "iso8859_7", "iso-8859-7"),
        ("Χρέωση 30 €, “δήθεν” δωρεάν ¶ 3", "cp1253", "windows-1253"),
        ("Samsung Galaxy 12345, order NR 77: δεν ήρθε", "cp1253", None),
        ("Señor, mañana llegó", "cp1252", None),
        ("Señor, mañana llegó", "cp1252", "utf-8"),
        ("Señor, mañana llegó", "utf-8", "iso-8859-1"),
        ("año", "latin-1", "no-such-charset"),
        ("È già là", "latin-1", None),
        ("perché è così?", "latin-1", ""),
        ("Costa 30 € più", "cp1252", "iso-8859-1"),
        ("Costa 30 € più", "iso8859_15", "iso-8859-15"),
        ("Precio: 5 €", "utf-8", None),
        ("Ja, schön", "utf-16-le", "utf-16le"),
        ("Καλημέρα", "utf-16", "us-ascii"),
        ("Zażółć", "cp1250", "windows-1250"),
        ("Привет", "koi8-r", "koi8-r"),
    ],
)
def test_text_survives_what_is_declared(text: str, written: str, declared: str | None) -> None:
    assert decode_bytes(text.encode(written), declared)[0] == text


def test_both_greek_charsets_in_one_text() -> None:
    data = "Άργησε πολύ, λέει η ".encode("iso8859_7") + "Άννα – 30 €".encode("cp1253") + " και 5 €".encode("iso8859_7")
    for declared in ("iso-8859-7", "windows-1253", None):
        assert decode_bytes(data, declared)[0] == "Άργησε πολύ, λέει η Άννα – 30 € και 5 €"


@pytest.mark.parametrize("word", ["Άρθρο", "Άλλος", "Άμεσα", "Άνω", "Άχρηστο", "Άρης", "Άννα", "Άδεια", "Άτομα", "Άκυρο", "ΆΚΥΡΟ"])
@pytest.mark.parametrize("before", ["", "το ", "στο ", "που ", "(", "«", "και\n"])
def test_a_capital_alpha_of_the_other_greek_charset(before: str, word: str) -> None:
    text = f"{before}{word} τριάντα ευρώ"
    for written, declared in (("cp1253", "iso-8859-7"), ("iso8859_7", "windows-1253")):
        assert decode_bytes(text.encode(written), declared)[0] == text


def test_utf8_with_one_broken_byte_stays_utf8() -> None:
    data = "Καλημέρα σας, δεν λειτουργεί".encode()
    text, codec = decode_bytes(data[:-1], "utf-8")
    assert codec == "utf-8" and text == "Καλημέρα σας, δεν λειτουργε\ufffd"


@given(st.binary(max_size=200), st.one_of(st.none(), st.sampled_from(sorted(CHARSETS)), st.text(max_size=12)))
def test_any_bytes_decode(data: bytes, declared: str | None) -> None:
    text, codec = decode_bytes(data, declared)
    assert isinstance(text, str) and codecs.lookup(codec)
