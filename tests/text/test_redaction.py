"""Redaction: what bears a checksum by its checksum, what is named by its name; twice is as once; offsets still fit."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclamo.tags import Evidence, Tags
from reclamo.text.redaction import redact, redact_tags

# Numbers that the issuing bodies, standards and handbooks print as examples.
EXAMPLES = [
    ("email", "ana.gil+tienda@correo.example", None),
    ("email", "μαρία@ταχυδρομείο.example", None),
    ("iban", "ES9121000418450200051332", "ES9121000418450200051333"),
    ("iban", "ES91 2100 0418 4502 0005 1332", "ES92 2100 0418 4502 0005 1332"),
    ("iban", "GR16 0110 1250 0000 0001 2300 695", "GR16 0110 1250 0000 0001 2300 696"),
    ("iban", "IT60 X054 2811 1010 0000 0123 456", "IT61 X054 2811 1010 0000 0123 456"),
    ("iban", "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
    ("card", "4111 1111 1111 1111", "4111 1111 1111 1112"),
    ("card", "5555555555554444", "5555555555554445"),
    ("card", "3782-822463-10005", "3782-822463-10006"),
    ("nif", "12345678Z", "12345678A"),
    ("nif", "54.362.315-K", "54.362.315-Z"),
    ("nif", "J99216582", "J99216583"),
    ("nie", "X-2482300W", "X-2482300A"),
    ("codice_fiscale", "RCCMNL83S18D969H", "RCCMNL83S18D969I"),
    ("partita_iva", "00743110157", "00743110158"),
    ("partita_iva", "IT00743110157", "IT00743110158"),
    ("afm", "094259216", "094259217"),
    ("afm", "EL094259216", "EL094259217"),
    ("amka", "01013099997", "01013099999"),
    ("plate", "1234 BCD", "1234 ABE"),
    ("plate", "ΙΖΚ-1234", "ΩΔΣ-1234"),
    ("plate", "AB 123 CD", "AB 123 QU"),
    ("plate", "M-1234-XY", None),
    ("account", "2100 0418 45 0200051332", "2100 0418 46 0200051332"),
    ("phone", "612 34 56 78", "512 34 56 78"),
    ("phone", "91 123 45 67", "51 123 45 67"),
    ("phone", "+34 912.345.678", None),
    ("phone", "0034912345678", None),
    ("phone", "210 1234567", "110 1234567"),
    ("phone", "6912345678", None),
    ("phone", "+30 2310 123456", None),
    ("phone", "55 0133 9084", None),
    ("phone", "347 1234567", None),
    ("phone", "06 1234567", None),
    ("phone", "+39 06 12345678", None),
    ("phone", "(02) 1234-5678", None),
]


@pytest.mark.parametrize("kind, good, bad", EXAMPLES)
def test_known_numbers(kind: str, good: str, bad: str | None) -> None:
    before, after = ("", ")") if good.startswith("(") else ("(", ")")
    assert redact(f"Hola, {good}. Gracias").text.replace("([", "[") == f"Hola, [{kind}]. Gracias"
    assert redact(f"Ecco {before}{good}{after}, grazie").text.replace("([", "[").replace("])", "]") == f"Ecco [{kind}], grazie"
    if bad is not None:
        assert f"[{kind}]" not in redact(f"Hola, {bad}. Gracias").text


@pytest.mark.parametrize(
    "text, expected",
    [
        ("mi pedido nº 4471 y la factura F-2024/118", "mi pedido nº [order] y la factura [order]"),
        ("l'ordine n. 4471-22, spedizione 1Z999AA10123456784", "l'ordine n. [order], spedizione [order]"),
        ("η παραγγελία μου 12345 και #GR-9912", "η παραγγελία μου [order] και #[order]"),
        ("αριθμός λογαριασμού: 123456789012", "αριθμός λογαριασμού: [account]"),
        ("conto corrente n. 000123456", "conto corrente n. [account]"),
        ("Α.Φ.Μ. 123456789 (λάθος)", "Α.Φ.Μ. [afm] (λάθος)"),  # mistyped, yet named
        ("DNI: 12345678A, C.F. RCCMNL83S18D969I", "DNI: [nif], C.F. [codice_fiscale]"),
        ("partita IVA 12345678901", "partita IVA [partita_iva]"),
        ("ES91 2100 0418 4502 0005 1333", "[account]"),  # an account with a mistyped check digit is still an account
        ("tel. 91 123 45 67 / 612345678", "tel. [phone] / [phone]"),
        ("tel. 06 1234567 - 347 1234567", "tel. [phone] - [phone]"),
        ("Mi póliza es la 88-20415, matricola 0419873", "Mi póliza es la [order], matricola [order]"),
        ("escribe a <ana@correo.example>,luis@correo.example", "escribe a <[email]>,[email]"),
        ("ES91 2100 0418 4502 0005 1332 GRACIAS POR TODO", "[iban] GRACIAS POR TODO"),
    ],
)
def test_what_a_word_names(text: str, expected: str) -> None:
    assert redact(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Me cobraron 1.234,56 € el 12/03/2026 a las 10:30",
        "del 01/02/2026 al 03/04/2026, 2026-02-01 2026-04-03",
        "Costó 600.000.000 euros; antes € 650000000",
        "La compra de 150 euros, la factura de 2024",
        "Llevo 3 semanas, 2 días y 14 horas; calle Mayor 14, 28013 Madrid",
        "Consumo 2000 KWH, temperatura 36,6, versión 10.2.1, 100 %",
        "Περιμένω από τις 12.3.2026, 24 ώρες, 35,90 €",
        "Via Roma 12, 00184 Roma; taglia 42, modello X200",
        "@ana me dijo que sí #nunca",
        "",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert redact(text).text == text
    assert redact(text).spans == ()


PIECES = st.sampled_from(
    [good for _, good, _ in EXAMPLES]
    + [bad for *_, bad in EXAMPLES if bad]
    + [
        "pedido",
        "nº",
        "ΑΦΜ",
        "tel.",
        "cuenta",
        "conto",
        "targa",
        "12/03/2026",
        "4471",
        "15",
        "€",
        ",",
        ".",
        "-",
        "/",
        "+",
        "(",
        ")",
        "#",
        "@",
    ]
    + ["[phone]", "[account]", "[", "]", "Hola", "x", "A1", "\n", "  "]
)
TEXTS = st.lists(PIECES | st.text(alphabet="0123456789 .-/+AXΑ@[]", max_size=12), max_size=12).flatmap(
    lambda pieces: st.lists(st.sampled_from(["", " ", " "]), min_size=len(pieces), max_size=len(pieces)).map(
        lambda gaps: "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=True))
    )
)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_twice_is_as_once(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.data())
def test_offsets_map(text: str, data: st.DataObject) -> None:
    redacted = redact(text)
    inside = {place for start, end, _ in redacted.spans for place in range(start, end)}
    for place, character in enumerate(text):
        if place not in inside:
            start, end = redacted.map_span(place, place + 1)
            assert redacted.text[start:end] == character
    for start, end, kind in redacted.spans:
        new = redacted.map_span(start, end)
        assert redacted.text[slice(*new)] == f"[{kind}]"
        part = data.draw(st.integers(start, end - 1))
        assert redacted.map_span(part, part + 1) == new
    assert redacted.map_span(0, len(text)) == (0, len(redacted.text))


def test_evidence_counts_in_the_redacted_text() -> None:
    text = "Llámame al 612 34 56 78, llevo tres semanas"
    spans = [(11, 14), (15, 17), (25, 43)]
    evidence = [Evidence(start=a, end=b, weight=0.2) for a, b in spans]
    tags = Tags(id="a@b.example", lang="es", role=None, status="tagged", heads={}, model="m", text=text, evidence={"complaint": evidence})
    moved = redact_tags(tags)
    assert moved.text == "Llámame al [phone], llevo tres semanas"
    assert [(moved.text[e.start : e.end], e.weight) for e in moved.evidence["complaint"]] == [("[phone]", 0.4), ("llevo tres semanas", 0.2)]
    assert moved.id == tags.id


@pytest.mark.parametrize("unit", ["1", "1 ", "12 ", "a@", "a.", "ES12 ", "tel 4 ", "A1-", "612345678 ", "(", "pedido ", "-1"])
def test_time_grows_with_the_text_only(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = []
        for _ in range(3):
            start = time.process_time()
            redact(text)
            best.append(time.process_time() - start)
        return min(best)

    assert seconds(16_000) < 12 * seconds(4_000) + 0.02  # four times the text; quadratic time would be sixteen times


def test_no_digit_of_a_known_number_is_left_in_running_text() -> None:
    text = " y también ".join(good for _, good, _ in EXAMPLES)
    assert not re.search(r"[0-9]", redact(text).text)
