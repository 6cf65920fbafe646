"""The scorecard as a file, on a terminal, and beside another one."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.analysis.audit import made

from coldaisle_analysis.audit import CHECKS, Result, Status, audit, scorecard, terminal
from coldaisle_contracts.errors import InputError


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Return the audit of a table whose source addresses give the attacks away."""
    return audit([made.subject(made.PLANTED["C3"](made.table()))])


def test_file_holds_every_check(results: list[Result], tmp_path: Path) -> None:
    """Each check has id, value, thresholds, status, sentence and evidence; numbers that are none stand as null."""
    path = tmp_path / "SCORECARD.json"
    scorecard.write("made", results, path)
    card = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert [row["id"] for row in card["checks"]] == [check.id for check in CHECKS]
    keys = {
        "id",
        "level",
        "name",
        "value",
        "means",
        "threshold",
        "status",
        "sentence",
        "evidence",
        "source",
    }
    assert all(set(row) == keys for row in card["checks"])
    assert sum(card["counts"].values()) == len(results)
    assert scorecard.read(path) == card
    assert [path] == list(tmp_path.iterdir())


def test_same_rows_give_the_same_scorecard(results: list[Result]) -> None:
    """Draws are seeded."""
    again = audit([made.subject(made.PLANTED["C3"](made.table()))])
    assert scorecard.as_dict("made", again) == scorecard.as_dict("made", results)


def test_worse_is_named(results: list[Result]) -> None:
    """A check that got louder, and one that can no longer be made, are named; a quieter one is not."""
    bad, clean = (scorecard.as_dict("made", each) for each in (results, audit([made.subject(made.table())])))
    assert scorecard.worse(bad, bad) == []
    assert scorecard.worse(clean, bad) == []
    assert "C3 of table is bad, was ok" in scorecard.worse(bad, clean)
    unasked = {"checks": [row | {"status": str(Status.ABSENT)} for row in clean["checks"]]}
    assert "C3 of table is n/a, was ok" in scorecard.worse(unasked, clean)
    assert scorecard.worse(clean, unasked) == ["A8 of table is look, was n/a"]


@pytest.mark.parametrize("content", [None, "no", "[]", '{"checks": [{"id": "A1"}]}', '{"checks": 3}'])
def test_file_that_is_no_scorecard(content: str | None, tmp_path: Path) -> None:
    """A file that is missing or something else is refused by name, with what makes one."""
    path = tmp_path / "SCORECARD.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"SCORECARD\.json: .*name a scorecard, as `coldaisle audit"):
        scorecard.read(path)


def test_folder_that_cannot_be_written(results: list[Result], tmp_path: Path) -> None:
    """A file where the folder should be is one clear error."""
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        scorecard.write("made", results, tmp_path / "out" / "SCORECARD.json")


def test_terminal_shows_what_was_found(results: list[Result]) -> None:
    """A table a group with every check that was made, and how many said what."""
    console = Console(width=120, record=True)
    console.print(*terminal.tables("made", results), sep="\n")
    text = console.export_text()
    made_checks = [result for result in results if result.status is not Status.ABSENT]
    assert all(f"\n {result.check.id} " in text for result in made_checks)
    assert "ip_src alone reaches an AUC of 1.000." in text
    assert f"{sum(result.status is Status.ABSENT for result in results)} n/a" in text
