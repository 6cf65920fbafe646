"""The programs that play a run in real time learn of the episodes that are added to its plan, and only of them."""

from pathlib import Path

import pytest
from tests.contracts.test_plan import episode, made

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.planning import build_plan

BOTH = range(2)


def _replace(path: Path, plan: Plan) -> None:
    """Replace a plan in one step, as is done while it is played."""
    beside = path.with_name("beside")
    beside.write_text(plan.model_dump_json())
    beside.replace(path)


def _begun(folder: Path, **changes: object) -> tuple[Path, Plan, PlanChanges]:
    """Return a plan with its file, and what follows it."""
    plan, path = build_plan(made(time="real", **changes)), folder / "plan.json"
    _replace(path, plan)
    changes_of = PlanChanges.of(path, plan)
    assert changes_of is not None
    return path, plan, changes_of


def test_added_episodes_come_once(tmp_path: Path) -> None:
    """A look returns what was added since the last one, however often that was; a file that stays the same has nothing new."""
    path, plan, changes = _begun(tmp_path, episodes=[episode()])
    assert (changes.look(BOTH), changes.plan) == ([], plan)
    first, second, third = (episode(start=start) for start in ("05:00", "03:00", "09:00"))
    _replace(path, build_plan(made(time="real", episodes=[episode()], added=[first])))
    assert [added.id for added in changes.look(BOTH)] == ["a01"]
    assert changes.look(BOTH) == []
    for added in ([first, second], [first, second, third]):
        _replace(path, build_plan(made(time="real", episodes=[episode()], added=added)))
    assert [added.id for added in changes.look(BOTH)] == ["a02", "a03"]
    assert [planned.id for planned in changes.plan.episodes] == ["e01", "a02", "a01", "a03"]


def test_only_episodes_of_the_days_that_are_played_come(tmp_path: Path) -> None:
    """Those of other days are in the plan for the day that comes."""
    path, _, changes = _begun(tmp_path)
    _replace(path, build_plan(made(time="real", added=[episode(day=2)])))
    assert changes.look(range(1)) == []
    assert [planned.id for planned in changes.plan.episodes_on(range(1, 2))] == ["a01"]


def test_a_change_before_the_first_look_is_seen(tmp_path: Path) -> None:
    """An episode that is added between the reading of the plan and the first look is not lost."""
    path, _, changes = _begun(tmp_path)
    _replace(path, build_plan(made(time="real", added=[episode()])))
    assert [added.id for added in changes.look(BOTH)] == ["a01"]


def test_another_plan_is_refused(tmp_path: Path) -> None:
    """A plan with another scenario, or one that has lost an episode, is not the plan that is played."""
    path, _, changes = _begun(tmp_path, added=[episode()])
    for other in (made(time="real", added=[episode()], seed=2), made(time="real")):
        _replace(path, build_plan(other))
        with pytest.raises(InputError, match=r"plan\.json: it is not the plan that is played"):
            changes.look(BOTH)
        changes.plan = build_plan(made(time="real", added=[episode()]))


def test_nobody_follows_a_plan_in_virtual_time(tmp_path: Path) -> None:
    """In virtual time the file is not even looked at."""
    assert PlanChanges.of(tmp_path / "none.json", build_plan(made())) is None
