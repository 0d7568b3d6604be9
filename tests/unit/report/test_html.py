from __future__ import annotations

import pytest

from brandkit.report import html
from tests.unit.report.briefs import HOSTILE, HOSTILE_URLS, read

PIXEL = b"\x89PNG"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_put_into_an_element_or_an_attribute_stays_text(text: str) -> None:
    made = html.join([html.tag("p", text, class_=text), text, html.link("https://a.example/", text)])
    page = read(made.markup)
    assert not page.live
    assert page.links == ["https://a.example/"]
    assert text.replace("\u202e", "").replace("\u2066", "").replace("\u200b", "") in page.text


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_what_is_no_web_address_becomes_no_link(url: str) -> None:
    page = read(html.link(url, "read").markup)
    assert (page.links, page.text) == ([], "read")


def test_markup_is_kept_and_an_empty_attribute_or_part_is_left_out() -> None:
    made = html.tag("p", html.tag("b", "R&D"), "", " <x>", class_="")
    assert made.markup == "<p><b>R&amp;D</b> &lt;x&gt;</p>"
    assert html.join([html.Html(""), "a", "", "b"], between=" · ").markup == "a · b"


def test_a_picture_stands_in_the_page_itself_with_its_text() -> None:
    assert (
        html.picture(PIXEL, 'a "b"').markup
        == '<img src="data:image/png;base64,iVBORw==" alt="a &quot;b&quot;">'
    )


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="  JaVaScRiPt:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<img src="https://evil.example/track.png">',
        '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
        "<svg onload=alert(1)></svg><math><mi xlink:href='javascript:alert(1)'></mi></math>",
        "<style>p{background:url(https://evil.example)}</style>",
        '<p style="background:url(https://evil.example)">x</p>',
        "<iframe srcdoc='<script>alert(1)</script>'></iframe><base href=//evil.example>",
        "<form action=https://evil.example><button formaction=javascript:alert(1)>x</button></form>",
        "<!--[if IE]><script>alert(1)</script><![endif]-->",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ],
)
def test_sanitised_markup_holds_nothing_that_runs_or_calls_out(markup: str) -> None:
    assert not read(html.sanitised(markup)).live


def test_sanitising_keeps_what_the_house_makes() -> None:
    made = html.tag(
        "div",
        html.tag("h2", "5 < 6", class_="n"),
        html.picture(PIXEL, "a"),
        html.link("https://a.example/?x=1&y=2", "z"),
    )
    assert html.sanitised(made.markup) == made.markup


def test_a_page_allows_no_script_and_no_network_and_shows_its_title_as_text() -> None:
    page = html.page("<p>x</p>", title="</title><script>alert(1)</script>")
    assert '<meta http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;' in page.replace(
        "'", "&#x27;"
    )
    assert "https://" not in page
    assert not read(page).live


def test_an_empty_part_is_false_and_a_notebook_shows_a_part_in_the_house_style() -> None:
    assert not html.Html("")
    assert (
        html.Html("<p>x</p>")._repr_html_() == '<div class="bk tex2jax_ignore mathjax_ignore"><p>x</p></div>'
    )
    assert repr(html.Html("abc")) == "<Html of 3 characters>"
    assert html.Theme()._repr_html_().startswith("<style>")
    assert repr(html.Theme()) == "<Theme>"


def test_a_picture_without_a_text_that_stands_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a text that stands for it"):
        html.picture(b"png", " ")


def test_of_all_data_attributes_only_a_cells_label_is_kept() -> None:
    markup = '<table><tbody><tr><td data-label="Points" data-x="1">7</td></tr></tbody></table>'
    assert html.sanitised(markup) == markup.replace(' data-x="1"', "")
    assert html.sanitised('<p data-label="no">8</p>') == "<p>8</p>"
