"""An episode is put into a run that is being played in real time, and into no other."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.testbed.conftest import Call
from tests.testbed.made_playing import HOUR, begin, plan_of, playing

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import injecting, probe, shard_folders
from coldaisle_testbed.holding import held
from coldaisle_testbed.injecting import AHEAD_NS, inject
from coldaisle_testbed.stage import Order

REMOVAL = {"kind": "removal", "unit": "inrow-13"}


@pytest.fixture(autouse=True)
def _able(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be able to play everything, whoever runs the tests."""
    monkeypatch.setattr(probe, "lacking", dict)


@pytest.mark.parametrize("name", ["run", ".run"])
def test_the_plans_of_run_and_shard_grow(tmp_path: Path, name: str) -> None:
    """The episode is in both plans, at the first start whose preparation lies far enough ahead; other shards keep theirs."""
    plan = plan_of()
    with playing(tmp_path / "run", plan, days=(1, 2)) as stage:
        injected = inject(tmp_path / name, REMOVAL, 2)
        grown, own, other = (
            Plan.load(folder / "plan.json")
            for folder in (stage, *(stage / "shards" / f"day-{n}" for n in (2, 1)))
        )
    (episode,) = grown.episodes
    assert (grown, own, other) == (injected.plan, injected.plan, plan)
    assert episode == injected.episode
    assert (episode.id, episode.readings) == ("a01", 3)
    now_ns = plan.day_ns(1) + HOUR
    assert now_ns + AHEAD_NS <= episode.approach_ns < now_ns + AHEAD_NS + 2 * 300 * SECOND
    assert sorted(path.name for path in stage.iterdir()) == [
        "capture",
        "journal",
        "order.json",
        "plan.json",
        "shards",
    ]


def test_in_containers_there_is_one_plan(tmp_path: Path) -> None:
    """On Compose the day follows from the time of the one shard."""
    plan = plan_of()
    with playing(tmp_path / "run", plan, "compose") as stage:
        first, second = (inject(stage, wish) for wish in (REMOVAL, {"kind": "brute-force"}))
        assert Plan.load(stage / "plan.json") == second.plan
    assert [episode.id for episode in second.plan.episodes] == ["a02", "a01"]
    assert (first.episode.readings, second.episode.readings) == (3, 1)


def test_a_week_of_a_campaign_stays_as_its_name_says(tmp_path: Path) -> None:
    """The name of a week in a campaign follows from its plan, so nothing is put into it."""
    place = tmp_path / ".making" / "0123456789abcdef.host.1.2"
    place.mkdir(parents=True)
    with playing(place / "0123456789abcdef", plan_of()) as stage:
        with pytest.raises(
            InputError, match="a campaign plays it, and its weeks follow from their scenarios"
        ):
            inject(stage, REMOVAL)
        assert Plan.load(stage / "plan.json").episodes == ()


def _finished(stage: Path) -> None:
    final = stage.with_name("run")
    final.mkdir()
    (final / "manifest.json").write_text("{}")


def _played(stage: Path) -> None:
    order = Order.load(stage)
    order.model_copy(update={"played": True}).save(stage)


def _silent(stage: Path) -> None:
    (stage / "shards" / "day-1" / "journal" / "inrow-15.jsonl").unlink()


def _sealed(stage: Path) -> None:
    (stage / "shards" / "day-1" / shard_folders.WHOLE).touch()


def _unplanned(stage: Path) -> None:
    (stage / "plan.json").unlink()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_finished, "run: it is finished: name a run that is being played"),
        (_played, "it was played to its end: name a run that is being played"),
        (_silent, "none of its days is being played now: try again when one is"),
        (_sealed, "none of its days is being played now: try again when one is"),
        (_unplanned, "none of its days is being played now: try again when one is"),
    ],
)
def test_a_run_that_is_not_being_played_takes_none(
    tmp_path: Path, change: Callable[[Path], None], sentence: str
) -> None:
    """The sentence says what the run is instead."""
    with playing(tmp_path / "run", plan_of()) as stage:
        change(stage)
        with pytest.raises(InputError) as refused:
            inject(tmp_path / "run", REMOVAL)
    assert sentence in str(refused.value)


def test_an_abandoned_run_and_one_in_virtual_time_take_none(tmp_path: Path) -> None:
    """Nobody plays the one, and the other would be over before its programs look."""
    begin(tmp_path / "left", plan_of())
    with pytest.raises(
        InputError, match=r"\.left: nobody plays it any more: go on with `coldaisle up --resume"
    ):
        inject(tmp_path / "left", REMOVAL)
    with (
        playing(tmp_path / "fast", plan_of(time="virtual")),
        pytest.raises(
            InputError, match="key time is 'virtual': its days pass in seconds: play a scenario with"
        ),
    ):
        inject(tmp_path / "fast", REMOVAL)
    with pytest.raises(InputError, match="it is not an unfinished run"):
        inject(tmp_path / "none", REMOVAL)


