"""Bytes to text: an allow-list of charsets, aliases, and one fixed chain of fall-backs."""

from __future__ import annotations

import re
from typing import Final

from charset_normalizer import from_bytes

_FAMILIES: Final[dict[str, str]] = {
    "utf-8": "utf8 unicode-1-1-utf-8 utf-8-sig utf8mb4 x-utf8",
    "ascii": "us-ascii ansi-x3.4-1968 iso646-us 646 7bit iso-ir-6",
    "cp1252": "windows-1252 iso-8859-1 iso8859-1 latin1 latin-1 l1 x-cp1252 iso-ir-100 ansi windows-1252-1 8859-1 cp819 ibm819",
    "iso8859_15": "iso-8859-15 iso8859-15 latin9 latin-9 l9",
    "cp1253": "windows-1253 x-cp1253 windows1253 greek-windows",
    "iso8859_7": "iso-8859-7 iso8859-7 greek greek8 elot-928 elot928 ecma-118 iso-ir-126 8859-7 sun-eu-greek",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "cp1254": "windows-1254 iso-8859-9 iso8859-9 latin5",
    "cp1255": "windows-1255 iso-8859-8 iso-8859-8-i",
    "cp1256": "windows-1256 iso-8859-6",
    "cp1257": "windows-1257",
    "cp1258": "windows-1258",
    "iso8859_2": "iso-8859-2 latin2",
    "iso8859_3": "iso-8859-3 latin3",
    "iso8859_4": "iso-8859-4 latin4",
    "iso8859_5": "iso-8859-5",
    "iso8859_10": "iso-8859-10",
    "iso8859_13": "iso-8859-13",
    "iso8859_14": "iso-8859-14",
    "iso8859_16": "iso-8859-16",
    "koi8_r": "koi8-r koi8",
    "koi8_u": "koi8-u",
    "mac_roman": "macintosh mac x-mac-roman",
    "mac_greek": "x-mac-greek macgreek",
    "cp437": "ibm437 437",
    "cp737": "ibm737 737",
    "cp850": "ibm850 850",
    "cp858": "ibm858",
    "cp869": "ibm869 869",
    "gb18030": "gb2312 gbk x-gbk cp936",
    "big5": "big5-hkscs cn-big5",
    "shift_jis": "sjis x-sjis windows-31j ms-kanji",
    "euc_jp": "euc-jp x-euc-jp",
    "euc_kr": "euc-kr ks-c-5601-1987 cp949",
    "iso2022_jp": "iso-2022-jp",
    "utf-16": "utf16 ucs-2 unicode",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-32": "utf32 ucs-4",
}
CHARSETS: Final[dict[str, str]] = {
    alias: codec for codec, names in _FAMILIES.items() for alias in (*names.split(), codec, codec.replace("_", "-"))
}
_NOT_ASCII_SHAPED: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso2022_jp"})
# Declared by default by programs that never looked at the text, so the bytes are asked too.
_OFTEN_WRONG: Final = frozenset({"ascii", "cp1252", "iso8859_15", "utf-8", ""})
_CANDIDATES: Final = ["cp1253", "cp1252", "iso8859_7", "iso8859_15", "latin_1"]
# The ISO charsets have no letters from 0x80 to 0x9F; a text that uses them is in the Windows charset of the same script.
_WITH_C1: Final = {"iso8859_7": "cp1253", "iso8859_15": "cp1252"}
_SAMPLE: Final = 16 * 1024
_GREEK_SHARE: Final = 0.5

