"""Mailboxes on disk: every message once, in order, in constant memory, whatever the dialect."""

from __future__ import annotations

import mailbox
import os
import tracemalloc
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest

from reclamo.cli.mailbox import MailboxOptions, open_mailbox
from reclamo.errors import SourceError
from reclamo.mail import Limits, parse_mail
from reclamo.sources import SourceOptions, open_source
from reclamo.sources.eml import read_eml, read_mail_folder
from reclamo.sources.ids import UniqueIds
from reclamo.sources.maildir import read_maildir
from reclamo.sources.mbox import read_mbox
from reclamo.sources.notices import by_ending

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "inbox.mbox"
MARK = b"From ana@correo.example Tue Mar  3 10:12:13 2026\n"


def raw(number: int, text: str = "Hola", *, message_id: str | None = None) -> bytes:
    head = f"From: ana@correo.example\nSubject: n. {number}\nMessage-ID: <{message_id or f'{number}@x'}>\n\n"
    return f"{head}{text} {number}\n".encode()


def write(path: Path, *messages: bytes, end: bytes = b"\n") -> Path:
    path.write_bytes(b"".join(MARK + message + end for message in messages))
    return path


def ids_of(path: Path, **options: object) -> list[str]:
    return [message.id for message in read_mbox(path, **options)]  # type: ignore[arg-type]


def test_samples_agree_with_the_standard_library() -> None:
    ours = list(read_mbox(SAMPLES, include_automatic=True))
    theirs = mailbox.mbox(SAMPLES, create=False)
    assert [message.id for message in ours] == [str(message["Message-ID"]).strip("<>") for message in theirs]
    theirs.close()
    assert Counter(m.problem.reason if m.problem else "read" for m in ours) == {"read": 38, "empty": 1}
    assert Counter(m.problem.reason for m in read_mbox(SAMPLES) if m.problem) == {"empty": 1, "automatic": 2}


def test_an_mbox_of_the_standard_library_is_read(tmp_path: Path, sentences: list[str]) -> None:
    box = mailbox.mbox(tmp_path / "box.mbox")
    for number, sentence in enumerate(sentences):
        message = EmailMessage()
        message["From"], message["Message-ID"] = "ana@correo.example", f"<{number}@x>"
        message.set_content(f"{sentence}\nFrom aquí en adelante.\n", cte="8bit")
        box.add(message)
    box.flush()
    box.close()
    read = list(read_mbox(tmp_path / "box.mbox"))
    assert [message.text for message in read] == [f"{sentence}\nFrom aquí en adelante." for sentence in sentences]
    assert [message.id for message in read] == [f"{number}@x" for number in range(len(sentences))]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (">From aquí", "From aquí"),  # mboxrd, mboxo
        ("x\n>From aquí", "x\nFrom aquí"),
        ("From aquí", "From aquí"),  # no blank line and no date: text
        ("x\n\nFrom aquí no hay salida", "x\n\nFrom aquí no hay salida"),
    ],
)
def test_from_lines_in_a_text(tmp_path: Path, stored: str, text: str) -> None:
    path = write(tmp_path / "a.mbox", raw(1, stored), raw(2))
    assert [message.text for message in read_mbox(path)] == [f"{text} 1", "Hola 2"]


def test_mboxrd_takes_one_sign_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mbox", raw(1, "Hola\n>>From aquí"))
    assert b"\n>From" in next(iter(_bodies(path)))


def _bodies(path: Path) -> list[bytes]:
    from reclamo.sources.mbox import split_mbox

    return [message.data for message in split_mbox(path, Limits())]


def test_messages_are_given_back_byte_for_byte(tmp_path: Path) -> None:
    messages = [raw(n, text) for n, text in enumerate(("uno", "dos\n\ntres", "cuatro\n\n"))]
    assert _bodies(write(tmp_path / "a.mbox", *messages)) == messages
    crlf = [message.replace(b"\n", b"\r\n") for message in messages]
    assert _bodies(write(tmp_path / "b.mbox", *crlf, end=b"\r\n")) == crlf


def test_content_length_covers_bare_from_lines(tmp_path: Path) -> None:
    body = b"Hola\n\n" + MARK + b"From: no@es.example\n\nNo es otro mensaje.\n"
    counted = b"From: ana@correo.example\nMessage-ID: <1@x>\nContent-Length: %d\n\n" % len(body) + body
    path = write(tmp_path / "cl.mbox", counted, raw(2))
    assert ids_of(path) == ["1@x", "2@x"]
    assert "No es otro mensaje." in next(iter(read_mbox(path))).text


@pytest.mark.parametrize("length", [b"3", b"999999", b"12345678901234567890", b"x", b"-1"])
def test_an_implausible_content_length_is_left_alone(tmp_path: Path, length: bytes) -> None:
    first = raw(1).replace(b"\n\n", b"\nContent-Length: " + length + b"\n\n", 1)
    assert ids_of(write(tmp_path / "cl.mbox", first, raw(2))) == ["1@x", "2@x"]


