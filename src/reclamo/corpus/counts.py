"""Count labels by language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from reclamo.corpus.example import Example
from reclamo.taxonomy import Taxonomy


def count_labels(examples: Iterable[Example], taxonomy: Taxonomy) -> dict[str, Any]:
    """Count messages and labels: {"messages": {lang: n}, head: {label: {lang: n}}}; yes/no heads count true and false."""
    messages: Counter[str] = Counter()
    found: dict[str, dict[str, Counter[str]]] = {
        head.name: {label: Counter() for label in (("true", "false") if head.kind == "yes_no" else head.names)} for head in taxonomy.heads
    }
    for example in examples:
        lang = example.lang or "?"
        messages[lang] += 1
        for name, value in example.labels.items():
            labels = value if isinstance(value, tuple) else (str(value).lower() if isinstance(value, bool) else value,)
            for label in labels:
                found[name][label][lang] += 1
    return {"messages": dict(messages), **{head: {label: dict(c) for label, c in labels.items()} for head, labels in found.items()}}
