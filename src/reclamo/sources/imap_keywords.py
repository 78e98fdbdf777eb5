"""Keywords on the messages of an IMAP folder that was opened for writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from imapclient.exceptions import IMAPClientError

from reclamo.errors import SinkError
from reclamo.sources.imap import ImapMessages, parse_message_id
from reclamo.sources.imap_connection import Client, server_says


class ImapKeywords:
    """Read and change the keywords of messages by their ids; nothing else of a message changes, `\\Seen` least of all.

    Raises:
        SinkError: the server does not keep keywords in this folder, or not one of them.
    """

    def __init__(self, source: ImapMessages) -> None:
        self.folder = source.folder
        allowed = {flag.decode("ascii", "replace").casefold() for flag in self._permanent_flags()}
        self._is_open = "\\*" in allowed
        self._allowed = allowed

    def keywords(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Give the keywords of messages, by id; messages that are gone are left out."""
        uids = _uids(ids)
        flags = self.folder.ask(lambda client: client.flags_of(uids.values()))
        return {id: frozenset(flag for flag in flags[uid] if not flag.startswith("\\")) for id, uid in uids.items() if uid in flags}

    def change_keywords(self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]) -> None:
        """Add and remove keywords, and make sure that the server took them: some drop what is past their limit in silence."""
        for name, ids in add.items():
            self._check(name)
            self._store(Client.add_flags, name, ids)
        for name, ids in remove.items():
            self._store(Client.remove_flags, name, ids)
        added = list(dict.fromkeys(id for ids in add.values() for id in ids))
        present = {id: {name.casefold() for name in names} for id, names in self.keywords(added).items()} if added else {}
        for name, ids in add.items():
            if any(id in present and name.casefold() not in present[id] for id in ids):
                raise self._refused(name, "was not kept by the server, which may have reached its limit of keywords in a folder")

    def _store(self, change: Callable[..., None], name: str, ids: Sequence[str]) -> None:
        uids = list(_uids(ids).values())
        try:
            self.folder.run(lambda client: change(client, uids, [name], silent=True))
        except IMAPClientError as error:
            raise self._refused(name, f"could not be changed ({server_says(error)})") from error

    def _check(self, name: str) -> None:
        if not self._is_open and name.casefold() not in self._allowed:
            raise self._refused(name, "cannot be set: the server lets nobody make new keywords in this folder (PERMANENTFLAGS)")

    def _permanent_flags(self) -> Iterable[bytes]:
        self.folder.run(lambda client: None)
        flags: Iterable[bytes] = self.folder.selected.get(b"PERMANENTFLAGS", (b"\\*",))  # where it says nothing, all may be set
        return flags

    def _refused(self, name: str, why: str) -> SinkError:
        return SinkError(f"the keyword {name!r} {why}; leave --set-keywords out, or use another folder", path=str(self.folder.url))


def _uids(ids: Iterable[str]) -> dict[str, int]:
    return {id: parse_message_id(id)[2] for id in ids}
