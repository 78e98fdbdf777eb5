"""The body: which parts a reader reads, and their text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from reclamo.mail.charsets import decode_bytes
from reclamo.mail.flowed import unflow
from reclamo.mail.html import html_to_text
from reclamo.mail.limits import Deadline, Limits, Refusal, over_limit
from reclamo.mail.mime import Part

MAX_CONTROLS: Final = 0.05
MAX_UNKNOWN: Final = 0.2
NOTICE_WORDS: Final = 60  # plain text so short may be a notice in place of the message, "this mail needs an HTML reader"
FEW: Final = 8  # parts of a message that are compared with one another
SAME: Final = 0.9  # of the words of two parts; what says the same twice is read once
STRANGE: Final = 0.5  # fewer of its words than this in the HTML, and the plain text is no rendering of it
HTML_FACTOR: Final = 4  # HTML may be so many times longer than the text that it holds
_NOTICE = re.compile(r"\b(?:x?html|mime|navegador|browsers?|visuali[sz]\w*|περιηγητ\w*|φυλλομετρητ\w*)\b", re.IGNORECASE)
_DATA_URI = re.compile(rb"data:[a-z]{1,20}/[^\"'\s<>]{200,}+", re.IGNORECASE)
_HTML_START = re.compile(r"\s{0,200}<(?:!doctype\s+html|html|body)[\s>]", re.IGNORECASE)
_ENCRYPTED: Final = {
    "application/pkcs7-mime": "the text is inside an S/MIME envelope, which is not opened",
    "application/x-pkcs7-mime": "the text is inside an S/MIME envelope, which is not opened",
    "multipart/encrypted": "the text is encrypted (OpenPGP), which is not opened",
    "application/ms-tnef": "the text is inside winmail.dat (TNEF), which is not opened",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The text as it stands in the message, and the names of what was left closed."""

    text: str
    charset: str
    attachments: tuple[str, ...]
    forwarded: bool


def read_body(raw: bytes, root: Part, limits: Limits, deadline: Deadline) -> Body:
    """Choose the parts that a reader reads and decode them; raise Refusal where there is no text."""
    order = _in_order(root)
    _mark_bodies(order)
    texts = _Texts(raw, limits, deadline)
    chosen = _choose(order, texts)
    attachments = tuple(part.filename or part.kind for part in order if not part.children and not part.is_text)
    if not chosen:
        raise Refusal("not_text", _why_no_text(order))
    text = "\n".join(texts.of(part) for part in chosen)
    if len(text) > limits.text_chars:
        raise over_limit("text", len(text), limits.text_chars, "characters")
    if _is_binary(text):
        raise Refusal("not_text", "the body holds binary data; expected text")
    return Body(
        text=text,
        charset=texts.charset,
        attachments=attachments,
        forwarded=any(part.kind == "message/rfc822" for part in order),
    )


def _in_order(root: Part) -> list[Part]:
    order, pending = [], [root]
    while pending:
        part = pending.pop()
        order.append(part)
        pending.extend(reversed(part.children))
    return order


def _mark_bodies(order: list[Part]) -> None:
    """Mark text that is the body whatever its file name, as mail programs show it: the first of the message, and alternatives.

    Ticket systems name the body (`inline; filename="form.htm"`); text that is named further down is a file that somebody added.
    """
    first = next((part for part in order if not part.children and part.may_be_text), None)
    alternatives = [child for part in order if part.kind == "multipart/alternative" for child in part.children]
    for part in alternatives if first is None else [first, *alternatives]:
        part.is_body = True


def _choose(order: list[Part], texts: _Texts) -> list[Part]:
    """Give the leaves to read: of alternatives the first that is plain text with words, of related parts the first, of others all."""
    chosen: dict[int, list[Part]] = {}
    for part in reversed(order):
        offers = [chosen[id(child)] for child in part.children if chosen[id(child)]]
        if part.kind == "multipart/encrypted":
            chosen[id(part)] = []
        elif not part.children:
            chosen[id(part)] = [part] if part.is_text else []
        elif part.kind == "multipart/alternative":
            chosen[id(part)] = _best(offers, texts)
        else:
            related = part.kind == "multipart/related" and offers
            chosen[id(part)] = offers[0] if related else _once([leaf for offer in offers for leaf in offer], texts)
    return chosen[id(order[0])]


