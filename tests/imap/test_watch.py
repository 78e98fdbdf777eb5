"""Folders that are followed: mail is tagged as it comes, a stop loses nothing, a restart goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.imap.conftest import mail, mails, needs_dovecot
from tests.imap.dovecot import CuttingProxy, Dovecot, wait_until

from reclamo.errors import UsageError
from reclamo.sources import imap_connection, maildir_watch
from reclamo.sources.imap import ImapMessages, ImapOptions
from reclamo.sources.imap_connection import Client, ConnectionOptions, ImapFolder
from reclamo.sources.imap_url import parse_imap_url
from reclamo.sources.maildir_watch import MaildirMessages

Run = Callable[..., int]


def rows(path: Path) -> list[str]:
    """The ids of the rows that are there, whole lines only."""
    if not path.exists():
        return []
    return [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]


def uids(path: Path) -> list[int]:
    return [int(id.rpartition("=")[2]) for id in rows(path)]


@contextmanager
def watching(folder: Path, source: str, output: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Follow a source in a process of its own, with the fake tagger; tell it to stop at the end, and see that it does so cleanly."""
    command = [sys.executable, "-m", "tests.sinks.fake_tagger", str(folder), "0", "tag", source, "-o", str(output), "--watch", *options]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "PYTHONFAULTHANDLER": "1"})
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0, errors
        assert b"Traceback" not in errors
    except TimeoutError as error:
        process.send_signal(signal.SIGABRT)  # it says where it is
        raise AssertionError(process.communicate()[1].decode()) from error
    finally:
        process.kill()
        process.communicate()


