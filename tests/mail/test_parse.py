"""A whole message: its fields, its body, and which mail is automatic."""

from __future__ import annotations

import base64
import re
from email.message import EmailMessage

import pytest

from reclamo.mail import parse_mail, read_mail
from reclamo.mail.appended import split_appended
from reclamo.mail.flowed import unflow
from reclamo.mail.limits import Limits

HEAD = b"From: Ana <ana@correo.example>\r\nSubject: Prueba\r\n"


def test_the_fields_of_a_reply() -> None:
    mail = read_mail(
        b"From: Ana <ana@correo.example>\nSubject: =?utf-8?Q?Re:_raz=C3=B3n?=\nDate: Tue, 3 Mar 2026 10:12:13 +0100\n"
        b"Message-ID: <3@x>\nIn-Reply-To: <2@x>\nReferences: <1@x>\n <2@x>\n\n"
        b"No va.\n\nEl 3/3/26 a las 10:00, Luz escribi\xc3\xb3:\n> Diga\n"
    )
    assert (mail.subject, mail.sender, mail.date) == ("Re: razón", "Ana <ana@correo.example>", "2026-03-03T10:12:13+01:00")
    assert (mail.message_id, mail.in_reply_to, mail.references, mail.thread) == ("3@x", "2@x", ("1@x", "2@x"), "1@x")
    assert mail.text == "No va." and mail.problem is None
    assert [(r.kind, mail.body[r.start : r.end]) for r in mail.removed] == [
        ("introduction", "El 3/3/26 a las 10:00, Luz escribió:\n"),
        ("quoted", "> Diga\n"),
    ]
    message = mail.to_message("m")
    assert (message.id, message.thread, message.text) == ("m", "1@x", "No va.")


def test_the_id_falls_back_to_a_hash_of_the_bytes() -> None:
    first, again, other = (parse_mail(HEAD + b"\r\n" + body) for body in (b"uno", b"uno", b"dos"))
    assert first.id == again.id != other.id and len(first.id) == 24
    assert parse_mail(HEAD + b"\r\nuno", id="x").id == "x"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (b"Auto-Submitted: auto-replied", "out_of_office"),
        (b"Auto-Submitted: auto-generated", "generated"),
        (b"Auto-Submitted: no", None),
        (b"X-Autoreply: yes", "out_of_office"),
        (b"X-Failed-Recipients: x@y.example", "bounce"),
        (b"List-Unsubscribe: <https://x.example/u>", "newsletter"),
        (b"List-Unsubscribe: <https://x.example/u>\r\nList-Post: <mailto:l@x.example>", None),
        (b"Precedence: bulk", "newsletter"),
        (b"Precedence: list", None),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=b", "bounce"),
        (b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "receipt"),
        (b"X-Mailer: Outlook", None),
    ],
)
def test_automatic_mail(headers: bytes, kind: str | None) -> None:
    raw = HEAD + headers + b"\r\n\r\nEstoy fuera.\r\n"
    assert read_mail(raw).automatic == kind
    message = parse_mail(raw)
    assert (message.problem.reason if message.problem else None) == ("automatic" if kind else None)
    assert parse_mail(raw, include_automatic=True).text == "Estoy fuera."


@pytest.mark.parametrize(
    ("subject", "automatic"),
    [
        ("Respuesta automática: Prueba", True),
        ("Αυτόματη απάντηση: Συμβόλαιο", True),
        ("Risposta automatica: prova", True),
        ("Automatic reply: test", True),
        ("Re: Respuesta automática: Prueba", False),
        ("Su respuesta automática me parece una vergüenza", False),
    ],
)
def test_automatic_by_subject(subject: str, automatic: bool) -> None:
    raw = b"From: a@b.example\nSubject: " + subject.encode() + b"\n\nHola\n"
    assert (read_mail(raw).automatic is not None) == automatic


