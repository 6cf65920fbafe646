"""Facts of a manifest that follow from plan, journals and captures: they are written from these, and checked against them again."""

from typing import Any

from coldaisle_analysis.truth.readings import Account, semantic_digest
from coldaisle_contracts.planning import left_out


def deduced(account: Account) -> dict[str, Any]:
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
        "semantic_digest": semantic_digest(account),
        "counts": account.counts(),
        "clocks": account.clocks(),
        "definition": plan.scenario.model_dump(mode="json"),
        "left_out": left_out(plan),
    }
