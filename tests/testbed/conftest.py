"""Fixtures for tests of the testbed: a finished run made by hand, and a call of the command line."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.beside import Shared
from tests.testbed import made_finished

from coldaisle_testbed import __main__ as entry

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def finished_run(shared: Shared) -> Path:
    """A finished run made by hand, audited but without models. It is read only."""
    return shared.once("finished", made_finished.make)


@pytest.fixture
def coldaisle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line with arguments; return exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["coldaisle", *map(str, arguments)])
        code = 0
        try:
            entry.main()
        except SystemExit as ending:
            code = int(ending.code or 0)
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return call
