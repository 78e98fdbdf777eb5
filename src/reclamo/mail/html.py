"""HTML to text: rewritten into a small bounded document first, then parsed by lexbor.

The rewriting is what makes hostile HTML cheap. It scans once, from "<" to the next "<", drops what no reader sees and every
tag that only changes the look, gives each tag that is left at most one attribute of our own, and escapes a "<" that opens
nothing. Depth, attributes and open formatting tags, which a tree builder pays for in squares, are then bounded.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from reclamo.mail.limits import Deadline

MAX_TAGS: Final = 20_000
MAX_QUOTE_DEPTH: Final = 10

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)(?:((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>|([^<>]*+)>)|<[!?][^<>]*+>|<")
_HIDING_TAGS: Final = ("script", "style", "title", "template", "xmp", "noframes", "iframe", "svg", "math", "select")
_HIDE_OPEN = re.compile(rf"<(?:!--|({'|'.join(_HIDING_TAGS)})(?=[\s/>]))", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[a-z]{1,20}/[^\"'\s<>]{200,}+", re.IGNORECASE)
_BLOCKS: Final = frozenset(
    {
        *("address", "article", "aside", "body", "center", "dd", "details", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
        *("footer", "form", "header", "html", "legend", "main", "menu", "nav", "ol", "section", "summary", "table", "tbody", "tfoot"),
        *("thead", "tr", "ul", "caption", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "li", "hr"),
    }
)
_SPACED: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol"})
_KEPT: Final = _BLOCKS | {"br", "td", "th", "span"}

# What an attribute says about its element; the first that holds.
_MEANINGS: Final = (
    (
        "hidden",
        r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|mso-hide\s{0,3}:\s{0,3}all|(?<!:)\shidden(?=[\s/=]|$)",
    ),
    (
        "signature",
        (
            r"gmail_signature\b(?!_prefix)|moz-signature|[\"'](?:x_)?Signature[\"']|protonmail_signature_block"
            r"|ms-outlook-mobile-signature|ymail_android_signature"
        ),
    ),
    ("indent", r"webkit-indent|border\s{0,3}:\s{0,3}(?:none|0)"),
)
_MEANING_PATTERNS: Final = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _MEANINGS)
_QUOTING = re.compile(r"cite|quote", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\r\f]+")


def html_to_text(source: str, deadline: Deadline) -> str:
    """Give the text that a reader of the HTML sees, a line for each block, "> " before what is in a quoting blockquote.

    A signature that its program marked gets a "-- " line before it. Past MAX_TAGS tags the tags are only stripped.
    """
    small = _rewrite(_drop_hidden(_DATA_URI.sub("data:", source.replace("\x00", "")), deadline), deadline)
    if small.count("<") > MAX_TAGS:
        return _strip_tags(small)
    return _Lines().read(LexborHTMLParser(small).root)


def _drop_hidden(source: str, deadline: Deadline) -> str:
    """Leave out comments and the elements that hold no text for a reader, each up to its end."""
    out: list[str] = []
    position, lowered, missing = 0, source.lower(), set[str]()
    if len(lowered) != len(source):  # İ and its like grow; offsets must agree
        lowered = "".join(c if len(c.lower()) > 1 else c.lower() for c in source)
    for match in _HIDE_OPEN.finditer(source):
        if match.start() < position:
            continue
        name = match[1].lower() if match[1] else ""
        closing = f"</{name}" if name else "-->"
        if closing in missing:
            continue
        deadline.check()
        end = lowered.find(closing, match.end() - (0 if name else 2))
        if end < 0:
            missing.add(closing)
            continue
        out.append(source[position : match.start()])
        position = end if name else end + 3
    out.append(source[position:])
    return "".join(out)


def _rewrite(source: str, deadline: Deadline) -> str:
    """Give the HTML with only kept tags, each bare but for `k=meaning`."""
    count = 0

    def tag(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        if not count % 4096:
            deadline.check()
        name = (match[2] or "").lower()
        if not name:
            return "&lt;" if match[0] == "<" else ""
        if name not in _KEPT:
            return ""
        if match[1]:
            return f"</{name}>"
        meaning = _meaning(name, (match[3] or match[4] or "")[:4096])
        return f"<{name} k={meaning}>" if meaning else f"<{name}>"

    return _TAG.sub(tag, source)


def _meaning(name: str, attributes: str) -> str:
    """Say what the attributes mean; only a blockquote that quotes nobody is an indent (Gmail's indent button)."""
    if not attributes.strip(" /"):
        return ""
    for meaning, pattern in _MEANING_PATTERNS:
        if meaning == "indent" and (name != "blockquote" or _QUOTING.search(attributes)):
            continue
        if pattern.search(attributes):
            return meaning
    return ""


def _strip_tags(small: str) -> str:
    lines = re.sub(r"</?(?!span|td|th)[a-z0-9]++[^>]*+>", "\n", small)
    return entities.unescape(re.sub(r"<[^>]*+>", " ", lines))


def _events(root: LexborNode) -> Iterator[tuple[bool, LexborNode]]:
    """Walk the tree without recursion; (True, node) on the way in, (False, node) on the way out."""
    node: LexborNode | None = root
    entering = True
    while node is not None:
        yield entering, node
        if entering and node.child is not None and not _is_hidden(node):
            node = node.child
            continue
        if entering:
            yield False, node
        if node.mem_id == root.mem_id:
            return
        if node.next is not None:
            node, entering = node.next, True
        else:
            node, entering = node.parent, False


def _is_hidden(node: LexborNode) -> bool:
    return node.is_element_node and _mark(node) == "hidden"


def _mark(node: LexborNode) -> str:
    return node.attributes.get("k") or ""


class _Lines:
    """Text put together line by line."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._pre = 0

    def read(self, root: LexborNode | None) -> str:
        """Give the text under `root`."""
        for entering, node in _events(root) if root is not None else ():
            if node.is_text_node:
                if entering:
                    self._text(node.text_content or "")
            elif node.is_element_node and not _is_hidden(node):
                (self._enter if entering else self._leave)(node, node.tag or "")
        self._break()
        return "\n".join(self._lines)

    def _text(self, text: str) -> None:
        if not self._pre:
            self._line.append(_SPACE.sub(" ", text))
            return
        first, *rest = text.split("\n")
        self._line.append(first)
        for line in rest:
            self._break(always=True)
            self._line.append(line)

    def _break(self, *, always: bool = False) -> None:
        text = "".join(self._line)
        text = text if self._pre else _SPACE.sub(" ", text).strip(" ")
        self._line.clear()
        if text or always:
            self._lines.append("> " * min(self._depth, MAX_QUOTE_DEPTH) + text)

    def _blank(self) -> None:
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append("> " * min(self._depth, MAX_QUOTE_DEPTH))

    def _enter(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self._break(always=True)
            return
        if tag in ("td", "th"):
            self._line.append(" ")
        if tag in _BLOCKS:
            self._break()
        if tag in _SPACED:
            self._blank()
        mark = _mark(node)
        if mark == "signature":
            self._break()
            self._lines.append("> " * min(self._depth, MAX_QUOTE_DEPTH) + "-- ")
        if tag == "blockquote" and mark != "indent":
            self._depth += 1
        elif tag == "li":
            self._line.append("- ")
        elif tag == "pre":
            self._pre += 1

    def _leave(self, node: LexborNode, tag: str) -> None:
        if tag in _BLOCKS:
            self._break()
        if tag == "blockquote" and _mark(node) != "indent":
            self._depth -= 1
        elif tag == "pre":
            self._pre -= 1
        if tag in _SPACED:
            self._blank()