def test_mailer_daemon_is_a_bounce() -> None:
    assert read_mail(b"From: Mail Delivery System <MAILER-DAEMON@mx.example>\n\nNo\n").automatic == "bounce"


def parts(kind: str, *leaves: tuple[str, str]) -> bytes:
    body = "".join(f"--b\r\n{header}\r\n\r\n{text}\r\n" for header, text in leaves)
    return HEAD + f"Content-Type: {kind}; boundary=b\r\n\r\npreamble\r\n{body}--b--\r\nepilogue\r\n".encode()


PLAIN, HTML = "Content-Type: text/plain; charset=utf-8", "Content-Type: text/html; charset=utf-8"

NOTICE = "Este mensaje está en formato HTML y su programa de correo no puede mostrarlo."
LETTER = "Llevo tres semanas esperando la devolución de la lavadora que recogieron el día cuatro."
BOTH = "Su web en HTML no abre."
TWO = "Sigue sin llegar.\nEnviado por la lista de vecinos"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (parts("multipart/alternative", (PLAIN, "llano"), (HTML, "<p>rico</p>")), "llano"),
        (parts("multipart/alternative", (HTML, "<p>rico</p>"), (PLAIN, "llano")), "llano"),
        (parts("multipart/alternative", (PLAIN, " "), (HTML, "<p>rico</p>")), "rico"),
        (parts("multipart/mixed", (PLAIN, "uno"), ("Content-Type: image/png", "x"), (PLAIN, "dos")), "uno\ndos"),
        (parts("multipart/mixed", (PLAIN, "uno"), (PLAIN + "\r\nContent-Disposition: attachment; filename=a.txt", "dos")), "uno"),
        (parts("multipart/mixed", (PLAIN, "uno"), ('Content-Type: text/plain; name="a.txt"', "dos")), "uno"),
        (parts("multipart/mixed", (PLAIN, "uno"), ("Content-Type: message/rfc822", "Subject: x\r\n\r\ndos")), "uno"),
        (parts("multipart/related", (HTML, "<p>rico</p>"), (PLAIN, "dos")), "rico"),
        (parts("multipart/signed", (PLAIN, "firmado"), ("Content-Type: application/pgp-signature", "x")), "firmado"),
        (HEAD + b"\r\n<html><body><p>sin tipo</p></body></html>", "sin tipo"),
        (HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\nuna \r\nlinea\r\n", "una linea"),
        (HEAD.replace(b"\r\n", b"\r") + b"\rcon CR\r", "con CR"),
        (parts("multipart/mixed", (PLAIN, "Sigue sin llegar."), (HTML, "<p>Sigue  <b>sin</b> llegar.</p>")), "Sigue sin llegar."),
        (parts("multipart/mixed", (PLAIN, "Sigue sin llegar."), (HTML, "<p>Enviado por la lista de vecinos</p>")), TWO),
        (parts("multipart/alternative", (PLAIN, NOTICE), (HTML, f"<p>{LETTER}</p>")), LETTER),
        (parts("multipart/alternative", (PLAIN, BOTH), (HTML, f"<p>{BOTH}</p>")), BOTH),
        (parts("multipart/alternative", (PLAIN, "No abre con mi navegador."), (PLAIN, "otro")), "No abre con mi navegador."),
    ],
)
def test_which_part_is_read(raw: bytes, text: str) -> None:
    assert read_mail(raw).text == text


INLINE = "\r\nContent-Disposition: inline; filename="
ATTACHED = "\r\nContent-Disposition: attachment; filename="


