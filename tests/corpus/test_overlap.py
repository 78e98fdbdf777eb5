"""Which texts hold another one, against a count by hand and sets of strings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reclamo.corpus.overlap import Shingled, shingles

REPLY = "Gracias por escribirnos, sentimos mucho lo ocurrido con su pedido y lo revisamos hoy."
WORDS = st.lists(st.sampled_from(["alba", "bruma", "cesta", "duna", "eje", "faro"]), min_size=1, max_size=14).map(" ".join)


def test_a_text_that_is_held_for_the_most_part_is_found_whatever_its_accents_and_capitals() -> None:
    held = Shingled(["Nada que ver.", f"Buenos días, Ana. {REPLY.upper()} Un saludo", "Gracias por escribirnos, sentimos mucho la espera."])
    assert held.holding(REPLY) == [1]
    assert held.holding("sentímos múcho lo ócurrido con su pedido, y entonces llamé yo al almacén de Gijón otra vez") == []
    assert held.holding("nada que ver") == [0]


def test_five_shared_runs_of_ten_are_half() -> None:
    text = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
    half = Shingled(["uno dos tres cuatro cinco seis siete ocho nueve diez y ya"])
    assert len(shingles(text)) == 10
    assert (half.holding(text, 0.5), half.holding(text, 0.51)) == ([0], [])


@given(st.lists(WORDS, max_size=6), WORDS, st.sampled_from([0.2, 0.5, 1.0]))
def test_as_a_plain_count_of_shared_runs(texts: list[str], text: str, share: float) -> None:
    def runs(one: str) -> set[str]:
        words = one.split()
        return {" ".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))}

    expected = [
        row for row, other in enumerate(texts) if runs(text) & runs(other) and len(runs(text) & runs(other)) >= share * len(runs(text))
    ]
    assert Shingled(texts, words=3).holding(text, share) == expected
