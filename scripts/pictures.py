"""The pictures of the README, made anew from the shipped sample: ``python -m scripts.pictures``.

Runs three days of the invented sample in a store of its own, renders the brief of the last as anybody
would, and looks at it in headless Chromium at a desk in the light and on a phone in the dark. The
network is drawn from the pairs of that day. Needs Chromium; takes half a minute.
"""

from __future__ import annotations

import io
import tempfile
from datetime import date
from pathlib import Path

from PIL import Image

import brandkit as bk
from brandkit.report import charts, network, notebooks
from brandkit.signals.coordination import coordinated_pairs, shares_of
from tests.browser import found, opened
from tests.looks import DESKTOP, PHONE, Look

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PROFILE = ROOT / "data" / "profiles" / "technology.toml"
DAYS = ("2026-03-03", "2026-03-04", "2026-03-05")
MOST_BYTES = 150_000


def main() -> None:
    """Write every picture; says which of them came out too large for a README."""
    program = found()
    if program is None:
        raise SystemExit("there is no Chromium on this machine, and the pictures are of pages in it")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        page = _brief(folder)
        with opened(program, folder / "chromium") as browser:
            look = Look(browser)
            look.show(page, width=DESKTOP, scheme="light")
            _keep("brief-desk", look.drawn(height=1250))
            look.show(page, width=PHONE, scheme="dark")
            _keep("brief-phone", look.drawn(height=1250, scale=1.5))
    _keep("network", _network())


def _brief(folder: Path) -> Path:
    """The page of the last day, after the runs of the days before."""
    store, page = folder / "desk.duckdb", folder / "brief.html"
    profile = bk.BrandProfile.from_toml(PROFILE)
    runner = bk.Runner(store)
    for day in DAYS:
        items = ROOT / "data" / "sample" / f"items-{day}.parquet"
        result = runner.run(bk.Task(date=day, profile=profile, inputs=str(items)))
        if not result.ok:
            raise SystemExit(f"the run of {day} failed: {result.error}")
    given = {"run_date": DAYS[-1], "profile": str(PROFILE), "store": str(store)}
    notebooks.render("daily", given, out=folder / "brief.ipynb", html=page)
    return page


def _network() -> bytes:
    """Who shared the same things together on the last day, as in the README's own lines."""
    items = bk.scan_items(str(ROOT / "data" / "sample" / f"items-{DAYS[-1]}.parquet"))
    profile = bk.BrandProfile.from_toml(PROFILE)
    as_of = profile.day_window(date.fromisoformat(DAYS[-1]))[1]
    records = bk.assess(items, profile, as_of=as_of).records
    pairs = coordinated_pairs(shares_of(records.lazy())).collect()
    return charts.png(network.coordination_network(pairs))


def _keep(name: str, png: bytes) -> None:
    target = PICTURES / f"{name}.png"
    # Median cut would take the few orange points of a large page for yellow ones.
    colours = Image.open(io.BytesIO(png)).convert("RGB")
    small = colours.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    small.save(target, "PNG", optimize=True)
    if (size := target.stat().st_size) > MOST_BYTES:
        raise SystemExit(f"{target} has {size:,} bytes, more than {MOST_BYTES:,}: show less of the page")


if __name__ == "__main__":
    main()