@pytest.mark.parametrize(
    "mark",
    [
        b"From - Tue Mar 03 10:12:13 2026\n",
        b"From 1799000000000000000@xxx Tue Mar 03 10:12:13 +0000 2026\n",
        b"From MAILER-DAEMON Tue Mar  3 10:12 2026\r\n",
        b"From ana@correo.example 2026-03-03 10:12:13\n",
    ],
)
def test_postmarks_of_several_programs(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(mark + raw(1) + b"\n" + mark + raw(2))
    assert ids_of(path) == ["1@x", "2@x"]


def test_a_missing_blank_line_before_a_postmark(tmp_path: Path) -> None:
    assert ids_of(write(tmp_path / "a.mbox", raw(1), raw(2), end=b"")) == ["1@x", "2@x"]


def test_ids_are_unique(tmp_path: Path) -> None:
    same = [raw(n, message_id="a@x") for n in range(3)]
    without = b"From: ana@correo.example\n\nHola\n"
    path = write(tmp_path / "a.mbox", *same, raw(3, message_id="a@x#2"), without, raw(5, message_id="a@x"))
    assert ids_of(path) == ["a@x", "a@x#2", "a@x#3", "a@x#2#2", "a.mbox#5", "a@x#4"]


def test_unique_ids_keep_the_table_small_and_grow() -> None:
    ids = UniqueIds()
    assert [ids.take("a"), ids.take("b"), ids.take("a"), ids.take("a")] == ["a", "b", "a#2", "a#3"]
    ids._slots = type(ids._slots)("Q", bytes(8 * 16))  # a table that must grow
    ids._used = 0
    assert len({ids.take(f"m{n % 500}") for n in range(1000)}) == 1000


def test_a_message_over_the_limit_is_read_over(tmp_path: Path) -> None:
    limits = Limits(message_bytes=20_000, header_block_bytes=2_000)
    at = raw(2, "Hola\n" + "x" * 60 + "\n")
    at = at + b"y" * (20_000 - len(at) - 1) + b"\n"
    path = write(tmp_path / "a.mbox", raw(1, "z" * 3_000_000), at, at[:-1] + b"yy\n", raw(4, "b\n" * 50_000), raw(5))
    read = list(read_mbox(path, limits))
    assert [m.problem.reason if m.problem else None for m in read] == ["over_limit", None, "over_limit", "over_limit", None]
    assert [m.id for m in read] == ["1@x", "2@x", "2@x#2", "4@x", "5@x"]
    assert read[0].subject == "n. 1"


def test_memory_does_not_grow_with_the_mbox(tmp_path: Path) -> None:
    path = tmp_path / "large.mbox"
    with path.open("wb") as file:
        file.write(MARK + raw(0, "x" * 8_000_000) + b"\n")
        for number in range(1, 400):
            file.write(MARK + raw(number, "linea de texto\n" * 10) + b"\n")
    peaks = []
    tracemalloc.start()
    try:
        for number, _ in enumerate(read_mbox(path, Limits(message_bytes=100_000))):
            if number in (100, 399):
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    assert peaks[0] < 12_000_000 and peaks[1] < 1.1 * peaks[0]


def test_what_is_no_mbox(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(b"")
    assert ids_of(path) == []
    path.write_bytes(b"Hola\n")
    with pytest.raises(SourceError, match=r"a\.mbox: the file does not begin with"):
        ids_of(path)
    with pytest.raises(SourceError, match="could not be read"):
        ids_of(tmp_path / "missing.mbox")


def make_maildir(path: Path) -> Path:
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True)
    (path / "cur" / "1002.b.host:2,S").write_bytes(raw(2))
    (path / "cur" / "1001.a.host:2,RS").write_bytes(b"From: ana@correo.example\n\nHola\n")
    (path / "new" / "1003.c.host").write_bytes(raw(3))
    (path / "new" / ".hidden").write_bytes(raw(4))
    (path / "tmp" / "1004.d.host").write_bytes(raw(5))
    return path


def test_maildir_in_order_and_untouched(tmp_path: Path) -> None:
    path = make_maildir(tmp_path / "Maildir")
    before = sorted(p.relative_to(path) for p in path.rglob("*"))
    assert [m.id for m in read_maildir(path)] == ["1001.a.host#1", "2@x", "3@x"]
    assert sorted(p.relative_to(path) for p in path.rglob("*")) == before
    with pytest.raises(SourceError, match="expected the folders cur and new"):
        read_maildir(tmp_path)


def test_a_maildir_of_the_standard_library(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    for number in range(5):
        box.add(raw(number))
    box.close()
    assert sorted(m.id for m in read_maildir(tmp_path / "box")) == [f"{n}@x" for n in range(5)]


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", MARK])
def test_eml(tmp_path: Path, prefix: bytes) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(prefix + raw(7))
    assert list(read_eml(path)) == [parse_mail(raw(7))]


def test_eml_over_the_limit_and_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(raw(7))
    (message,) = read_eml(path, Limits(message_bytes=20))
    assert message.problem is not None and message.problem.reason == "over_limit" and message.id == "7@x"
    with pytest.raises(SourceError, match="no such file"):
        read_eml(tmp_path / "b.eml")


def test_folder_in_order_without_what_lies_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "mail", tmp_path / "outside"
    outside.mkdir()
    (outside / "x.eml").write_bytes(raw(99))
    make_maildir(root / "b-maildir")
    (root / "b-maildir" / ".Sent" / "cur").mkdir(parents=True)
    (root / "b-maildir" / ".Sent" / "new").mkdir()
    (root / "b-maildir" / ".Sent" / "cur" / "9.host:2,S").write_bytes(raw(9))
    (root / "a.eml").write_bytes(raw(1))
    (root / "d").mkdir()
    (root / "d" / "a.eml").write_bytes(b"From: ana@correo.example\n\nHola\n")
    write(root / "d" / "Inbox", raw(20), raw(1))
    write(root / "c.mbox", raw(10))
    (root / "notes.txt").write_bytes(b"From here on\n")
    (root / "README").write_bytes(b"From here on\n")
    (root / "link.eml").symlink_to(outside / "x.eml")
    (root / "linked").symlink_to(outside)
    (root / "d" / "loop").symlink_to(root)
    ids = [message.id for message in read_mail_folder(root)]
    assert ids == ["1@x", "b-maildir/1001.a.host#1", "2@x", "3@x", "9@x", "10@x", "20@x", "1@x#2", "d/a.eml#1"]
    with pytest.raises(SourceError, match="no such folder"):
        read_mail_folder(tmp_path / "missing")


def test_an_mbox_of_any_ending_is_told_by_its_postmark_and_the_rest_is_counted(tmp_path: Path) -> None:
    heard: list[str] = []
    for number, name in enumerate(("Archives.2023", "notes.txt", "Inbox", "Inbox.bak", "Inbox.msf", "a.txt", "README", "tags.mbox.part")):
        is_mbox = name not in ("a.txt", "README", "Inbox.msf")
        write(tmp_path / name, raw(number)) if is_mbox else (tmp_path / name).write_bytes(b"From here on\n")
    messages = read_mail_folder(tmp_path, say=heard.append)
    assert next(messages).id == "0@x" and heard == []
    assert [message.id for message in messages] == ["2@x", "1@x"]
    (said,) = heard
    assert said.startswith(f"{tmp_path.name}: 5 files are no mail and were passed over (")
    assert sorted(said.partition("(")[2].rstrip(")").split(", ")) == [
        "1 with .bak",
        "1 with .msf",
        "1 with .part",
        "1 with .txt",
        "1 with no ending",
    ]
    only = tmp_path / "only"
    only.mkdir()
    write(only / "Inbox", raw(1))
    heard.clear()
    assert len(list(read_mail_folder(only, say=heard.append))) == 1 and heard == []


def test_many_endings_are_summed_up() -> None:
    counts = Counter({f".{n}": 20 - n for n in range(10)})
    assert by_ending(counts).startswith("20 with .0, 19 with .1, ") and by_ending(counts).endswith("13 with .7, 23 with others")


def test_subfolders_of_a_maildir_are_named(tmp_path: Path) -> None:
    heard: list[str] = []
    root = make_maildir(tmp_path / "md")
    (root / ".no-maildir").mkdir()
    (root / "dovecot.index").touch()
    assert len(list(open_source(root, SourceOptions(say=heard.append)))) == 3 and heard == []
    make_maildir(root / ".Sent")
    make_maildir(root / ".Archives.2023")
    (root / ".loop").symlink_to(root)
    assert len(list(open_source(root, SourceOptions(say=heard.append)))) == 3
    say = f"md: its 2 subfolders are not read (.Archives.2023, .Sent); give each by its own path, such as {root}/.Archives.2023"
    assert heard == [say]
    with open_mailbox(str(root), SourceOptions(say=heard.append), MailboxOptions(watch=True)) as messages:
        assert len(list(messages)) == 3
    assert heard == [say, say]
    assert len(list(open_source(root / ".Sent"))) == 3


def test_a_file_that_cannot_be_read_becomes_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.eml").write_bytes(raw(1))
    (tmp_path / "b.eml").write_bytes(raw(2))
    opened = Path.open

    def refuse(path: Path, *args: object) -> object:
        if path.name == "a.eml":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    first, second = read_mail_folder(tmp_path)
    assert first.id == "a.eml#1" and first.problem is not None and first.problem.reason == "broken"
    assert second.id == "2@x"


def test_a_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.eml")
    (tmp_path / "b.eml").write_bytes(raw(2))
    assert [message.id for message in read_mail_folder(tmp_path)] == ["2@x"]
