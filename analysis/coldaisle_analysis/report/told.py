"""What a plan plays, told in sentences at the top of the report."""

from collections import Counter

from coldaisle_contracts.plan import Plan


def played(plan: Plan) -> str:
    """Return a sentence on the traffic and the anomalies of a plan."""
    scenario = plan.scenario
    hours = scenario.duration_h
    length = f"{hours / 24:g} days" if hours > 24 else f"{hours:g} h"  # noqa: PLR2004 - hours in a day
    beside = f", beside {scenario.site.beside}" if scenario.site.beside else ""
    return (
        f"{len(scenario.units)} cooling units with four sensors each sent a reading every {scenario.intervals} for "
        f"{length} ({scenario.time_zone}){beside}. {happened(plan)}"
    )


def happened(plan: Plan) -> str:
    """Return a sentence on the number of attacks and benign anomalies of a plan, and one on each of its chains."""
    benign = sum(episode.row.benign for episode in plan.episodes)
    attacks = len(plan.episodes) - benign
    parts = [
        f"an attacker on the same network acted in {attacks} episode{'s' * (attacks != 1)}"
        if attacks
        else "",
        f"{benign} benign anomal{'ies' if benign != 1 else 'y'} happened" if benign else "",
    ]
    text = " and ".join(filter(None, parts)) or "nothing else happened"
    chains = Counter(episode.chain for episode in plan.episodes if episode.chain)
    steps_told = "".join(
        f" {steps} of the attacks are the steps of the chain {name}." for name, steps in chains.items()
    )
    return f"{text[0].upper()}{text[1:]}.{steps_told}"
