"""Kinds of other packages: found by entry points, held to the rules of a row, and refused in a sentence that names the package."""

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from tests.made_package import Packages

from coldaisle_contracts import extensions
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.extensions import Table
from coldaisle_contracts.kind_rules import contradictions
from coldaisle_contracts.kinds import KINDS, SHIPPED, expelling
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.players import player_of
from coldaisle_contracts.scenario import Drawn, Scenario, load_scenario
from coldaisle_contracts.taxonomy import Kind, Parameter, Role

ATTACKS = "coldaisle.attacks"
ROW = """
from coldaisle_contracts.taxonomy import Kind, Role
KIND = Kind("frost", "rogue client", "T0801", "ice", "mqtt", (Role.INJECTED,), ("rime",), target="broker", pace="slots", module="frost.play")
"""
PLAY = "class Attack:\n    def script(self, scene): ...\n"
BASE = 'name = "made"\nseed = 1\nfirst_day = 2026-03-02\ntime_zone = "UTC"\nduration_h = 24\n'
EPISODE = '[[episodes]]\nkind = "frost"\nday = 1\nstart = 01:00:00\nreadings = 2\n'


def frost(packages: Packages, row: str = ROW, play: str = PLAY, point: str = "frost:KIND") -> None:
    """Install a package that adds the kind frost."""
    packages.install("ice", {ATTACKS: {"frost": point}}, {"frost/__init__.py": row, "frost/play.py": play})


def refusal(name: str = "frost") -> str:
    """Return the sentence that refuses a kind."""
    with pytest.raises(InputError) as caught:
        KINDS[name]
    return str(caught.value)


def test_a_kind_of_another_package_is_planned(packages: Packages, tmp_path: Path) -> None:
    """A scenario can name it, by episode and among the drawn kinds; its class is found where its row says."""
    frost(packages)
    path = tmp_path / "made.toml"
    path.write_text(
        BASE + EPISODE + "[drawn]\ncount = 2\nclean_days = 0\nkinds = { frost = 1 }\n", encoding="utf-8"
    )
    plan = build_plan(load_scenario(path))
    assert [episode.kind for episode in plan.episodes] == ["frost"] * 3
    assert [act.operation for act in plan.episodes[0].acts] == ["frost"] * 2
    assert list(KINDS) == [*SHIPPED, "frost"]
    assert len(KINDS) == len(SHIPPED) + 1
    assert KINDS.in_order(["frost", "reset", "delay"]) == ["delay", "reset", "frost"]
    assert KINDS.added(["frost", "reset"])["frost"].requirement == "ice==1.2"
    assert player_of(KINDS["frost"]).__module__ == "frost.play"


HUM = """
from coldaisle_contracts.taxonomy import Kind, Parameter, Role
KIND = Kind("frost", "benign", "", "a fan hums", "mqtt", (Role.CONSEQUENCE,), ("fan",), (Parameter("size", "°C", 0, 5, 1, 4, "rise"),),
            actor="unit", pace="slots", module="frost.play")
"""


def test_what_a_unit_plays_concerns_the_whole_unit(packages: Packages) -> None:
    """A kind that a unit plays in each slot has one act in a slot, whose amount grows towards its size."""
    frost(packages, HUM)
    spec = {"kind": "frost", "unit": "inrow-13", "day": 1, "start": "01:00", "readings": 3, "size": 4}
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 24}
    (episode,) = build_plan(Scenario.model_validate(scenario | {"episodes": [spec]})).episodes
    assert [(act.sensor, act.amount) for act in episode.acts] == [(0, 2.0), (0, 3.0), (0, 3.5)]


def test_a_kind_says_that_it_breaks_connections(packages: Packages) -> None:
    """Kinds that break a sensor's connection are the shipped ones, and those of other packages that were played."""
    frost(packages, ROW.replace("module=", "expels=True, module="))
    assert expelling(["removal"]) == {"takeover", "reset", "downgrade", "false-certificate"}
    assert expelling(["frost", "removal"]) == {"takeover", "reset", "downgrade", "false-certificate", "frost"}


def test_it_changes_no_other_scenario(packages: Packages) -> None:
    """An installed package is not among the kinds that are drawn where a scenario names none."""
    base = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    before = build_plan(Scenario.model_validate(base | {"drawn": {"count": 20}})).digest()
    frost(packages)
    assert "frost" in KINDS
    assert "frost" not in Drawn().kinds
    assert build_plan(Scenario.model_validate(base | {"drawn": {"count": 20}})).digest() == before


def test_a_missing_package_is_named_as_the_remedy(tmp_path: Path) -> None:
    """The sentence on an unknown kind says that a package may be missing."""
    path = tmp_path / "made.toml"
    path.write_text(BASE + EPISODE, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"kind is 'frost': use .*, or install the package that adds this kind"
    ):
        load_scenario(path)


def test_a_taken_name_is_refused(packages: Packages) -> None:
    """A name that coldaisle or another package has is refused, with both packages."""
    frost(packages)
    packages.install("snow", {ATTACKS: {"frost": "frost:KIND"}}, {})
    sentence = refusal()
    assert "has a frost already: choose another name" in sentence
    assert "ice" in sentence
    assert "snow" in sentence