@pytest.mark.parametrize(
    ("raw", "text", "attachments"),
    [
        (parts("multipart/mixed", (PLAIN + INLINE + "mensaje.txt", "uno")), "uno", ()),
        (parts("multipart/mixed", ('Content-Type: text/plain; name="mensaje.txt"', "uno")), "uno", ()),
        (parts("multipart/mixed", (HTML + INLINE + "form.htm", "<p>uno</p>"), ("Content-Type: image/png", "x")), "uno", ("image/png",)),
        (
            parts("multipart/mixed", ("Content-Type: image/png" + INLINE + "a.png", "x"), (PLAIN + INLINE + "b.txt", "uno")),
            "uno",
            ("a.png",),
        ),
        (parts("multipart/mixed", (PLAIN + INLINE + "mensaje.txt", "uno"), (PLAIN, "dos")), "uno\ndos", ()),
        (parts("multipart/mixed", (PLAIN, "uno"), (PLAIN + INLINE + "registro.txt", "dos")), "uno", ("registro.txt",)),
        (parts("multipart/mixed", (PLAIN + INLINE + "a.txt", "uno"), (PLAIN + INLINE + "b.txt", "dos")), "uno", ("b.txt",)),
        (parts("multipart/mixed", (PLAIN + ATTACHED + "a.txt", "uno"), (PLAIN + INLINE + "b.txt", "dos")), "dos", ("a.txt",)),
        (parts("multipart/mixed", (PLAIN + ATTACHED + "a.txt", "uno")), "", ("a.txt",)),
        (parts("multipart/alternative", (PLAIN, " "), (HTML + INLINE + "form.htm", "<p>rico</p>")), "rico", ()),
        (parts("multipart/alternative", (PLAIN + INLINE + "a.txt", " "), (HTML + INLINE + "a.htm", "<p>rico</p>")), "rico", ()),
    ],
)
def test_a_body_may_have_a_file_name(raw: bytes, text: str, attachments: tuple[str, ...]) -> None:
    mail = read_mail(raw)
    assert mail.text == text
    assert mail.problem is not None or mail.attachments == attachments


def test_a_body_with_a_file_name_is_that_of_the_standard_library() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.example", "Prueba"
    message.set_content(LETTER, disposition="inline", filename="mensaje ñ.txt")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="factura.pdf")
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    mail = read_mail(message.as_bytes())
    assert mail.text == body.get_content().strip() == LETTER
    assert mail.attachments == ("factura.pdf",)


def test_html_past_a_limit_does_not_take_the_plain_text_with_it() -> None:
    raw = parts("multipart/alternative", (PLAIN, "Su web en HTML no abre."), (HTML, "<p>x</p>" * 2000))
    assert read_mail(raw, Limits(text_chars=1000)).text == "Su web en HTML no abre."


