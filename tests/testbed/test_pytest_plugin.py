"""The pytest plugin: it imports nothing before it is used, and what it cannot check fails in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_testbed.obedience import planned, trial
from coldaisle_testbed.pytest_plugin import Obedience


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Obedience:
    """What the fixture gives to root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Obedience(tmp_path_factory)


def _failure(obedience: Obedience, kind: str = "removal") -> str:
    with pytest.raises(pytest.fail.Exception) as caught:
        obedience.check(kind)
    return str(caught.value)


def test_it_imports_nothing_before_it_is_used() -> None:
    """Loading the plugin imports pytest and no other module of coldaisle, so it costs a session nothing."""
    script = "import sys, coldaisle_testbed.pytest_plugin; print(*sorted(name for name in sys.modules if name.startswith('coldaisle')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["coldaisle_testbed", "coldaisle_testbed.pytest_plugin"]


def test_without_root_it_fails_and_says_so(made: Obedience, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not make a namespace gets a failure with the remedy, not a skipped test."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert (
        _failure(made)
        == "obedience.check plays a run in network namespaces, which needs root: call pytest as root"
    )


def test_a_kind_that_is_not_installed_is_named(made: Obedience) -> None:
    """A name that no package adds fails with the remedy."""
    assert _failure(made, "frost") == "frost: no installed package adds this kind: install yours first"


def test_each_broken_rule_is_a_line(made: Obedience, monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems and errors of a run are listed, one a line, and a sound kind gives the folder of its run."""
    monkeypatch.setattr(trial, "problems", lambda *_: iter(["e01: one", "e02: two"]))
    assert _failure(made) == "removal breaks 2 rules:\ne01: one\ne02: two"

    def void(*_: object) -> list[str]:
        raise TrustError(["a frame is unexplained"])

    monkeypatch.setattr(trial, "problems", void)
    assert _failure(made).endswith("the run is not trustworthy: a frame is unexplained")
    monkeypatch.setattr(trial, "problems", lambda *_: iter(()))
    assert made.check("removal").name == "removal"


def test_a_plan_with_a_problem_is_not_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the plan shows comes first, and no run is made then."""
    monkeypatch.setattr(planned, "CHECKS", (lambda *_: iter(["no"]),))
    assert list(trial.problems(SHIPPED["removal"], tmp_path, 1)) == ["no"]
    assert list(tmp_path.iterdir()) == []
