"""Outlook's .msg: files that an independent library composed (aspose-email-foss), read as mail is read."""

from __future__ import annotations

import random
import shutil
import time
import zipfile
from pathlib import Path

import pytest

import reclamo.mail.outlook as outlook
from reclamo.errors import MissingExtraError
from reclamo.mail import Limits
from reclamo.mail.outlook import read_outlook
from reclamo.sources import open_source
from reclamo.sources.archive import read_archive

pytest.importorskip("olefile")
FOLDER = Path(__file__).parent / "outlook"
GREEK, ITALIAN = (FOLDER / name for name in ("plain-el.msg", "html-it.msg"))
TEXT = "Κύριοι, το πλυντήριο ήρθε σπασμένο.\n\nΤι κάνω; Έτσι όχι: ¿qué vergüenza?"


def test_plain_text_with_history_and_an_attachment() -> None:
    mail = read_outlook(GREEK.read_bytes())
    assert (mail.problem, mail.text) == (None, TEXT)
    assert mail.subject == "Ζημιά στο πλυντήριο – 2η φορά"
    assert mail.sender == "Άννα Μπούρα <anna@mail.example>"
    assert mail.date == "2026-03-03T10:12:13+00:00"
    assert [span.kind for span in mail.removed] == ["signature", "quoted"]


def test_html_and_headers_that_came_with_the_message() -> None:
    mail = read_outlook(ITALIAN.read_bytes())
    assert mail.text == "La lavatrice è rotta.\n\nPerciò voglio il cambio."
    assert (mail.message_id, mail.in_reply_to, mail.sender) == ("77@posta.example", "76@posta.example", "Niccolò Però <n@posta.example>")


def test_eight_bit_strings_of_older_outlooks() -> None:
    body = (TEXT + "\r\n").replace("¿qué vergüenza?", "ναι!")
    data = GREEK.read_bytes()
    start = data.index("Κύριοι".encode("utf-16-le"))
    end = data.index("Παραδόθηκε.\r\n".encode("utf-16-le")) + len("Παραδόθηκε.\r\n".encode("utf-16-le"))
    data = data[:start] + body.encode("cp1253").ljust(end - start) + data[end:]
    data = data.replace("__substg1.0_1000001F".encode("utf-16-le"), "__substg1.0_1000001E".encode("utf-16-le"))
    assert read_outlook(data).text == body.strip()


def test_rtf_alone_is_named_and_left() -> None:
    data = ITALIAN.read_bytes().replace("10130102".encode("utf-16-le"), "10090102".encode("utf-16-le"))
    problem = read_outlook(data).problem
    assert problem is not None and problem.reason == "not_text" and "compressed RTF" in problem.detail


def test_files_folders_and_archives(tmp_path: Path) -> None:
    for path in (GREEK, ITALIAN):
        shutil.copy(path, tmp_path)
    (tmp_path / "broken.MSG").write_bytes(b"hola")
    with zipfile.ZipFile(tmp_path / "mail.zip", "w") as archive:
        archive.write(GREEK, "a/plain.msg")
    assert [message.text for message in open_source(tmp_path / "plain-el.msg")] == [TEXT]
    rows = {message.id: message for message in open_source(tmp_path)}
    assert set(rows) == {"plain-el.msg#1", "77@posta.example", "broken.MSG#1"}
    assert rows["broken.MSG#1"].problem is not None and "no Outlook message" in rows["broken.MSG#1"].problem.detail
    assert [(message.id, message.text) for message in read_archive(tmp_path / "mail.zip")] == [("a/plain.msg#1", TEXT)]


def test_limits_hold() -> None:
    data = GREEK.read_bytes()
    assert read_outlook(data, Limits(message_bytes=len(data))).problem is None
    problem = read_outlook(data, Limits(message_bytes=len(data) - 1)).problem
    assert problem is not None and problem.reason == "over_limit"


def test_without_olefile_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outlook, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'reclamo\[outlook\]'"):
        open_source(GREEK)
    shutil.copy(GREEK, tmp_path)
    (tmp_path / "z.eml").write_text("From: a@b.example\n\nHola\n")
    first, second = open_source(tmp_path)
    assert first.problem is not None and "pip install 'reclamo[outlook]'" in first.problem.detail
    assert second.text == "Hola"


def test_mutants_always_give_a_row() -> None:
    source, seeds = random.Random(20260303), [GREEK.read_bytes(), ITALIAN.read_bytes()]
    reasons = set()
    for number in range(1000):
        data = bytearray(seeds[number % 2])
        for _ in range(source.choice((1, 4, 20))):
            place = source.randrange(len(data) if source.random() < 0.5 else 0x600)
            data[place : place + 4] = source.choice((source.randbytes(4), b"\xff\xff\xff\x7f", b"\0\0\0\0", b""))
        start = time.process_time()
        mail = read_outlook(bytes(data))
        assert time.process_time() - start < 1
        assert (mail.problem is None) == bool(mail.text)
        reasons.add(mail.problem.reason if mail.problem else "read")
    assert {"read", "broken"} <= reasons