@needs_dovecot
def test_new_mail_gets_a_row_as_it_comes(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    dovecot.deliver(user, *mails(20))
    output = tmp_path / "tags.jsonl"
    with CuttingProxy(dovecot.port, []) as proxy:
        url = dovecot.url(user, port=proxy.port)
        with watching(tmp_path, url, output, "--set-keywords"):
            wait_until(lambda: uids(output) == list(range(1, 21)))
            time.sleep(0.3)  # it waits in IDLE by now
            start = time.monotonic()
            dovecot.deliver(user, mail(21))
            wait_until(lambda: uids(output)[-1] == 21)
            assert time.monotonic() - start < 10
            proxy.cut()  # while it waits
            dovecot.deliver(user, mail(22))
            wait_until(lambda: uids(output)[-1] == 22)
            wait_until(lambda: all("reclamo/done" in flags for flags in dovecot.flags(user).values()))
        dovecot.deliver(user, mail(23), mail(24))
        with watching(tmp_path, url, output, "--set-keywords"):
            wait_until(lambda: uids(output)[-1] == 24)
    assert uids(output) == list(range(1, 25))  # none missing, none twice
    assert not any("\\Seen" in flags for flags in dovecot.flags(user).values())
    assert {path.name for path in tmp_path.iterdir()} == {"tags.jsonl", "tags.jsonl.journal", "manifest.json"}


@pytest.fixture(autouse=True)
def no_stray_signal() -> Iterator[None]:
    """A SIGTERM that no run waits for fails the test, and does not end the process that all tests run in."""

    def refuse(number: int, frame: object) -> None:
        raise AssertionError("a SIGTERM came when nothing was being followed")

    before = signal.signal(signal.SIGTERM, refuse)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def stop_after(run_tag: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Follow a source in this process until something holds, then send SIGTERM."""
    monkeypatch.setattr(maildir_watch, "POLL", 0.02)

    def run(condition: Callable[[], bool], source: str | Path, output: Path | None, **options: Any) -> int:
        def stop() -> None:
            try:
                wait_until(condition)
            finally:
                while not ended.is_set():
                    signal.raise_signal(signal.SIGTERM)
                    ended.wait(20)

        def ignore(number: int, frame: object) -> None:
            """A signal that comes after a failure must not end this process, and hide the failure."""

        ended = threading.Event()
        before = signal.signal(signal.SIGTERM, ignore)
        waiting = threading.Thread(target=stop)
        waiting.start()
        try:
            code = run_tag(source, output, watch=True, **options)
        finally:
            ended.set()
            waiting.join()
            after = signal.signal(signal.SIGTERM, before)
        assert after == ignore
        return code

    return run


@needs_dovecot
def test_a_server_without_idle_is_asked_now_and_then(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    has = Client.has_capability
    monkeypatch.setattr(Client, "has_capability", lambda client, name: name != "IDLE" and has(client, name))
    monkeypatch.setattr(Client, "idle", lambda client: pytest.fail("IDLE was sent"))
    slept: list[float] = []
    monkeypatch.setattr(ImapFolder, "_sleep", lambda folder, seconds: slept.append(seconds))
    dovecot.deliver(user, mail(1))
    source = ImapMessages(parse_imap_url(dovecot.url(user)))
    try:
        assert len(list(source)) == 1
        source.wait(lambda: False)
        assert list(source) == []
        dovecot.deliver(user, mail(2))
        source.wait(lambda: False)
        assert [message.id.rpartition("=")[2] for message in source] == ["2"]
    finally:
        source.close()
    assert slept == [source.folder.options.poll_seconds] * 2


@needs_dovecot
def test_idle_is_renewed(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.deliver(user, mail(1))
    monkeypatch.setattr(imap_connection, "SLICE", 0.05)
    renewed: list[float] = []
    idle = Client.idle
    monkeypatch.setattr(Client, "idle", lambda client: (renewed.append(time.monotonic()), idle(client)))
    source = ImapMessages(parse_imap_url(dovecot.url(user)))
    object.__setattr__(source.folder.options, "renew_seconds", 0.1)
    try:
        list(source)
        for _ in range(3):
            source.wait(lambda: False)
    finally:
        source.close()
    assert len(renewed) == 3


@needs_dovecot
@pytest.mark.parametrize("between", ["nothing", "cut", "other command"])
def test_mail_that_comes_before_it_waits_is_not_slept_over(dovecot: Dovecot, user: str, between: str) -> None:
    dovecot.deliver(user, mail(1))
    with CuttingProxy(dovecot.port, []) as proxy:
        options = ImapOptions(connection=ConnectionOptions(renew_seconds=20))
        source = ImapMessages(parse_imap_url(dovecot.url(user, port=proxy.port)), options)
        assert len(list(source)) == 1
        dovecot.deliver(user, mail(2))
        if between == "cut":
            proxy.cut()
        elif between == "other command":
            source.folder.run(lambda client: client.noop())  # its answer holds the news
        start = time.monotonic()
        source.wait(lambda: False)
        assert time.monotonic() - start < 10
        assert len(list(source)) == 1
        source.close()


def test_news_that_come_along_with_the_go_ahead_are_not_slept_over() -> None:
    """A server may send `+ idling` and `* 2 EXISTS` in one packet, after which the socket has nothing more to show."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as wire:
            wire.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
            while line := wire.readline():
                tag, command = line.split()[:2]
                if command.upper() == b"IDLE":
                    wire.write(b"+ idling\r\n* 2 EXISTS\r\n")
                    tag = tag if wire.readline().strip() == b"DONE" else b"?"
                elif command == b"EXAMINE":
                    wire.write(b"* 1 EXISTS\r\n* 0 RECENT\r\n* FLAGS ()\r\n* OK [UIDVALIDITY 7] ok\r\n")
                elif command == b"CAPABILITY":
                    wire.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
                elif command == b"LOGOUT":
                    wire.write(b"* BYE\r\n")
                wire.write(tag + b" OK done\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        folder = ImapFolder(parse_imap_url(f"imap://ana:clave@127.0.0.1:{listener.getsockname()[1]}/INBOX"))
        folder.run(Client.catch_up)
        start = time.monotonic()
        folder.wait()
        assert time.monotonic() - start < 5
        folder.close()
        thread.join(5)


@needs_dovecot
def test_a_stop_while_the_first_pass_connects_again(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from reclamo.cli.mailbox import follow

    waits: list[float] = []

    def sleep(folder: ImapFolder, seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 5, "it goes on connecting"
        if len(waits) == 1:
            signal.raise_signal(signal.SIGTERM)

    with CuttingProxy(dovecot.port, []) as proxy:
        url = parse_imap_url(dovecot.url(user, port=proxy.port))
        source = ImapMessages(url, ImapOptions(connection=ConnectionOptions(attempts=None)))
        source.folder.run(lambda client: None)  # which may have to wait for a busy server, and must not be stopped
        monkeypatch.setattr(ImapFolder, "_sleep", sleep)
        proxy.leave()  # the server goes away before the first message
        assert list(follow(source, lambda chunk: pytest.fail("nothing came"), None)) == []  # type: ignore[arg-type]
    assert len(waits) == 1


def make_maildir(path: Path, count: int) -> Path:
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True)
    for number in range(1, count + 1):
        deliver(path, number)
    return path


def deliver(path: Path, number: int) -> None:
    """Deliver as the Maildir rules say: written in tmp, renamed into new."""
    name = f"{1_700_000_000 + number}.M{number}.host"
    (path / "tmp" / name).write_bytes(mail(number))
    (path / "tmp" / name).rename(path / "new" / name)


def test_a_maildir_is_followed_across_restarts(tmp_path: Path, stop_after: Any) -> None:
    path, output = make_maildir(tmp_path / "Maildir", 12), tmp_path / "tags.jsonl"
    assert stop_after(lambda: len(rows(output)) == 12, path, output) == 0
    (path / "new" / "1700000001.M1.host").rename(path / "cur" / "1700000001.M1.host:2,S")  # read by a person
    (path / "new" / "1700000002.M2.host").unlink()
    deliver(path, 0)  # a name before all others
    sent: list[Any] = []

    def condition() -> bool:
        if len(rows(output)) == 13 and not sent:
            sent.append(deliver(path, 13))
        return len(rows(output)) == 14

    assert stop_after(condition, path, output) == 0
    assert rows(output) == [f"{1_700_000_000 + number}.M{number}.host" for number in (*range(1, 13), 0, 13)]
    assert sorted(file.name for file in (path / "new").iterdir())[0] == "1700000000.M0.host"  # nothing was moved


def test_a_message_that_moves_while_the_maildir_is_read(tmp_path: Path) -> None:
    path = make_maildir(tmp_path / "Maildir", 4)
    source = MaildirMessages(path)
    first = next(source)
    (path / "new" / "1700000002.M2.host").rename(path / "cur" / "1700000002.M2.host:2,S")
    (path / "new" / "1700000003.M3.host").unlink()
    assert [message.id for message in (first, *source)] == [f"{1_700_000_000 + number}.M{number}.host" for number in (1, 2, 4)]
    assert all(message.problem is None for message in source)


def test_rows_go_to_standard_output_at_once(tmp_path: Path, stop_after: Any, capfd: Any) -> None:
    path = make_maildir(tmp_path / "Maildir", 2)
    seen: list[str] = []

    def condition() -> bool:
        seen.extend(capfd.readouterr().out.splitlines())
        return len(seen) == 2

    assert stop_after(condition, path, None) == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [("tags.parquet", "cannot add to parquet"), ("old.jsonl", "no journal says of what"), ("begun.jsonl", "begun without --watch")],
)
def test_outputs_that_cannot_be_followed(tmp_path: Path, run_tag: Run, name: str, says: str) -> None:
    path = make_maildir(tmp_path / "Maildir", 2)
    (tmp_path / "old.jsonl").write_text("{}\n")
    (tmp_path / "begun.jsonl.part").write_text("{}\n")
    with pytest.raises(UsageError, match=says):
        run_tag(path, tmp_path / name, watch=True)
    assert (tmp_path / "old.jsonl").read_text() == (tmp_path / "begun.jsonl.part").read_text() == "{}\n"


@pytest.mark.parametrize(("name", "form"), [("copy.mbox", None), ("copy", "mbox"), ("copy", "maildir")])
def test_a_copy_is_not_made_of_a_maildir_that_is_followed(
    tmp_path: Path, run_tag: Run, monkeypatch: pytest.MonkeyPatch, name: str, form: str | None
) -> None:
    """Later mail may have an earlier name: the rows would stand on other messages."""
    path = make_maildir(tmp_path / "Maildir", 2)
    monkeypatch.setattr(MaildirMessages, "wait", lambda *_: pytest.fail("it was followed"))
    with pytest.raises(UsageError, match="--watch follows mail as it comes, and a copy"):
        run_tag(path, tmp_path / name, watch=True, format=form)
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("copy")]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_names_that_are_no_utf_8(tmp_path: Path, stop_after: Any, ending: str) -> None:
    """Two of them look the same once mended; each gets one row, also over a restart."""
    path, output = make_maildir(tmp_path / "Maildir", 1), tmp_path / f"tags.{ending}"
    names = [os.fsdecode(name) for name in (b"17.caf\xe9.host", b"17.caf\xe8.host")]
    try:
        for name in names:
            (path / "new" / name).write_bytes(mail(2))
    except OSError:
        pytest.skip("this file system has no such names")

    def lines() -> int:
        return output.read_text(encoding="utf-8").count("\n") - (ending == "csv") if output.exists() else 0

    assert stop_after(lambda: lines() == 3, path, output) == 0
    (path / "new" / names[0]).rename(path / "cur" / f"{names[0]}:2,S")
    deliver(path, 4)
    assert stop_after(lambda: lines() == 4, path, output) == 0
    ids = [line.split(",")[0] for line in output.read_text(encoding="utf-8").splitlines()[1:]] if ending == "csv" else rows(output)
    assert len(set(ids)) == len(ids) == 4
    assert sum(id.startswith("17.caf\ufffd.host#") for id in ids) == 2


def test_a_maildir_from_the_future_is_looked_at_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_maildir(tmp_path / "Maildir", 1)
    os.utime(path / "new", (time.time() + 3600,) * 2)
    slept: list[float] = []
    monkeypatch.setattr(maildir_watch.time, "sleep", slept.append)
    source = MaildirMessages(path)
    for _ in range(3):
        list(source)
        source.wait(lambda: False)
    assert slept == [maildir_watch.POLL] * 3
    source.wait(lambda: True)
    assert len(slept) == 3


@pytest.mark.parametrize("options", [{"watch": True}, {"search": "UNSEEN"}, {}])
def test_no_error_shows_the_password_of_an_address(tmp_path: Path, run_tag: Run, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="pop3s://") as raised:
        run_tag("pop3s://ana:clave-secreta@mail.example/INBOX", tmp_path / "tags.jsonl", **options)
    assert "clave" not in str(raised.value) and "ana" not in str(raised.value)
