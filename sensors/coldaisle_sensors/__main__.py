"""Entry point of one InRow controller; four environments make the four units."""

import os
from functools import partial
from pathlib import Path
from random import Random

from coldaisle_contracts import cable, unforeseen
from coldaisle_contracts.addressing import BROKER, NTP
from coldaisle_contracts.clock import END, Federate
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import Plan, seed_for
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.shard import Shard
from coldaisle_sensors import temperature_model
from coldaisle_sensors.controller import Controller
from coldaisle_sensors.encryption import encryption_of
from coldaisle_sensors.interface import Interface
from coldaisle_sensors.link import Link
from coldaisle_sensors.timesync import TimeSync


def main() -> None:
    """Play the days of a shard as the unit ``COLDAISLE_UNIT``."""
    run, unit = Path(os.environ["COLDAISLE_RUN"]), os.environ["COLDAISLE_UNIT"]
    plan = Plan.load(run / "plan.json")
    shard = Shard.parse(os.environ.get("COLDAISLE_SHARD", ""), plan.scenario.days)
    scenario = plan.scenario
    if unit in plan.workstations:
        _play_workstation(plan, run, shard, unit)
        return
    if unit not in scenario.units:  # docker-compose.yml starts all four, whatever the scenario
        return
    if switch := os.environ.get("COLDAISLE_SWITCH"):
        cable.plug_in(Path(switch), plan.units[unit].host)
    values = temperature_model.readings(
        scenario.site, unit, scenario.seed, scenario.start, scenario.slots, scenario.interval_s
    ).tolist()
    journal = Journal(run / "journal" / f"{unit}.jsonl", str(shard))
    federation = Path(os.environ["COLDAISLE_FEDERATION"])
    federate, device = Federate(federation, unit), plan.units[unit]
    encryption = encryption_of(device, scenario.site.broker, federation, run) if device.dialect.tls else None
    controller = Controller(
        unit,
        plan,
        values,
        federate,
        TimeSync(NTP.ip, federate, journal),
        journal,
        partial(Link, host=BROKER.ip, port=device.port, dialect=device.dialect, encryption=encryption),
        Interface(),
        PlanChanges.of(run / "plan.json", plan),
    )
    for day in shard.days:
        controller.run_day(day)
    journal.close()
    federate.advance(END)
    federate.leave()


def _play_workstation(plan: Plan, run: Path, shard: Shard, name: str) -> None:
    """Play the days of a shard as a workstation."""
    from coldaisle_sensors.workstation.lease import Leases  # noqa: PLC0415 - units need none of its libraries
    from coldaisle_sensors.workstation.routine import Workstation  # noqa: PLC0415

    host, background = plan.workstations[name], plan.scenario.site.background
    assert background is not None  # noqa: S101 - there are workstations
    if switch := os.environ.get("COLDAISLE_SWITCH"):
        cable.plug_in(Path(switch), host)
    journal = Journal(run / "journal" / f"{name}.jsonl", str(shard))
    federate = Federate(Path(os.environ["COLDAISLE_FEDERATION"]), name)
    draw = Random(seed_for(plan.scenario.seed, f"lease/{name}/{shard}"))  # noqa: S311 - a simulation, not a secret
    leases = Leases(host, federate, journal, draw)
    workstation = Workstation(
        name, plan, background, federate, TimeSync(NTP.ip, federate, journal), leases, journal
    )
    for day in shard.days:
        workstation.run_day(day)
    journal.close()
    federate.advance(END)
    federate.leave()


if __name__ == "__main__":
    unforeseen.run(main)
