"""Damaged mail: seeded mutants of every fixture and sample, a row each, none over the deadline."""

from __future__ import annotations

import random
from collections import Counter

from tests.mail.reading import check, check_any
from tests.mail.seeds import seeds

MUTANTS = 2000
PIECES = (b"\r\n", b"\n\n", b"\x00", b"--", b'"', b"(", b"=?", b"<", b"boundary=", b"\xff\xfe", b"&#", b"=\n", b"> ", b"\nFrom ")


def mutate(raw: bytes, source: random.Random) -> bytes:
    """Damage a message in one to forty places."""
    data = bytearray(raw)
    for _ in range(source.choice((1, 3, 10, 40))):
        place = source.randrange(len(data) + 1)
        span = source.choice((1, 1, 4, 30, 300))
        match source.randrange(6):
            case 0:
                data[place : place + span] = source.randbytes(span)
            case 1:
                del data[place : place + span]
            case 2:
                data[place:place] = data[place : place + span] * source.choice((2, 20))
            case 3:
                data[place:place] = source.choice(PIECES)
            case 4:
                other = source.randrange(len(data) + 1)
                data[place : place + span] = data[other : other + span]
            case _:
                data[place : place + span] = bytes(data[place : place + span]).swapcase()
        data = data or bytearray(b"x")
    return bytes(data)


def test_mutants_always_give_a_row() -> None:
    originals, source = seeds(), random.Random(20260303)
    assert len(originals) >= 190
    reasons: Counter[str] = Counter()
    for number in range(MUTANTS):
        raw = mutate(originals[number % len(originals)], source)
        mail = check(raw)
        message = mail.to_message(f"mutant-{number}", include_automatic=True)
        assert (message.id, message.problem is None) == (f"mutant-{number}", bool(message.text))
        reasons[mail.problem.reason if mail.problem else "read"] += 1
    assert sum(reasons.values()) == MUTANTS
    assert reasons["read"] > MUTANTS * 0.6  # forty damaged places leave nothing of a short mail
    assert {"empty", "broken", "not_text"} <= set(reasons)


def test_mutants_of_an_mbox_always_give_rows() -> None:
    source = random.Random(20260304)
    mbox = b"".join(b"From ana@correo.example Tue Mar  3 10:12:13 2026\n" + seed + b"\n" for seed in seeds()[:6])
    for _ in range(100):
        assert check_any(b"From " + mutate(mbox, source)) >= 1
