"""A batch stopped anywhere goes on to the bytes of an undisturbed run, and twice is as once."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.sinks.fake_tagger import FakeTagger, write_messages
from tests.stops import Halt, halt_at

import reclamo.engine.tagger as engine
from reclamo.cli.tag import tag
from reclamo.errors import SinkError, UsageError
from reclamo.sinks import files, journal, resumable

CHUNK = 8
MESSAGES = 29  # three whole chunks and a part of one
Run = Callable[..., int]


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Tag in.jsonl with the fake tagger."""
    monkeypatch.setattr(engine, "CHUNK", CHUNK)
    monkeypatch.setattr(files, "PARQUET_ROWS", 12)
    model = tmp_path / "model"
    model.mkdir()
    monkeypatch.setattr(engine, "load", lambda *_, **__: FakeTagger(model))
    write_messages(tmp_path / "in.jsonl", MESSAGES)

    def run(output: Path, **options: Any) -> int:
        return tag(str(tmp_path / "in.jsonl"), output, **{"with_text": True, "quiet": True, **options})

    return run


def leftovers(output: Path) -> set[str]:
    return {path.name for path in output.parent.iterdir() if path.name not in (output.name, output.name + ".journal")}


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("killed", [False, True])
def test_stopped_at_any_step_the_output_is_that_of_an_undisturbed_run(
    batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, killed: bool
) -> None:
    expected = tmp_path / f"expected.{ending}"
    assert batch(expected) == 0
    monkeypatch.setattr(os, "fsync", lambda number: None)  # a stop of the program, not of the power: bytes need not reach the disk
    if killed:  # nothing is put in order, and the last write was torn
        monkeypatch.setattr(resumable.ResumableSink, "abort", lambda sink: sink._file.close())
    stops = 0
    while True:
        output = tmp_path / f"{stops}" / f"out.{ending}"
        output.parent.mkdir()
        halt_at(stops + 1, monkeypatch)
        try:
            batch(output)
            break
        except Halt:
            stops += 1
        assert not output.exists() or output.read_bytes() == expected.read_bytes()
        monkeypatch.setattr(journal, "on_step", journal._nothing)
        work = output.with_name(output.name + (".rows" if ending == "parquet" else ".part"))
        if killed and work.exists() and not json.loads(journal_text(output)).get("finished"):
            with work.open("ab") as file:
                file.write(b'{"torn')
        batch(output)
        assert output.read_bytes() == expected.read_bytes()
        assert leftovers(output) == set()
    assert stops > 50


def journal_text(output: Path) -> str:
    path = journal.journal_of(output)
    return path.read_text() if path.exists() else "{}"


