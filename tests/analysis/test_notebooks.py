"""The shipped notebooks run to their end, and the copies belong to the analyst."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from coldaisle_analysis.notebooks import SHIPPED, copy_into
from coldaisle_contracts.errors import InputError

HOUSE = Path(__file__).resolve().parents[2]
DESK = HOUSE / "analysis" / "notebooks"
"""The folder of an analyst's own notebooks and of the copies."""


@pytest.mark.parametrize("notebook", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_notebook_runs(
    notebook: Path, analysed_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell of a copy runs on a finished run without an error and has an output."""
    (tmp_path / "latest").symlink_to(analysed_run)
    monkeypatch.setenv("COLDAISLE_RUNS", str(tmp_path))
    copy_into(tmp_path)
    notebook_run = nbformat.read(tmp_path / notebook.name, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    done = NotebookClient(notebook_run, timeout=None, kernel_name="python3", resources=where).execute()
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(output.output_type == "display_data" for cell in cells for output in cell.outputs)


def test_shipped_notebooks_hold_no_output() -> None:
    """A notebook is shipped without output, so that its changes can be read."""
    assert len(SHIPPED) > 1
    for notebook in SHIPPED:
        for cell in nbformat.read(notebook, as_version=4).cells:
            assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


def test_a_copy_is_never_overwritten(tmp_path: Path) -> None:
    """Only missing notebooks are copied, so an analyst's changes stay."""
    mine = tmp_path / SHIPPED[0].name
    mine.write_text("mine")
    assert {path.name for path in copy_into(tmp_path)} == {path.name for path in SHIPPED[1:]}
    assert mine.read_text() == "mine"
    assert copy_into(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder that cannot be written gives one sentence, and the program exits with 2."""
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(InputError, match=r"file: notebooks cannot be copied into it \(File exists\)"):
        copy_into(place)
    done = subprocess.run([sys.executable, "-m", "coldaisle_analysis.notebooks", place],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_own_notebooks_are_nobody_elses_business(tmp_path: Path) -> None:
    """Neither git nor ruff looks at a notebook or module in the folder that JupyterLab opens."""
    house = tmp_path / "house"
    desk = house / DESK.relative_to(HOUSE)
    desk.mkdir(parents=True)
    for file in (".gitignore", "pyproject.toml", str((DESK / ".gitignore").relative_to(HOUSE))):
        shutil.copy(HOUSE / file, house / file)
    subprocess.run(["git", "init", "-q", house], check=True)
    subprocess.run(["git", "-C", house, "add", "."], check=True)
    copy_into(desk)
    (desk / "mine.py").write_text("import os, sys\nprint( 'hello' )\n")
    (desk / "lib").mkdir()
    (desk / "lib" / "own.py").write_text("x=1;y = 2")
    status = subprocess.run(["git", "-C", house, "status", "--porcelain", "--untracked-files=all"],
                            capture_output=True, text=True, check=True)  # fmt: skip
    assert "??" not in status.stdout
    shutil.rmtree(house / ".git")  # ruff must ignore the folder without git, too
    ruff = Path(sys.executable).with_name("ruff")
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *check, "--no-cache", "-q"], cwd=house, capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout
