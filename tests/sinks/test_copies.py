"""Copies of mailboxes: the tags in X-Reclamo headers, every other byte as it was, whatever the dialect and wherever it stopped."""

from __future__ import annotations

import io
import mailbox
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sinks.fake_tagger import TAXONOMY, FakeTagger, fake_tags
from tests.stops import Halt, halt_at

import reclamo.engine.tagger as engine
from reclamo.cli.tag import tag
from reclamo.errors import SinkError, UsageError
from reclamo.mail import Limits
from reclamo.mail.mbox import Splitter
from reclamo.mail.stamp import stamp
from reclamo.message import Message
from reclamo.sinks import journal
from reclamo.sinks.copies import tag_headers
from reclamo.sources.mbox import read_mbox

MARK = b"From ana@correo.example Tue Mar  3 10:12:13 2026\n"
OURS = re.compile(rb"^X-Reclamo-[A-Za-z-]+: [^\r\n]*\r?\n", re.MULTILINE)


def mail(number: int, body: bytes = b"Hola.\n", *headers: bytes) -> bytes:
    return b"From: ana@correo.example\nMessage-ID: <%d@x>\n%s\n%s" % (number, b"".join(h + b"\n" for h in headers), body)


CLOSED = b"uno\n\nFrom ana@correo.example Tue Mar  3 10:12:13 2026\ndos\n"
BOXES = {
    "mboxo": MARK + mail(1, b"Hola\n>From aqu\xc3\xad\n") + b"\n" + MARK + mail(2) + b"\n",
    "mboxrd": MARK + mail(1, b"Hola\n>>From ayer\n>From hoy\n") + b"\n" + MARK + mail(2) + b"\n",
    "mboxcl": MARK + mail(1, CLOSED, b"Content-Length: %d" % len(CLOSED)) + b"\n" + MARK + mail(2) + b"\n",
    "CRLF": (MARK + mail(1) + b"\n" + MARK + mail(2) + b"\n").replace(b"\n", b"\r\n"),
    "no blank lines between, none at the end": MARK + mail(1) + MARK + mail(2, b"fin"),
    "a byte order mark and blank lines before": b"\xef\xbb\xbf\n\n" + MARK + mail(1) + b"\n",
    "bare postmarks": b"From ana\n" + mail(1) + b"\nFrom luz\n" + mail(2),
    "no header": MARK + b"hola que tal\n\n" + MARK + mail(2) + b"\n" + MARK + b"\n" + MARK,
    "header only": MARK + b"Message-ID: <1@x>\n" + b"\n" + MARK + b"Message-ID: <2@x>",
    "CR alone": MARK + b"Message-ID: <1@x>\rSubject: x\r\rHola\rX-Reclamo-Role: cuerpo\r\n\n" + MARK + mail(2),
    "a header of 100,000 characters": MARK + mail(1, b"Hola\n", b"X-Long: " + b"y" * 100_000) + b"\n",
    "a body line of 200,000 characters": MARK + mail(1, b"x" * 200_000 + b"\n") + b"\n" + MARK + mail(2),
    "eight bits": MARK + mail(1, bytes(range(128, 256)) + b"\n", b"Subject: \xf1\xff") + b"\n",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Tag with the fake tagger."""
    monkeypatch.setattr(engine, "CHUNK", 4)
    (tmp_path / "model").mkdir()
    monkeypatch.setattr(engine, "load", lambda *_, **__: FakeTagger(tmp_path / "model"))
    return lambda source, output, **options: tag(str(source), output, quiet=True, **options)


@pytest.mark.parametrize("data", BOXES.values(), ids=BOXES.keys())
def test_every_other_byte_stays_and_the_messages_read_the_same(run: Any, tmp_path: Path, data: bytes) -> None:
    source, copy, second = (tmp_path / name for name in ("in.mbox", "out.mbox", "again.mbox"))
    source.write_bytes(data)
    run(source, copy)
    tagged = copy.read_bytes()
    assert OURS.sub(b"", tagged) == data
    texts = [(message.text, message.problem) for message in read_mbox(source)]
    assert [(message.text, message.problem) for message in read_mbox(copy)] == texts
    run(copy, second)
    assert second.read_bytes() == tagged


def test_the_standard_library_reads_the_headers(run: Any, tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_bytes(BOXES["mboxrd"])
    run(tmp_path / "in.mbox", tmp_path / "out.mbox")
    box = mailbox.mbox(tmp_path / "out.mbox", create=False)
    for number, message in enumerate(box, 1):
        expected = fake_tags(Message(id=f"{number}@x", text=""), 0.0)
        assert message["X-Reclamo-Status"].split(";")[0] == expected.status
        assert message["X-Reclamo-Model"] == "fake@1"
        assert message["Message-ID"] == f"<{number}@x>"
        if expected.status == "tagged":
            assert re.fullmatch(r"(yes|no); p=[01]\.\d\d", message["X-Reclamo-Complaint"])
            assert message["X-Reclamo-Grounds"] in ("delay, billing", "none")
    assert len(box) == 2
    box.close()


def test_headers_of_an_example() -> None:
    headers = tag_headers(fake_tags(Message(id="m2", text="x"), 0.875), TAXONOMY)
    assert headers == [
        "X-Reclamo-Status: tagged",
        "X-Reclamo-Model: fake@1",
        "X-Reclamo-Language: es",
        "X-Reclamo-Role: customer",
        "X-Reclamo-Complaint: yes; p=0.88",
        "X-Reclamo-Grounds: delay, billing",
        "X-Reclamo-Needs-Review: no",
    ]


def stamped(data: bytes, *headers: str) -> bytes:
    target = io.BytesIO()
    stamp(io.BytesIO(data), target, len(data), headers)
    return target.getvalue()


def test_older_and_forged_headers_go_and_those_of_the_body_stay() -> None:
    old = b"x-reclamo-role : agent\n folded\n\tagain\nSubject: a\nX-Reclamo-Status: tagged\nX-Reclamo: mine\n\nX-Reclamo-Role: no header\n"
    assert stamped(old, "X-Reclamo-Role: customer") == (
        b"X-Reclamo-Role: customer\nSubject: a\nX-Reclamo: mine\n\nX-Reclamo-Role: no header\n"
    )
    assert stamped(b"To: b\r\nX-Reclamo-A: " + b"y" * 200_000 + b"\r\n\r\nc", "X-Reclamo-B: d") == b"X-Reclamo-B: d\r\nTo: b\r\n\r\nc"


@given(st.binary(max_size=300).filter(lambda data: b"x-reclamo" not in data.lower()))
def test_any_message_keeps_its_bytes(data: bytes) -> None:
    assert stamped(data, "X-Reclamo-A: b").replace(b"X-Reclamo-A: b\r\n", b"").replace(b"X-Reclamo-A: b\n", b"") == data
    once = stamped(b"From: a\n" + data, "X-Reclamo-A: b")
    assert stamped(once, "X-Reclamo-A: b") == once


def test_spans_of_an_mbox_lie_end_to_end() -> None:
    for data in BOXES.values():
        spans = [(raw.start, raw.head, raw.end) for raw in Splitter(io.BufferedReader(io.BytesIO(data)), Path("x"), Limits()).messages()]  # type: ignore[arg-type]
        assert [start for start, _, _ in spans] == [0, *(end for _, _, end in spans[:-1])]
        assert spans[-1][2] == len(data)
        assert all(b"From " in data[start:head] for start, head, _ in spans)


def maildir(folder: Path, count: int = 9) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        place = folder / ("new" if number % 3 else "cur") / (f"{1000 + number}.M1.host" + ("" if number % 3 else ":2,FS"))
        place.write_bytes(mail(number, b"Sigue sin llegar, n. %d\n" % number))
        os.utime(place, (1_700_000_000 + number, 1_700_000_000 + number))
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_maildir_keeps_names_flags_and_times(run: Any, tmp_path: Path) -> None:
    source = maildir(tmp_path / "in")
    before = tree(source)
    run(source, tmp_path / "out", format="maildir")
    run(tmp_path / "out", tmp_path / "second", format="maildir")
    copied = tree(tmp_path / "out")
    assert {name: (OURS.sub(b"", data), when) for name, (data, when) in copied.items()} == before == tree(source)
    assert all(b"X-Reclamo-Status: " in data for data, _ in copied.values())
    assert tree(tmp_path / "second") == copied
    assert (tmp_path / "out" / "tmp").is_dir()
    run(source, tmp_path / "out", format="maildir")  # finished: nothing is done
    assert tree(tmp_path / "out") == copied


@pytest.mark.parametrize("format", ["mbox", "maildir"])
def test_stopped_at_any_step_the_copy_is_that_of_an_undisturbed_run(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    source = maildir(tmp_path / "in")
    if format == "mbox":
        source = tmp_path / "in.mbox"
        source.write_bytes(b"".join(MARK + mail(n, b"Hola %d\n" % n) + b"\n" for n in range(9)))
    monkeypatch.setattr(os, "fsync", lambda number: None)
    monkeypatch.setattr(os, "sync", lambda: None)

    def content(path: Path) -> object:
        return tree(path) if path.is_dir() else path.read_bytes()

    run(source, tmp_path / "expected", format=format)
    expected, stops = content(tmp_path / "expected"), 0
    while True:
        (tmp_path / str(stops)).mkdir()
        output = tmp_path / str(stops) / "out"
        halt_at(stops + 1, monkeypatch)
        try:
            run(source, output, format=format)
            break
        except Halt:
            stops += 1
        assert not output.exists() or content(output) == expected
        monkeypatch.setattr(journal, "on_step", journal._nothing)
        run(source, output, format=format)
        assert content(output) == expected
        assert {path.name for path in output.parent.iterdir()} == {"out", "out.journal"}
    assert stops > 50


def test_what_cannot_be_copied_is_refused_before_anything_is_tagged(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeTagger, "tag_many", lambda *_: pytest.fail("tagged"))
    box, folder = tmp_path / "in.mbox", maildir(tmp_path / "in")
    box.write_bytes(BOXES["mboxo"])
    (tmp_path / "in.jsonl").write_text('{"text": "Hola"}\n')
    (tmp_path / "mine.mbox").write_bytes(BOXES["mboxrd"])
    (tmp_path / "mine").mkdir()
    for source, output, options, says in (
        (tmp_path / "in.jsonl", "out.mbox", {}, "a copy of an mbox file"),
        (folder, "out.mbox", {}, "a copy of an mbox file"),
        (box, "out", {"format": "maildir"}, "a copy of a Maildir"),
        (box, "in.mbox", {}, "is the source"),
        (folder, "in/cur/out", {"format": "maildir"}, "lies in it"),
        (box, "mine.mbox", {"again": True}, "mail is never replaced"),
        (folder, "mine", {"format": "maildir", "again": True}, "mail is never replaced"),
        (box, None, {"format": "mbox"}, "cannot go to standard output"),
    ):
        with pytest.raises(UsageError, match=says):
            run(source, output and tmp_path / output, **options)
    assert (tmp_path / "mine.mbox").read_bytes() == BOXES["mboxrd"]


def test_a_finished_folder_is_never_replaced_and_a_finished_mbox_only_when_asked(run: Any, tmp_path: Path) -> None:
    folder, box = maildir(tmp_path / "in"), tmp_path / "in.mbox"
    box.write_bytes(BOXES["mboxo"])
    run(folder, tmp_path / "out", format="maildir")
    with pytest.raises(UsageError, match="remove it, or choose another"):
        run(folder, tmp_path / "out", format="maildir", again=True)
    run(box, tmp_path / "out.mbox")
    run(box, tmp_path / "out.mbox", again=True)
    assert OURS.sub(b"", (tmp_path / "out.mbox").read_bytes()) == BOXES["mboxo"]


def test_a_source_that_grew_meanwhile_is_one_clear_error(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = tmp_path / "in.mbox"
    box.write_bytes(BOXES["mboxo"])

    def grow(name: str) -> None:
        if name == "before write copy":
            with box.open("ab") as file:
                file.write(MARK + mail(3))

    monkeypatch.setattr(journal, "on_step", grow)
    with pytest.raises(SinkError, match="changed while it was tagged; nothing is copied"):
        run(box, tmp_path / "out.mbox")
    assert not (tmp_path / "out.mbox").exists()
