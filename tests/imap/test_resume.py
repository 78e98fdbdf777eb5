"""A batch over an IMAP folder goes on where it was stopped, and a finished one with the mail that came since."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.imap.conftest import CHUNK, mails, needs_dovecot
from tests.imap.dovecot import PASSWORD, Dovecot
from tests.stops import Halt, halt_at

from reclamo.errors import UsageError
from reclamo.sinks import journal
from reclamo.sources.imap import ImapMessages

pytestmark = needs_dovecot
Run = Callable[..., int]
MESSAGES = 21


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The UIDs of the messages that were downloaded."""
    found: list[int] = []
    fetch = ImapMessages._bodies
    monkeypatch.setattr(ImapMessages, "_bodies", lambda source, uids: (found.extend(uids), fetch(source, uids))[1])
    return found


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_stopped_batch_goes_on_behind_the_last_uid(
    dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[int], ending: str
) -> None:
    dovecot.fill(user, mails(MESSAGES))
    url, expected, output = dovecot.url(user), tmp_path / f"expected.{ending}", tmp_path / f"out.{ending}"
    run_tag(url, expected, with_text=True)
    halt_at(26, monkeypatch)
    with pytest.raises(Halt):
        run_tag(url, output, with_text=True)
    done = json.loads(journal.journal_of(output).read_text())
    assert 0 < done["rows"] < MESSAGES and done["rows"] % CHUNK == 0
    halt_at(0, monkeypatch)
    fetched.clear()
    run_tag(url, output, with_text=True)
    assert output.read_bytes() == expected.read_bytes()
    assert fetched == list(range(done["rows"] + 1, MESSAGES + 1))  # what is done is not downloaded again


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_new_mail_is_added_to_a_finished_output(
    dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path, fetched: list[int], ending: str
) -> None:
    output = tmp_path / f"out.{ending}"
    dovecot.fill(user, mails(3))
    run_tag(dovecot.url(user), output)
    before = output.read_bytes()
    dovecot.deliver(user, *mails(2))
    run_tag(dovecot.url(user), output)
    assert fetched == [1, 2, 3, 4, 5]
    assert output.read_bytes().startswith(before)
    assert output.read_bytes().count(b"UIDVALIDITY=") == 5


def test_twice_is_as_once(dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path, fetched: list[int]) -> None:
    dovecot.fill(user, mails(5))
    output = tmp_path / "out.jsonl"
    for _ in range(2):
        run_tag(dovecot.url(user), output)
        now = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir() if path.is_file()}
    assert fetched == [1, 2, 3, 4, 5]
    run_tag(dovecot.url(user), output)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir() if path.is_file()} == now
    assert set(now) == {"out.jsonl", "out.jsonl.journal"}


def test_a_finished_table_is_left_alone(dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path, capsys: Any) -> None:
    dovecot.fill(user, mails(5))
    run_tag(dovecot.url(user), tmp_path / "out.parquet")
    dovecot.deliver(user, *mails(1))
    run_tag(dovecot.url(user), tmp_path / "out.parquet", quiet=False)
    assert "is finished (5 messages), nothing was done; --again" in capsys.readouterr().err


def test_another_batch_does_not_go_on(dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path) -> None:
    client = dovecot.client(user)
    client.create_folder("Caja")
    client.append("Caja", mails(1)[0])
    url, output = dovecot.url(user, "Caja"), tmp_path / "out.jsonl"
    run_tag(url, output, search="UNSEEN")
    for change in ({"search": "SEEN"}, {"since": "2026-01-01"}, {"set_keywords": True}):
        with pytest.raises(UsageError, match=f"--{next(iter(change)).replace('_', '-')} changed"):
            run_tag(url, output, **{"search": "UNSEEN", **change})
    client.delete_folder("Caja")
    client.create_folder("Caja")
    client.logout()
    with pytest.raises(UsageError, match=r"the source changed \(its UIDVALIDITY was \d+ and is \d+: the server has renumbered.*--again"):
        run_tag(url, output, search="UNSEEN")


def test_the_password_is_written_nowhere(
    dovecot: Dovecot, user: str, run_tag: Run, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from urllib.parse import quote

    caplog.set_level("DEBUG")
    monkeypatch.delenv("RECLAMO_IMAP_PASSWORD")
    dovecot.fill(user, mails(2))
    run_tag(dovecot.url(user).replace("@", f":{quote(PASSWORD, safe='')}@"), tmp_path / "out.jsonl", quiet=False)
    captured = capsys.readouterr()
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.is_file())
    for text in (captured.out, captured.err, written, caplog.text):
        assert "secreta" not in text and "contrase" not in text
    assert f"{user}@127.0.0.1" in written


def test_options_of_mail_folders_are_refused_for_files(run_tag: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "hola"}\n')
    for options in ({"search": "UNSEEN"}, {"set_keywords": True}, {"ca_file": tmp_path}, {"watch": True}):
        with pytest.raises(UsageError, match=f"--{next(iter(options)).replace('_', '-')}"):
            run_tag(tmp_path / "in.jsonl", **options)
