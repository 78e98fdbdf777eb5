"""What an independent composer (the standard library's EmailMessage) writes is read back to the letter."""

from __future__ import annotations

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
CHARSETS = {
    "es": ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"),
    "el": ("utf-8", "iso-8859-7", "windows-1253"),
    "it": ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"),
}
CASES = [
    (lang, charset, encoding, policy)
    for lang, charsets in CHARSETS.items()
    for charset in charsets
    for encoding in ("quoted-printable", "base64", "8bit")
    for policy in (SMTP, SMTP.clone(linesep="\n"))
]


@pytest.mark.parametrize(("lang", "charset", "encoding", "policy"), CASES)
@pytest.mark.parametrize("shape", ["plain", "alternative", "html", "attachment"])
def test_round_trip(lang: str, charset: str, encoding: str, policy: EmailPolicy, shape: str) -> None:
    subject, name, text = TEXTS[lang]
    raw = compose(lang, charset, encoding, policy, shape)
    mail = read_mail(raw)
    assert mail.problem is None
    assert mail.text == text
    assert mail.subject == subject
    assert mail.sender == f"{name} <ana@correo.example>"
    assert mail.date == "2026-03-03T10:12:13+01:00"
    assert mail.attachments == (("factura ñ.pdf",) if shape == "attachment" else ())


def compose(lang: str, charset: str, encoding: str, policy: EmailPolicy, shape: str) -> bytes:
    subject, name, text = TEXTS[lang]
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
