"""The command line's contract: rows, order, exit codes, one clear line for every error."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT, SENTENCES

ALL = [sentence for group in SENTENCES.values() for sentence in group]


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line in this process; give its exit code, standard output and standard error."""
    from reclamo.cli import app
    from reclamo.cli.errors import run_guarded

    monkeypatch.setattr(sys, "argv", ["reclamo", *map(str, arguments)])
    code = run_guarded(app._run)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tiny_tagger: Path) -> Any:
    return lambda *arguments: run(capsys, monkeypatch, "tag", "--model", tiny_tagger, "-q", *arguments)


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return path


def test_json_lines_in_and_out_in_order(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"id": f"m{n}", "text": text} for n, text in enumerate(ALL)])
    code, out, err = cli(source)
    assert (code, err) == (0, "")
    assert [row["id"] for row in rows_of(out)] == [f"m{n}" for n in range(len(ALL))]


def test_bad_rows_among_good_ones_are_unscored_and_the_batch_goes_on(cli: Any, tmp_path: Path) -> None:
    source = write_rows(
        tmp_path / "in.jsonl", [{"text": ALL[0]}, "{broken", "[1, 2]", {"id": "n", "text": 7}, {"text": ""}, {"text": ALL[1]}]
    )
    code, out, _ = cli(source)
    got = rows_of(out)
    assert code == 1
    assert [row["status"] for row in got] == ["tagged", "unscored", "unscored", "unscored", "unscored", "tagged"]
    assert [row["reason"] for row in got[1:5]] == ["broken", "broken", "not_text", "empty"]
    assert "line 2" in got[1]["detail"]


@pytest.mark.parametrize("wrong", [("--review-rate", "20"), ("--max-risk", "-1"), ("--threads", "x")])
def test_an_option_out_of_range_is_named(cli: Any, tmp_path: Path, wrong: tuple[str, str]) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    code, out, err = cli(source, *wrong)
    assert (code, out) == (2, "")
    assert f"'{wrong[0]}'" in err
    assert err.endswith("; see reclamo --help\n")


def test_unscored_without_an_error_is_exit_code_0(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ""}, {"text": "O meu pedido ainda não chegou e ninguém responde aos meus emails"}])
    assert cli(source)[0] == 0


