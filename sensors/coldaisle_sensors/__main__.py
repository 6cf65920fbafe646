"""Entry point of one device: an InRow controller, or a companion; the environment says which."""

import os
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from coldaisle_contracts import cable, unforeseen
from coldaisle_contracts.addressing import BROKER, MQTT_PORT, NTP
from coldaisle_contracts.clock import END, Federate
from coldaisle_contracts.dialects import Dialect
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import Plan, seed_for
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.players import player_of_device
from coldaisle_contracts.shard import Shard
from coldaisle_sensors import temperature_model
from coldaisle_sensors.command_link import CommandLink
from coldaisle_sensors.controller import Controller
from coldaisle_sensors.encryption import encryption_of
from coldaisle_sensors.interface import Interface
from coldaisle_sensors.link import Link
from coldaisle_sensors.timesync import TimeSync


def main() -> None:
    """Play the days of a shard as the device ``COLDAISLE_UNIT``: a unit, a companion or a workstation."""
    run, name = Path(os.environ["COLDAISLE_RUN"]), os.environ["COLDAISLE_UNIT"]
    plan = Plan.load(run / "plan.json")
    shard = Shard.parse(os.environ.get("COLDAISLE_SHARD", ""), plan.scenario.days)
    if name not in plan.devices:  # docker-compose.yml starts all four units, whatever the scenario
        return
    if switch := os.environ.get("COLDAISLE_SWITCH"):
        cable.plug_in(Path(switch), next(host for host in plan.hosts if host.name == name))
    journal = Journal(run / "journal" / f"{name}.jsonl", str(shard))
    federate = Federate(Path(os.environ["COLDAISLE_FEDERATION"]), name)
    if name in plan.workstations:
        device = _workstation(plan, shard, name, federate, journal)
    elif name in plan.companions:
        device = _companion(plan, name, federate, journal)
    else:
        device = _controller(plan, name, federate, journal, run)
    for day in shard.days:
        device.run_day(day)
    journal.close()
    federate.advance(END)
    federate.leave()


class Device(Protocol):
    """A device that a program plays."""

    def run_day(self, day: int) -> None:
        """Play one day (from 0)."""


def _controller(plan: Plan, name: str, federate: Federate, journal: Journal, run: Path) -> Device:
    scenario = plan.scenario
    values = temperature_model.readings(
        scenario.site, name, scenario.seed, scenario.start, scenario.slots, scenario.interval_s
    ).tolist()
    unit = plan.units[name]
    encryption = (
        encryption_of(unit, scenario.site.broker, Path(os.environ["COLDAISLE_FEDERATION"]), run)
        if unit.dialect.tls
        else None
    )
    return Controller(
        name,
        plan,
        values,
        federate,
        TimeSync(NTP.ip, federate, journal),
        journal,
        partial(Link, host=BROKER.ip, port=unit.port, dialect=unit.dialect, encryption=encryption),
        Interface(),
        PlanChanges.of(run / "plan.json", plan),
        partial(CommandLink, host=BROKER.ip, port=unit.port, dialect=Dialect(unit.dialect.version)),
    )


def _companion(plan: Plan, name: str, federate: Federate, journal: Journal) -> Device:
    from coldaisle_sensors.devices.base import Context  # noqa: PLC0415 - units need none of its libraries

    companion = plan.companions[name]
    device: Device = player_of_device(companion.row)(
        Context(companion, plan, federate, journal, (BROKER.ip, MQTT_PORT))
    )
    return device


def _workstation(plan: Plan, shard: Shard, name: str, federate: Federate, journal: Journal) -> Device:
    from coldaisle_sensors.workstation.lease import Leases  # noqa: PLC0415 - units need none of its libraries
    from coldaisle_sensors.workstation.routine import Workstation  # noqa: PLC0415

    background = plan.scenario.site.background
    assert background is not None  # noqa: S101 - there are workstations
    draw = Random(seed_for(plan.scenario.seed, f"lease/{name}/{shard}"))  # noqa: S311 - a simulation, not a secret
    leases = Leases(plan.workstations[name], federate, journal, draw)
    return Workstation(name, plan, background, federate, TimeSync(NTP.ip, federate, journal), leases, journal)


if __name__ == "__main__":
    unforeseen.run(main)
