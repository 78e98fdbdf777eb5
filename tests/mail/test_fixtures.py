"""Bodies in the shapes of real mail programs: the text that is left must be the writer's, to the letter."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.mail.seeds import cases

from reclamo.mail import Limits, clean_body
from reclamo.mail.flowed import unflow
from reclamo.mail.html import html_to_text
from reclamo.mail.limits import Deadline

CASES = cases()


def body_of(case: dict[str, Any]) -> str:
    if "html" in case:
        return html_to_text(case["html"], Deadline(5))
    return unflow(case["body"]) if case.get("flowed") else str(case["body"])


@pytest.mark.parametrize(("lang", "case"), CASES, ids=[f"{lang}: {case['name']}" for lang, case in CASES])
def test_writers_text(lang: str, case: dict[str, Any]) -> None:
    body = body_of(case)
    cleaned = clean_body(body, Limits(), forwarded=case.get("forwarded", False))
    assert cleaned.text == case["text"]


@pytest.mark.parametrize(("lang", "case"), CASES, ids=[f"{lang}: {case['name']}" for lang, case in CASES])
def test_removed_spans_are_ordered_and_disjoint_and_leave_the_text(lang: str, case: dict[str, Any]) -> None:
    body = body_of(case)
    cleaned = clean_body(body, forwarded=case.get("forwarded", False))
    position, kept = 0, []
    for start, end, _ in cleaned.removed:
        assert position <= start < end <= len(body)
        kept.append(body[position:start])
        position = end
    kept.append(body[position:])
    assert "".join("".join(kept).split()) == "".join(cleaned.text.split())


def test_there_are_enough_shapes_in_each_language() -> None:
    counts = Counter(name[:2] for name, _ in CASES)
    assert min(counts["es"], counts["el"], counts["it"]) >= 35
    assert sum(counts.values()) >= 150