def _best(offers: list[list[Part]], texts: _Texts) -> list[Part]:
    for offer in offers:
        if all(part.kind == "text/plain" for part in offer) and any(texts.of(part).strip() for part in offer):
            return offers[-1] if _is_notice(offer, offers[-1], texts) else offer
    return offers[-1] if offers else []


def _is_notice(plain: list[Part], last: list[Part], texts: _Texts) -> bool:
    """Say whether plain text speaks of HTML or browsers, in few words, and the HTML beside it says something else."""
    if not any(part.kind == "text/html" for part in last) or not any(_NOTICE.search(texts.of(part)) for part in plain):
        return False
    words = _words(plain, texts)
    try:
        return words.total() <= NOTICE_WORDS and (words & _words(last, texts)).total() < STRANGE * words.total()
    except Refusal:  # the HTML is past a limit: what can be read is read
        return False


def _once(leaves: list[Part], texts: _Texts) -> list[Part]:
    """Leave out HTML leaves that say what a plain one beside them says."""
    if len(leaves) > FEW or len({part.kind for part in leaves}) < 2:
        return leaves
    plain = [_words([part], texts) for part in leaves if part.kind == "text/plain"]
    return [part for part in leaves if part.kind != "text/html" or not any(_same(_words([part], texts), words) for words in plain)]


def _same(one: Counter[str], two: Counter[str]) -> bool:
    return bool(one) and (one & two).total() >= SAME * max(one.total(), two.total())


def _words(parts: list[Part], texts: _Texts) -> Counter[str]:
    return Counter(word for part in parts for word in re.findall(r"\w+", texts.of(part).lower()))


def _why_no_text(order: list[Part]) -> str:
    for part in order:
        kind = "application/ms-tnef" if part.filename.lower() == "winmail.dat" else part.kind
        if kind in _ENCRYPTED:
            return _ENCRYPTED[kind]
    kinds = sorted({part.kind for part in order if not part.children})[:5]
    return f"no text part; the message holds {', '.join(kinds)}"


def _is_binary(text: str) -> bool:
    """Say whether too much of a body is controls, or bytes that no charset knows."""
    sample = text[:65536]
    controls = sum(c < " " or "\x7f" <= c < "\xa0" for c in sample) - sum(map(sample.count, "\t\n\f\x0b\x1b"))
    return controls > MAX_CONTROLS * len(sample) or sample.count("\ufffd") > MAX_UNKNOWN * len(sample)


class _Texts:
    """Decoded leaves, each decoded once."""

    def __init__(self, raw: bytes, limits: Limits, deadline: Deadline) -> None:
        self._raw, self._limits, self._deadline = raw, limits, deadline
        self._known: dict[int, str] = {}
        self.charset = "utf-8"

    def of(self, part: Part) -> str:
        """Give the text of a leaf with LF line ends."""
        if part.start not in self._known:
            self._known[part.start] = self._decode(part)
        return self._known[part.start]

    def _decode(self, part: Part) -> str:
        self._deadline.check()
        is_html = part.kind == "text/html"
        payload, appended = part.payload(self._raw)
        if is_html:
            payload = _DATA_URI.sub(b"data:", payload)
        allowed = self._limits.text_chars * (HTML_FACTOR if is_html else 1)
        if len(payload) > 4 * allowed:  # no charset gives fewer characters than a quarter of the bytes
            raise over_limit(part.kind, len(payload), 4 * allowed, "bytes")
        text, self.charset = decode_bytes(payload, part.parameters.get("charset"))
        if appended:
            text += "\n" * (not text.endswith("\n")) + decode_bytes(appended, part.parameters.get("charset"))[0]
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > allowed:
            raise over_limit("text" if not is_html else part.kind, len(text), allowed, "characters")
        if is_html or _HTML_START.match(text):
            return html_to_text(text, self._deadline)
        if part.parameters.get("format", "").lower() == "flowed":
            return unflow(text, delsp=part.parameters.get("delsp", "").lower() == "yes")
        return text
