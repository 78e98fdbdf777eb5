"""Mail in archives: the same messages as unpacked, bombs cut off, nothing written."""

from __future__ import annotations

import io
import random
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from reclamo.errors import SourceError
from reclamo.message import Message
from reclamo.sources import SourceOptions, open_source
from reclamo.sources.archive import ArchiveLimits, read_archive

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "inbox.mbox"
MAIL = b"From: ana@correo.example\nMessage-ID: <%d@x>\n\nHola %d\n"
MARK = b"From ana@correo.example Tue Mar  3 10:12:13 2026\n"
MEMBERS = {
    "a/1.eml": MAIL % (1, 1),
    "a/box.mbox": MARK + MAIL % (2, 2) + b"\n" + MARK + MAIL % (3, 3),
    "notes.txt": b"not mail",
    "Mail/cur/17.host:2,S": MAIL % (4, 4),
    "../../etc/evil.eml": MAIL % (5, 5),
    "archive": MARK + MAIL % (6, 6),
    "empty.mbox": b"",
    "inner.zip": b"PK\x05\x06" + bytes(18),
}
ENDINGS = ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"]


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Write an archive in the form of the ending."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path
    packing = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{packing}") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def reasons(messages: list[Message]) -> list[str | None]:
    return [message.problem.reason if message.problem else None for message in messages]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_message_of_every_kind_of_member(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"mail.{ending}", MEMBERS)
    got = list(open_source(path))
    assert [(message.id, message.text) for message in got] == [(f"{n}@x", f"Hola {n}") for n in range(1, 7)]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_mbox_of_any_ending_is_read_and_what_is_passed_over_is_said(tmp_path: Path, ending: str) -> None:
    heard: list[str] = []
    members = {**MEMBERS, "Archives.2023": MARK + MAIL % (7, 7), "box.bak": MARK + MAIL % (8, 8), "blank.mbox": b"\n" + MARK}
    got = list(open_source(pack(tmp_path / f"mail.{ending}", members), SourceOptions(say=heard.append)))
    assert [message.id for message in got] == [f"{n}@x" for n in range(1, 8)]
    passed = "1 with .txt, 1 with .zip, 1 with .bak, 1 with .mbox"
    assert heard == [f"mail.{ending}: 4 files are no mail and were passed over ({passed})"]


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_mbox_in_an_archive_is_read_as_outside(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"mail.{ending}", {SAMPLES.name: SAMPLES.read_bytes()})
    assert list(open_source(path)) == list(open_source(SAMPLES))


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
@pytest.mark.parametrize("name", ["bomb.mbox", "bomb.eml"])
def test_a_bomb_is_cut_off_and_named(tmp_path: Path, ending: str, name: str) -> None:
    bomb = MARK + MAIL % (2, 2) + b"a" * 48_000_000
    path = pack(tmp_path / f"mail.{ending}", {"1.eml": MAIL % (1, 1), name: bomb, "3.eml": MAIL % (3, 3)})
    assert path.stat().st_size < 200_000
    limits = ArchiveLimits(free_bytes=8_000_000)
    tracemalloc.start()
    got = list(read_archive(path, archive_limits=limits))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (got[0].text, got[-1].problem and got[-1].problem.reason) == ("Hola 1", "over_limit")
    assert "Hola 3" not in [message.text for message in got]
    assert name in (got[-1].problem.detail if got[-1].problem else "")
    assert peak < 60_000_000


def test_a_bomb_within_the_limits_is_one_row_and_the_rest_is_read(tmp_path: Path) -> None:
    path = pack(tmp_path / "mail.zip", {"bomb.eml": MAIL % (1, 1) + b"a" * 40_000_000, "2.eml": MAIL % (2, 2)})
    assert reasons(list(read_archive(path))) == ["over_limit", None]


def test_a_broken_member_is_a_row_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mail.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for n in (1, 2, 3):
            archive.writestr(f"{n}.eml", MAIL % (n, n))
    path.write_bytes(path.read_bytes().replace(b"Hola 2", b"Hola X", 1))
    got = list(read_archive(path))
    assert reasons(got) == [None, "broken", None]
    assert "2.eml in mail.zip" in (got[1].problem.detail if got[1].problem else "")


def test_an_encrypted_member_is_a_row(tmp_path: Path) -> None:
    path = pack(tmp_path / "mail.zip", {"1.eml": MAIL % (1, 1)})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert reasons(list(read_archive(path))) == ["broken"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_no_archive_is_a_clear_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mail.{ending}"
    path.write_bytes(b"From here on, this is no archive at all.\n" * 40)
    with pytest.raises(SourceError, match="expected an archive of mail"):
        list(open_source(path))


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz"])
def test_an_archive_cut_short_gives_what_there_is(tmp_path: Path, ending: str) -> None:
    noise = random.Random(1)
    members = {f"{n}.eml": MAIL % (n, n) + noise.randbytes(40_000).hex().encode() for n in range(1, 6)}
    path = pack(tmp_path / f"mail.{ending}", members)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    got = list(open_source(path))
    assert [message.id for message in got[:1]] == ["1@x"]
    assert got[-1].problem is not None and got[-1].problem.reason == "broken"
    assert "5@x" not in [message.id for message in got]


def test_an_archive_or_a_folder_without_mail_is_an_error_that_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("tickets.csv", "more.csv", "notes.txt"):
        (tmp_path / "out" / name).write_text("id,text\n1,hola\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for file in (tmp_path / "out").iterdir():
            archive.write(file, file.name)
    for read in (lambda: open_source(tmp_path / "export.zip"), lambda: open_source(tmp_path / "out")):
        with pytest.raises(SourceError, match=r"holds no mail, only other files \(2 with \.csv, 1 with \.txt\)"):
            list(read())
    (tmp_path / "out" / "empty.mbox").write_bytes(b"")
    assert list(open_source(tmp_path / "out")) == []
