"""Days of MQTT traffic whose distributions are known, as captures and as folders of finished runs."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from tests.analysis import made_run
from tests.analysis.made_manifest import made_manifest
from tests.published import UNITS

from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

FIRST = date(2026, 3, 2)
"""Date of the first day; local time is UTC."""
START_NS = (FIRST - date(1970, 1, 1)).days * DAY
READINGS = 40
_ACK, _SEND = 16, 24
_NEAR, _FAR = UNITS["inrow-13"], BROKER


@dataclass(frozen=True)
class Habit:
    """What a day's traffic is like.

    Attributes:
        reply_s: median time from PUBLISH to PUBACK, in s.
        celsius: mean value, in °C.
        step_s: time between two readings, in s.
    """

    reply_s: float = 2e-4
    celsius: float = 20.0
    step_s: float = 300.0


LIKE = Habit()
"""The traffic of a day unless a test says otherwise."""


def frames(day: int, seed: int, habit: Habit) -> list[tuple[int, bytes]]:
    """Return the frames of four sensors on a day, from 0, with their times in ns."""
    rng, out = np.random.default_rng([seed, day]), list[tuple[int, bytes]]()
    start = START_NS + day * DAY + 2 * SECOND

    def put(at: float, flags: int, payload: bytes, sensor: int, *, back: bool = False) -> float:
        ends, ports = (
            ((_FAR, _NEAR), (1883, 40_000 + sensor)) if back else ((_NEAR, _FAR), (40_000 + sensor, 1883))
        )
        numbers = (counts[back], counts[not back])
        counts[back] += len(payload)
        packet = made_run.ipv4(ends[0].ip, ends[1].ip, 6, made_run.tcp(ports, numbers, flags, 1, payload))
        out.append((start + round(at * SECOND), made_run.ethernet(ends[0].mac, ends[1].mac, 0x0800, packet)))
        return at

    def soon(median_s: float) -> float:
        return float(median_s * np.exp(rng.normal(0.0, 0.4)))

    for sensor in range(1, 5):
        counts = [1000, 2000]
        at = put(0.01 * sensor, _SEND, made_run.connect(f"13{sensor}"), sensor)
        put(at + soon(habit.reply_s), _SEND, b"\x20\x02\0\0", sensor, back=True)
        for number in range(READINGS):
            value = f"{rng.normal(habit.celsius + sensor, 0.2):.2f}"
            at = number * habit.step_s + 1 + soon(0.004) + 0.01 * sensor
            at = put(at, _SEND, made_run.publish(value, number + 1), sensor)
            at = put(at + soon(habit.reply_s), _SEND, made_run.puback(number + 1), sensor, back=True)
            put(at + soon(1e-4), _ACK, b"", sensor)
    return sorted(out)


def capture(path: Path, day: int, seed: int, habit: Habit = LIKE) -> Path:
    """Write the capture of a day with times in µs, and return its path."""
    made_run.pcap(path, frames(day, seed, habit), magic=0xA1B2C3D4)
    return path


def run(folder: Path, seed: int, days: int, habit: Habit = LIKE, name: str = "made") -> Path:
    """Write the folder of a finished run with a capture per day and without a dataset, and return it."""
    (folder / "capture").mkdir(parents=True)
    for day in range(days):
        made_run.pcap(folder / "capture" / f"day-{day + 1}-000.pcap", frames(day, seed, habit))
    scenario = {"name": name, "seed": seed, "first_day": FIRST, "time_zone": "UTC", "duration_h": 24 * days,
                "units": ("inrow-13",)}  # fmt: skip
    plan = build_plan(Scenario.model_validate(scenario))
    (folder / "plan.json").write_text(plan.model_dump_json())
    manifest = made_manifest(folder).model_copy(update={"scenario": name})
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return folder


def date_of(day: int) -> date:
    """Return the date of a day, from 0."""
    return FIRST + timedelta(days=day)
