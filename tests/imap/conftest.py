"""The private server, and a tagger without a network for what is not about tagging."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.imap.dovecot import PASSWORD, Dovecot, serve
from tests.sinks.fake_tagger import FakeTagger

import reclamo.engine.tagger as engine
from reclamo.sources.imap_connection import ImapFolder
from reclamo.sources.imap_url import PASSWORD_VARIABLE

CHUNK = 8
VERSION = "2.3"  # the form of the configuration is that of this version
needs_dovecot = pytest.mark.skipif(
    not (shutil.which("dovecot") and subprocess.run(["dovecot", "--version"], capture_output=True, text=True).stdout.startswith(VERSION)),
    reason=f"Dovecot {VERSION} is not installed (apt-get install dovecot-imapd)",
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only itself vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    about = ["-subj", "/CN=reclamo test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path.with_suffix(".key"))]
    subprocess.run(["openssl", "req", "-x509", *key, *about, "-out", str(path)], check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def dovecot(certificate: Path) -> Iterator[Dovecot]:
    """A server for the whole run; each test takes users of its own."""
    with serve(certificate=certificate) as server:
        yield server


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the password as a user does, and do not wait long before connecting again."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    monkeypatch.setattr(ImapFolder, "_sleep", lambda folder, seconds: time.sleep(0.02))


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A user name of this test alone."""
    return f"u{abs(hash(request.node.nodeid))}"


@pytest.fixture
def run_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run `reclamo tag` with the fake tagger, in chunks of 8."""
    from reclamo.cli.tag import tag

    monkeypatch.setattr(engine, "CHUNK", CHUNK)
    (tmp_path / "model").mkdir()
    monkeypatch.setattr(engine, "load", lambda *_, **__: FakeTagger(tmp_path / "model"))
    return lambda source, output=None, **options: tag(str(source), output, **{"quiet": True, **options})


def mail(number: int, text: str = "Hola, sigo esperando", subject: str = "Pedido") -> bytes:
    """One message."""
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "Ana <ana@correo.example>", f"{subject} {number}", f"<{number}@x>"
    message.set_content(f"{text} {number}")
    return bytes(message)


def mails(count: int, **options: Any) -> list[bytes]:
    """Messages numbered from 1, as their UIDs will be."""
    return [mail(number, **options) for number in range(1, count + 1)]