def test_every_output_holds_the_same_rows(cli: Any, tmp_path: Path) -> None:
    import pyarrow.parquet

    source = write_rows(tmp_path / "in.jsonl", [{"id": f"=m{n}", "text": text} for n, text in enumerate(ALL)])
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        assert cli(source, "-o", tmp_path / name)[0] == 0
    lines = rows_of((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    for line, cell, row in zip(lines, cells, table, strict=True):
        assert cell["id"] == "'" + line["id"]
        assert row["id"] == line["id"]
        assert cell["sentiment"] == row["sentiment"] == line["sentiment"]["value"]
        assert cell["grounds"] == "|".join((line["grounds"] or {"value": []})["value"])
        assert row["grounds"] == (line["grounds"] and line["grounds"]["value"])
    assert not list(tmp_path.glob("*.part"))


def test_every_output_says_why_a_message_is_unscored(cli: Any, tmp_path: Path) -> None:
    import pyarrow.parquet

    source = write_rows(
        tmp_path / "in.jsonl", [{"id": "a", "text": ALL[0]}, {"id": "b", "text": 7}, {"id": "c", "text": ALL[0], "lang": "pt"}]
    )
    for name in ("out.jsonl", "out.csv", "out.parquet", "out.sqlite"):
        assert cli(source, "-o", tmp_path / name)[0] == 1
    details = [row.get("detail") for row in rows_of((tmp_path / "out.jsonl").read_text(encoding="utf-8"))]
    assert (details[0], details[1]) == (None, "the row has text of type int; expected a string")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["detail"] or None for row in csv.DictReader(file)] == details
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet")["detail"].to_pylist() == details
    with closing(sqlite3.connect(tmp_path / "out.sqlite")) as database:
        assert [detail for (detail,) in database.execute("SELECT detail FROM tags ORDER BY id")] == details


def test_the_table_shows_every_message(cli: Any, tmp_path: Path) -> None:
    code, out, _ = cli(write_rows(tmp_path / "in.jsonl", [{"text": text} for text in ALL]), "-f", "table")
    assert code == 0
    assert f"{len(ALL)} messages" in out
    assert all(text[:12] in out for text in ALL)


def test_a_csv_with_semicolons_in_windows_1253(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("id;Σχόλιο;Ημερομηνία\n9;Περιμένω ακόμη την παραγγελία μου, δεν απαντά κανείς;2026\n".encode("cp1253"))
    code, out, _ = cli(path, "--with-text")
    assert code == 0
    (row,) = rows_of(out)
    assert (row["id"], row["lang"], row["text"]) == ("9", "el", "Περιμένω ακόμη την παραγγελία μου, δεν απαντά κανείς")


def test_what_a_source_has_to_say_goes_to_stderr_unless_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tiny_tagger: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(f"Subject,Description\nx,{ALL[0]}\n", encoding="utf-8")
    for quiet in ([], ["-q"]):
        code, out, err = run(capsys, monkeypatch, "tag", "--model", tiny_tagger, *quiet, tmp_path / "in.csv")
        assert (code, [row["id"] for row in rows_of(out)]) == (0, ["1"])
        assert ("reclamo: in.csv: the text is column 'Description'" in err) == (not quiet)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere.mbox"], 3, "nowhere.mbox: no such file or folder"),
        (["x.txt"], 2, "unknown format '.txt'"),
        (["imap://host/INBOX"], 2, "imap://"),
        (["in.jsonl", "-o", "out.xyz"], 2, "unknown ending '.xyz'"),
        (["in.jsonl", "-o", "no/folder/out.csv"], 2, "folder does not exist"),
        (["in.jsonl", "--role", "boss"], 2, "--role is 'boss'"),
        (["in.jsonl", "--model", "nowhere"], 3, "holds no manifest"),
        (["in.jsonl", "--precision", "fp8"], 2, "--precision is 'fp8'"),
        (["in.jsonl", "-f", "yaml"], 2, "unknown format 'yaml'"),
        (["table.csv"], 2, "no column with a known name"),
        (["table.csv", "--text-column", "b"], 2, "no column 'b'; it has a, c"),
        (["twice.csv"], 2, "two columns are called 'text'"),
        (["box.mbox", "-o", "copy.mbox", "--redact"], 2, "--redact cannot be kept"),
        (["in.jsonl", "--no-such-option"], 2, "No such option"),
        ([], 2, "source"),
    ],
)
def test_wrong_use_is_one_clear_line(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    (tmp_path / "x.txt").write_text("hola")
    (tmp_path / "table.csv").write_text("a,c\n1,2\n")
    (tmp_path / "box.mbox").write_text("From a@b.c Mon Jan  5 10:00:00 2026\nSubject: x\n\nhola\n")
    (tmp_path / "twice.csv").write_text("text,lang,text\nhola,es,adiós\n")
    got, out, err = cli(*arguments)
    assert got == code
    assert says in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert out == ""


def test_stdin_and_a_closed_pipe(tiny_tagger: Path) -> None:
    command = [sys.executable, "-m", "reclamo", "tag", "-", "--model", str(tiny_tagger), "-q"]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in ALL)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(ALL)
    piped = subprocess.run(f"{' '.join(command)} | head -n 1", shell=True, input=lines * 40, capture_output=True, text=True, check=False)
    assert "Traceback" not in piped.stderr


def test_importing_the_api_loads_no_training_package() -> None:
    heavy = ("torch", "transformers", "datasets", "sklearn", "spacy")
    code = f"import sys, reclamo; reclamo.load; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_labels_shows_the_schema(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run(capsys, monkeypatch, "labels", "--lang", "el", "--json")
    assert code == 0
    assert {head["head"]: len(head["labels"]) for head in json.loads(out)}["traits"] == 17
    assert run(capsys, monkeypatch, "labels", "--lang", "xx")[0] == 2


