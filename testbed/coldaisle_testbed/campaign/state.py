"""The state of a campaign: how many of its weeks are done, running, failed and missing, by scenario and role."""

import shlex
from dataclasses import asdict, dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from coldaisle_contracts.campaign import CampaignFolder, Week
from coldaisle_contracts.errors import plain
from coldaisle_testbed.campaign import claims
from coldaisle_testbed.campaign.outcome import Outcome
from coldaisle_testbed.campaign.records import outcomes

STATES = ("done", "running", "failed", "missing")
"""States of a week: ``failed`` is a missing week whose last attempt failed."""


@dataclass
class Group:
    """The weeks of one scenario and one role; its attributes are keys of ``status --json``.

    Attributes:
        scenario: name of the scenario.
        role: the role.
        done: number of weeks that were played.
        running: number of weeks that are played now.
        failed: number of weeks whose last attempt failed.
        missing: number of all other weeks.
    """

    scenario: str
    role: str
    done: int = 0
    running: int = 0
    failed: int = 0
    missing: int = 0


def state_of(folder: CampaignFolder, week: Week, last: dict[str, Outcome]) -> str:
    """Return the state of a week, one of :data:`STATES`.

    Args:
        folder: the campaign's folder.
        week: the week.
        last: last outcome of each week, by digest.
    """
    if folder.is_done(week):
        return "done"
    if claims.holder(folder.path, week.digest):
        return "running"
    return "failed" if week.digest in last and last[week.digest].ending != "done" else "missing"


def groups(folder: CampaignFolder) -> list[Group]:
    """Return the numbers of weeks by scenario and role, in the order of the tasks."""
    last = {outcome.digest: outcome for outcome in outcomes(folder)}
    table: dict[tuple[str, str], Group] = {}
    for week in folder.weeks:
        group = table.setdefault((week.scenario, week.role), Group(week.scenario, week.role))
        state = state_of(folder, week, last)
        setattr(group, state, getattr(group, state) + 1)
    return list(table.values())


def facts(folder: CampaignFolder) -> dict[str, Any]:
    """Return the state as JSON has it."""
    rows = groups(folder)
    sums = {state: sum(getattr(row, state) for row in rows) for state in STATES}
    return {
        "campaign": folder.file.name,
        "weeks": len(folder.weeks),
        **sums,
        "groups": [asdict(row) for row in rows],
    }


def commands(folder: CampaignFolder) -> list[str]:
    """Return the command lines of the weeks that are neither done nor running, quoted for a shell and for xargs."""
    last = {outcome.digest: outcome for outcome in outcomes(folder)}
    states = {week: state_of(folder, week, last) for week in folder.weeks}
    return [shlex.join(week.command) for week, state in states.items() if state in ("failed", "missing")]


def shown(folder: CampaignFolder) -> list[Table | str]:
    """Return the table of the groups, and a sentence for each week whose last attempt failed."""
    rows = groups(folder)
    table = Table("scenario", "role", *STATES, box=None)
    for row in rows:
        table.add_row(row.scenario, row.role, *(str(getattr(row, state)) for state in STATES))
    if len(rows) > 1:
        table.add_row("all", "", *(str(sum(getattr(row, state) for row in rows)) for state in STATES))
    last = {outcome.digest: outcome for outcome in outcomes(folder)}
    failed = [week for week in folder.weeks if state_of(folder, week, last) == "failed"]
    lines = (f"{week.name} {last[week.digest].ending}: {last[week.digest].sentence}" for week in failed)
    return [table, *(escape(plain(line)) for line in lines)]
