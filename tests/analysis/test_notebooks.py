"""The shipped notebooks run to their end, can be read as pages, and the copies belong to the analyst."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode
from traitlets.config.loader import PyFileConfigLoader

from coldaisle_analysis.notebooks import SHIPPED, copy_into
from coldaisle_contracts.errors import InputError

HOUSE = Path(__file__).resolve().parents[2]
DESK = HOUSE / "analysis" / "notebooks"
"""The folder of an analyst's own notebooks and of the copies."""
SOLUTION = "solution"
"""Tag of the cells that hold a folded solution."""
LEARNING = {"3-statistics-and-leaks", "4-own-classifier", "5-earliness"}
"""Notebooks that learn, and need days to test on; the others need captures and journals."""
PAGES = (HOUSE / "docs" / "notebooks.md").read_text(encoding="utf-8")


def solved(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook with the code of each solution as a cell behind it, as a reader would paste it."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if SOLUTION in cell.metadata.get("tags", []):
            cells.append(
                nbformat.v4.new_code_cell(re.findall(r"```python\n(.+?)```", cell.source, re.DOTALL)[0])
            )
    notebook.cells = cells
    return notebook


class _Addresses(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a script, style sheet or picture."""
        wanted = {"script": "src", "link": "href", "img": "src"}.get(tag)
        self.loaded += [value for name, value in attrs if name == wanted and value]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_notebook_runs_and_is_a_page(
    path: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell and every solution runs without an error and without a warning; the page made of it has its figures and loads nothing."""
    run: Path = request.getfixturevalue("made_week" if path.stem in LEARNING else "analysed_run")
    (tmp_path / "latest").symlink_to(run)
    monkeypatch.setenv("COLDAISLE_RUNS", str(tmp_path))
    copy_into(tmp_path)
    settings = PyFileConfigLoader(str(HOUSE / "analysis" / "jupyter_config.py")).load_config()
    execution = ExecutePreprocessor(config=settings, timeout=None, kernel_name="python3")
    notebook = solved(nbformat.read(tmp_path / path.name, as_version=4))
    done, _ = execution.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    figures = [output for output in outputs if output.output_type == "display_data"]
    assert figures
    assert all("image/png" in output.data for output in figures)
    page, _ = HTMLExporter(config=settings).from_notebook_node(done)
    addresses = _Addresses()
    addresses.feed(page)
    assert len(addresses.loaded) == len(figures)
    assert all(address.startswith("data:image/png;base64,") for address in addresses.loaded)
    assert page.count("<details>") == sum(SOLUTION in cell.metadata.get("tags", []) for cell in done.cells)


def test_a_lecturer_can_hand_out_notebooks_without_solutions() -> None:
    """Each notebook has exercises, each with a folded solution; the command of docs/notebooks.md takes exactly these away."""
    (tag,) = set(re.findall(r"--TagRemovePreprocessor\.remove_cell_tags=(\w+)", PAGES))
    strip = TagRemovePreprocessor(remove_cell_tags={tag}, enabled=True)
    for path in SHIPPED:
        notebook = nbformat.read(path, as_version=4)
        exercises = sum(
            len(re.findall(r"^\*\*\d\.\*\*", cell.source, re.MULTILINE)) for cell in notebook.cells
        )
        stripped, _ = strip.preprocess(nbformat.read(path, as_version=4), {})
        assert len(notebook.cells) - len(stripped.cells) == exercises == 2
        assert "<details>" not in "".join(cell.source for cell in stripped.cells)


def test_shipped_notebooks_hold_no_output() -> None:
    """A notebook is shipped without output, so that its changes can be read."""
    assert [path.name[0] for path in SHIPPED] == list("123456")
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
