"""Whether a text is plainly HTML, as cells of helpdesk exports often are; a mere `<` or `&` is what its writer typed."""

from __future__ import annotations

import html
import re
from html.entities import name2codepoint
from typing import Final

_BLOCKS: Final = (
    "address|article|aside|blockquote|body|center|dd|div|dl|dt|footer|h[1-6]|header|html|li|main|ol|p|pre|section|table|tbody|td|tfoot|th"
    "|thead|tr|ul"
)
_INLINE: Final = "a|abbr|b|big|code|del|em|font|i|ins|s|small|span|strike|strong|style|sub|sup|u"
_TAG: Final = re.compile(rf"<(/?)({_BLOCKS}|{_INLINE}|br)(?=[\s/>])[^<>]*+>", re.IGNORECASE)
_BREAKING: Final = re.compile(rf"<(?:{_BLOCKS}|br)(?=[\s/>])[^<>]*+>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:([a-zA-Z]{2,8}[1-4]?)|#(?:[0-9]{2,6}|[xX][0-9a-fA-F]{2,5}));")
_NAMES: Final = frozenset((*name2codepoint, "apos"))


def has_tags(text: str) -> bool:
    """Say whether a text has a line break of HTML, or a known tag that is opened and closed."""
    opened = set[str]()
    for match in _TAG.finditer(text) if "<" in text else ():
        name = match[2].lower()
        if name == "br" or (match[1] and name in opened):
            return True
        if not match[1]:
            opened.add(name)
    return False


def breaks_lines(text: str) -> bool:
    """Say whether a text has tags that end lines; without any, its own line ends are meant."""
    return _BREAKING.search(text) is not None


def has_entities(text: str) -> bool:
    """Say whether a text has named or numbered characters of HTML, such as `&aacute;` or `&#39;`."""
    return "&" in text and any(match[1] is None or match[1] in _NAMES for match in _ENTITY.finditer(text))


def unescape(text: str) -> str:
    """Put characters for their names and numbers, once; any other `&` stays. Example: "S&iacute; &amp; no &co" -> "Sí & no &co"."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]) if match[1] is None or match[1] in _NAMES else match[0], text)
