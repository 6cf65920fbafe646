"""Code that the pages show: paths, the stages of the analysis, and one reading as an example."""

import json
import re
import tomllib
from datetime import time
from pathlib import Path

import numpy as np
import pytest

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.dataset import grids
from coldaisle_analysis.earliness.erde import erde_bounds, latency_cost
from coldaisle_analysis.earliness.policies import InARow, Policy, Threshold
from coldaisle_analysis.models import MODELS
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Drawn, EpisodeSpec, load_scenario
from coldaisle_contracts.topics import encode_value

HOUSE = Path(__file__).resolve().parents[2]
ARCHITECTURE, EARLY = (
    (HOUSE / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("architecture", "early-detection")
)
SHOWN = dict(re.findall(r"^(plan.json|its act): +(.+)$", ARCHITECTURE.replace(", …", ""), re.MULTILINE))
_DRAWN, _ACT = (json.loads(SHOWN[line]) for line in ("plan.json", "its act"))
_NAMED = EpisodeSpec.model_validate({
    "kind": _DRAWN["kind"], "variant": _DRAWN["variant"], "unit": _DRAWN["unit"], "sensors": _DRAWN["sensors"],
    "readings": _DRAWN["readings"], "day": 3, "start": time(1, 20), **_DRAWN["parameters"],
})  # fmt: skip
PLAN = build_plan(
    load_scenario(HOUSE / "scenarios" / "week.toml").model_copy(
        update={"drawn": Drawn(), "episodes": (_NAMED,)}
    )
)
(EPISODE,) = PLAN.episodes
"""The example's episode, fixed by name, because a new kind changes the drawn episodes of the week."""
DUE = [PLAN.reading_ns(EPISODE.onset + place, EPISODE.unit) for place in range(EPISODE.readings + 1)]

PAGES = [*HOUSE.glob("*.md"), *HOUSE.glob("*/README.md"), *HOUSE.glob("docs/*.md")]
ROOTS = [HOUSE, *HOUSE.glob("*/coldaisle_*/")]
OF_A_RUN = ("runs/", "report/index", "models/metrics", "capture/raw", "capture/tls.keys", "capture/ca.pem",
            *(f"dataset/{level}.parquet" for level in LEVELS))  # fmt: skip
"""First parts of paths that a page may name although a checkout does not have them."""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_paths_exist(page: Path) -> None:
    """Each path that begins with a folder of the repository, a package or the analysis exists, with or without `.py`."""
    paths = re.findall(r"`([\w-]+)/([\w./-]*)`", page.read_text(encoding="utf-8"))
    for head, rest in paths:
        places = [root / head for root in ROOTS] + list(HOUSE.glob(f"{head}/coldaisle_*/"))
        if any(place.is_dir() for place in places) and not f"{head}/{rest}".startswith(OF_A_RUN):
            assert any((place / f"{rest}{suffix}").exists() for place in places for suffix in ("", ".py")), (
                f"{head}/{rest}"
            )


def test_readme_shows_lines_of_the_programs() -> None:
    """Every output line with words in README's example of a run is in the code."""
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +[\d.]+ s  ([a-z ]+)$", text, re.MULTILINE) + re.findall(
        r"^([a-z, ]+: the same)$", text, re.MULTILINE
    )
    sources = "\n".join(path.read_text(encoding="utf-8") for path in HOUSE.glob("*/coldaisle_*/**/*.py"))
    assert len(lines) == 10
    assert [line for line in lines if line not in sources] == []


