"""Keywords: names that every server takes, only what has to change is changed, and a server that refuses is told of."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.imap.conftest import mail, mails, needs_dovecot
from tests.imap.dovecot import Dovecot
from tests.sinks.fake_tagger import TAXONOMY

from reclamo.errors import SinkError, SourceError, UsageError
from reclamo.sinks.keywords import KeywordSink, all_keywords, differences, is_ours, keyword, keywords_of
from reclamo.sources.imap import ImapMessages, ImapOptions, message_id
from reclamo.sources.imap_connection import Client, ConnectionOptions
from reclamo.sources.imap_keywords import ImapKeywords
from reclamo.sources.imap_url import parse_imap_url
from reclamo.tags import HeadTag, Tags
from reclamo.taxonomy import Taxonomy
from reclamo.taxonomy.schema import Label

ATOM = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")  # RFC 3501, 9: any CHAR but atom-specials
MAILDIR_LIMIT = 26  # keywords in a folder of Dovecot's Maildir


@given(st.text(min_size=1))
def test_every_name_becomes_an_atom(name: str) -> None:
    assert ATOM.fullmatch(keyword(name))


@pytest.mark.parametrize(
    ("name", "made"), [("broken_promise", "broken_promise"), ("too (late)%", "too--late--"), ("αργά", "&A7EDwQOzA6w-")]
)
def test_names(name: str, made: str) -> None:
    assert keyword(name) == made


def test_the_keywords_of_the_bundled_taxonomy() -> None:
    names = {*all_keywords(TAXONOMY), "reclamo/done", "reclamo/review"}
    assert {"$Complaint", "reclamo/delay", "reclamo/billing", "reclamo/severity-high", "reclamo/churn_risk"} < names
    assert len(names) <= MAILDIR_LIMIT - 8  # room for those of the user
    assert all(is_ours(name) for name in names)
    assert len([name for name in names if "rudeness" in name]) == 1  # of the complaint, not of an agent's traits


def tags_with(**values: Any) -> Tags:
    heads: dict[str, HeadTag | None] = {name: HeadTag(value=value, p=0.9) for name, value in values.items()}
    return Tags(id="1", lang="es", role="customer", status="tagged", heads=heads, model="m", needs_review=bool(values.get("churn_risk")))


def test_the_keywords_of_a_message() -> None:
    known = all_keywords(TAXONOMY)
    assert keywords_of(tags_with(complaint=False, grounds=[], severity="none"), known) == {"reclamo/done"}
    tags = tags_with(complaint=True, grounds=["delay", "billing"], severity="high", churn_risk=True)
    assert keywords_of(tags, known) == {
        "$Complaint", "reclamo/delay", "reclamo/billing", "reclamo/severity-high", "reclamo/churn_risk", "reclamo/review", "reclamo/done",
    }  # fmt: skip


def taxonomy_with_grounds(*names: str) -> Taxonomy:
    labels = tuple(Label(name=name, descriptions={}) for name in names)
    return replace(TAXONOMY, heads=tuple(replace(h, labels=labels) if h.name == "grounds" else h for h in TAXONOMY.heads))


def test_two_labels_with_one_keyword_are_refused() -> None:
    with pytest.raises(UsageError, match="'reclamo/too-late'; rename one"):
        all_keywords(taxonomy_with_grounds("too late", "too(late"))
    with pytest.raises(UsageError, match="longer than the 50"):
        all_keywords(taxonomy_with_grounds("a" * 50))


def test_only_what_differs_is_changed() -> None:
    wanted = {"1": frozenset({"$Complaint", "reclamo/done"}), "2": frozenset({"reclamo/done"}), "gone": frozenset({"reclamo/done"})}
    present = {"1": frozenset({"$complaint", "work"}), "2": frozenset({"Reclamo/Done", "reclamo/old", "$Complaint", "$Forwarded"})}
    assert differences(wanted, present) == ({"reclamo/done": ["1"]}, {"$Complaint": ["2"], "reclamo/old": ["2"]})


class Folder:
    """A store that keeps what it is told, and a sink; it notes in which order, and stops at the step `halt`."""

    def __init__(self, halt: int = 0) -> None:
        self.kept: dict[str, frozenset[str]] = {}
        self.events: list[str] = []
        self.durable: list[str] = []
        self._rows: list[str] = []
        self._halt = halt

    def _note(self, event: str) -> None:
        self.events.append(event)
        if len(self.events) == self._halt:
            raise KeyboardInterrupt

    def keywords(self, ids: Any) -> dict[str, frozenset[str]]:
        return {id: self.kept.get(id, frozenset()) for id in ids}

    def change_keywords(self, add: Any, remove: Any) -> None:
        for name, ids in add.items():
            self._note("done" if name == "reclamo/done" else "keywords")
            for id in ids:
                self.kept[id] = self.kept.get(id, frozenset()) | {name}

    def write(self, tags: Tags) -> None:
        self._note("row")
        self._rows.append(tags.id)

    def flush(self) -> None:
        self._note("flush")
        self.durable += self._rows
        self._rows = []

    def last_ids(self, count: int) -> list[str]:
        return self.durable[-count:]

    def close(self) -> None:
        self._note("close")
        self.durable += self._rows

    def abort(self) -> None:
        self._note("abort")


class AtItsEnd(Folder):
    """A sink whose rows are there only once it is closed."""

    flush = None  # type: ignore[assignment]


def write_three(folder: Folder) -> None:
    sink = KeywordSink(folder, TAXONOMY, folder, every=2)
    for number in range(3):
        sink.write(replace(tags_with(complaint=True), id=str(number)))
    sink.close()


def test_done_is_said_last_of_a_chunk() -> None:
    folder, late = Folder(), AtItsEnd()
    write_three(folder)
    write_three(late)
    chunk = ["flush", "done"]
    assert folder.events == ["keywords", "row", "row", *chunk, "keywords", "row", *chunk, "close"]
    assert late.events == ["keywords", "row", "row", "keywords", "row", "close", "done"]


@pytest.mark.parametrize("halt", range(1, 11))
def test_a_stop_anywhere_leaves_nothing_marked_that_is_not_done(halt: int) -> None:
    folder = Folder(halt)
    with pytest.raises(KeyboardInterrupt):
        write_three(folder)
    marked = {id for id, names in folder.kept.items() if "reclamo/done" in names}
    assert all("$Complaint" in folder.kept[id] and id in folder.durable for id in marked)
    KeywordSink(folder, TAXONOMY, folder, every=2)  # the next run
    assert all("reclamo/done" in folder.kept[id] for id in folder.durable)


@needs_dovecot
class TestServer:
    """What Dovecot makes of it."""

    @pytest.fixture
    def source(self, dovecot: Dovecot, user: str) -> Any:
        dovecot.fill(user, mails(3))
        source = ImapMessages(parse_imap_url(dovecot.url(user)), ImapOptions(connection=ConnectionOptions(writable=True)))
        yield source
        source.close()

    def ids(self, source: ImapMessages) -> list[str]:
        return [message_id(source.url, source.folder.uid_validity, uid) for uid in (1, 2, 3, 99)]

    def test_any_name_is_kept(self, source: ImapMessages, dovecot: Dovecot, user: str) -> None:
        store, ids = ImapKeywords(source), self.ids(source)
        names = [f"reclamo/{keyword(name)}" for name in ("αργά", "100% (malo)", "a&b", "ñ~!#'[x")]
        store.change_keywords(dict.fromkeys(names, ids[:2]), {})
        assert store.keywords(ids) == {ids[0]: frozenset(names), ids[1]: frozenset(names), ids[2]: frozenset()}
        store.change_keywords({}, {names[0]: ids[:1]})
        assert dovecot.flags(user) == {1: set(names[1:]), 2: set(names), 3: set()}

    def test_what_the_server_does_not_keep_is_an_error(self, source: ImapMessages, monkeypatch: pytest.MonkeyPatch) -> None:
        store, ids = ImapKeywords(source), self.ids(source)
        with pytest.raises(SinkError, match=r"'reclamo/a' could not be changed.*leave --set-keywords out"):
            monkeypatch.setattr(Client, "add_flags", lambda client, uids, names, silent: client.search_parts(["NONSENSE"]))
            store.change_keywords({"reclamo/a": ids[:1]}, {})
        with pytest.raises(SinkError, match="'reclamo/a' was not kept by the server"):
            monkeypatch.setattr(Client, "add_flags", lambda *_, **__: None)
            store.change_keywords({"reclamo/a": ids[:1]}, {})
        source.folder.selected = {**source.folder.selected, b"PERMANENTFLAGS": (b"\\Seen", b"$Complaint")}
        with pytest.raises(SinkError, match="'reclamo/a' cannot be set: the server lets nobody make new keywords"):
            ImapKeywords(source).change_keywords({"$complaint": ids[:1], "reclamo/a": ids[:1]}, {})

    def test_a_folder_for_reading_only(self, dovecot: Dovecot, user: str, run_tag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from imapclient.exceptions import IMAPClientReadOnlyError

        def refuse(client: Client, folder: str, readonly: bool) -> Any:
            raise IMAPClientReadOnlyError("INBOX is not writable")

        monkeypatch.setattr(Client, "select_folder", refuse)
        with pytest.raises(SourceError, match="for reading only; keywords cannot be set"):
            run_tag(dovecot.url(user), set_keywords=True)

    def test_flags_of_others_are_not_taken_for_ours(self, source: ImapMessages, dovecot: Dovecot, user: str) -> None:
        other = dovecot.client(user)
        other.delete_messages([1])
        other.expunge()  # from here on, sequence numbers are not UIDs
        store, ids = ImapKeywords(source), self.ids(source)
        for number in range(3):
            other.add_flags([3], [f"[otro{number}"], silent=True)
            assert store.keywords(ids)[ids[1]] == frozenset()
            assert len(list(source)) == (2 if number == 0 else 0)
        other.logout()

    def test_without_output_only_keywords_are_set(
        self, source: ImapMessages, dovecot: Dovecot, user: str, run_tag: Any, capsys: Any
    ) -> None:
        assert run_tag(source.url, set_keywords=True) == 0
        assert capsys.readouterr().out == ""
        assert all("reclamo/done" in flags for flags in dovecot.flags(user).values())

    @pytest.mark.parametrize("halt", [8, 16, 22, 24])
    def test_a_stopped_batch_has_the_keywords_of_its_rows(
        self, halt: int, dovecot: Dovecot, user: str, run_tag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tests.imap.test_resume import Halt, halt_at

        dovecot.fill(user, [mail(number) for number in range(1, 22)])
        halt_at(halt, monkeypatch)
        with pytest.raises(Halt):
            run_tag(dovecot.url(user), tmp_path / "out.jsonl", set_keywords=True)
        halt_at(0, monkeypatch)
        run_tag(dovecot.url(user), tmp_path / "out.jsonl", set_keywords=True)
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 21
        assert all("reclamo/done" in flags for flags in dovecot.flags(user).values())
