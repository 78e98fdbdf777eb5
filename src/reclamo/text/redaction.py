"""Personal numbers and addresses out of a text, the kind of each in its place.

What bears a checksum is told by it (python-stdnum); what a word before it names ("ΑΦΜ", "pedido nº", "tel.") is taken at its word,
mistyped or not. Names of persons and postal addresses are not found. Every pattern is bounded, so time grows with the text only.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from stdnum import iban, luhn
from stdnum.es import ccc, nie, nif
from stdnum.gr import amka
from stdnum.gr import vat as afm
from stdnum.it import codicefiscale, iva

from reclamo.message import Cleaning
from reclamo.tags import Evidence, Tags

Span = tuple[int, int, str]
Name = tuple[str | None, bool]
UNNAMED: Final[Name] = (None, False)

PASSES: Final = 8  # what one pass takes out can lay open what stood beside it; two passes are the rule
MASK: Final = "\x01"
MOST_GROUPS: Final = 7
SHORTEST: Final = 8  # digits that say by themselves what they are

_L, _R = r"(?<![^\W_])", r"(?![^\W_])"  # no letter or digit beside
_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,128}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_IBAN = re.compile(rf"{_L}(?=([A-Za-z]{{2}}[0-9]{{2}}(?:[ .-]{{0,2}}[A-Za-z0-9]){{11,30}}))")
_IBAN_LENGTH: Final = {"ES": 24, "GR": 27, "IT": 27}
_OMO = "[0-9LMNP-Vlmnp-v]"  # a digit, or the letter that stands for it where two persons would have the same code
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DATE = re.compile(
    rf"(?<![0-9])(?<![0-9][/.-])(?:{_DAY}([/.-]){_MONTH}\1(?:[0-9]{{4}}|[0-9]{{2}})|(?:19|20)[0-9]{{2}}([/.-]){_MONTH}\2{_DAY})(?![/.-]?[0-9])"
)
_MONEY = re.compile(r",[0-9]|\.[0-9]{1,2}(?![0-9])|[ ]?(?:€|\$|£|%|(?:eur|euros?|ευρώ|ευρω)\b)", re.IGNORECASE)
_TAIL = re.compile(r"[0-9][.,]$|[€$£][ ]?$")  # what stands before the rest of a number, or before an amount
_GROUP = re.compile(r"[0-9]+")
_GAP = re.compile(r"[ ]?[./()-][ ]?|\)[ ]?[./-]|[ ]")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")

# Shapes of one word, with the test that tells them from others; None where the shape says enough.
_SHAPES: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...]] = (
    (
        "codice_fiscale",
        re.compile(rf"{_L}[A-Za-z]{{6}}[ ]?{_OMO}{{2}}[A-Za-z]{_OMO}{{2}}[ ]?[A-Za-z]{_OMO}{{3}}[A-Za-z]{_R}"),
        lambda found: codicefiscale.is_valid(found.replace(" ", "")),
    ),
    ("nie", re.compile(rf"{_L}[XYZxyz][ .-]?[0-9]{{7}}[ .-]?[A-Za-z]{_R}"), nie.is_valid),
    (
        "nif",
        re.compile(rf"{_L}(?:[0-9]{{8}}|[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}})[ -]?[A-Za-z]{_R}"),
        lambda found: nif.is_valid(found.replace(".", "")),
    ),
    ("nif", re.compile(rf"{_L}[A-HJ-NP-SUVWKLM][ -]?[0-9]{{7}}[ -]?[0-9A-J]{_R}"), nif.is_valid),
    ("afm", re.compile(rf"{_L}EL[ ]?[0-9]{{9}}{_R}"), afm.is_valid),
    ("partita_iva", re.compile(rf"{_L}IT[ ]?[0-9]{{11}}{_R}"), iva.is_valid),
    ("plate", re.compile(rf"{_L}[ABEZHIKMNOPTYXΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]{{3}}[ -]?[0-9]{{4}}{_R}"), None),
    ("plate", re.compile(rf"{_L}[0-9]{{4}}[ -]?(?!KWH)[BCDFGHJ-NPRSTV-Z]{{3}}{_R}"), None),
    ("plate", re.compile(rf"{_L}[A-Z]{{1,2}}-[0-9]{{4}}-[A-Z]{{1,2}}{_R}"), None),
    ("plate", re.compile(rf"{_L}[A-HJ-NPR-TV-Z]{{2}}[ -]?[0-9]{{3}}[ -]?[A-HJ-NPR-TV-Z]{{2}}{_R}"), None),
)  # fmt: skip

# Tax numbers of digits only, by their length.
_TAX: Final[dict[int, tuple[tuple[str, Callable[[str], bool]], ...]]] = {
    9: (("afm", lambda digits: digits[0] not in "6789" and afm.is_valid(digits)),),  # from 6 on they are phones in Spain
    11: (("amka", amka.is_valid), ("partita_iva", iva.is_valid)),
}

_OVERSEAS: Final = frozenset({(2, 4, 4), (3, 3, 4), (3, 3, 2, 2)})  # groups of ten digits
_TAX_KINDS: Final = frozenset({"afm", "amka", "partita_iva", "nif", "nie", "codice_fiscale"})

# The words that name a number, by kind; the first kind that fits is taken.
_NAMES: Final = {
    "afm": r"α\.?φ\.?μ\.?|a\.?f\.?m\.?",
    "amka": r"α\.?μ\.?κ\.?α\.?|a\.?m\.?k\.?a\.?",
    "partita_iva": r"partita iva|p\. ?iva|p\.? ?i\.|piva",
    "nif": r"d\.?n\.?i\.?|n\.?i\.?f\.?|c\.?i\.?f\.?",
    "nie": r"n\.?i\.?e\.?",
    "codice_fiscale": r"codice fiscale|cod\. ?fisc\.?|c\.f\.",
    "plate": r"matr[ií]cula|targa|πινακ[ίι]δας?",
    "phone": r"tel(?:[eéè]fono)?\.?|tfno?\.?|tlf\.?|m[oó]vil|cell(?:ulare)?\.?|whatsapp|fax|phone|τηλ(?:[εέ]φωνο)?\.?|κιν(?:ητ[οό])?\.?",
    "card": r"tarjeta|carta(?: di credito)?|κ[άα]ρτας?|card",
    "account": r"cuenta(?: bancaria)?|c/c|cc|conto(?: corrente)?|λογαριασμ(?:[όο]ς?|ο[ύυ])|account|iban|ccc",
    "order": (
        r"pedidos?|orden|compra|factura|referencia|ref\.?|ticket|incidencia|expediente|reserva|env[ií]o|seguimiento|localizador|contrato|"
        r"p[oó]liza|cliente|ordine|fattura|pratica|spedizione|prenotazione|rif\.?|riferimento|tracking|contratto|polizza|segnalazione|"
        r"παραγγελ[ίι]ας?|τιμολ[όο]γιο|α[ίι]τημα|κρ[άα]τησης?|αποστολ[ήη]ς?|δ[έε]μα|συμβ[όο]λαιο|πελ[άα]τη|order|invoice|booking|"
        r"matricola|noleggio|soci[oa]|rastreo|συμβολα[ίι]ου|α[ίι]τησης|μ[έε]λους|συναλλαγ[ήη]ς|παροχ[ήη]ς"
    ),
}
_NUMBER_SIGN = r"n[uú]m(?:ero)?\.?|n[.º°o]{0,2}|nr\.?|αρ(?:ιθμ[όο]ς?)?\.?|id|c[oó]digo|codice|κωδικ[όο]ς?|number"
_SMALL_WORDS = r"(?:(?:de|del|di|con|με|μου|mi[oa]?|es|la|è|il|είναι|η|το|is)[ ]){0,2}"
_LINK = rf"[ .:#º°]{{0,3}}{_SMALL_WORDS}(?P<sign>(?:{_NUMBER_SIGN})(?![^\W_]))?[ .:#º°]{{0,4}}\(?\+?"
_NAMED = re.compile(
    r"(?<![\w\[])(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _NAMES.items()) + rf")(?![^\W_])(?P<link>{_LINK})",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:(?<![\w\[])(?:nº|n°|n\.|nr\.?|num\.|núm\.|αρ\.)[ ]?|#)$", re.IGNORECASE)
_CODE = re.compile(rf"{_L}(?=[A-Za-zΑ-Ωα-ω]{{0,12}}[-/]?[A-Za-zΑ-Ω]{{0,12}}[0-9])[^\W_]{{1,24}}(?:[-/_][^\W_]{{1,24}}){{0,4}}{_R}")
_CODE_DIGITS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A text without what was found in it.

    Attributes:
        text: with `[kind]` in the place of each find.
        spans: of the finds, in characters of the original text, with their kinds; sorted, never overlapping.
    """

    text: str
    spans: tuple[Span, ...]

    def map_span(self, start: int, end: int) -> tuple[int, int]:
        """Give where a stretch of the original text lies now; one that begins or ends inside a find holds the whole `[kind]`."""
        return self._place(start, at_end=False), self._place(end, at_end=True)

    def _place(self, offset: int, *, at_end: bool) -> int:
        index = bisect_right(self.spans, offset, key=lambda span: span[0])
        shift = sum(len(kind) + 2 - (end - start) for start, end, kind in self.spans[:index])
        if index and self.spans[index - 1][0] <= offset < self.spans[index - 1][1]:
            start, end, kind = self.spans[index - 1]
            is_inside = at_end and offset > start
            return end + shift if is_inside else end + shift - len(kind) - 2
        return offset + shift


