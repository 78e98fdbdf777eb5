"""HTML in cells: what plainly is becomes text, what merely looks a little like it stays to the letter."""

from __future__ import annotations

import re
from html import escape

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reclamo.mail.cells import plain_message, without_html
from reclamo.mail.limits import Deadline
from reclamo.message import Message
from reclamo.text import clean_text

SIGNS = (
    *(
        "<",
        ">",
        "&",
        ";",
        "<3",
        "</3",
        "<-",
        "->",
        "<<",
        ">>",
        ">:(",
        "<=",
        "=>",
        "<>",
        "&&",
        "&;",
        "&#;",
        "&c.",
        "#39;",
        "\n",
        " ",
        "a",
        "ñ",
    ),
    *(
        "H&M",
        "AT&T;",
        "S&P;",
        "<nombre>",
        "</nombre>",
        "<ana@correo.es>",
        "<https://a.es/b>",
        "a<b",
        "x>y",
        "</p>",
        "<p",
        "p>",
        "<b",
        "<br",
        "br>",
    ),
    *("p", "b", "5", "/", "[b]", "[/b]", "&copy", "?a=1&b=2", "<preço>", "<brand>", "<!-- ", "-->"),
)


@given(st.lists(st.sampled_from(SIGNS), max_size=12).map(" ".join))
def test_signs_that_make_no_html_stay(text: str) -> None:
    assume(not re.search(r"<(p|b|br)\b[^<>]*>", text))  # together they may make a tag after all: "<br >"
    assert without_html(text, Deadline(5)) == text


@given(
    st.text(st.sampled_from("ab <>&;/p3#\n\"'="), max_size=20).map(
        lambda text: text.replace("<p", "<q").replace("<b", "<q").replace("<a", "<q")
    )
)
def test_no_tag_no_entity_no_change(text: str) -> None:
    assert without_html(text, Deadline(5)) == text


@given(st.text(st.sampled_from("añΩ <>&;/p3\"'=."), max_size=30))
def test_what_a_browser_would_show_of_escaped_text_is_that_text(text: str) -> None:
    shown = without_html(f"<p>{escape(text)}</p>", Deadline(5))
    assert clean_text(shown) == clean_text(text)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<p>Llevo tres <b>semanas</b> esperando.</p><p>&iexcl;Basta!</p>", "Llevo tres semanas esperando.\n\n¡Basta!"),
        ("<div>No llega</div><blockquote>Su pedido va en camino</blockquote>", "No llega\n\n> Su pedido va en camino"),
        ("Hola<br>no llega<br/>nada", "Hola\nno llega\nnada"),
        ("Hola,\nesto <b>no</b> va\n<3 y 5 < 6", "Hola,\nesto no va\n<3 y 5 < 6"),
        ("Qu&eacute; verg&uuml;enza, 20&nbsp;&euro; de m&aacute;s\ny nadie contesta", "Qué vergüenza, 20 € de más\ny nadie contesta"),
        ("It&#39;s H&amp;M &amp;lt;", "It's H&M &lt;"),
        ("<HTML><HEAD><STYLE>p{}</STYLE></HEAD><BODY><P CLASS=x>Hola</P></BODY></HTML>", "Hola"),
        ("Περιμένω&nbsp;ακόμη <span style='color:red'>το δέμα</span>", "Περιμένω ακόμη το δέμα"),
        ("<script>x()</script><p>Hola</p>", "Hola"),
    ],
)
def test_html_becomes_what_a_reader_sees(cell: str, text: str) -> None:
    lines = clean_text(without_html(cell, Deadline(5))).split("\n")
    assert "\n".join(line for line in lines if line != ">") == text


@pytest.mark.parametrize("cell", ["<p " * 300_000, "<p>" * 300_000 + "</p>", "&a" * 500_000, "<b" + " x" * 500_000, "<i></i>" * 150_000])
def test_hostile_cells_are_read_in_time(cell: str) -> None:
    assert plain_message(Message(id="1", text=cell)).problem is None
