"""IMAP keywords: the tags of a message as flags on it, which mail programs show, search and sort by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from reclamo.errors import UsageError
from reclamo.sinks.base import Sink
from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy

PREFIX: Final = "reclamo/"
COMPLAINT: Final = "$Complaint"
DONE: Final = PREFIX + "done"
REVIEW: Final = PREFIX + "review"
LONGEST: Final = 50  # what Dovecot takes by default (mail_max_keyword_length)
# What an atom may not hold (RFC 3501, 9): controls, space, and these; `[` it may, but readers of IMAP stumble over it.
_NOT_ATOM: Final = re.compile(r'[\x00-\x20\x7f(){%*"\\\[\]]')


class KeywordStore(Protocol):
    """A mail folder whose messages carry keywords."""

    def keywords(self, ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Give the keywords of messages, by id; messages that are gone are left out."""

    def change_keywords(self, add: Mapping[str, Sequence[str]], remove: Mapping[str, Sequence[str]]) -> None:
        """Add and remove keywords: by keyword, the ids of messages. Nothing else of a message changes."""


def keyword(name: str) -> str:
    """Make a name an atom of IMAP. Examples: broken_promise -> broken_promise, "too late" -> too-late, µ -> &ALU-.

    Letters beyond ASCII are written in modified UTF-7 (RFC 3501, 5.1.3), as mail programs do with the tags of their users.
    """
    from imapclient.imap_utf7 import encode

    return str(encode(_NOT_ATOM.sub("-", name)), "ascii")


def all_keywords(taxonomy: Taxonomy) -> dict[str, tuple[str, str | bool]]:
    """Give every keyword of a taxonomy with the head and the value that it stands for.

    Yes/no heads, the labels of any-of heads that refine one, and the top of ordered heads: few, since servers keep at most 26 (Maildir
    names) to some hundred keywords in a folder. A head `complaint` is `$Complaint`.

    Raises:
        UsageError: two labels make the same keyword, or one is too long for servers.
    """
    found: dict[str, tuple[str, str | bool]] = {}
    for name, meaning in _wanted(taxonomy):
        if name.casefold() in map(str.casefold, (*found, DONE, REVIEW)):
            raise UsageError(f"two labels of the taxonomy make the same IMAP keyword {name!r}; rename one")
        if len(name) > LONGEST:
            raise UsageError(f"the IMAP keyword {name!r} is longer than the {LONGEST} characters that servers take; shorten the label")
        found[name] = meaning
    return found


def _wanted(taxonomy: Taxonomy) -> Iterator[tuple[str, tuple[str, str | bool]]]:
    for head in taxonomy.heads:
        if head.kind == "yes_no":
            yield COMPLAINT if head.name == "complaint" else PREFIX + keyword(head.name), (head.name, True)
        elif head.kind == "any_of" and head.requires:
            yield from ((PREFIX + keyword(label), (head.name, label)) for label in head.names)
        elif head.kind == "ordered":
            yield PREFIX + keyword(f"{head.name}-{head.names[-1]}"), (head.name, head.names[-1])


def keywords_of(tags: Tags, known: Mapping[str, tuple[str, str | bool]]) -> frozenset[str]:
    """Give the keywords of one message; `reclamo/done` is on every one that was read, scored or not."""
    found = {DONE} | ({REVIEW} if tags.needs_review else set())
    for name, (head, meaning) in known.items():
        tag = tags.heads.get(head)
        if tag is not None and (meaning in tag.value if isinstance(tag.value, list) else tag.value == meaning):
            found.add(name)
    return frozenset(found)


def is_ours(name: str) -> bool:
    """Say whether a keyword is one that Reclamo sets, in this or another version."""
    return name.casefold().startswith(PREFIX) or name.casefold() == COMPLAINT.casefold()


def differences(
    wanted: Mapping[str, frozenset[str]], present: Mapping[str, frozenset[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Say which keywords to add to, and which of ours to remove from, which messages; case does not count (RFC 3501, 2.3.2)."""
    add: dict[str, list[str]] = {}
    remove: dict[str, list[str]] = {}
    for id, names in wanted.items():
        if id not in present:
            continue
        have = {name.casefold() for name in present[id]}
        keep = {name.casefold() for name in names}
        for name in sorted(names):
            if name.casefold() not in have:
                add.setdefault(name, []).append(id)
        for name in sorted(present[id]):
            if is_ours(name) and name.casefold() not in keep:
                remove.setdefault(name, []).append(id)
    return add, remove


class KeywordSink:
    """Set keywords on messages, then hand their rows on to another sink, if there is one.

    Messages are taken by chunks of `every`: first their keywords but `reclamo/done`, then the rows, and once these are durable
    `reclamo/done`. A stop anywhere leaves no message marked as done that lacks its keywords or its row. Setting them again changes nothing.
    """

    def __init__(self, store: KeywordStore, taxonomy: Taxonomy, inner: Sink | None, *, every: int) -> None:
        self.store, self.inner, self.every = store, inner, every
        self._known = all_keywords(taxonomy)
        self._pending: list[Tags] = []
        self._unmarked: list[str] = []
        self._mark(_last_rows(inner, every))  # a stop may have come between their rows and the mark

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self._pending.append(tags)
        if len(self._pending) >= self.every:
            self._set()

    def flush(self) -> None:
        """Set the keywords of what was written so far, and make the rows durable."""
        self._set()

    def close(self) -> None:
        """Finish."""
        self._set()
        if self.inner is not None:
            self.inner.close()
        self._mark(self._unmarked)

    def abort(self) -> None:
        """Give up, after an error; what is set stays."""
        if self.inner is not None:
            self.inner.abort()

    def _set(self) -> None:
        written, self._pending = self._pending, []
        wanted = {tags.id: keywords_of(tags, self._known) for tags in written}
        add, remove = differences(wanted, self.store.keywords(list(wanted)) if wanted else {})
        unmarked = add.pop(DONE, [])
        if add or remove:
            self.store.change_keywords(add, remove)
        if self.inner is not None:
            for tags in written:
                self.inner.write(tags)
        if flush_rows(self.inner):
            self._mark(unmarked)
        else:
            self._unmarked += unmarked  # the rows are there only once the sink is closed

    def _mark(self, ids: Sequence[str]) -> None:
        present = self.store.keywords(ids) if ids else {}
        add, _ = differences(dict.fromkeys(present, frozenset({DONE})), present)
        if add:
            self.store.change_keywords(add, {})


def _last_rows(sink: Sink | None, count: int) -> list[str]:
    """Give the ids of the last rows that an earlier run left in a sink."""
    last_ids = getattr(sink, "last_ids", None)
    return [] if last_ids is None else last_ids(count)


def flush_rows(sink: Sink | None) -> bool:
    """Make the rows of a sink durable and visible, and say whether they are; some can only at their end."""
    flush = getattr(sink, "flush", None)
    if flush is not None:
        flush()
    return sink is None or flush is not None
