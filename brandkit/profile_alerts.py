"""When a desk is told of a story between briefs, and when it is left in peace: the table [alerts]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from brandkit.profile_errors import Unfit

AlertRule = Literal["optional", "must_cover", "headline", "brigade", "rumour", "block", "disputed"]
# Within its kind each rule is graver than the one before it.
RULES_BY_KIND: Mapping[str, tuple[AlertRule, ...]] = {
    "news": ("optional", "must_cover"),
    "bad_news": ("headline", "brigade", "rumour", "block", "disputed"),
}
ALERT_RULES: tuple[AlertRule, ...] = tuple(rule for rules in RULES_BY_KIND.values() for rule in rules)


def _local_time(value: object) -> object:
    if isinstance(value, time):
        value = value.isoformat()
    # A bare number would be read as seconds after midnight, and a zone would be dropped.
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"\d\d:\d\d(:\d\d)?", value)):
        raise Unfit(f"a quiet hour is {value!r}", allowed="a local time such as '22:00'")
    return value


LocalTime = Annotated[time | None, BeforeValidator(_local_time)]


class AlertPolicy(BaseModel):
    """Which stories a desk is told of, how often, and when not.

    ``rules`` are what is told: a story newly ``optional`` or ``must_cover``; a ``headline`` of a
    promoted story changed; a ``brigade``, ``rumour`` or ``block`` with an own name; a promoted story
    newly ``disputed``. A story that was told of is left alone for ``cool_down_h``. Between
    ``quiet_from`` and ``quiet_to`` (the desk's time) nothing is sent. With ``bypass``, a story that
    has become graver passes both. No more than ``most`` stories of one run are told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[AlertRule, ...] = ALERT_RULES
    cool_down_h: Annotated[float, Field(ge=0, le=720, allow_inf_nan=False)] = 72
    quiet_from: LocalTime = None
    quiet_to: LocalTime = None
    bypass: bool = True
    most: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _both_ends(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise Unfit("quiet hours have one end", allowed="give both quiet_from and quiet_to, or neither")
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise Unfit(
                f"quiet hours begin and end at {self.quiet_from:%H:%M}",
                allowed="quiet_from and quiet_to must differ; to be told nothing, set rules = []",
            )
        return self

    def quiet_until(self, at: datetime, timezone: str) -> datetime | None:
        """When the quiet hours end that hold at an aware instant, in UTC; None outside them.

        >>> night = AlertPolicy(quiet_from=time(22), quiet_to=time(7))
        >>> night.quiet_until(datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "Europe/Oslo").isoformat()
        '2026-03-03T06:00:00+00:00'
        """
        if self.quiet_from is None or self.quiet_to is None:
            return None
        local = at.astimezone(ZoneInfo(timezone))
        now, start, end = local.time(), self.quiet_from, self.quiet_to
        if not (start <= now < end if start < end else now >= start or now < end):
            return None
        ends_on = local.date() + timedelta(days=1 if now >= end else 0)
        return datetime.combine(ends_on, end, tzinfo=local.tzinfo).astimezone(UTC)
