"""Splits that are not apart, and splits that have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from reclamo.corpus.audit.duplicates import equal_texts
from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject
from reclamo.corpus.split import SPLITS, check_lock
from reclamo.errors import CorpusError


def check_splits(subject: Subject) -> Iterator[Finding]:
    """Find scenarios and near-copies that straddle splits, unknown splits, and messages without one."""
    splits = [example.split for example in subject.examples]
    if not any(splits):
        raise NotApplicable("no message has a split")
    unknown = [index for index, split in enumerate(splits) if split and split not in SPLITS]
    if unknown:
        names = ", ".join(sorted({splits[index] or "" for index in unknown}))
        yield found("A503", f"{len(unknown)} message(s) in unknown splits: {names}", subject.ids(unknown))
    missing = [index for index, split in enumerate(splits) if not split]
    if missing:
        yield found("A504", f"{len(missing)} message(s) without a split", subject.ids(missing))
    yield from _scenarios(subject)
    for group in equal_texts(subject):
        held = sorted({splits[index] or "none" for index in group})
        if len(held) > 1:
            yield found("A502", f"the same text in {' and '.join(held)}", subject.ids(group))
    for a, b, score in subject.near:
        if splits[a] != splits[b] and subject.folded[a] != subject.folded[b]:
            yield found("A502", f"Jaccard {score:.2f} between {splits[a] or 'none'} and {splits[b] or 'none'}", subject.ids((a, b)))


def _scenarios(subject: Subject) -> Iterator[Finding]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(subject.examples):
        if example.meta.get("scenario"):
            groups[example.group].append(index)
    for name, group in sorted(groups.items()):
        held = sorted({subject.examples[index].split or "none" for index in group})
        if len(held) > 1:
            yield found("A501", f"the scenario {name!r} lies in {' and '.join(held)}", subject.ids(group))


def check_splits_lock(subject: Subject) -> Iterator[Finding]:
    """Find splits that are not the ones that were locked."""
    if subject.lock is None or not subject.lock.is_file():
        raise NotApplicable("no lock file beside the corpus")
    examples = [replace(example, text=text) for example, text in zip(subject.examples, subject.texts, strict=True)]
    try:
        check_lock(subject.lock, examples)
    except (CorpusError, ValueError) as error:
        yield found("A511", str(error))
