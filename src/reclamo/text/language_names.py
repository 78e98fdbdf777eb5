"""Which language a row says that its message is in: codes, and names as helpdesks and tables write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

_SECOND_LETTERS: Final = {  # of the codes of ISO 639-1, by the first
    "a": "abefkmnrsvyz", "b": "aeghimnors", "c": "aehorsuvy", "d": "aevz", "e": "elnostu", "f": "afijory", "g": "adlnuv",
    "h": "aeiortuyz", "i": "adegikostu", "j": "av", "k": "agijklmnorsuvwy", "l": "abginotuv", "m": "ghiklnrsty",
    "n": "abdeglnorvy", "o": "cjmrs", "p": "ailst", "q": "u", "r": "mnouw", "s": "acdeghiklmnoqrstuvw", "t": "aeghiklnorstwy",
    "u": "gkrz", "v": "eio", "w": "ao", "x": "h", "y": "io", "z": "ahu",
}  # fmt: skip
CODES: Final = frozenset(first + second for first, seconds in _SECOND_LETTERS.items() for second in seconds)
# Codes of three letters, and names in English, Spanish, Italian, Greek and the language itself; without case and accents.
LANGUAGE_NAMES: Final = {
    name: code
    for code, names in {
        "es": "spa spanish espanol castellano castilian spagnolo ισπανικα",
        "el": "ell gre gr greek griego greco ελληνικα",
        "it": "ita italian italiano ιταλικα",
        "ar": "ara arabic arabe arabo αραβικα العربية",
        "bg": "bul bulgarian bulgaro βουλγαρικα български",
        "ca": "cat catalan catala catalano valenciano καταλανικα",
        "cs": "ces cze czech checo ceco τσεχικα cestina",
        "da": "dan danish danes danese δανικα dansk",
        "de": "deu ger german aleman tedesco γερμανικα deutsch",
        "en": "eng english ingles inglese αγγλικα",
        "eu": "eus baq basque vasco euskera basco",
        "fi": "fin finnish fines finlandes finlandese φινλανδικα suomi",
        "fr": "fra fre french frances francese γαλλικα francais",
        "gl": "glg galician gallego galego galiziano",
        "he": "heb hebrew hebreo ebraico εβραικα עברית",
        "hi": "hin hindi χιντι",
        "hr": "hrv croatian croata croato κροατικα hrvatski",
        "hu": "hun hungarian hungaro ungherese ουγγρικα magyar",
        "ja": "jpn japanese japones giapponese ιαπωνικα 日本語",
        "ko": "kor korean coreano κορεατικα 한국어",
        "nl": "nld dut dutch neerlandes holandes olandese ολλανδικα nederlands",
        "no": "nor norwegian noruego norvegese νορβηγικα norsk",
        "pl": "pol polish polaco polacco πολωνικα polski",
        "pt": "por portuguese portugues portoghese πορτογαλικα",
        "ro": "ron rum romanian rumano rumeno romeno ρουμανικα romana",
        "ru": "rus russian ruso russo ρωσικα русскии",
        "sk": "slk slo slovak eslovaco slovacco σλοβακικα slovencina",
        "sl": "slv slovenian slovene esloveno sloveno σλοβενικα slovenscina",
        "sq": "sqi alb albanian albanes albanese αλβανικα shqip",
        "sr": "srp serbian serbio serbo σερβικα srpski српски",
        "sv": "swe swedish sueco svedese σουηδικα svenska",
        "tr": "tur turkish turco τουρκικα turkce",
        "uk": "ukr ukrainian ucraniano ucraino ουκρανικα украінська",
        "zh": "zho chi chinese chino cinese κινεζικα 中文",
    }.items()
    for name in names.split()
}
NO_LANGUAGE: Final = frozenset(("und", "mul", "zxx", "unknown", "undetermined", "auto", "none", "null", "n/a", "na", "?"))
_END: Final = re.compile(r"[-_.,;(\[]")  # of what names the language; the region or script follows


def plain_language(tag: str | None, known: Collection[str] = ()) -> str | None:
    """The language of a tag such as those of BCP 47, or of a name, without region or script; None where it is neither, or says none.

    What `known` has itself is no name of another language.

    Examples: "es-MX" -> "es", "EL" -> "el", "Spanish (Spain)" -> "es", "ita" -> "it", "Deutsch" -> "de", "" -> None, "und" -> None,
    "VIP customer" -> None.
    """
    word = _END.split((tag or "").strip().casefold(), maxsplit=1)[0].strip()
    if word in known:
        return word
    bare = "".join(ch for ch in unicodedata.normalize("NFD", word) if not unicodedata.combining(ch))
    if word in NO_LANGUAGE:
        return None
    return LANGUAGE_NAMES.get(unicodedata.normalize("NFC", bare)) or (word if word in CODES else None)
