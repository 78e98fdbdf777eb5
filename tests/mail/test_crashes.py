"""Inputs that broke the reader once, found by the fuzzer or by hand; each is read under every promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mail.reading import check_any

from reclamo.mail import parse_mail
from reclamo.sources.eml import read_mail_folder
from reclamo.sources.jsonl import parse_jsonl

CRASHES = sorted(path for path in (Path(__file__).parent / "crashes").iterdir() if path.is_file())


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.name)
def test_a_found_crash_stays_mended(path: Path) -> None:
    assert check_any(path.read_bytes()) >= 1


def test_an_id_of_stray_bytes_can_be_written(tmp_path: Path) -> None:
    raw = (Path(__file__).parent / "crashes" / "message-id-of-stray-bytes").read_bytes()
    assert parse_mail(raw).id == "\ufffd\ufffd1@x"
    name = tmp_path / b"hola\xff.eml".decode("utf-8", "surrogateescape")
    name.write_bytes(b"From: a@b.example\n\nHola\n")
    assert [message.id for message in read_mail_folder(tmp_path)] == ["hola\ufffd.eml#1"]
    (row,) = parse_jsonl([b'{"id": "\\ud800", "text": "Hola", "sender": "\\udfff"}'], "in")
    assert (row.id, row.sender) == ("\ufffd", "\ufffd")