@pytest.mark.parametrize(
    ("day", "sentence"),
    [(None, "--day: name a day that is being played now: 1, 2"), (3, "--day is 3: name a day")],
)
def test_one_of_several_days_is_named(tmp_path: Path, day: int | None, sentence: str) -> None:
    """Where several days are played side by side, the day has to be one of them."""
    with (
        playing(tmp_path / "run", plan_of(duration_h=72), days=(1, 2)),
        pytest.raises(InputError, match=sentence),
    ):
        inject(tmp_path / "run", REMOVAL, day)


def test_what_the_machine_cannot_play_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that needs what the machine lacks is refused on netns; containers have it."""
    monkeypatch.setattr(probe, "lacking", lambda: {"link control": "not supported"})
    cable = {"kind": "cable", "unit": "inrow-13"}
    with playing(tmp_path / "run", plan_of()):
        with pytest.raises(
            InputError, match=r"key kind is 'cable': this machine has no link control \(not supp"
        ):
            inject(tmp_path / "run", cable)
        assert inject(tmp_path / "run", REMOVAL).episode.kind == "removal"
    with playing(tmp_path / "other", plan_of(), "compose"):
        assert inject(tmp_path / "other", cable).episode.kind == "cable"


def test_two_callers_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both episodes are in the plan, and a caller who waits in vain is told so."""
    with playing(tmp_path / "run", plan_of()) as stage:
        wishes = (REMOVAL, {"kind": "door", "unit": "inrow-15"}, {"kind": "maintenance"})
        callers = [threading.Thread(target=inject, args=(stage, wish)) for wish in wishes]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        episodes = Plan.load(stage / "plan.json").episodes
        assert sorted(episode.id for episode in episodes) == ["a01", "a02", "a03"]
        monkeypatch.setattr(injecting, "PATIENCE_S", 0.0)
        with (
            held(stage / "journal"),
            pytest.raises(InputError, match="another episode is being put in at this"),
        ):
            inject(stage, REMOVAL)


def _call(coldaisle: Call, run: Path, *words: str) -> tuple[int, str, str]:
    return coldaisle("inject", run, "modification", "--unit", "inrow-13", *words)


def test_the_command_says_when_it_begins(tmp_path: Path, coldaisle: Call) -> None:
    """A sentence, or one JSON object, has id, kind, begin and end in virtual time, and the wall time."""
    with playing(tmp_path / "run", plan_of()):
        code, text, _ = _call(coldaisle, tmp_path / "run", "--set", "variant=shift", "--set", "size=4")
        assert code == 0
        assert text.startswith("a01: modification (shift) on inrow-13 from 2026-03-02 01:")
        assert "+0100, which is " in text
        code, text, _ = _call(
            coldaisle, tmp_path / "run", "--readings", "2", "--set", "intensity=1", "--json"
        )
    facts: dict[str, Any] = json.loads(text)
    assert (code, facts["episode"], facts["unit"], facts["readings"]) == (0, "a02", "inrow-13", 2)
    assert facts["begin"] < facts["end"] < "2026-03-02T02"
    assert facts["begin"].endswith("+01:00")
    assert facts["begin_on_the_wall"].endswith("+00:00")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--set", "start=01:00"), "--set is 'start': it is the first that is possible: leave it out"),
        (("--set", "unit=inrow-15"), "--set is 'unit': it has an argument or an option of its own"),
        (("--set", "size=4"), "inject: key size is 4: leave it out, or name a variant that has it"),
        (("--set", "nothing"), "--set is 'nothing': write KEY=VALUE"),
        (
            ("--readings", "288"),
            "inject: key kind is 'modification': no room is left for it before the end of day 1",
        ),
    ],
)
def test_the_command_refuses_in_one_sentence(
    tmp_path: Path, coldaisle: Call, words: tuple[str, ...], sentence: str
) -> None:
    """What is not valid ends with exit code 2, and the plan stays as it was."""
    with playing(tmp_path / "run", plan_of()) as stage:
        code, _, error = _call(coldaisle, tmp_path / "run", *words)
        assert Plan.load(stage / "plan.json").episodes == ()
    assert (code, error.count("\n")) == (2, 1)
    assert sentence in error
