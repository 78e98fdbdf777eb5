"""Folders as a source: which messages, in which order, at what cost, and what happens when something is wrong."""

from __future__ import annotations

import imaplib
import logging
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from imapclient.response_parser import parse_fetch_response
from tests.imap.conftest import mail, mails, needs_dovecot
from tests.imap.dovecot import PASSWORD, CuttingProxy, Dovecot

from reclamo.errors import SourceError, UsageError
from reclamo.mail import Limits
from reclamo.sources import SourceOptions, imap, open_source
from reclamo.sources.imap import ImapMessages, ImapOptions, parse_message_id
from reclamo.sources.imap_connection import Client, ConnectionOptions
from reclamo.sources.imap_search import Filters
from reclamo.sources.imap_url import ImapUrl, parse_imap_url

pytestmark = needs_dovecot
NEVER_CHANGES = ("STORE", "SELECT", "APPEND", "EXPUNGE", "COPY", "MOVE")


@pytest.fixture
def opened() -> Iterator[Any]:
    """Open folders that are closed after the test."""
    found: list[ImapMessages] = []

    def open_folder(url: str, **options: Any) -> ImapMessages:
        found.append(ImapMessages(parse_imap_url(url), ImapOptions(**options)))
        return found[-1]

    yield open_folder
    for source in found:
        source.close()


def uids(source: Any) -> list[int]:
    return [parse_message_id(message.id)[2] for message in source]


