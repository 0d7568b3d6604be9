"""The edition for people outside: what is left out is nowhere in it, and all of it is in the full one."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli_w
from polars.testing import assert_frame_equal

from brandkit.desk.states import set_state
from brandkit.desk.verdicts import give_verdict
from brandkit.profile import BrandProfile
from brandkit.report import daily, network, voice
from brandkit.report.brief import Brief, about
from brandkit.report.cards import cards
from brandkit.report.redacted import NOTE, redacted
from brandkit.report.redaction import Redaction
from brandkit.runner import Runner, Task
from tests.flow.newsdesk import ROOT
from tests.unit.report.briefs import read

DAYS = ("2026-03-03", "2026-03-04")
RIVALS = ("Sørglimt", "Sorglimt", "Velmora Works", "velmora-works")
REASONS = ("the board wants it quiet", "told by our lawyer")
PEOPLE = ("Ann Deskworth", "Bo Editorsen", "Cy Byline")
ACCOUNTS = ("loud_account", "loud.account")
PROFILE: dict[str, Any] = {
    "id": "desk",
    "own": ["Nordlys"],
    "rivals": [{"name": "Sørglimt", "terms": ["Sørglimt", "SGL"]}, "Velmora Works"],
    "pillars": [{"name": "Sorglimt watch", "terms": ["heater"]}],
    "triggers": [{"name": "recall notice", "terms": ["recall notice"]}],
    "forbidden": {"risk_flags": ["private_data"]},
    "sources": {"use_defaults": False, "tiers": {"alpha.example": "A", "beta.example": "B"}},
}


def _mail(day: str) -> pl.DataFrame:
    at = {"collected_at": f"{day}T11:00:00Z", "published_at": f"{day}T10:30:00Z", "source": "wire"}
    titles = {
        "alpha.example/1": "Nordlys issues recall notice for heater after fault",
        "beta.example/sorglimt-quarry": "Sorglimt opens basalt quarry",
        "alpha.example/velmora-works": "VELMORA-WORKS buys juniper gin museum from Nordlys",
        "beta.example/2": "Nordlys payroll leak names staff",
        "sorglimt.example/3": "Dahlia bulbs win SGL prize, hears @loud_account@social.example",
        "alpha.example/4": "Ferry strike leaves islanders waiting at the harbour",
    }
    risky = {"beta.example/2": {"risk_flags": ["private_data"]}}
    evidence = [
        "https://velmora-works.example/x",
        "https://social.example/@loud.account/1",
        "https://gov.example",
    ]
    rows = [
        {"url": f"https://{url}", "title": title, "author": "Cy Byline", "evidence": evidence, **at,
         **risky.get(url, {})}
        for url, title in titles.items()
    ]  # fmt: skip
    rows += [
        {"title": f"Nordlys payroll leak names staff {link}", "item_type": "post",
         "account": f"loud_account{n}", "url": f"https://social.example/loud_account{n}/{link}",
         "target_url": f"https://beta.example/{link}", "risk_flags": ["private_data"], **at,
         "published_at": f"{day}T09:0{link}:0{n}Z", "source": "social"}
        for n in range(3) for link in range(4)
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Brief, Path]:
    path = tmp_path_factory.mktemp("desk") / "desk.duckdb"
    runner, profile = Runner(path), BrandProfile.from_dict(PROFILE)
    (path.parent / "desk.toml").write_text(tomli_w.dumps(PROFILE), encoding="utf-8")
    for day in DAYS:
        _mail(day).write_parquet(path.parent / f"{day}.parquet")
        task = Task(date=day, profile=profile, inputs=str(path.parent / f"{day}.parquet"))
        result = runner.run(task, force=True)
        assert result.ok, result.error
        if day == DAYS[0]:
            _speak(runner, result.run_id)
    return Brief.read(runner.store, result.run_id), path


def _speak(runner: Runner, run_id: str) -> None:
    at = datetime.fromisoformat(f"{DAYS[0]}T23:00:00+00:00")
    leads = runner.store.stories(run_id).sort("title")["lead_item_id"]
    said: dict[str, Any] = {"at": at, "store": runner.store}
    for n, item in enumerate(leads):
        if n in (0, 3, 4):
            give_verdict(item, "must_cover", actor=PEOPLE[0], reason=REASONS[0], **said)
        elif n != 2:
            state = "assigned" if n == 1 else "handled"
            who = {"assignee": PEOPLE[1]} if state == "assigned" else {}
            later = {**said, "at": at + timedelta(minutes=n)}
            set_state(item, state, actor=PEOPLE[1], note=REASONS[1], **who, **later)


def page(store: Path, edition: str) -> str:
    """What the cells of the daily notebook show, whatever they are, without starting a kernel."""
    names: dict[str, Any] = {}
    given = {"run_date": DAYS[1], "profile": str(store.parent / "desk.toml"), "store": str(store)}
    shown: list[str] = []
    for cell in json.loads((ROOT / "notebooks" / "daily.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        lines = ast.parse("".join(cell["source"])).body
        last = lines.pop() if isinstance(lines[-1], ast.Expr) else None
        exec(compile(ast.Module(lines, []), "cell", "exec"), names)
        if "parameters" in cell["metadata"].get("tags", ()):
            names |= {**given, "edition": edition}
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names)._repr_html_())
    # Three letters stand by chance in the bytes of a picture.
    return re.sub('base64,[^"]*', "", "\n".join(shown))


def everything(brief: Brief) -> str:
    """Every value of every frame of a brief, and of its run's profile and notes."""
    frames = (brief.records, brief.stories, brief.rejects, brief.stages, brief.verdicts, brief.states)
    return "\n".join((*(frame.write_json() for frame in frames), *brief.notes, *brief.run.warnings))