def redact(text: str) -> Redacted:
    """Take e-mail addresses, phone, card, account, tax, order and plate numbers out of a text. Idempotent.

    Example: redact("Escríbame a ana@correo.example").text -> "Escríbame a [email]".
    """
    masked, spans = text, list[Span]()
    for _ in range(PASSES):
        before = len(spans)
        for find in (_emails, _ibans, _shapes, _codes, _numbers):
            fresh = list(find(masked))
            spans += fresh
            masked = _mask(masked, fresh)
        if len(spans) == before:
            break
    spans.sort()
    parts, done = [], 0
    for start, end, kind in spans:
        parts += [text[done:start], f"[{kind}]"]
        done = end
    return Redacted(text="".join(parts) + text[done:], spans=tuple(spans))


def _mask(text: str, spans: list[Span]) -> str:
    parts, done = [], 0
    for start, end, _ in spans:
        parts += [text[done:start], MASK * (end - start)]
        done = end
    return "".join(parts) + text[done:]


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield *match.span(), "email"


def _ibans(text: str) -> Iterator[Span]:
    """IBANs by checksum; of the three countries also mistyped ones, as accounts."""
    done = 0
    for match in _IBAN.finditer(text):
        if match.start() < done:
            continue
        found = _iban_length(match[1], text[match.end(1) : match.end(1) + 1])
        if found:
            done = match.start() + found[0]
            yield match.start(), done, found[1]


