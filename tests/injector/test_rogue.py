"""Every rogue kind plays its plan at a real broker, exactly as often as planned, and a second time alike."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.injector.made_stage import Run, rogue

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Episode

ROGUES = [
    (kind.name, variant)
    for kind in SHIPPED.values()
    if kind.actor == "injector" and not kind.on_path
    for variant in kind.variants
    if kind.name != "slow-denial"  # its timeout runs in real time: test_rogue_floods.py has its own test
]


def _planned(episode: Episode) -> list[tuple[int, int, str]]:
    return [(act.slot, act.sensor, act.operation) for act in episode.acts]


def _deeds(log: list[str]) -> list[str]:
    """Return the actions in a broker's log, without ports and sorted, because connections close in any order."""
    lines = [line for line in log if re.match(r"New client|Received|\s|Client .* (dis|not|closed)", line)]
    return sorted(re.sub(r"127\.0\.0\.1(:\d+)?", "", line) for line in lines)


@pytest.mark.parametrize(("kind", "variant"), ROGUES, ids=["-".join(pair) for pair in ROGUES])
def test_it_does_what_is_planned_and_the_same_again(
    kind: str, variant: str, staged: Callable[[str], Run]
) -> None:
    """The journal has one line per act between begin and end, no connection is left, and a second play gives the same log."""
    episode, plays = rogue(kind, variant=variant), list[tuple[list[Any], list[str], list[bytes]]]()
    for name in ("first", "second"):
        run = staged(name)
        acts = run.play(episode)
        assert [(act["slot"], act["sensor"], act["operation"]) for act in acts] == _planned(episode)
        assert [line["phase"] for line in run.theatre.lines("episode")] == ["begin", "end"]
        assert run.theatre.foothold.clients == []
        facts = [{key: act[key] for key in ("after", "mid", "client")} for act in acts]
        plays.append((facts, _deeds(run.broker.log()), run.theatre.wire.sent))
    assert plays[0] == plays[1]


@pytest.mark.parametrize(("kind", "variant"), ROGUES, ids=["-".join(pair) for pair in ROGUES])
def test_it_does_nothing_before_its_time(kind: str, variant: str, run: Run) -> None:
    """The broker receives nothing before the first act."""
    episode = rogue(kind, variant=variant)
    theatre = run.theatre
    run.begin(episode)
    theatre.clocks.now = episode.acts[0].times_ns[0] - 1
    theatre.stage.run_due(theatre.clocks.now)
    assert theatre.stage.next_ns == episode.acts[0].times_ns[0]
    assert (theatre.foothold.clients, theatre.wire.sent) == ([], [])
