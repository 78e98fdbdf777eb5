"""HTML in cells of tables, JSON lines and texts that a caller gives."""

from __future__ import annotations

from dataclasses import replace

from reclamo.mail.body import HTML_FACTOR
from reclamo.mail.html import html_to_text
from reclamo.mail.limits import Deadline, Limits, Refusal
from reclamo.message import Message, Problem
from reclamo.text.markup import breaks_lines, has_entities, has_tags, unescape


def without_html(text: str, deadline: Deadline) -> str:
    """Give what a reader sees of a text that is plainly HTML, quotations as lines with `> `; any other text as it is.

    Raises Refusal past the deadline.
    """
    if has_tags(text):
        lines = text if breaks_lines(text) else text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")
        return html_to_text(lines, deadline)
    return unescape(text) if has_entities(text) else text


def plain_message(message: Message) -> Message:
    """Give a message with its text without HTML; one that takes too long becomes a message with a problem. What is too long to be
    tagged is left as it is."""
    text, longest = message.text, HTML_FACTOR * Limits().text_chars
    if ("<" not in text and "&" not in text) or len(text) > longest:
        return message
    try:
        text = without_html(text, Deadline(Limits().seconds))
    except Refusal as refusal:
        return replace(message, text="", problem=Problem(reason=refusal.reason, detail=refusal.detail))
    return message if text == message.text else replace(message, text=text)
