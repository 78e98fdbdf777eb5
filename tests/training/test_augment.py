"""Texts altered in training: the marks of public posts come and go, and what the message says stays."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import SENTENCES

from reclamo.text.marks import HANDLE, LINK
from reclamo.training.augment import MARKED_LENGTH, augment, change_marks, give_marks, take_marks

ALL = [sentence for group in SENTENCES.values() for sentence in group]


def words(text: str) -> list[str]:
    """What is said, apart from handles, links and the words that pass a post on."""
    return [word.lstrip("#") for word in LINK.sub(" ", HANDLE.sub(" ", text)).split() if word not in ("RT", "via")]


@given(st.sampled_from(ALL), st.integers(0, 10**6))
def test_marks_leave_every_word_in_its_order(text: str, seed: int) -> None:
    rng = random.Random(seed)
    marked = give_marks(text, rng)
    assert words(marked) == words(text)
    assert words(take_marks(marked, rng)) == words(text)


def test_marks_of_each_kind_are_given_and_taken() -> None:
    rng = random.Random(1)
    given_marks = [give_marks(ALL[0], rng) for _ in range(300)]
    kinds = Counter(kind for text in given_marks for kind in ("@", "http", "#", "RT @", "@user") if kind in text)
    assert all(kinds[kind] >= 15 for kind in ("@", "http", "#", "RT @", "@user"))
    for text in given_marks:
        bare = take_marks(text, rng)
        assert not LINK.search(bare)
        assert "#" not in bare
        assert len(HANDLE.findall(bare)) <= 2  # one before the text, and one that passed it on


@pytest.mark.parametrize(
    ("marked", "bare"),
    [
        ("@a @b_1 @user nadie contesta http", {"@a nadie contesta", "nadie contesta"}),
        ("escriban a ana@correo.example #ya", {"escriban a ana@correo.example ya"}),
        ("@user http #x", {"@user http #x"}),  # nothing is left to read
        ("ver https://t.co/aB3 y www.firma.example hoy", {"ver y hoy"}),
        ("el httpd cae siempre", {"el httpd cae siempre"}),
    ],
)
def test_what_is_taken(marked: str, bare: set[str]) -> None:
    assert {take_marks(marked, random.Random(seed)) for seed in range(20)} == bare


def test_long_texts_keep_their_marks_and_so_do_all_at_a_share_of_none() -> None:
    rng = random.Random(2)
    short, long = "Nadie contesta al teléfono. " * 3, "Nadie contesta al teléfono. " * 30
    assert len(long) > MARKED_LENGTH
    assert {augment(long, 0.0, rng, 1.0) for _ in range(20)} == {long}
    assert {augment(short, 0.0, rng) for _ in range(20)} == {short}
    changed = sum(augment(short, 0.0, rng, 0.5) != short for _ in range(400))
    assert 120 < changed < 220  # of the half that is drawn, about one in seven gets no mark


def test_a_marked_text_loses_its_marks_as_often_as_it_gets_more() -> None:
    rng = random.Random(3)
    lost = sum("http" not in change_marks("Nadie contesta al teléfono http", rng) for _ in range(400))
    assert 150 < lost < 250