def test_attachments_are_named_and_left() -> None:
    mail = read_mail(
        parts(
            "multipart/mixed",
            (PLAIN, "uno"),
            ('Content-Type: application/ms-tnef; name="winmail.dat"', "x"),
            ("Content-Type: image/png", "y"),
        )
    )
    assert (mail.text, mail.attachments) == ("uno", ("winmail.dat", "image/png"))
    alone = read_mail(HEAD + b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\nx')
    assert alone.problem is not None and "winmail.dat" in alone.problem.detail


def test_a_boundary_is_not_taken_for_a_longer_one() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nuno\n--bb\ndos\n--b--\n"
    assert read_mail(raw).text == "uno\n--bb\ndos"


def test_a_reply_with_nothing_of_its_own_is_empty() -> None:
    message = parse_mail(HEAD + b"\r\nOn Tue, 3 Mar 2026 at 10:00, Luz <l@x.example> wrote:\r\n> Hola\r\n")
    assert message.problem is not None and message.problem.reason == "empty"


@pytest.mark.parametrize(
    ("subject", "body", "text"),
    [
        ("Tres semanas sin agua caliente", " \n", "Tres semanas sin agua caliente"),
        ("Tres semanas sin agua caliente", "Gracias.", "Gracias."),
        ("Factura octubre", "", ""),
        ("Re: tres semanas sin agua caliente", "", ""),
        ("Απ: τρεις εβδομάδες χωρίς νερό", "", ""),
        ("R: tre settimane senza acqua", "", ""),
        ("RV: tres semanas sin agua", "", ""),
        ("Tres semanas sin agua caliente", "> uno\n> dos\n", ""),
    ],
)
def test_the_subject_speaks_where_the_body_is_blank(subject: str, body: str, text: str) -> None:
    mail = read_mail(f"From: a@b.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}".encode())
    assert mail.text == text
    assert (mail.problem is None) == bool(text)


def test_the_subject_tells_a_forward() -> None:
    body = "Mire esto, por favor, y luego me llama cuando pueda.\n\nDe: Luz <l@x.example>\nEnviado: lunes\nAsunto: x\n\nEl gas huele.\n"
    forward = read_mail(f"From: a@b.example\nSubject: RV: x\n\n{body}".encode())
    reply = read_mail(f"From: a@b.example\nSubject: Re: x\n\n{body}".encode())
    assert reply.text == forward.text == "Mire esto, por favor, y luego me llama cuando pueda."
    note = read_mail(
        b"From: a@b.example\nSubject: RV: x\n\nMire esto.\n\nDe: Luz <l@x.example>\nEnviado: lunes\nAsunto: x\n\nEl gas huele.\n"
    )
    assert note.text == "Mire esto.\n\nEl gas huele."


@pytest.mark.parametrize(
    ("text", "delsp", "unflowed"),
    [
        ("una \nlinea\notra", False, "una linea\notra"),
        ("una \nlinea", True, "unalinea"),
        ("> cita \n> larga\nmia", False, "> cita larga\nmia"),
        ("> cita \nmia", False, "> cita \nmia"),
        ("fin \n-- \nAna", False, "fin \n-- \nAna"),
        (" >no es cita", False, ">no es cita"),
    ],
)
def test_flowed(text: str, delsp: bool, unflowed: str) -> None:
    assert unflow(text, delsp=delsp) == unflowed


FOOTERS = [
    "\n_______________________________________________\nClientes mailing list\nclientes@listas.example\nhttps://listas.example/clientes\n",
    "\n\nClientes\nlista de correo de clientes\n",
    "--\nlista\n",
    "=======\nΑυτό το μήνυμα στάλθηκε στη λίστα\n",
    "Aviso: este mensaje viene de fuera",
]


@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [LETTER, "Hola", "ñ" * 57, "Π" * 28, "<p>Τρεις εβδομάδες</p>"])
def test_plain_text_behind_base64_is_kept(text: str, end: str, footer: str) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.example", "Prueba"
    message.set_content(text, cte="base64", charset="utf-8", subtype="html" if text.startswith("<") else "plain")
    raw = (message.as_string() + footer).replace("\n", end).encode()
    assert read_mail(raw).body.split() == re.sub("<.*?>", "", f"{text} {footer}").split()


def test_plain_text_behind_base64_is_read_in_the_charset_of_the_part() -> None:
    body = base64.encodebytes("Τρεις εβδομάδες".encode("iso-8859-7")) + b"\n-- \n" + "Λίστα πελατών".encode("iso-8859-7")
    raw = HEAD + b"Content-Type: text/plain; charset=iso-8859-7\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body
    assert read_mail(raw).body.split() == ["Τρεις", "εβδομάδες", "--", "Λίστα", "πελατών"]


@pytest.mark.parametrize(
    "data",
    [
        base64.encodebytes(LETTER.encode() * 3),
        base64.encodebytes(LETTER.encode()) * 3,  # pieces, each with its own padding
        base64.encodebytes(LETTER.encode() * 3).replace(b"\n", b"\n\n"),
        base64.encodebytes(LETTER.encode() * 3).replace(b"\n", b"\n*** damage of the way ***\n", 2),
        b"SG9s\n!!!\nYQ==\n",
        b"SG9sYQ==\x00\x00",
        b"SG9s*YQ==",
        b"SG9s YQ==",
        b"\n\n",
        b"Hola: no es base64 de nada\n",
    ],
)
def test_what_is_no_text_behind_base64_is_read_over(data: bytes) -> None:
    assert split_appended(data) == (data, b"")
