"""HTML to text, line by line as a reader sees it."""

from __future__ import annotations

import pytest

from reclamo.mail.html import html_to_text
from reclamo.mail.limits import Deadline
from reclamo.text import clean_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>uno</p><p>dos</p>", "uno\n\ndos"),
        ("<div>uno</div><div>dos</div>", "uno\ndos"),
        ("uno<br>dos<br/><br>tres", "uno\ndos\n\ntres"),
        ("<p>uno\n   dos\t tres</p>", "uno dos tres"),
        ("a <b>b</b><i>c</i> <font color='red'>d</font>", "a bc d"),
        ("<ul><li>uno<li>dos</ul>", "- uno\n- dos"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>uno\n  dos</pre>", "uno\ndos"),
        ("&iquest;Qu&eacute;? 3 &lt; 4 &amp; 5&euro; &#945;", "¿Qué? 3 < 4 & 5€ α"),
        ("3 < 4 y 5 > 2", "3 < 4 y 5 > 2"),
        ('<img alt="3 > 2" src="data:image/png;base64,' + "A" * 300 + '">texto', "texto"),
        ("<style>p{}</style><script>x<y</script><title>t</title>texto", "texto"),
        ("<!-- no --><!--[if mso]><p>no</p><![endif]-->texto<![endif]>", "texto"),
        ('<span style="display:none">no</span><div style="display: none; x">no</div>sí', "sí"),
        ('<div style="overflow:hidden">sí</div>', "sí"),
        ("<header>sí</header>", "sí"),
        ("<blockquote>cita<br>larga</blockquote>mía", "> cita\n> larga\n\nmía"),
        ('<blockquote style="margin:0 0 0 40px;border:none">sangrado</blockquote>', "sangrado"),
        ('mío<div class="gmail_signature">Ana</div>', "mío\n--\nAna"),
        ("<o:p>&nbsp;</o:p>texto", "texto"),
        ("<a href='x'>enlace</a>.", "enlace."),
        ("<div", "<div"),
        ("", ""),
        ("İ<STYLE>no</STYLE>sí", "İsí"),
    ],
)
def test_what_a_reader_sees(source: str, text: str) -> None:
    lines = clean_text(html_to_text(source, Deadline(5))).split("\n")
    assert "\n".join(line for line in lines if line != ">") == text


def test_past_the_number_of_tags_the_text_still_comes() -> None:
    source = "<div><span>uno</span> &amp; dos</div>" * 20_000
    lines = html_to_text(source, Deadline(5)).split("\n")
    assert [" ".join(line.split()) for line in lines if line.strip()] == ["uno & dos"] * 20_000
