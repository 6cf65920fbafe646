"""The numbers that README and documentation give of what can be counted."""

import re
from pathlib import Path

import pytest

from coldaisle_analysis.audit import CHECKS
from coldaisle_analysis.models import BARS, MODELS, POLICED
from coldaisle_contracts.addressing import UNITS
from coldaisle_contracts.kinds import ATTACKS, BENIGN, KINDS
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.topics import SENSORS

HOUSE = Path(__file__).resolve().parents[2]
WORDS = {"two": 2, "four": 4, "six": 6, "eight": 8, "fifteen": 15, "sixteen": 16}
WEEK, EVERY = (
    len(build_plan(load_scenario(HOUSE / "scenarios" / f"{name}.toml")).episodes)
    for name in ("week", "intrusions")
)
LEARNED = len(MODELS) - len(BARS)
TOLD = sum(model.told for name, model in MODELS.items() if name not in BARS)
SENDING = len(UNITS) * len(SENSORS)
COUNTS = [
    ("README.md", r"traffic from (\w+) temperature sensors", [SENDING]),
    ("README.md", r"an attacker with (\d+) ways to\s+interfere", [len(ATTACKS)]),
    ("README.md", r"\b(\w+) benign anomalies \(a reboot", [len(BENIGN)]),
    ("README.md", r"audit of (\d+) checks", [len(CHECKS)]),
    ("README.md", r"scorecard of (\d+) checks", [len(CHECKS)]),
    ("README.md", r"the best of (\d+)\s+models, (\w+) baselines aside", [LEARNED, len(BARS)]),
    ("README.md", r"(\d+) models and (\d+) baselines on three splits", [LEARNED, len(BARS)]),
    ("README.md", r"day split: (\d+) models and (\d+) baselines scored", [LEARNED, len(BARS)]),
    ("README.md", r"random split: (\d+) models and (\d+) baselines scored", [TOLD, len(BARS)]),
    ("README.md", r"kind split: (\d+) model and (\d+) baselines scored", [1, len(BARS)]),
    ("README.md", r"a week of (\d+) anomalies, every variant", [EVERY]),
    ("README.md", r"fixed: (\w+) units with (\w+) temperature sensors each, (\d+) in all", [len(UNITS), len(SENSORS), SENDING]),
    ("docs/architecture.md", r"plays (\w+) InRow cooling units with (\w+) temperature sensors", [len(UNITS), SENDING]),
    ("docs/early-detection.md", r"(\d+) episodes of (\d+) kinds", [WEEK, len(KINDS)]),
    ("docs/early-detection.md", r"in 3 to 6 of (\d+) combinations", [3 * len(POLICED)]),
]  # fmt: skip


@pytest.mark.parametrize(("page", "said", "counted"), COUNTS, ids=[said for _, said, _ in COUNTS])
def test_what_is_counted_is_said(page: str, said: str, counted: list[int]) -> None:
    """The page has the sentence, and wherever it has it the numbers are those of the code."""
    found = re.findall(said, (HOUSE / page).read_text(encoding="utf-8"))
    assert found
    for one in found:
        numbers = one if isinstance(one, tuple) else (one,)
        assert [WORDS.get(text.lower()) or int(text) for text in numbers] == counted


def test_three_splits_are_played() -> None:
    """Whole days, kinds held out and rows at random: README's example has a line of each, at both levels."""
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    for level in ("packets", "readings"):
        for split in ("day", "random", "kind"):
            assert len(re.findall(rf"{level}, {split} split: \d+ models?", text)) == 1