def _iban_length(candidate: str, following: str) -> tuple[int, str] | None:
    wanted, mistyped = _IBAN_LENGTH.get(candidate[:2]), None
    for length in range(len(candidate), 14, -1):
        after = candidate[length : length + 1] or following
        if after.isalnum() or not candidate[length - 1].isalnum():
            continue
        compact = re.sub("[ .-]", "", candidate[:length])
        if iban.is_valid(compact):
            return length, "iban"
        if len(compact) == wanted and compact[5:].isalnum() and sum(map(str.isdigit, compact)) >= len(compact) - 3:
            mistyped = length, "account"
    return mistyped


def _shapes(text: str) -> Iterator[Span]:
    taken: list[Span] = []
    for kind, pattern, is_valid in _SHAPES:
        fresh = [(*match.span(), kind) for match in pattern.finditer(text) if is_valid is None or is_valid(match[0])]
        text = _mask(text, fresh)
        taken += fresh
    return iter(sorted(taken))


def _codes(text: str) -> Iterator[Span]:
    """Codes with letters that a word before them names. Example: "pedido nº ES-4471-B"."""
    named = _named_places(text)
    for match in _CODE.finditer(text):
        token = match[0]
        if sum(map(str.isdigit, token)) >= _CODE_DIGITS and any(map(str.isalpha, token)):
            kind = _name_of(text, match.start(), named)[0]
            if kind:
                yield *match.span(), kind


