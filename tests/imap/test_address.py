"""Addresses and search keys, without a server."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclamo.errors import UsageError
from reclamo.sources.imap import message_id, parse_message_id
from reclamo.sources.imap_search import Filters, parse_day, parse_search
from reclamo.sources.imap_url import PASSWORD_VARIABLE, ImapUrl, is_imap, parse_imap_url

PRINTABLE = st.text(st.characters(min_codepoint=33, exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("imaps://ana:secreto@mail.example/INBOX", "imaps://ana@mail.example:993/INBOX"),
        (
            "imaps://ana%40correo.example:a%3Ab%2F@mail.example:1993/Archivo/2026",
            "imaps://ana@correo.example@mail.example:1993/Archivo/2026",
        ),
        ("imaps://ana@correo.example:secreto@mail.example", "imaps://ana@correo.example@mail.example:993/INBOX"),
        ("IMAP://ana:secreto@[::1]/Qu%C3%A9%20tal", "imap://ana@[::1]:143/Qu%C3%A9%20tal"),
    ],
)
def test_an_address_is_shown_without_its_password(source: str, shown: str) -> None:
    url = parse_imap_url(source)
    assert str(url) == shown
    assert url.password in ("secreto", "a:b/")
    assert url.password not in repr(url)
    assert is_imap(source)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("imaps://mail.example/INBOX", "names no user"),
        ("imaps:///INBOX", "names no host"),
        ("imaps://ana:secreto@mail.example:x/INBOX", "wrong host or port"),
        ("imaps://ana@mail.example/INBOX", PASSWORD_VARIABLE),
        ("imaps://ana:secreto@mail.example/INBOX?UNSEEN", "as options"),
        ("imaps://ana:secreto@mail.example/a%0d%0ab", "control character"),
        ("imaps://ana:secreto%0a@mail.example/", "control character"),
    ],
)
def test_what_is_no_address(source: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE)
    with pytest.raises(UsageError, match=says) as caught:
        parse_imap_url(source)
    assert "secreto" not in str(caught.value)


@pytest.mark.parametrize(("host", "is_ours"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.evil.example", False)])
def test_loopback(host: str, is_ours: bool) -> None:
    assert ImapUrl(host=host, port=143, encrypted=False, user="ana").is_loopback == is_ours


@given(user=PRINTABLE, password=PRINTABLE, folder=PRINTABLE, uid=st.integers(1, 2**32 - 1))
def test_addresses_and_ids_come_back(user: str, password: str, folder: str, uid: int) -> None:
    from urllib.parse import quote

    source = f"imaps://{quote(user, safe='')}:{quote(password, safe='')}@mail.example/{quote(folder, safe='')}"
    url = parse_imap_url(source)
    assert (url.user, url.password, url.folder) == (user, password, folder)
    shown = parse_imap_url(str(url))  # with the password of the environment
    assert (shown.user, shown.folder) == (user, folder)
    assert parse_message_id(message_id(url, 7, uid)) == (folder, 7, uid)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("UNSEEN", ["UNSEEN"]),
        ('OR UNSEEN (FROM "a (b")', ['OR UNSEEN (FROM "a (b")']),
        (r'SUBJECT "\"no\" \\ sí" SEEN', ["SUBJECT ", '"no" \\ sí'.encode(), " SEEN"]),
        ("NOT (SEEN SUBJECT ναι)", ["NOT (SEEN SUBJECT ", "ναι".encode(), ")"]),
        ('HEADER X-Y ""', ['HEADER X-Y ""']),
    ],
)
def test_search_keys(text: str, parts: list[str | bytes]) -> None:
    joined = [b"".join(part) if literal else "".join(part) for literal, part in groupby(parse_search(text), lambda p: isinstance(p, bytes))]
    assert joined == parts


@pytest.mark.parametrize("text", ['FROM "ana', "(UNSEEN", "UNSEEN)", 'FROM "a\r\nb"', "FROM a\nLOGOUT"])
def test_what_is_no_search(text: str) -> None:
    with pytest.raises(UsageError, match="--search"):
        parse_search(text)


def test_days() -> None:
    assert Filters(since=parse_day("--since", "2026-03-31")).parts() == [" SINCE 31-Mar-2026"]
    with pytest.raises(UsageError, match="--since is '31/3/2026'; expected a day such as"):
        parse_day("--since", "31/3/2026")
