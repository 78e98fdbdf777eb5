"""Which language a message is in: Greek in either alphabet, Spanish, Italian, or another one."""

from __future__ import annotations

import io
import logging
import os
import unicodedata
from array import array
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from importlib.metadata import version
from threading import Lock
from typing import Any, Final

from reclamo.cache import Cache, cache_folder
from reclamo.text.greeklish import is_greeklish

# The supported Latin-script languages and the neighbours that they are mistaken for.
CANDIDATES: Final = ("es", "it", "pt", "ca", "fr", "ro", "en", "de", "nl", "pl", "tr", "sq", "gl", "la")
SCRIPTS: Final = {
    "GREEK": "el", "CYRILLIC": "ru", "ARABIC": "ar", "HEBREW": "he", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
}  # fmt: skip
CERTAIN: Final = 0.98
SHORT_LETTERS: Final = 24
FORM: Final = 2  # of what is kept in the cache
_building = Lock()
log = logging.getLogger("reclamo")


def _unlock() -> None:
    """A child process has none of its parent's threads: a lock that one of them held would never be let go there."""
    global _building
    _building = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def detect_language(text: str, supported: Collection[str] = ("es", "el", "it")) -> str | None:
    """Name the language of a cleaned text, as an ISO 639-1 code; None where there is too little to tell.

    Greek letters decide first, then Greeklish, then the candidates and the supported languages by py3langid. A language that is not
    supported is named only when it is near certain that the text is in none that is: a wrong refusal costs a message, a doubtful one is
    tagged as the likeliest supported one. Where one is supported that py3langid does not know, none but the supported ones are named.
    """
    script, letters = _script(text)
    if not letters:
        return None
    more = tuple(sorted({*supported} - {*CANDIDATES, *SCRIPTS.values()}))
    if script is not None and (script in supported or not more):
        return script
    if "el" in supported and is_greeklish(text):
        return "el"
    ranked = _rank(text, more)
    if not {*more} <= {code for code, _ in ranked}:
        return ranked[0][0] if ranked[0][0] in supported and ranked[0][1] >= CERTAIN else None
    best, known = ranked[0][0], [code for code, _ in ranked if code in supported]
    if best in supported or not known:
        return best
    # What neighbours share, as Portuguese and Galician do, counts for both: it is none of the supported ones that is sure.
    sure = sum(p for code, p in ranked if code in supported) <= 1 - CERTAIN and letters >= SHORT_LETTERS
    return best if sure else (known[0] if letters >= SHORT_LETTERS else None)


def is_greeklish_text(text: str) -> bool:
    """Say whether a text is Greek in Latin letters, not a Greek text with foreign words."""
    script, letters = _script(text)
    return letters > 0 and script is None and is_greeklish(text)


def _script(text: str) -> tuple[str | None, int]:
    """The language that a text's letters tell by themselves, if they do, and how many letters there are."""
    counts: Counter[str] = Counter()
    for ch, times in Counter(text).items():  # each character is looked at once
        if ch.isalpha():
            counts[_script_of(ch)] += times
    letters = counts.total()
    if not letters:
        return None, 0
    if counts["GREEK"] >= 0.25 * letters:
        return "el", letters
    top = max(counts, key=lambda name: counts[name])
    return SCRIPTS.get(top), letters


@lru_cache(maxsize=4096)
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def warm_up() -> None:
    """Read the model of the Latin-script languages, which takes a seventh of a second, so that the first message need not wait."""
    try:
        _identifier(())
    except Exception as error:  # the first message that needs it says so to whoever asked
        log.info("the language model could not be read ahead (%s)", error)


def _identifier(more: tuple[str, ...]) -> Any:
    with _building:  # whoever comes while another thread builds it takes that one
        return _build_identifier(more)


@lru_cache(maxsize=4)
def _build_identifier(more: tuple[str, ...] = ()) -> Any:
    from py3langid.langid import LanguageIdentifier

    wanted = (*CANDIDATES, *dict.fromkeys(SCRIPTS.values()), *more) if more else CANDIDATES
    table, priors, classes, moves, rows, outputs = _model(wanted)
    identifier = LanguageIdentifier(table, priors, classes, moves, outputs, norm_probs=True, tk_row=rows)
    identifier.set_languages([code for code in wanted if code in classes])
    return identifier


def _model(languages: tuple[str, ...]) -> tuple[Any, ...]:
    """Read py3langid's model: from its packed file, which takes half a second to unpack, or unpacked from the cache.

    The automaton's moves, 39 MB and nearly all of it, are kept apart and used where they were read.
    """
    import numpy as np
    from py3langid.langid import MODEL_DIR, MODEL_FILE
    from py3langid.modelio import load_model

    packed = MODEL_DIR / MODEL_FILE
    key = f"{FORM} {version('py3langid')} {packed.stat().st_size} {packed.stat().st_mtime_ns} {' '.join(languages)}"
    cache = Cache(cache_folder())
    kept, moves = cache.read("languages", key), cache.read("language-moves", key)
    if kept is None or moves is None:
        model: tuple[Any, ...] = load_model(packed)
        _keep(model, languages, cache, key)
        return model
    with np.load(io.BytesIO(kept), allow_pickle=False) as found:
        table, priors, classes, rows, outputs, typecodes = (found[f"part{number}"] for number in range(6))
    of_moves, of_rows = typecodes.tolist()
    return table, priors, classes.tolist(), moves.cast(of_moves), array(of_rows, rows.tobytes()), outputs.tolist()


def _keep(model: tuple[Any, ...], languages: tuple[str, ...], cache: Cache, key: str) -> None:
    """Keep py3langid's model, narrowed to some languages, in two blobs."""
    import numpy as np

    table, priors, classes, moves, rows, outputs = model
    ours = [index for index, code in enumerate(classes) if code in languages]
    outputs = np.asarray(outputs, dtype=np.int32)
    narrow: tuple[Any, ...] = (
        table[:, ours],
        priors[ours],
        [classes[index] for index in ours],
        rows,
        outputs,
        [moves.typecode, rows.typecode],
    )
    buffer = io.BytesIO()
    np.savez(buffer, **{f"part{number}": np.asarray(part) for number, part in enumerate(narrow)})  # type: ignore[arg-type]
    cache.write("languages", key, buffer.getbuffer())
    cache.write("language-moves", key, memoryview(moves).cast("B"))


def _rank(text: str, more: tuple[str, ...]) -> list[tuple[str, float]]:
    return [(str(code), float(p)) for code, p in _identifier(more).rank(text.lower()[:2000])]