def _named_places(text: str) -> dict[int, Name]:
    """Where a number would stand that a word names: by offset, the kind, and whether a sign for "number" stands there too."""
    found: dict[int, Name] = {}
    for match in _NAMED.finditer(text):
        kind = next(kind for kind in _NAMES if match[kind] is not None)
        found[match.end()] = kind, match["sign"] is not None or not {"#", ":", "º", "°"}.isdisjoint(match["link"])
    return found


def _name_of(text: str, start: int, named: dict[int, Name]) -> Name:
    if start in named:
        return named[start]
    return ("order", True) if _NUMBERED.search(text[max(0, start - 6) : start]) else UNNAMED


@dataclass(frozen=True, kw_only=True)
class _Digits:
    """Groups of digits that stand side by side: `digits` joined, with the lengths and the gaps of the groups."""

    text: str
    start: int
    end: int
    digits: str
    groups: tuple[int, ...]
    gaps: tuple[str, ...]

    @property
    def has_plus(self) -> bool:
        """Whether a plus sign stands before."""
        return self.text[max(0, self.start - 1) : self.start] == "+"


def _numbers(text: str) -> Iterator[Span]:
    """Numbers without letters: the longest row of groups, from each group on, that is something."""
    text = _mask(text, [(*match.span(), "date") for match in _DATE.finditer(text)])
    groups = [match.span() for match in _GROUP.finditer(text)]
    joined = [bool(_GAP.fullmatch(text, left[1], right[0])) for left, right in pairwise(groups)]
    named, index = _named_places(text), 0
    while index < len(groups):
        last = index
        while last + 1 < len(groups) and last + 1 - index < MOST_GROUPS and joined[last]:
            last += 1
        name = _name_of(text, groups[index][0], named)
        found = _longest(text, groups[index : last + 1], name)
        if found is None:
            index += 1
            continue
        start = groups[index][0]
        yield start - (text[max(0, start - 1) : start] == "+"), groups[index + found[0] - 1][1], found[1]
        index += found[0]


def _longest(text: str, groups: list[tuple[int, int]], name: Name) -> tuple[int, str] | None:
    """The most groups that are something, and what; after "tel." two phones are not taken for one."""
    for one in (UNNAMED, name) if name[0] == "phone" else (name,):
        for count in range(len(groups), 0, -1):
            kind = _kind(text, groups[:count], one)
            if kind:
                return count, kind
    return None


def _kind(text: str, groups: list[tuple[int, int]], name: Name) -> str | None:
    start, end = groups[0][0], groups[-1][1]
    if name[0] is None and sum(b - a for a, b in groups) < SHORTEST:
        return None
    if text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum() or _MONEY.match(text, end):
        return None
    if _TAIL.search(text[max(0, start - 2) : start]):
        return None
    row = _Digits(
        text=text,
        start=start,
        end=end,
        digits="".join(text[a:b] for a, b in groups),
        groups=tuple(b - a for a, b in groups),
        gaps=tuple(text[left[1] : right[0]] for left, right in pairwise(groups)),
    )
    return _named_kind(row, *name) or _own_kind(row)


