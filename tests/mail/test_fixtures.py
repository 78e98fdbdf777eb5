"""Bodies in the shapes of real mail programs: the text that is left must be the writer's, to the letter."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from reclamo.mail import Limits, clean_body
from reclamo.mail.html import html_to_text
from reclamo.mail.limits import Deadline

FOLDER = Path(__file__).parent / "fixtures"
CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.toml")) for case in tomllib.loads(path.read_text("utf-8"))["case"]]


def body_of(case: dict[str, Any]) -> str:
    return html_to_text(case["html"], Deadline(5)) if "html" in case else case["body"]


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
    counts = {lang: sum(1 for other, _ in CASES if other == lang) for lang in ("es", "el", "it")}
    assert min(counts.values()) >= 14 and sum(counts.values()) >= 40
