"""Outputs of a source that gives more later: finished ones go on, followed ones are written in place, whenever they are stopped."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sinks.fake_tagger import FakeTagger
from tests.stops import Halt, halt_at

import reclamo.engine.tagger as engine
from reclamo.cli import mailbox
from reclamo.cli.tag import tag
from reclamo.errors import UsageError
from reclamo.message import Message
from reclamo.sinks import journal, resumable
from reclamo.sources.passes import Passes, Stopped

CHUNK = 8
Run = Callable[..., int]


class Box(Passes):
    """Messages by number; `wait` says that the process is to stop."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.given = count, 0
        self.fingerprint = {"path": "box"}

    def resume(self, last_id: str, done: Callable[[], Iterable[str]]) -> None:
        self.given = int(last_id)
        assert list(done()) == [str(number) for number in range(1, self.given + 1)]

    def _read(self) -> Iterator[Message]:
        while self.given < self.count:
            self.given += 1
            yield Message(id=str(self.given), text=f"=Espero, «la» caja {self.given}")

    def wait(self, stop: Callable[[], bool]) -> None:
        raise Stopped


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Tag a box of that many messages with the fake tagger."""
    monkeypatch.setattr(engine, "CHUNK", CHUNK)
    (tmp_path / "model").mkdir()
    monkeypatch.setattr(engine, "load", lambda *_, **__: FakeTagger(tmp_path / "model"))
    monkeypatch.setattr(os, "fsync", lambda number: None)

    def run(count: int, output: Path, **options: Any) -> int:
        monkeypatch.setattr(mailbox, "_open", lambda *_: Box(count))
        return tag("box", output, **{"quiet": True, **options})

    return run


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read_bytes())
    journal.journal_of(target).write_bytes(journal.journal_of(source).read_bytes())


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_stopped_at_any_step_the_rows_are_those_of_an_undisturbed_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, killed: bool, watch: bool
) -> None:
    first, expected = tmp_path / f"first.{ending}", tmp_path / f"expected.{ending}"
    run(CHUNK + 3, first, watch=watch)
    copy(first, expected)
    run(3 * CHUNK, expected)
    assert expected.read_bytes().startswith(first.read_bytes()) and expected.stat().st_size > first.stat().st_size
    if killed:  # nothing is put in order, and the last write was torn
        monkeypatch.setattr(resumable.ResumableSink, "abort", lambda sink: sink._file.close())
    stops = 0
    while True:
        output = tmp_path / f"{stops}" / f"out.{ending}"
        copy(first, output)
        halt_at(stops + 1, monkeypatch)
        try:
            run(3 * CHUNK, output, watch=watch)
            break
        except Halt:
            stops += 1
        halt_at(0, monkeypatch)
        if killed and b'"finished": false' in journal.journal_of(output).read_bytes():
            with output.open("ab") as file:
                file.write(b'{"torn')
        run(3 * CHUNK, output, watch=watch)
        assert output.read_bytes() == expected.read_bytes()
        assert {path.name for path in output.parent.iterdir()} <= {output.name, f"{output.name}.journal", f"{output.name}.journal.new"}
    assert stops > 15


def test_a_followed_output_stopped_from_its_first_step_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = tmp_path / "expected.jsonl"
    run(CHUNK + 3, expected, watch=True)
    monkeypatch.setattr(resumable.ResumableSink, "abort", lambda sink: sink._file.close())
    for stops in range(40):
        output = tmp_path / f"{stops}" / "out.jsonl"
        output.parent.mkdir()
        halt_at(stops + 1, monkeypatch)
        try:
            run(CHUNK + 3, output, watch=True)
            break
        except Halt:
            halt_at(0, monkeypatch)
        run(CHUNK + 3, output, watch=True)
        assert output.read_bytes() == expected.read_bytes()
    assert stops > 20


def test_a_finished_output_can_be_followed_and_a_followed_one_be_finished(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    for count, watch in ((3, False), (5, True), (9, False), (9, True), (12, True)):
        run(count, output, watch=watch)
        assert len(output.read_text(encoding="utf-8").splitlines()) == count
    before = (output.read_bytes(), output.stat().st_mtime_ns, journal.journal_of(output).stat().st_mtime_ns)
    run(12, output)
    assert (output.read_bytes(), output.stat().st_mtime_ns, journal.journal_of(output).stat().st_mtime_ns) == before
    run(4, output, watch=True, again=True)
    assert len(output.read_text(encoding="utf-8").splitlines()) == 4


def test_what_was_altered_is_not_built_upon(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    run(5, output, watch=True)
    altered = output.read_bytes()[:-5]
    output.write_bytes(altered)
    for watch in (False, True):
        with pytest.raises(UsageError, match="altered since it was finished; --again"):
            run(9, output, watch=watch)
    assert output.read_bytes() == altered


def test_two_followers_do_not_mix(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl")
    output, seen = tmp_path / "out.jsonl", []

    def other(name: str) -> None:
        if name == "after append rows" and not seen:
            seen.append(name)
            with pytest.raises(UsageError, match="another run"):
                run(9, output, watch=True)

    monkeypatch.setattr(journal, "on_step", other)
    run(9, output, watch=True)
    assert seen and len(output.read_text(encoding="utf-8").splitlines()) == 9


def test_a_database_is_followed(run: Run, tmp_path: Path) -> None:
    import sqlite3

    for _ in range(2):
        run(9, tmp_path / "out.sqlite", watch=True)
    database = sqlite3.connect(tmp_path / "out.sqlite")
    assert database.execute("SELECT count(*) FROM tags").fetchone() == (9,)
    database.close()


@pytest.mark.parametrize("watch", [False, True])
def test_no_copy_is_made_of_a_source_that_grows(run: Run, tmp_path: Path, watch: bool) -> None:
    with pytest.raises(UsageError, match=r"a copy \(mbox\) is made of a whole mailbox"):
        run(3, tmp_path / "out.mbox", watch=watch)


def test_a_csv_with_a_long_text_is_gone_on_with(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(box: Box) -> Iterator[Message]:
        while box.given < box.count:
            box.given += 1
            yield Message(id=str(box.given), text="x" * 1_048_576)

    monkeypatch.setattr(Box, "_read", read)
    output, limit = tmp_path / "out.csv", csv.field_size_limit(131_072)  # what Python begins with
    try:
        for count in (2, 3):
            run(count, output, watch=True, with_text=True)
            assert output.read_bytes().count(b"\n") == 1 + count
    finally:
        csv.field_size_limit(limit)


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_box_that_was_empty_grows_under_one_header(run: Run, tmp_path: Path, ending: str, watch: bool) -> None:
    run(CHUNK + 3, tmp_path / f"expected.{ending}")
    output = tmp_path / f"out.{ending}"
    run(0, output, watch=watch)
    assert (output.stat().st_size > 0) is (ending == "csv")
    run(CHUNK + 3, output, watch=watch)
    assert output.read_bytes() == (tmp_path / f"expected.{ending}").read_bytes()