def test_a_shipped_name_is_refused_before_it_is_used(packages: Packages, tmp_path: Path) -> None:
    """A package that takes a shipped name is refused when any scenario is planned, in one sentence with exit code 2."""
    packages.install("ice", {ATTACKS: {"removal": "frost:KIND"}}, {"frost/__init__.py": ROW})
    path = tmp_path / "made.toml"
    path.write_text(BASE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "coldaisle_testbed", "scenario", "check", path],
        capture_output=True, text=True, check=False, env=packages.env(),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    place = 'removal = "frost:KIND" in the entry points coldaisle.attacks of ice==1.2'
    assert done.stderr == f"coldaisle: {place}: coldaisle has a removal already: choose another name\n"


@pytest.mark.parametrize(
    ("row", "point", "expected"),
    [
        (ROW, "frost:MIND", "it cannot be imported (AttributeError: module 'frost' has no attribute 'MIND'): mend it, or uninstall the package"),
        (ROW, "forst:KIND", "it cannot be imported (ModuleNotFoundError: No module named 'forst'): mend it, or uninstall the package"),
        ("1 / 0", "frost:KIND", "it cannot be imported (ZeroDivisionError: division by zero): mend it, or uninstall the package"),
        ("raise SystemExit(0)", "frost:KIND", "it cannot be imported (SystemExit: 0): mend it, or uninstall the package"),
        ("KIND = 'frost'", "frost:KIND", "it leads to a str and has to lead to a Kind"),
        (ROW.replace('"frost",', '"ice",'), "frost:KIND", "its name is 'ice': both names have to be the same, of lower-case letters, digits and hyphens"),
        (ROW.replace("frost.play", ""), "frost:KIND", "its module is empty: name the module whose class plays it"),
        (ROW.replace("rogue client", "weather"), "frost:KIND", "its family is 'weather': it should be 'on the path', 'rogue client', "),
        (ROW.replace("T0801", ""), "frost:KIND", "technique: an attack has one, and a benign kind has none"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_refused(
    packages: Packages, row: str, point: str, expected: str
) -> None:
    """The sentence names entry point, group, package, version, and what is wrong."""
    frost(packages, row, point=point)
    assert refusal().startswith(
        f'frost = "{point}" in the entry points coldaisle.attacks of ice==1.2: {expected}'
    )


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        ("import nothing_like_it", "it cannot be imported (ModuleNotFoundError: No module named 'nothing_like_it'): mend it"),
        ("class Attack: ...", "it has no class Attack with a method script: see docs/extending.md"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_play_is_refused(packages: Packages, play: str, expected: str) -> None:
    """The sentence names module, kind and package."""
    frost(packages, play=play)
    with pytest.raises(InputError) as caught:
        player_of(KINDS["frost"])
    assert str(caught.value) == f"frost.play, which plays frost of ice==1.2: {expected}"


SIZE = Parameter("size", "°C", -5, 5, 1, 4, "size", signed=True)
SOUND = Kind(
    "frost", "on the path", "T0832", "ice", "mqtt", (Role.RELAYED,), ("shift",), (SIZE,), edit="modify", module="frost.play"
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"technique": ""}, "technique"),
        ({"family": "benign"}, "technique"),
        ({"variants": ("shift", "shift")}, "variants"),
        ({"filter": ""}, "filter"),
        ({"actor": "unit"}, "actor"),
        ({"target": "broker"}, "roles"),
        ({"pace": "once", "edit": ""}, "pace"),
        ({"edit": ""}, "edit"),
        ({"edit": "hold"}, "edit"),
        ({"parameters": (replace(SIZE, variants=("drift",)),)}, "parameter size"),
        ({"parameters": (replace(SIZE, least=-3),)}, "parameter size"),
        ({"parameters": (SIZE, SIZE)}, "variant shift"),
        ({"parameters": ()}, "it needs a parameter size"),
        ({"pace": "holds", "edit": "hold", "variants": ("late",)}, "it needs a parameter delay_s"),
        ({"parameters": (SIZE, replace(SIZE, name="rate"))}, "it needs a parameter count"),
    ],
)
def test_a_row_that_contradicts_itself_is_found(changes: dict[str, object], word: str) -> None:
    """Each rule of a row refuses what breaks it, and a sound row breaks none."""
    assert list(contradictions(SOUND)) == []
    assert any(word in sentence for sentence in contradictions(replace(SOUND, **changes)))  # type: ignore[arg-type]


def test_packages_are_looked_for_once_and_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped name is found without a look at the installed packages; the second look is the first one's result."""
    looks: list[int] = []

    def look() -> list[Distribution]:
        looks.append(1)
        return []

    monkeypatch.setattr(extensions, "distributions", look)
    extensions._declared.cache_clear()
    assert KINDS["reset"] is SHIPPED["reset"]
    assert KINDS.added(SHIPPED) == {}
    assert looks == []
    assert "frost" not in KINDS
    assert "frost" not in Table("coldaisle.others", {}, str)
    assert len(looks) == 1
    monkeypatch.undo()
    extensions._declared.cache_clear()


def test_a_package_found_twice_counts_once(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a package in two folders of the path the first one counts, as for an import."""
    frost(packages)
    again = tmp_path / "again"
    again.mkdir()
    Packages(again, monkeypatch).install(
        "ice", {ATTACKS: {"frost": "frost:KIND"}}, {"frost/__init__.py": ROW}, "1.3"
    )
    assert KINDS.origins()["frost"].requirement == "ice==1.3"
