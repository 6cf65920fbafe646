"""Programs that do not end: each wait has a limit, and a sentence says which program was waited for."""

from pathlib import Path

import pytest
from tests.netns.catalogue import PLAN

from coldaisle_analysis.compiled import jit
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.compose import ComposeRun
from coldaisle_testbed.engines.containers import Containers


def stand_in(folder: Path, name: str, script: str) -> None:
    """Put a script with some program's name into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs are found before those of the system."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_a_compiler_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compilation that takes too long ends with a sentence, and no partial result is kept."""
    monkeypatch.setattr(jit, "COMPILE_S", 0.01)
    monkeypatch.setattr(jit, "_folders", lambda: [tmp_path / "cache"])
    with pytest.raises(InputError, match=r"compiled code: was not finished within 0\.01 s"):
        jit._compiled("twice.o")
    assert list((tmp_path / "cache").glob("*.o")) == []


def test_a_compose_command_that_hangs_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the command, the time limit, and the place of its output."""
    monkeypatch.setattr(compose, "BUILD_S", 0.1)
    stand_in(path, "docker", "exec sleep 600")
    run = ComposeRun("x", Containers.__new__(Containers), PLAN, path, print)
    with pytest.raises(InputError, match=r"docker compose build: it did not end within 0\.1 s: see"):
        run.play()