def test_stopped_again_and_again_it_gets_there(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch(tmp_path / "expected.csv")
    output, stops = tmp_path / "out.csv", 0
    while not output.exists():
        halt_at(13, monkeypatch)
        try:
            batch(output)
        except Halt:
            stops += 1
    assert stops >= 3
    assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_killed_at_random_moments(tmp_path: Path) -> None:
    source = write_messages(tmp_path / "in.jsonl", 400)
    outputs = [tmp_path / "expected.jsonl", tmp_path / "out.jsonl"]
    command = [sys.executable, "-m", "tests.sinks.fake_tagger", str(tmp_path)]
    arguments = ["tag", str(source), "--with-text", "-q", "-o"]
    subprocess.run([*command, "0", *arguments, str(outputs[0])], check=True, cwd=ROOT)
    chance, part = random.Random(7), tmp_path / "out.jsonl.part"
    kills = 0
    for _ in range(5):
        before = part.stat().st_size if part.exists() else 0
        process = subprocess.Popen([*command, "0.0005", *arguments, str(outputs[1])], cwd=ROOT)
        while process.poll() is None and (not part.exists() or part.stat().st_size <= before):
            time.sleep(0.002)
        time.sleep(chance.random() * 0.03)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills >= 3
    subprocess.run([*command, "0", *arguments, str(outputs[1])], check=True, cwd=ROOT)
    assert outputs[1].read_bytes() == outputs[0].read_bytes()
    assert leftovers(outputs[1]) == {"in.jsonl", "manifest.json", "expected.jsonl", "expected.jsonl.journal"}


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_batch_of_repeated_ids_goes_on(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    source = tmp_path / f"same.{ending}"
    if ending == "csv":
        source.write_text("id,text\n" + "".join(f"same,Espero la caja {n}\n" for n in range(MESSAGES)))
    else:
        source.write_text("".join(json.dumps({"id": "same", "text": f"Espero la caja {n}"}) + "\n" for n in range(MESSAGES)))
    outputs = [tmp_path / "expected.jsonl", tmp_path / "out.jsonl"]
    tag(str(source), outputs[0], quiet=True)
    halt_at(20, monkeypatch)
    with pytest.raises(Halt):
        tag(str(source), outputs[1], quiet=True)
    monkeypatch.setattr(journal, "on_step", journal._nothing)
    assert json.loads(journal_text(outputs[1]))["rows"] == CHUNK
    tag(str(source), outputs[1], quiet=True)
    assert outputs[1].read_bytes() == outputs[0].read_bytes()
    ids = [json.loads(line)["id"] for line in outputs[1].read_text(encoding="utf-8").splitlines()]
    assert ids == ["same", *(f"same#{n}" for n in range(2, MESSAGES + 1))]


def test_a_database_holds_every_row_of_a_repeated_id(batch: Run, tmp_path: Path) -> None:
    (tmp_path / "same.csv").write_text("id,text\n7,uno\n7,dos\n7,tres\n")
    for _ in range(2):
        tag(str(tmp_path / "same.csv"), tmp_path / "out.sqlite", quiet=True)
        with closing(sqlite3.connect(tmp_path / "out.sqlite")) as database:
            assert [id for (id,) in database.execute("SELECT id FROM tags ORDER BY rowid")] == ["7", "7#2", "7#3"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_finished_output_is_left_alone(
    batch: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    output = tmp_path / f"out.{ending}"
    assert batch(output) == 0
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir() if path.is_file()}
    monkeypatch.setattr(FakeTagger, "tag_many", lambda *_: pytest.fail("tagged again"))
    assert batch(output, quiet=False) == 0
    assert "is finished (29 messages), nothing was done; --again" in capsys.readouterr().err
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir() if path.is_file()} == before


def test_again_starts_anew(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.jsonl"
    batch(output)
    write_messages(tmp_path / "in.jsonl", 5)
    with pytest.raises(UsageError, match="the source changed; --again starts the batch anew"):
        batch(output)
    assert len(output.read_text(encoding="utf-8").splitlines()) == MESSAGES
    batch(output, again=True)
    assert len(output.read_text(encoding="utf-8").splitlines()) == 5
    assert leftovers(output) == {"in.jsonl", "model"}


def stop_after_chunks(batch: Run, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halt_at(20, monkeypatch)
    with pytest.raises(Halt):
        batch(output)
    monkeypatch.setattr(journal, "on_step", journal._nothing)
    assert json.loads(journal_text(output))["rows"] == CHUNK


def test_another_batch_does_not_go_on(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    stop_after_chunks(batch, output, monkeypatch)
    kept = part.read_bytes()
    with pytest.raises(UsageError, match="--with-text changed; --again"):
        batch(output, with_text=False)
    (tmp_path / "model" / "manifest.json").write_text("another")
    with pytest.raises(UsageError, match="the model changed; --again"):
        batch(output)
    (tmp_path / "model" / "manifest.json").write_text("")
    times = (tmp_path / "in.jsonl").stat()
    write_messages(tmp_path / "in.jsonl", MESSAGES, text="=espero, «la» entrega\nde la caja {n} ñ €")
    with pytest.raises(UsageError, match="the source changed; --again"):
        batch(output)
    assert part.read_bytes() == kept
    # same size and time of change, other ids: what a fingerprint cannot see
    rows = [json.loads(line) for line in (tmp_path / "in.jsonl").read_text().splitlines()]
    rows[0]["id"], rows[7]["id"] = rows[7]["id"], rows[0]["id"]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.utime(tmp_path / "in.jsonl", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(UsageError, match="message 8 of the source is 'm0', and was 'm7'"):
        batch(output)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"X" + data[1:]])
def test_what_was_altered_is_not_built_upon(
    batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    output, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    stop_after_chunks(batch, output, monkeypatch)
    part.write_bytes(damage(part.read_bytes()[: json.loads(journal_text(output))["length"]]))
    with pytest.raises(UsageError, match="altered since the batch was stopped; --again"):
        batch(output)
    batch(output, again=True)
    output.write_bytes(damage(output.read_bytes()))
    with pytest.raises(UsageError, match="altered since it was finished; --again"):
        batch(output)
    assert not part.exists()


def test_a_removed_output_is_made_again(batch: Run, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    batch(output)
    before = output.read_bytes()
    output.unlink()
    batch(output)
    assert output.read_bytes() == before


def test_a_full_disk_is_one_clear_error_and_the_batch_goes_on(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch(tmp_path / "expected.jsonl")
    output = tmp_path / "out.jsonl"
    names = iter(["before sync rows"] * 2)

    def fill(name: str) -> None:
        if name == "before sync rows" and next(names, None) is None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "on_step", fill)
    with pytest.raises(SinkError, match=r"No space left on device.*the same command goes on"):
        batch(output)
    assert json.loads(journal_text(output))["rows"] == 2 * CHUNK
    monkeypatch.setattr(journal, "on_step", journal._nothing)
    batch(output)
    assert output.read_bytes() == (tmp_path / "expected.jsonl").read_bytes()


def test_an_error_before_the_first_chunk_leaves_nothing(batch: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").unlink()
    (tmp_path / "in.csv").write_text("a,c\n1,2\n")
    with pytest.raises(UsageError, match="no column"):
        tag(str(tmp_path / "in.csv"), tmp_path / "out.csv", quiet=True)
    assert leftovers(tmp_path / "out.csv") == {"in.csv", "model"}
    assert not journal.journal_of(tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet", "sqlite"])
def test_no_message_at_all_is_a_table_without_rows(batch: Run, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"out.{ending}"
    batch(tmp_path / "full.csv")
    with (tmp_path / "full.csv").open("rb") as file:
        header = file.readline()
    for name in ("full.csv", "full.csv.journal"):
        (tmp_path / name).unlink()
    write_messages(tmp_path / "in.jsonl", 0)
    batch(output)
    batch(output)
    assert leftovers(output) == {"in.jsonl", "model"}
    if ending == "parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(output)
        assert (table.num_rows, ",".join(table.column_names).encode() + b"\n") == (0, header)
    elif ending == "sqlite":
        with closing(sqlite3.connect(output)) as database:
            found = database.execute("SELECT * FROM tags")
            assert (found.fetchall(), ",".join(column[0] for column in found.description).encode() + b"\n") == (
                [],
                header[:-1] + b",source\n",
            )
    else:
        assert output.read_bytes() == (header if ending == "csv" else b"")


def test_two_runs_at_once_do_not_mix(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl")
    output, seen = tmp_path / "out.jsonl", []

    def other_run(name: str) -> None:
        if name == "after append rows" and not seen:
            seen.append(name)
            with pytest.raises(UsageError, match="another run"):
                batch(output)

    monkeypatch.setattr(journal, "on_step", other_run)
    batch(output)
    assert seen
    assert len(output.read_text(encoding="utf-8").splitlines()) == MESSAGES


def test_the_output_may_lie_in_the_folder_that_is_read(batch: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.eml").write_text(f"From: ana@correo.example\nMessage-ID: <{number}@x>\n\nHola {number}\n")
    for _ in range(2):
        assert tag(str(folder), folder / "tags.jsonl", quiet=True) == 0
    (folder / "3.eml").write_text("From: ana@correo.example\n\nHola\n")
    with pytest.raises(UsageError, match="the source changed"):
        tag(str(folder), folder / "tags.jsonl", quiet=True)


def test_standard_input_goes_on_only_over_the_same_rows(batch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, data = tmp_path / "out.jsonl", (tmp_path / "in.jsonl").read_bytes()

    def piped(data: bytes, output: Path = output) -> None:
        import io

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        tag("-", output, quiet=True)

    halt_at(20, monkeypatch)
    with pytest.raises(Halt):
        piped(data)
    monkeypatch.setattr(journal, "on_step", journal._nothing)
    with pytest.raises(UsageError, match="their text changed"):
        piped(data.replace(b"caja 1 ", b"caja 9 "))
    with pytest.raises(UsageError, match="ends after 2, and 8 are done"):
        piped(b"".join(data.splitlines(keepends=True)[:2]))
    piped(data)
    batch(tmp_path / "expected.jsonl", with_text=False)
    assert output.read_bytes() == (tmp_path / "expected.jsonl").read_bytes()
    piped(b"".join(data.splitlines(keepends=True)[:2]))  # other rows through the same pipe are another batch
    assert len(output.read_bytes().splitlines()) == 2
    kept = (tmp_path / "expected.jsonl").read_bytes()
    with pytest.raises(UsageError, match="the source changed"):
        piped(data, tmp_path / "expected.jsonl")  # which a file's batch has finished
    assert (tmp_path / "expected.jsonl").read_bytes() == kept


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_redacted_text_is_what_is_written(batch: Run, tmp_path: Path, ending: str) -> None:
    write_messages(tmp_path / "in.jsonl", 3, text="Soy ana@correo.example, llámenme al 612 34 56 {n}8")
    output = tmp_path / f"out.{ending}"
    batch(output, redact=True)
    if ending == "parquet":
        import pyarrow.parquet

        texts = pyarrow.parquet.read_table(output).column("text").to_pylist()
    elif ending == "csv":
        texts = [row["text"] for row in csv.DictReader(output.read_text(encoding="utf-8").splitlines())]
    else:
        rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
        texts = [row["text"] for row in rows]
        assert next(row["evidence"] for row in rows if row["evidence"])["complaint"][0]["end"] == len("Soy ")
    assert texts == ["Soy [email], llámenme al [phone]"] * 3
    with pytest.raises(UsageError, match="--redact changed"):
        batch(output)
