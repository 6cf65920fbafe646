"""What a manifest says that follows from plan, journals and captures: written down from them, and held against them again."""

from typing import Any

from coldaisle_analysis.truth import ledger
from coldaisle_contracts.manifest import Clocks, instant
from coldaisle_contracts.planning import left_out


def deduced(account: ledger.Account) -> dict[str, Any]:
    """Return the facts of a run's manifest that follow from what was played, by their names there.

    Args:
        account: the run's settled account.
    """
    plan = account.evidence.plan
    return {
        "scenario": plan.scenario.name,
        "seed": plan.scenario.seed,
        "shards": int(account.evidence.sealed["shard"].nunique()),
        "plan_digest": plan.digest(),
        "semantic_digest": ledger.semantic_digest(account),
        "counts": _counts(account),
        "clocks": _clocks(account),
        "definition": plan.scenario.model_dump(mode="json"),
        "left_out": left_out(plan),
    }


def _counts(account: ledger.Account) -> dict[str, int]:
    plan, frames = account.evidence.plan, account.join.table
    return {
        "packets": len(frames),
        "packets_attack": int(frames["label"].sum()),
        "readings": len(account.readings),
        "readings_attack": int(account.readings["label"].sum()),
        "episodes": len(plan.episodes),
        "acts": sum(len(episode.acts) for episode in plan.episodes),
        "kernel_drops": int(account.evidence.sealed["kernel_drops"].sum()),
        "days": plan.scenario.days,
    }


def _clocks(account: ledger.Account) -> Clocks:
    """Return first and last packet of a run on both clocks."""
    known = account.evidence
    virtual, wall = known.trace.frames.time_ns, known.raw.time_ns
    return Clocks(
        virtual_start=instant(int(virtual.min())),
        virtual_end=instant(int(virtual.max())),
        wall_start=instant(int(wall.min())),
        wall_end=instant(int(wall.max())),
        time_zone=known.plan.scenario.time_zone,
        utc_offset_s=known.plan.utc_offset_s,
    )