def test_no_rival_reason_person_or_account_is_anywhere_in_the_redacted_page(full: tuple[Brief, Path]) -> None:
    shown, hidden = (page(full[1], edition) for edition in ("full", "redacted"))
    words = (RIVALS[0], RIVALS[1], "VELMORA-WORKS", *REASONS, *PEOPLE[:2], "loud_account")
    assert [word for word in words if word not in shown] == []
    for word in (*RIVALS, *REASONS, *PEOPLE, *ACCOUNTS, "SGL"):
        assert word.casefold() not in hidden.casefold(), word


def test_no_frame_of_a_redacted_brief_holds_them_either(full: tuple[Brief, Path]) -> None:
    hidden = everything(redacted(full[0])).casefold()
    for word in (*RIVALS, *REASONS, *PEOPLE, *ACCOUNTS, "SGL"):
        assert word in everything(full[0]) or word in (*RIVALS, *ACCOUNTS)
        assert word.casefold() not in hidden, word
    accounts = full[0].records["account"].drop_nulls().unique()
    assert accounts.len() == 3
    assert not [account for account in accounts if account in hidden]


def test_what_is_public_stays(full: tuple[Brief, Path]) -> None:
    brief, store = full
    text = read(page(store, "redacted")).text
    assert "Nordlys issues recall notice for heater after fault" in text
    assert "Ferry strike leaves islanders waiting at the harbour" in everything(redacted(brief))
    assert "alpha.example" in text
    assert "wire" in text
    assert "Dahlia bulbs win [withheld 2] prize, hears @…" in everything(redacted(brief))


def test_the_decisions_their_points_and_what_changed_are_the_same(full: tuple[Brief, Path]) -> None:
    brief, store = full
    hidden = redacted(brief)
    same = ["story_id", "effective_decision", "decision", "total", "rank", "gates", "n_outlets"]
    assert_frame_equal(brief.told.select(same), hidden.told.select(same))
    moved = [daily.what_changed(edition).markup.count("<tr>") for edition in (brief, hidden)]
    assert moved[0] == moved[1]
    assert brief.records["publisher"].n_unique() == hidden.records["publisher"].n_unique()
    shown = [cards(edition, "must_cover", most=9) for edition in (brief, hidden)]
    for one, other in zip(*shown, strict=True):
        assert one.explanation.scores == other.explanation.scores
        assert one.facts == other.facts


