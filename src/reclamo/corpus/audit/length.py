"""Texts that the model's input cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject


def check_length(subject: Subject) -> Iterator[Finding]:
    """Find texts with more tokens than the model reads, special tokens included."""
    if subject.tokenizer is None:
        raise NotApplicable("no tokenizer; give --tokenizer")
    lengths = [len(encoding.ids) for encoding in subject.tokenizer.encode_batch(list(subject.texts))]
    most = subject.limits.max_tokens
    long = sorted((index for index, length in enumerate(lengths) if length > most), key=lambda index: -lengths[index])
    if long:
        share = len(long) / len(lengths)
        saw = f"{len(long)} text(s) ({share:.1%}) have more than {most} tokens; the longest has {lengths[long[0]]}"
        yield found("A221", saw, subject.ids(long))
