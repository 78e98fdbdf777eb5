"""What an audit finds: coded findings, and the table of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check saw.

    Attributes:
        code: such as A401; `KINDS` lists them. severity: how bad it is. check: the check that saw it.
        saw: what is there, with figures. where: ids of messages, or file:line of rows. do: what to do about it.
    """

    code: str
    severity: Severity
    check: str
    saw: str
    where: tuple[str, ...]
    do: str

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "check": self.check,
            "saw": self.saw,
            "where": list(self.where),
            "do": self.do,
        }


@dataclass(frozen=True)
class Kind:
    """What all findings of one code share."""

    check: str
    severity: Severity
    do: str


KINDS: Final[dict[str, Kind]] = {
    "A101": Kind("schema", "error", "mend the row so that it is an object with an id, a text and labels"),
    "A102": Kind("schema", "error", "correct the labels by the guideline; the taxonomy names what is allowed"),
    "A103": Kind("schema", "warning", "correct the key, or take it out: nothing reads it"),
    "A104": Kind("schema", "error", "give one of the taxonomy's language codes"),
    "A105": Kind("schema", "warning", "give the language, or it is missing from every count by language"),
    "A106": Kind("schema", "info", "label the message, or leave it out"),
    "A201": Kind("encoding", "warning", "store the text in Unicode's normal form C"),
    "A202": Kind("encoding", "warning", "take the invisible characters out; readers drop them"),
    "A203": Kind("encoding", "error", "decode the source again with its true character set"),
    "A204": Kind("encoding", "warning", "store what the reader of the message sees, not its mark-up"),
    "A211": Kind("script", "error", "correct the language; mark Greek in Latin letters as hard: greeklish"),
    "A212": Kind("script", "warning", "type the look-alike letters in the alphabet of the word"),
    "A221": Kind("length", "warning", "nothing, if few; else raise max_tokens: training sees a part of these texts only"),
    "A301": Kind("ids", "error", "give every message an id of its own"),
    "A401": Kind("duplicates", "error", "keep one"),
    "A402": Kind("duplicates", "error", "write one anew, or mark both as sides of one contrast pair"),
    "A411": Kind("runs", "error", "word one of them differently, or list the phrase as fixed"),
    "A421": Kind("openings", "error", "let the messages begin differently"),
    "A422": Kind("openings", "warning", "let the messages end differently"),
    "A501": Kind("splits", "error", "keep a scenario within one split"),
    "A502": Kind("splits", "error", "put both into one split, or take one out: the test is not unseen"),
    "A503": Kind("splits", "error", "use train, validation and test"),
    "A504": Kind("splits", "warning", "give every message a split, or none"),
    "A511": Kind("lock", "error", "restore the split, or lock it anew and measure every system again"),
    "A521": Kind("pairs", "error", "put all sides of a contrast pair into one split"),
    "A522": Kind("pairs", "warning", "check the labels: the sides of a contrast pair differ in at least one"),
    "A523": Kind("pairs", "warning", "add the other side, or take the mark away"),
    "A601": Kind("giveaway", "warning", "write messages that use the word without the label, and have the label without the word"),
    "A611": Kind("counts", "warning", "write or label more of these"),
    "A621": Kind("imbalance", "warning", "add rare ones, or weight them in training"),
    "A631": Kind("label-errors", "warning", "read these again by the guideline; the score is a hint, not a verdict"),
}


def found(code: str, saw: str, where: tuple[str, ...] = ()) -> Finding:
    """Make the finding of a code."""
    kind = KINDS[code]
    return Finding(code=code, severity=kind.severity, check=kind.check, saw=saw, where=where, do=kind.do)