def test_the_share_of_voice_is_told_without_rivals(full: tuple[Brief, Path]) -> None:
    brief = full[0]
    assert set(voice.share_of_voice(brief)["kind"].cast(pl.String)) == {"own", "rival"}
    assert set(voice.share_of_voice(redacted(brief))["kind"].cast(pl.String)) == {"own"}
    assert set(voice.mentions_by_hour(redacted(brief))["kind"]) == {"own"}


def test_accounts_that_act_together_are_numbers(full: tuple[Brief, Path]) -> None:
    pairs = network.acting_together(redacted(full[0]).records)
    assert pairs.height == network.acting_together(full[0].records).height > 0
    assert set(pairs["account_a"]) | set(pairs["account_b"]) == {"account 1", "account 2", "account 3"}


def test_a_page_says_at_its_top_which_edition_it_is(full: tuple[Brief, Path]) -> None:
    brief, hidden = full[0], redacted(full[0])
    assert "desk · full edition" in read(daily.headline(brief).markup).text
    top = read(daily.headline(hidden).markup).text
    assert "desk · redacted edition" in top
    assert NOTE in top


def test_redacting_twice_changes_nothing_and_without_rivals_no_name_is_withheld(
    full: tuple[Brief, Path],
) -> None:
    hidden = redacted(full[0])
    assert redacted(hidden) is hidden
    alone = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
    assert Redaction.of(alone).text("Sorglimt and all") == "Sorglimt and all"
    assert Redaction.of(alone).profile(alone).own == alone.own


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SORGLIMT's fall", "[withheld 1]'s fall"),
        ("sørglimts", "[withheld 1]s"),
        ("Velmora  works, VELMORA&WORKS", "[withheld 3], [withheld 3]"),
        ("https://a.example/velmora%20works", "https://a.example/[withheld 3]"),
        ("SGL is no word of singles", "[withheld 2] is no word of singles"),
        ("misgliding", "misgliding"),
        ("今日は索尼とソニーと삼성전자", "今日は[withheld 5]と[withheld 6]と[withheld 7]전자"),
        ("ロッテ и Йод, йода", "ロッテ и [withheld 8], [withheld 8]а"),
        ("on 7-ELEVEN's shelf at seven eleven", "on [withheld 9]'s shelf at seven eleven"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, shown: str) -> None:
    names = [*PROFILE["rivals"], "Zed (a.k.a. Zed)", "索尼", "ソニー", "삼성", "Йод", "7-Eleven"]
    redaction = Redaction.of(BrandProfile.from_dict({**PROFILE, "rivals": names}))
    assert redaction.text(text) == shown
    assert redaction.changed(pl.Series([text, None])) == ({text: shown} if text != shown else {})


def test_the_rivals_of_another_day_get_numbers_of_their_own() -> None:
    today = BrandProfile.from_dict(PROFILE)
    other = BrandProfile.from_dict({**PROFILE, "rivals": ["Zelda", "SGL"]})
    whole = Redaction.of(today).with_rivals(other)
    assert whole.text("Sorglimt, SGL, Zelda") == "[withheld 1], [withheld 2], [withheld 4]"
    assert {"[withheld 1]", "[withheld 3]"} == {topic.name for topic in whole.profile(today).rivals}


def test_a_lists_names_in_a_profile_that_become_one_stay_one() -> None:
    twice = {**PROFILE, "rivals": ["ACME", "Acme"], "triggers": ["Acme case", "ACME case"]}
    profile = BrandProfile.from_dict(twice)
    hidden = Redaction.of(profile).profile(profile)
    assert [topic.name for topic in hidden.rivals] == ["[withheld 1]"]
    assert [topic.name for topic in hidden.triggers] == ["[withheld 1] case"]


def test_what_a_story_is_about_is_told_without_what_is_withheld() -> None:
    story = {"entities": ["Nordlys", "[withheld 2]"], "triggers_in_title": [], "pillars": ["prices"]}
    assert about(story) == "Nordlys, prices"
