"""Lesson 3: bring your own table. Say which column is what; every row that cannot be used says why."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import brandkit as bk

folder = Path(tempfile.mkdtemp())
table = folder / "export.csv"
table.write_text(
    "headline,link,seen,likes\n"
    "Ostrevane opens a battery plant,https://calderratimes.example/plant?utm_source=x,2026-03-04 09:00,12\n"
    "Ostrevane opens a battery plant,https://calderratimes.example/plant,2026-03-04 10:00,40\n"
    "A row without a link,,2026-03-04 09:30,3\n"
    "A row with a broken number,https://ketterpost.example/one,2026-03-04 09:45,many\n",
    encoding="utf-8",
)

# The same as a TOML file would do for the command line: see data/mappings.
mapping = {
    "columns": {"title": "headline", "url": "link", "collected_at": "seen", "reactions": "likes"},
    "constants": {"source": "export", "item_type": "article"},
    "time": {"zone": "UTC"},
}
desk = bk.BrandProfile.from_dict({"id": "own-table", "own": ["Ostrevane"], "pillars": ["battery"]})

items = bk.scan_items(table, mapping=mapping)
found = bk.assess(items, desk, as_of=datetime(2026, 3, 4, 12, tzinfo=UTC))

# Two sightings of one link are one item, with the larger count; nothing is lost without a word.
for url, reactions, lost in found.records.sort("url").select("url", "reactions", "lost").rows():
    print(url, reactions, lost)
for row, reasons in found.rejects.select("raw_row", "reasons").rows():
    print(f"row {row} was refused: {', '.join(reasons)}")
first = found.stages.row(0, named=True)
print(
    f"{first['rows_in']} rows in = {first['rows_out']} items + {first['rejected']} refused "
    f"+ {first['folded']} folded + {first['set_aside']} set aside"
)