def test_stages_are_the_import_contract_s() -> None:
    """The page lists the layers of the import contract in order, and each folder and module of them with a line."""
    block = ARCHITECTURE.partition("## The stages of the analysis")[2].split("```")[1]
    lines = [re.findall(r"^([\w/.]+)  +\S", layer, re.MULTILINE) for layer in block.strip().split("\n\n")]
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (entry for entry in contracts if entry.get("containers") == ["coldaisle_analysis"])
    layers = [sorted(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    assert [sorted(name.removesuffix(".py").rstrip("/") for name in layer) for layer in lines] == layers
    folder = HOUSE / "analysis" / "coldaisle_analysis"
    modules = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    assert {name for layer in lines for name in layer} == modules | folders


def test_example_is_planned() -> None:
    """The act in the example follows from the episode at its place in the default week; the value is changed as the act says."""
    planned = json.loads(EPISODE.model_dump_json())
    assert (_DRAWN | {"id": "e01"}).items() <= planned.items()
    assert planned["acts"][0] == _ACT
    before, after = re.findall(r'"before":"([\d.]+)","after":"([\d.]+)"', ARCHITECTURE)[0]
    assert encode_value(float(before) + EPISODE.acts[0].amount).decode() == after


def test_example_is_joined_by_its_digest() -> None:
    """The bytes of the frame end in the changed value, and their digest stands in both journal lines."""
    text = re.findall(r"frame 911:\n([0-9a-f \n]+)```", ARCHITECTURE)[0]
    frame = bytes.fromhex(text)
    assert frame.endswith(b"7.76")
    assert re.findall(r'"digest":"(\w+)"', ARCHITECTURE) == [frame_digest(frame)] * 2


def _alarms(policy: Policy, score: Floats) -> list[bool]:
    return list(map(bool, policy.alarms(score, np.zeros(len(score), np.int64))))


@pytest.mark.parametrize("page", [ARCHITECTURE, EARLY], ids=["architecture", "early-detection"])
def test_example_alarms_as_shown(page: str) -> None:
    """The threshold alarms at the shown items; delay and cost of the first alarm follow from the plan and the formula."""
    score = np.array(re.findall(r"^score((?: +[\d.]+)+)$", page, re.MULTILINE)[0].split(), np.float64)
    (limit, words), *others = re.findall(
        r"^(?:alarm|2 in a row) from ([\d.]+) (?:on)?((?: +(?:yes|no))+)$", page, re.MULTILINE
    )
    alarms = _alarms(Threshold(float(limit)), score)
    assert [word == "yes" for word in words.split()] == alarms
    for high, later in others:
        assert [word == "yes" for word in later.split()] == _alarms(InARow(float(high), 2), score)
    first, text = alarms.index(True) + 1, " ".join(page.split())
    assert f"item {first} of the case" in text
    assert f"{(DUE[first] - grids.LEAD - DUE[0]) / SECOND:.2f} s after the onset" in text
    assert f"costs {latency_cost(first, 5):.3f}" in text


def test_example_of_early_detection() -> None:
    """The costs of both cases and of a perfect detector follow from the formula; the first item is judged in time."""
    text = " ".join(EARLY.split())
    assert f"at item 9 of 24 and costs {latency_cost(9, 5):.3f}" in text
    assert f"catches the example at item 1, at a cost of {latency_cost(1, 5):.3f}" in text
    assert "204 cases" in text
    assert f"between {erde_bounds(68 / 204, 5)[0]:.3f} for a perfect detector" in text
    assert f"Item 1 is judged {(DUE[1] - grids.LEAD - DUE[0]) / SECOND:.2f} s after the onset" in text


def test_beside_others_shows_what_it_says_of_us() -> None:
    """Each cell of our own column leads to a page of ours, and every other project was read at a commit or in a paper."""
    page = (HOUSE / "docs" / "beside-others.md").read_text(encoding="utf-8")
    tables = [
        re.findall(r"^\| *([^|]*?) *\| *([^|]*?) *\|", part, re.MULTILINE)[2:]
        for part in page.split("\n\n")
        if "\n|---" in part
    ]
    read, *compared = tables
    assert len(compared) == 2
    for row, cell in [row for table in compared for row in table]:
        assert re.search(r"\]\((?!https?:)[^)]+\)", cell), row
    assert len(read) == 7
    assert len(re.findall(r"` at `[0-9a-f]{7}` \(\d{4}-\d{2}-\d{2}\)", page)) == 6


def test_results_name_models() -> None:
    """The best model in each row of the results has its name from the report."""
    rows = re.findall(r"^\| (?:week|DAD) \| \w+ \| (.+?) \|", EARLY.partition("## Results")[2], re.MULTILINE)
    assert len(rows) == 4
    assert set(rows) <= {model.title for model in MODELS.values()}
