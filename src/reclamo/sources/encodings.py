"""The encoding of a text file: UTF-8, or what the characters of its lines say."""

from __future__ import annotations

import codecs
import re
from io import BufferedReader
from pathlib import Path
from typing import Final

from reclamo.errors import SourceError
from reclamo.mail.charsets import decode_bytes

BLOCK_BYTES: Final = 65_536
GUESS_BYTES: Final = 16_384
# What Excel writes on a Mac, and under "CSV (MS-DOS)", where it is not asked for UTF-8.
OLD_CODECS: Final = ("mac_roman", "cp850", "mac_greek", "cp737", "cp869")
MARGIN: Final = 4  # by how much an old encoding must read better than Windows'
_LETTERS: Final = frozenset("áéíóúüñàèìòùÁÉÍÓÚÜÑÀÈÌÒÙαβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫ")
_MARKS: Final = frozenset("¿¡ºª€«»“”„‘’–—…·°´\u00a0")
_RARE: Final = frozenset("âêîôûäëïöçÂÊÎÔÛÄËÏÖÇ")  # names and words of neighbours; where they are common, something is read wrongly
# A sign inside a word, or a capital that is no first letter of it.
_INSIDE: Final = re.compile(r"(?<=[^\W\d_])[^\w\s'’´·](?=[^\W\d_])|(?<=[a-zà-ÿα-ώ])[A-ZÀ-ÖØ-ÞΑ-Ϋ]")


def find_encoding(path: Path) -> str:
    """UTF-8 where the whole file is, UTF-16 where it says so; otherwise what the lines that are no UTF-8 read best in.

    Raises:
        SourceError: it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _open(path) as file:
        block = file.read(BLOCK_BYTES)
        if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        if block[:3] == codecs.BOM_UTF8:
            return "utf-8-sig"
        try:
            while block:
                decoder.decode(block)
                block = file.read(BLOCK_BYTES)
            decoder.decode(b"", final=True)
            return "utf-8-sig"
        except UnicodeDecodeError:
            file.seek(0)
            return _guess(file)


def _guess(file: BufferedReader) -> str:
    """Guess from the first lines that are no UTF-8, and from lines that are: a few broken characters make no other encoding."""
    sound, unsound = bytearray(), bytearray()
    while len(unsound) < GUESS_BYTES and (line := file.readline(BLOCK_BYTES)):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            if len(sound) < GUESS_BYTES:
                sound += line
        except UnicodeDecodeError:
            unsound += line
    text, codec = decode_bytes(bytes(unsound + sound))
    if codec == "utf-8" or sound:
        return codec
    scores = {old: _reads_well(bytes(unsound).decode(old, "replace")) for old in OLD_CODECS}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= _reads_well(text) + MARGIN else codec


def _reads_well(text: str) -> int:
    """Count the letters and marks of Spanish, Italian and Greek, less what does not belong."""
    signs = [sign for sign in text if not sign.isascii()]
    fitting = sum(1 if sign in _LETTERS or sign in _MARKS else 0 if sign in _RARE else -1 for sign in signs)
    return fitting - 2 * sum(not found[0].isascii() for found in _INSIDE.finditer(text))


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error