def test_messages_in_order_with_lasting_ids_and_no_trace(dovecot: Dovecot, user: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    dovecot.fill(user, mails(3))
    source = open_source(dovecot.url(user))
    messages = list(source)
    source.close()  # type: ignore[attr-defined]
    again = open_source(dovecot.url(user))
    assert [message.id for message in again] == [message.id for message in messages]
    again.close()  # type: ignore[attr-defined]
    assert [message.text for message in messages] == [f"Hola, sigo esperando {number}" for number in (1, 2, 3)]
    assert messages[0].sender == "Ana <ana@correo.example>"
    client = dovecot.client(user)
    validity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    assert [message.id for message in messages] == [f"INBOX;UIDVALIDITY={validity}/;UID={uid}" for uid in (1, 2, 3)]
    assert set(client.get_flags([1, 2, 3]).values()) == {(b"\\Recent",)}  # EXAMINE leaves even this
    client.logout()
    assert "esperando" not in caplog.text and PASSWORD not in caplog.text


def test_only_commands_that_change_nothing_go_over_the_wire(
    dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.fill(user, mails(2))
    sent: list[str] = []
    send = Client._create_IMAP4

    def spied(client: Client) -> Any:
        connection = send(client)
        plain = connection.send
        connection.send = lambda data: (sent.append(bytes(data).decode("utf-8", "replace")), plain(data))[1]
        return connection

    monkeypatch.setattr(Client, "_create_IMAP4", spied)
    assert uids(opened(dovecot.url(user))) == [1, 2]
    wire = "".join(sent).upper()
    assert "EXAMINE" in wire and "BODY.PEEK[]" in wire
    assert not any(command in wire for command in NEVER_CHANGES)
    assert "BODY[" not in wire and "RFC822)" not in wire


def test_a_folder_with_letters_of_its_own(dovecot: Dovecot, user: str, opened: Any) -> None:
    client = dovecot.client(user)
    client.create_folder("Παράπονα 100% & más")
    client.append("Παράπονα 100% & más", mail(1))
    client.logout()
    url = f"imap://{user}@127.0.0.1:{dovecot.port}/%CE%A0%CE%B1%CF%81%CE%AC%CF%80%CE%BF%CE%BD%CE%B1%20100%25%20&%20más"
    (message,) = opened(url)
    assert parse_message_id(message.id)[0] == "Παράπονα 100% & más"
    with pytest.raises(SourceError, match=r"Mailbox doesn't exist: Nada.*the folders are .*INBOX"):
        list(opened(dovecot.url(user, "Nada")))


def test_a_message_over_the_limit_is_not_fetched(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, mail(1), mail(2, "x\n" * 300_000), mail(3))
    with CuttingProxy(dovecot.port, []) as proxy:
        source = open_source(dovecot.url(user, port=proxy.port), SourceOptions(limits=Limits(message_bytes=100_000)))
        messages = list(source)
        source.close()  # type: ignore[attr-defined]
        assert proxy.passed < 20_000
    assert [message.problem and message.problem.reason for message in messages] == [None, "over_limit", None]
    assert messages[1].problem is not None and "at most 100,000 are read" in messages[1].problem.detail


def test_memory_is_that_of_a_few_messages(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.fill(user, mails(40, text="línea de texto\n" * 30_000))  # 20 MB
    monkeypatch.setattr(imap, "FETCH_BYTES", 1_500_000)
    source = opened(dovecot.url(user), limits=Limits(text_chars=1000))
    next(source)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source) == 39
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


def test_filters(dovecot: Dovecot, user: str, opened: Any) -> None:
    client = dovecot.client(user)
    for day, subject in ((1, "Reembolso"), (2, "Καθυστέρηση"), (3, "Reembolso (2)"), (4, "Ñandú")):
        client.append("INBOX", mail(day, subject=subject), msg_time=datetime(2026, 3, day, 12))
    client.add_flags([1], ["\\Seen"])
    client.logout()

    def found(**filters: Any) -> list[int]:
        return uids(opened(dovecot.url(user), filters=Filters(**filters)))

    assert found(since=date(2026, 3, 2)) == [2, 3, 4]
    assert found(since=date(2026, 3, 2), before=date(2026, 3, 4)) == [2, 3]
    assert found(search="UNSEEN SUBJECT Reembolso") == [3]
    assert found(search='OR SUBJECT "(2)" (SEEN SUBJECT "reembolso")') == [1, 3]
    assert found(search='SUBJECT "Καθυστέρηση"') == [2]
    assert found(search='NOT (OR SUBJECT "Καθυστέρηση" SUBJECT Ñandú)', since=date(2026, 3, 2)) == [3]
    assert found(search="UNKEYWORD reclamo/done", before=date(2026, 3, 2)) == [1]
    with pytest.raises(UsageError, match=r"does not take --search.*expected search keys"):
        found(search="NONSENSE 1")


def test_many_uids_are_searched_by_windows(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.fill(user, mails(120))
    client = dovecot.client(user)
    client.delete_messages([*range(5, 60), 119, 120])
    client.expunge()
    left = client.search("ALL")
    client.logout()
    monkeypatch.setattr(imap, "SEARCH_WINDOW", 7)
    monkeypatch.setattr(imap, "SPARSE", 3)
    monkeypatch.setattr(imap, "SIZES", 4)
    assert uids(opened(dovecot.url(user))) == left


def test_a_window_with_too_long_an_answer_is_narrowed(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.fill(user, mails(120))
    client = dovecot.client(user)
    client.delete_messages(range(1, 41))  # sparse at first, so that the window grows
    client.expunge()
    client.logout()
    monkeypatch.setattr(imap, "SEARCH_WINDOW", 7)
    monkeypatch.setattr(imap, "SPARSE", 3)
    answers: list[int] = []
    search = Client.search_parts

    def limited(client: Client, parts: Any) -> list[int]:
        found = search(client, parts)
        answers.append(len(found))
        if len(found) > 10:
            raise imaplib.IMAP4.error("got more than 1000000 bytes")
        return found

    monkeypatch.setattr(Client, "search_parts", limited)
    source = opened(dovecot.url(user), connection=ConnectionOptions(attempts=3))
    assert uids(source) == list(range(41, 121))
    assert max(answers) > 10


def test_an_empty_folder(dovecot: Dovecot, user: str, opened: Any) -> None:
    source = opened(dovecot.url(user))
    assert list(source) == []
    dovecot.deliver(user, mail(1))
    assert uids(source) == [1]
    assert uids(source) == []


def test_a_message_deleted_meanwhile_is_left_out(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.fill(user, mails(8))
    monkeypatch.setattr(imap, "SIZES", 2)
    source = opened(dovecot.url(user))
    first = next(source)
    client = dovecot.client(user)
    client.delete_messages([2, 5])
    client.expunge()
    client.logout()
    got = [parse_message_id(first.id)[2], *uids(source)]
    assert got in ([1, 3, 4, 6, 7, 8], [1, 2, 3, 4, 6, 7, 8])  # the second was fetched along with the first


def test_a_message_that_the_server_cannot_give_stands_alone(dovecot: Dovecot, user: str, opened: Any) -> None:
    dovecot.fill(user, mails(4))
    source = opened(dovecot.url(user))
    assert source.fingerprint["uidvalidity"] > 0
    client = dovecot.client(user)
    client.fetch([1, 2, 3, 4], ["RFC822.SIZE"])  # the server now knows the sizes
    client.logout()
    for file in (dovecot.base / "mail" / user).rglob("*M1P1.host*"):
        file.unlink()
        file.mkdir()  # the second message
    got = list(source)
    assert [parse_message_id(message.id)[2] for message in got if message.problem is None] == [1, 3, 4]


@pytest.mark.parametrize("cuts", [[2_000], [4_000, 9_000, 20_000], [3_000, 3_100, 3_200]])
def test_a_dropped_connection_is_made_again(dovecot: Dovecot, user: str, opened: Any, cuts: list[int], caplog: Any) -> None:
    dovecot.fill(user, mails(60))
    with CuttingProxy(dovecot.port, cuts) as proxy:
        source = opened(dovecot.url(user, port=proxy.port))
        source.folder.run(lambda client: None)  # let in once; after that, cuts are mended
        assert uids(source) == list(range(1, 61))
        assert proxy.cuts == [] and proxy.connections == len(cuts) + 1
    assert "esperando" not in caplog.text


def test_an_answer_that_is_not_understood_is_not_quoted(
    dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(Client, "catch_up", lambda client: parse_fetch_response([b'1 (UID 1 BODY[] "Mi clave secreta']))
    with pytest.raises(SourceError, match="an answer was not understood") as caught:
        list(opened(dovecot.url(user)))
    assert "clave" not in str(caught.value) + caplog.text and "not understood" in caplog.text


@pytest.mark.parametrize(
    "stumble",
    [
        lambda: parse_fetch_response([b'1 (UID 1 BODY[] "Mi clave secreta']),
        lambda: (_ for _ in ()).throw(imaplib.IMAP4.abort("unexpected response: b'clave'")),
        lambda: (_ for _ in ()).throw(imaplib.IMAP4.error("got more than 1000000 bytes")),
    ],
)
def test_a_message_that_is_not_understood_stands_alone(
    dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch, stumble: Any
) -> None:
    dovecot.fill(user, mails(4))
    fetch, asked = Client.fetch, []

    def stumbling(client: Client, uids: list[int], parts: list[str]) -> Any:
        if parts == ["BODY.PEEK[]"]:
            asked.append(list(uids))
            if 2 in uids:
                stumble()
        return fetch(client, uids, parts)

    monkeypatch.setattr(Client, "fetch", stumbling)
    got = list(opened(dovecot.url(user), connection=ConnectionOptions(attempts=None)))  # as under --watch
    assert [message.problem and message.problem.reason for message in got] == [None, "broken", None, None]
    assert asked == [[1, 2, 3, 4]] * 2 + [[1], [2], [2], [3], [4]]
    assert "clave" not in str(got[1])


def test_a_server_that_stays_away_is_one_clear_error(dovecot: Dovecot, user: str, opened: Any) -> None:
    dovecot.fill(user, mails(3))
    with CuttingProxy(dovecot.port, []) as proxy:
        source = opened(dovecot.url(user, port=proxy.port), connection=ConnectionOptions(attempts=3))
        next(source)
        proxy.leave()
        source._pass = None
        with pytest.raises(SourceError, match=r"lost 3 times in a row.*the same command goes on"):
            list(source)


def test_a_renumbered_folder_is_an_error(dovecot: Dovecot, user: str, opened: Any) -> None:
    client = dovecot.client(user)
    client.create_folder("Buzón")
    client.append("Buzón", mail(1))
    with CuttingProxy(dovecot.port, []) as proxy:
        source = opened(dovecot.url(user, "Buz%C3%B3n", port=proxy.port))
        first = next(source)
        source._pass = None
        proxy.cut()
        client.delete_folder("Buzón")
        client.create_folder("Buzón")
        client.append("Buzón", mail(2))
        client.logout()
        with pytest.raises(SourceError, match=r"UIDVALIDITY was \d+ and is \d+: the server has renumbered"):
            list(source)
        with pytest.raises(SourceError, match="--again starts anew"):
            opened(dovecot.url(user, "Buz%C3%B3n")).resume(first.id, lambda: ())


def test_who_is_not_let_in(dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = dovecot.url(user).replace("@", ":clave-mala@")
    with pytest.raises(SourceError, match="did not let the user in") as caught:
        list(open_source(url))
    assert "clave-mala" not in str(caught.value)
    with pytest.raises(SourceError, match=r"cannot be reached \(Connection refused\)"):
        list(open_source("imap://ana@127.0.0.1:1/INBOX"))


def test_tls_is_verified(dovecot: Dovecot, user: str, opened: Any) -> None:
    assert dovecot.certificate is not None
    dovecot.fill(user, mails(1))
    url = f"imaps://{user}@127.0.0.1:{dovecot.tls_port}"
    with pytest.raises(SourceError, match=r"certificate is not trusted.*--ca-file"):
        list(opened(url))
    assert uids(opened(url, connection=ConnectionOptions(ca_file=dovecot.certificate))) == [1]
    with pytest.raises(SourceError, match="certificate is not trusted"):  # another name for the same server
        list(opened(url.replace("127.0.0.1", "localhost"), connection=ConnectionOptions(ca_file=dovecot.certificate)))
    with pytest.raises(SourceError, match="expected a PEM file"):
        list(opened(url, connection=ConnectionOptions(ca_file=Path(__file__))))


def test_no_password_goes_unencrypted_to_another_machine(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.fill(user, mails(1))
    monkeypatch.setattr(ImapUrl, "is_loopback", False)
    with pytest.raises(SourceError, match="certificate is not trusted"):  # STARTTLS is offered, hence taken
        list(opened(dovecot.url(user)))
    assert uids(opened(dovecot.url(user), connection=ConnectionOptions(ca_file=dovecot.certificate))) == [1]
    monkeypatch.setattr(Client, "has_capability", lambda client, name: name == "AUTH=PLAIN")
    with pytest.raises(SourceError, match="no STARTTLS, so the password would go unencrypted"):
        list(opened(dovecot.url(user)))
    assert uids(opened(dovecot.url(user), connection=ConnectionOptions(allow_plaintext=True))) == [1]


def test_a_server_without_sasl(dovecot: Dovecot, user: str, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "has_capability", lambda client, name: False)
    url = dovecot.url(user)
    with pytest.raises(SourceError, match="only ASCII for user and password"):
        list(opened(url))
    source = opened(url)
    source.folder.url = replace(source.url, password="clave mala", user='a"b c')
    with pytest.raises(SourceError, match="did not let the user in"):
        list(source)
