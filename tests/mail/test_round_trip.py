"""What an independent composer (the standard library's EmailMessage) writes is read back to the letter."""

from __future__ import annotations

import unicodedata
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy

import pytest

from reclamo.mail import read_mail

TEXTS = {
    "es": (
        "¿Dónde está mi pedido? Llevo 3 semanas esperando",
        "Ñoño Agüero",
        "Señores: la lavadora llegó rota.\n\n¿Qué hago? Así no: ¡qué vergüenza!",
    ),
    "el": (
        "Πού είναι η παραγγελία μου; Περιμένω τρεις εβδομάδες",
        "Άννα Μπούρα",
        "Κύριοι, το πλυντήριο ήρθε σπασμένο.\n\nΤι κάνω; Έτσι όχι: ΝΤΡΟΠΗ, ϊ ΰ Ώ!",
    ),
    "it": (
        "Dov'è il mio ordine? Aspetto già da tre settimane",
        "Niccolò Però",
        "Signori, la lavatrice è arrivata rotta.\n\nChe faccio? Così no: è una vergogna, perciò più!",
    ),
}
GREEKLISH = ("Pou einai i paraggelia mou?", "Anna Mpoura", "Kyrioi, to plyntirio irthe spasmeno.\n\nTi kano? Etsi oxi!")
CHARSETS = ("utf-8", "iso-8859-1", "iso-8859-7", "iso-8859-15", "windows-1252", "windows-1253")
CASES = [
    (lang, charset, encoding, policy)
    for lang in TEXTS
    for charset in CHARSETS
    for encoding in ("quoted-printable", "base64", "8bit")
    for policy in (SMTP, SMTP.clone(linesep="\n"))
]


@pytest.mark.parametrize(("lang", "charset", "encoding", "policy"), CASES)
@pytest.mark.parametrize("shape", ["plain", "alternative", "html", "attachment"])
def test_round_trip(lang: str, charset: str, encoding: str, policy: EmailPolicy, shape: str) -> None:
    subject, name, text = texts_in(lang, charset)
    raw = compose(lang, charset, encoding, policy, shape)
    mail = read_mail(raw)
    assert mail.problem is None
    assert mail.text == text
    assert mail.subject == subject
    assert mail.sender == f"{name} <ana@correo.example>"
    assert mail.date == "2026-03-03T10:12:13+01:00"
    assert mail.attachments == (("factura ñ.pdf",) if shape == "attachment" else ())


def texts_in(lang: str, charset: str) -> tuple[str, str, str]:
    """Give the texts as a writer confined to the charset types them: without accents or in Latin letters, with € where there is one."""
    texts = TEXTS[lang]
    try:
        "".join(texts).encode(charset)
    except UnicodeEncodeError:
        texts = GREEKLISH if lang == "el" else tuple(plain(text) for text in texts)  # type: ignore[assignment]
    return (*texts[:2], texts[2] + ("" if charset == "iso-8859-1" else "\n\n35,90 €"))


def plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isascii())


def compose(lang: str, charset: str, encoding: str, policy: EmailPolicy, shape: str) -> bytes:
    subject, name, text = texts_in(lang, charset)
    message = EmailMessage(policy=policy)
    message["Subject"] = subject
    message["From"] = f'"{name}" <ana@correo.example>'
    message["Date"] = "Tue, 03 Mar 2026 10:12:13 +0100"
    html = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    if shape == "html":
        message.set_content(html, subtype="html", charset=charset, cte=encoding)
    else:
        message.set_content(text, charset=charset, cte=encoding)
    if shape == "alternative":
        message.add_alternative("<p>otra cosa</p>", subtype="html", charset=charset, cte=encoding)
    if shape == "attachment":
        message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="factura ñ.pdf")
    return message.as_bytes()
