"""A folder tagged by the real engine, keywords set, the connection cut on the way: nothing is lost, doubled or marked as read."""

from __future__ import annotations

import functools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SENTENCES
from tests.imap.conftest import mail, needs_dovecot
from tests.imap.dovecot import CuttingProxy, Dovecot

import reclamo.engine.tagger as engine
from reclamo.cli.tag import tag

pytestmark = needs_dovecot
TEXTS = [text for group in SENTENCES.values() for text in group]


def modification(dovecot: Dovecot, user: str) -> int:
    """The number that the server raises at each change of a flag (RFC 7162)."""
    client = dovecot.client(user)
    found = client.folder_status("INBOX", ["HIGHESTMODSEQ"])[b"HIGHESTMODSEQ"]
    client.logout()
    return int(found)


def expected_keywords(row: dict[str, Any]) -> set[str]:
    """The keywords of a row, worked out from the row alone."""
    found = {"reclamo/done"} | ({"reclamo/review"} if row["needs_review"] else set())
    value = {name: (row.get(name) or {}).get("value") for name in ("complaint", "grounds", "severity", "churn_risk")}
    found |= {"$Complaint"} if value["complaint"] else set()
    found |= {f"reclamo/{label}" for label in value["grounds"] or ()}
    found |= {"reclamo/churn_risk"} if value["churn_risk"] else set()
    return found | ({"reclamo/severity-high"} if value["severity"] == "high" else set())


def check_folder(dovecot: Dovecot, user: str, folder: Path, count: int, cuts: list[int]) -> None:
    dovecot.fill(user, [mail(number, TEXTS[number % len(TEXTS)]) for number in range(1, count + 1)])
    client = dovecot.client(user)
    client.add_flags([1, 5], ["\\Seen", "\\Flagged"])
    client.add_flags([2, 3], ["$label1", "reclamo/of_an_older_model", "$complaint"])
    client.logout()
    output = folder / "tags.jsonl"
    start = time.monotonic()
    with CuttingProxy(dovecot.port, cuts) as proxy:
        assert tag(dovecot.url(user, port=proxy.port), output, set_keywords=True, quiet=True) == 0
    print(f"{count} messages in {time.monotonic() - start:.1f} s over {proxy.connections} connections")
    assert proxy.cuts == [] and proxy.connections == len(cuts) + 1
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [int(row["id"].rpartition("=")[2]) for row in rows] == list(range(1, count + 1))  # none missing, none twice, in order
    flags = dovecot.flags(user)
    assert {uid for uid, names in flags.items() if "\\Seen" in names} == {1, 5}  # as before
    others = {1: {"\\Seen", "\\Flagged"}, 5: {"\\Seen", "\\Flagged"}, 2: {"$label1"}, 3: {"$label1"}}
    lower = {uid: {name.lower() for name in names} for uid, names in flags.items()}
    assert lower == {uid: {n.lower() for n in expected_keywords(row) | others.get(uid, set())} for uid, row in enumerate(rows, 1)}
    assert sum("$complaint" in names for names in lower.values()) > count // 5
    before = modification(dovecot, user)
    assert tag(dovecot.url(user), None, set_keywords=True, search="UID 1:60", quiet=True) == 0
    assert modification(dovecot, user) == before  # a second time changes nothing


@pytest.fixture(autouse=True)
def one_tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the bundled tagger once for both runs of a test."""
    monkeypatch.setattr(engine, "load", functools.cache(engine.load))


def test_two_hundred_messages(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    check_folder(dovecot, user, tmp_path, 200, [30_000, 60_000])


@pytest.mark.slow
def test_two_thousand_messages(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    check_folder(dovecot, user, tmp_path, 2000, [150_000, 500_000])