_HIGH = re.compile(rb"[\xc0-\xfe]")
_HIGH_RUN = re.compile(rb"[\xa2\xb6\xb8-\xba\xbc\xbe-\xfe]{3,}")
_C1 = re.compile(rb"[\x80-\x9f]")
_ISO_CAPITAL_ALPHA = re.compile(rb"(?<![\xb8-\xfe])\xb6[\xc1-\xfe]")
# Where the two Greek charsets differ, programs declare the one and write the other: 0xA2 is Ά in Windows-1253 and ’ in ISO-8859-7, 0xB6
# is ¶ and Ά, 0xA4 ¤ and €. What can be in one of them only is read so, one character at a time, since mixtures occur.
_LETTER: Final = "[Ά-ώ]"
_ELIDED: Final = (  # a verb that lost its first vowel behind a particle: θα ’ναι
    r"(?:ναι|τανε?|[σμ]αι|[σμ]αστε|στε|[σμ]ουνα?|χ(?:ω|εις?|ει[ςσ]|ουμε|ετε|ουνε?|α|ες|ε)|ρθ(?!ρ)\w{1,5}|ρχ\w{2,5}|δ(?:ω|ει[ςσ]?)"
    r"|π(?:ω|ει[ςσ]?|α|ες?)|(?:καν|λεγ|φερ|δωσ|μειν|στειλ|θελ|ξερ)(?:α|ες?|αν)|βρ\w{1,4}|γινε|κειν\w{1,3})"
)
_ALPHA_AS_QUOTE = re.compile(
    rf"(?P<kept>\b(?:θα|να|που|τα|το|του|μου|σου|τι|δε|με|σε|κι|και) ’{_ELIDED}\b)|(?<!\w)’(?={_LETTER}(?!\w{{0,30}}’))", re.IGNORECASE
)
_ALPHA_AS_PILCROW = re.compile(rf"(?<!\w)¶(?={_LETTER})")
_QUOTE_AS_ALPHA = re.compile(r"(?<=[α-ωά-ώ])Ά(?!\w)")  # απ’ όλα
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def find_codec(name: str | None) -> str | None:
    """Give the Python codec for a declared charset, or None where it is not on the list.

    Examples: "ISO-8859-7" -> "iso8859_7"; "utf-7", "idna", "unicode_escape", "" -> None.
    """
    key = (name or "").strip(" \t\"'").lower()[:40]
    return CHARSETS.get(key) or CHARSETS.get(key.replace("_", "-")) or CHARSETS.get(key.replace("cp", "windows-", 1))


def decode_bytes(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """Decode `data` and give the text with the codec used; never raises.

    The chain: byte order mark, utf-8 strictly, the declared charset, windows-1253 or -1252 by script, latin-1.
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace"), codec
    codec = find_codec(declared) or ""
    if codec in _NOT_ASCII_SHAPED:
        return data.decode(codec, "replace"), codec
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if _is_damaged_utf8(data, codec):
        return data.decode("utf-8", "replace"), "utf-8"
    return _decode_eight_bit(data, codec)


def _is_damaged_utf8(data: bytes, codec: str) -> bool:
    """Say whether the bytes are utf-8 with a few broken places (a cut character, a pasted quote)."""
    if codec not in ("utf-8", ""):
        return False
    text = data.decode("utf-8", "replace")
    sound = sum(not c.isascii() for c in text[: 4 * _SAMPLE]) - (broken := text.count("\ufffd", 0, 4 * _SAMPLE))
    return sound > 4 * broken


def _decode_eight_bit(data: bytes, codec: str) -> tuple[str, str]:
    guess = _guess_codec(data[:_SAMPLE], codec) if codec in _OFTEN_WRONG else codec
    if guess in _WITH_C1 and _C1.search(data):
        guess = _WITH_C1[guess]
    try:
        return _mend_greek(data.decode(guess, "replace"), guess), guess
    except (LookupError, UnicodeError):
        return data.decode("latin-1"), "latin_1"


def _mend_greek(text: str, codec: str) -> str:
    """Put right what is in the other Greek charset. Example: "’ργησε" -> "Άργησε"."""
    if codec == "iso8859_7":
        return _ALPHA_AS_QUOTE.sub(lambda match: match["kept"] or "Ά", text)
    if codec == "cp1253":
        return _QUOTE_AS_ALPHA.sub("’", _ALPHA_AS_PILCROW.sub("Ά", text)).replace("¤", "€")
    return text


def _guess_codec(sample: bytes, codec: str) -> str:
    """Name the eight-bit charset of a Greek, Spanish or Italian text that declares none, or one that is often wrong.

    Greek is told by its runs: three high letters and more stand together, which Spanish and Italian never write.
    """
    high, in_runs = len(_HIGH.findall(sample)), sum(map(len, _HIGH_RUN.findall(sample)))
    if high and in_runs / high > _GREEK_SHARE:
        return "iso8859_7" if _ISO_CAPITAL_ALPHA.search(sample) else "cp1253"
    if codec in ("cp1252", "iso8859_15"):
        return codec
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    return "iso8859_15" if best is not None and best.encoding == "iso8859_15" else "cp1252"
