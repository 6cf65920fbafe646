"""Entry point of the attacker."""

import os
from pathlib import Path

from coldaisle_contracts import cable, unforeseen
from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.clock import Federate
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.listeners import TLS
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.shard import Shard
from coldaisle_injector import interlock
from coldaisle_injector.schedule import Schedule
from coldaisle_injector.wire import Guard, Wire


def main() -> None:
    """Play the episodes of a shard."""
    run = Path(os.environ["COLDAISLE_RUN"])
    plan = Plan.load(run / "plan.json")
    if switch := os.environ.get("COLDAISLE_SWITCH"):
        cable.plug_in(Path(switch), INJECTOR)
        cable.let_go()
    interlock.check(plan, outside=os.environ.get("COLDAISLE_OUTSIDE", ""))
    shard = Shard.parse(os.environ.get("COLDAISLE_SHARD", ""), plan.scenario.days)
    journal = Journal(run / "journal" / "injector.jsonl", str(shard))
    federate = Federate(Path(os.environ["COLDAISLE_FEDERATION"]), "injector")
    changes = PlanChanges.of(run / "plan.json", plan)
    tls = Path(os.environ["COLDAISLE_FEDERATION"]) / TLS
    Schedule(plan, shard, Wire(Guard(plan.hosts)), federate, journal, changes, tls).play()
    journal.close()
    federate.leave()


if __name__ == "__main__":
    unforeseen.run(main)
