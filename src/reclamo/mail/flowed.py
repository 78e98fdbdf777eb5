"""Flowed text: soft line breaks undone (RFC 3676)."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool = False) -> str:
    """Join the soft-broken lines of a `format=flowed` body; quote depths and the "-- " line stay.

    Example: "Hola \\nmundo\\n-- \\nAna" -> "Hola mundo\\n-- \\nAna".
    """
    out: list[str] = []
    held: list[str] = []
    held_depth = 0
    for line in text.split("\n"):
        depth, content = _split_quote(line)
        if held and (depth != held_depth or content == "-- "):
            out.append(_quoted(held_depth, "".join(held)))
            held = []
        soft = content.endswith(" ") and content != "-- "
        held.append(content[:-1] if soft and delsp else content)
        held_depth = depth
        if not soft:
            out.append(_quoted(depth, "".join(held)))
            held = []
    if held:
        out.append(_quoted(held_depth, "".join(held)))
    return "\n".join(out)


def _split_quote(line: str) -> tuple[int, str]:
    content = line.lstrip(">")
    depth = len(line) - len(content)
    return depth, content.removeprefix(" ")


def _quoted(depth: int, content: str) -> str:
    return f"{'>' * depth} {content}" if depth else content