def _named_kind(row: _Digits, kind: str | None, is_numbered: bool) -> str | None:
    """The kind that a word before names, if the number can be one."""
    count, is_tight = len(row.digits), all(gap in "-/" for gap in row.gaps)
    if kind == "order":
        if not is_tight or count < _CODE_DIGITS or (not is_numbered and len(row.groups) == 1 and _YEAR.fullmatch(row.digits)):
            return None
        return kind
    if kind in _TAX_KINDS:
        return kind if 7 <= count <= 12 else None
    if kind in ("phone", "card"):
        return kind if 6 <= count <= 19 and len(row.groups) <= 6 and not (kind == "card" and count < 12) else None
    return kind if kind == "account" and 6 <= count <= 24 else None


def _own_kind(row: _Digits) -> str | None:
    """The kind that the digits show by themselves."""
    digits, count = row.digits, len(row.digits)
    is_one = len(row.groups) == 1
    if row.has_plus:
        return "phone" if _is_international(digits) else None
    if 13 <= count <= 19 and digits[0] in "23456" and (is_one or min(row.groups[:-1]) >= 4) and luhn.is_valid(digits):
        return "card"
    if count == 20 and ccc.is_valid(digits):
        return "account"
    if is_one and count in _TAX:
        kind = next((kind for kind, is_valid in _TAX[count] if is_valid(digits)), None)
        if kind:
            return kind
    if digits.startswith("00") and min(row.groups) >= 2 and _is_international(digits[2:]):
        return "phone"
    if _is_national(row):
        return "phone"
    if is_one and count >= 10:
        return "number"
    return "account" if row.groups == (4, 4, 4, 4) else None


def _is_international(digits: str) -> bool:
    lengths = {"34": (11,), "30": (12,), "39": (10, 11, 12, 13)}.get(digits[:2], range(8, 16))
    return digits[:1] != "0" and len(digits) in lengths


def _is_national(row: _Digits) -> bool:
    """Numbers of Spain (9 digits), Greece (10) and Italy (mobile 9 or 10 from 3, fixed 8 to 11 from 0); Mexico and its neighbours."""
    digits, count = row.digits, len(row.digits)
    if min(row.groups) < 2 or max(row.groups[:1]) > 11 or len(row.groups) > 5:
        return False
    if len(row.groups) == 3 and row.groups[1:] == (3, 3) and row.gaps[0] == row.gaps[1] == "." and digits[0] not in "6789":
        return False
    spain = count == 9 and digits[0] in "6789"
    greece = count == 10 and (digits[0] == "2" or digits.startswith("69"))
    italy = (digits[0] == "3" and count in (9, 10) and row.groups[0] >= 3) or (digits[0] == "0" and digits[1] != "0" and 8 <= count <= 11)
    return spain or greece or italy or (count == 10 and row.groups in _OVERSEAS)


def redact_tags(tags: Tags) -> Tags:
    """Redact the text of tags; evidence then counts in the redacted text, stretches that fell into one find are joined.

    The id is left as it is: it says which message the row is of.
    """
    if tags.cleaning is not None:
        tags = replace(tags, cleaning=_redact_cleaning(tags.cleaning))
    if tags.text is None:
        return tags
    redacted = redact(tags.text)
    if not redacted.spans:
        return tags
    return replace(tags, text=redacted.text, evidence={key: _moved(spans, redacted) for key, spans in tags.evidence.items()})


def _redact_cleaning(cleaning: Cleaning) -> Cleaning:
    """Redact the pieces; where they stood is counted in the body as it came, and stays."""
    spans = (span if span.text is None else replace(span, text=redact(span.text).text) for span in cleaning.spans)
    return replace(cleaning, spans=tuple(spans))


def _moved(spans: list[Evidence], redacted: Redacted) -> list[Evidence]:
    moved: list[Evidence] = []
    for span in spans:
        start, end = redacted.map_span(span.start, span.end)
        if moved and start < moved[-1].end:
            last = moved.pop()
            moved.append(Evidence(start=last.start, end=max(end, last.end), weight=round(last.weight + span.weight, 4)))
        else:
            moved.append(Evidence(start=start, end=end, weight=span.weight))
    return moved
