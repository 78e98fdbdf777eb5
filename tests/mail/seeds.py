"""The messages that mutants and the fuzzer begin with: the samples, every fixture as a mail, and each hostile case that is short."""

from __future__ import annotations

import tomllib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
OUTLOOK = Path(__file__).parent / "outlook"
SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "inbox.mbox"
_WAYS = (("utf-8", "quoted-printable"), ("utf-8", "base64"), ("utf-8", "8bit"))


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Give every fixture with the name of its file."""
    return [(path.stem, case) for path in sorted(FIXTURES.glob("*.toml")) for case in tomllib.loads(path.read_text("utf-8"))["case"]]


def seeds() -> list[bytes]:
    """Give the messages, in a fixed order."""
    samples = SAMPLES.read_bytes().split(b"\n\nFrom ")
    found = [part.partition(b"\n")[2] for part in samples]
    found.append(b"From " + b"\n\nFrom ".join(samples[:2]).removeprefix(b"From "))
    found += [path.read_bytes() for path in sorted(OUTLOOK.glob("*.msg"))]
    return found + [_as_mail(case, number) for number, (_, case) in enumerate(cases())]


def _as_mail(case: dict[str, Any], number: int) -> bytes:
    """Wrap a fixture's body into a message, by turns in each transfer encoding."""
    charset, encoding = _WAYS[number % len(_WAYS)]
    message = EmailMessage()
    message["From"] = "Ana Ruiz <ana@correo.example>"
    message["Subject"] = "RV: prueba" if case.get("forwarded") else "Re: prueba ñ"
    message["Message-ID"] = f"<{number}@correo.example>"
    message.set_content(case.get("html") or case["body"], subtype="html" if "html" in case else "plain", charset=charset, cte=encoding)
    if case.get("flowed"):
        message.set_param("format", "flowed")
    return message.as_bytes()