def test_cleaning_is_explained_and_the_pieces_only_with_the_text(cli: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mail = tmp_path / "a.eml"
    mail.write_text(
        "From: ana@correo.example\nMessage-ID: <1@x>\n\nSigue sin llegar el pedido.\n\n> Espere\n> más días\n", encoding="utf-8"
    )
    (plain,) = rows_of(cli(mail)[1])
    (told,) = rows_of(cli(mail, "--explain-cleaning")[1])
    (shown,) = rows_of(cli(mail, "--explain-cleaning", "--with-text")[1])
    span = {"kind": "quoted", "start": 29, "end": 49, "line": 3, "lines": 2}
    assert "cleaning" not in plain
    assert told["cleaning"] == {"characters": 49, "removed": {"quoted": 20}, "spans": [span], "left_out": 0}
    assert shown["cleaning"]["spans"] == [span | {"text": "> Espere\n> más días\n"}]
    assert "Espere" not in caplog.text


def test_a_table_has_no_place_for_what_cleaning_took(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text("From: a@b.example\n\nHola\n")
    code, _, err = cli(tmp_path / "a.eml", "--explain-cleaning", "-o", tmp_path / "a.csv")
    assert code == 2 and "needs JSON lines, and the output is 'csv'" in err


def test_the_source_is_never_the_output(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    before = source.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(source)
    for output in (source, tmp_path / "link.jsonl"):
        code, _, err = cli(source, "-o", output, "--again")
        assert code == 2
        assert "is the source" in err
    assert source.read_bytes() == before


def test_a_file_that_no_run_wrote_is_not_replaced_unless_asked(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("precious\n")
    code, _, err = cli(source, "-o", foreign)
    assert (code, foreign.read_text()) == (2, "precious\n")
    assert "no journal says of what" in err and "--again" in err
    assert not list(tmp_path.glob("foreign.csv.*"))
    assert cli(source, "-o", foreign, "--again")[0] == 0
    assert foreign.read_text().startswith("id,")
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert cli(source, "-o", empty)[0] == 0


def test_a_pipe_is_written_to_and_a_link_followed(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"id": "m", "text": ALL[0]}])
    pipe, link, target = tmp_path / "pipe", tmp_path / "link.jsonl", tmp_path / "target.jsonl"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    assert cli(source, "-f", "jsonl", "-o", pipe)[0] == 0
    reader.join(10)
    assert pipe.is_fifo()
    assert rows_of(got[0])[0]["id"] == "m"
    link.symlink_to(target)
    assert cli(source, "-o", link)[0] == 0
    assert link.is_symlink()
    assert rows_of(target.read_text())[0]["id"] == "m"
    code, _, err = cli(source, "-f", "parquet", "-o", pipe)
    assert code == 2
    assert "no regular file" in err


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.sqlite"])
def test_a_folder_is_no_output(cli: Any, tmp_path: Path, name: str) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    (tmp_path / name).mkdir()
    code, _, err = cli(source, "-o", tmp_path / name)
    assert code == 2
    assert "is a folder" in err


def test_a_dash_is_standard_output_and_a_table_may_go_into_a_file(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"id": "m", "text": ALL[0]}])
    code, out, _ = cli(source, "-o", "-", "-f", "jsonl")
    assert (code, rows_of(out)[0]["id"]) == (0, "m")
    code, out, _ = cli(source, "-o", tmp_path / "t.txt", "-f", "table")
    assert (code, out) == (0, "")
    assert "sentiment" in (tmp_path / "t.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_that_is_full_is_one_clear_line(tiny_tagger: Path, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ALL[0]}])
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "reclamo", "tag", "--model", str(tiny_tagger), "-q", str(source)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_the_reason_of_an_unscored_row_has_a_key_of_its_own_too(cli: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"text": ""}, {"text": ALL[0]}])
    empty, tagged = rows_of(cli(source)[1])
    assert empty["unscored_reason"] == empty["reason"] == "empty"
    assert "unscored_reason" not in tagged
