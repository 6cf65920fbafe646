"""The counts that README and documentation state."""

import re
from pathlib import Path

import pytest
from tests.published import UNITS

from coldaisle_analysis.audit import CHECKS
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.decoding import state
from coldaisle_analysis.earliness.cases import CLEAN_WINDOWS
from coldaisle_analysis.earliness.policies import QUIET_S, REPEAT_S
from coldaisle_analysis.evaluation.groups import LAST
from coldaisle_analysis.evaluation.splits import DAY_FOLDS
from coldaisle_analysis.models import BASELINES, WITH_POLICIES
from coldaisle_analysis.models import SHIPPED as MODELS
from coldaisle_analysis.models.model import EVERY_ROW
from coldaisle_contracts.acts import LEAD
from coldaisle_contracts.kinds import ATTACKS, BENIGN, DRAWN
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.topics import SENSORS
from coldaisle_testbed import capacity
from coldaisle_testbed.live.delays import STEP
from coldaisle_testbed.rest import LULL_NS, REST_NS
from coldaisle_testbed.timekeeper import LOOKAHEAD_NS, PATIENCE_S

HOUSE = Path(__file__).resolve().parents[2]
WORDS = {"two": 2, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "fifteen": 15, "sixteen": 16}
SCENARIOS = {name: load_scenario(HOUSE / "scenarios" / f"{name}.toml") for name in ("week", "intrusions")}
WEEK, EVERY = (len(build_plan(scenario).episodes) for scenario in SCENARIOS.values())
LEARNED = len(MODELS) - len(BASELINES)
TOLD = sum(model.supervised for name, model in MODELS.items() if name not in BASELINES)
CAPPED = max(model.most_rows for model in MODELS.values() if model.most_rows < EVERY_ROW)
MS = 1_000_000
SENDING = len(UNITS) * len(SENSORS)
COUNTS = [
    ("README.md", r"traffic from (\w+) temperature sensors", [SENDING]),
    ("README.md", r"an attacker with (\d+) ways to\s+interfere", [len(ATTACKS)]),
    ("README.md", r"\b(\w+) benign anomalies \(a reboot", [len(BENIGN)]),
    ("README.md", r"audit of (\d+) checks", [len(CHECKS)]),
    ("README.md", r"scorecard of (\d+) checks", [len(CHECKS)]),
    ("README.md", r"the best of (\d+)\s+models, (\w+) baselines aside", [LEARNED, len(BASELINES)]),
    ("README.md", r"(\d+) models and (\d+) baselines on three splits", [LEARNED, len(BASELINES)]),
    ("README.md", r"day split: (\d+) models and (\d+) baselines scored", [LEARNED, len(BASELINES)]),
    ("README.md", r"random split: (\d+) models and (\d+) baselines scored", [TOLD, len(BASELINES)]),
    ("README.md", r"kind split: (\d+) model and (\d+) baselines scored", [1, len(BASELINES)]),
    ("README.md", r"a week of (\d+) anomalies, every variant", [EVERY]),
    ("README.md", r"is (\w+) units with (\w+) temperature sensors each, (\d+) in all", [len(UNITS), len(SENSORS), SENDING]),
    ("docs/architecture.md", r"plays (\w+) InRow cooling units with (\w+) temperature sensors", [len(UNITS), SENDING]),
    ("docs/scenarios.md", r"a week, (\d+) episodes drawn by seed", [SCENARIOS["week"].drawn.count]),
    ("docs/early-detection.md", r"(\d+) episodes of (\d+) kinds", [WEEK, len(DRAWN)]),
    ("docs/early-detection.md", r"in 3 to 6 of (\d+) combinations", [3 * len(WITH_POLICIES)]),
    ("docs/early-detection.md", r"whole days, in at most (\w+) test sets", [DAY_FOLDS]),
    ("docs/early-detection.md", r"matched to it, at most (\w+): same", [CLEAN_WINDOWS]),
    ("docs/early-detection.md", r"For (\w+) models every family's", [len(WITH_POLICIES)]),
    ("docs/early-detection.md", r"less than (\d+) s\s+apart, are one incident; one that goes on counts again every (\d+) s", [QUIET_S, REPEAT_S]),
    ("docs/early-detection.md", r"the others from at most (\d+),000 per fold", [CAPPED // 1000]),
    ("docs/architecture.md", r"wire has rested for (\d+) ms", [REST_NS // MS]),
    ("docs/architecture.md", r"due within (\d+) ms of the earliest", [LOOKAHEAD_NS // MS]),
    ("docs/architecture.md", r"wakes (\d+) ms before a reading", [LEAD // MS]),
    ("docs/architecture.md", r"waits (\d+) ms more", [LULL_NS // MS]),
    ("docs/architecture.md", r"It jumps (\d+) ms after", [LULL_NS // MS]),
    ("docs/architecture.md", r"without TCP (\d+) ms", [LULL_NS // MS]),
    ("docs/architecture.md", r"holds time for the (\d+) ms", [REST_NS // MS]),
    ("docs/architecture.md", r"less than (\d+) ms ahead", [REST_NS // MS]),
    ("docs/architecture.md", r"stopped or silent for (\d+) s", [int(PATIENCE_S)]),
    ("docs/architecture.md", r"At most (\w+) shards per processor", [capacity.PER_PROCESSOR]),
    ("docs/architecture.md", r"free memory allows \((\d+) MiB each\)", [capacity.memory_of(len(UNITS)) >> 20]),
    ("docs/architecture.md", r"classes that are (\w+)\s+percent wide", [round(100 * STEP) - 100]),
    ("docs/dataset.md", r"([\d,]+) flows at a time .*, ([\d,]+) IP addresses", [state.FLOWS, state.HOSTS]),
    ("docs/dataset.md", r"([\d,]+) topic aliases", [state.ALIASES]),
    ("docs/dataset.md", r"(\d+) KiB or ([\d,]+) segments\s+waiting", [state.EARLY >> 10, state.EARLY_SEGMENTS]),
    ("docs/dataset.md", r"the last (\d+) % are the test side", [round(100 * LAST)]),
    ("docs/dataset.md", r"ends after (\d+) s without a frame or (\d+) s in\s+all", [int(Cut().idle_s), int(Cut().active_s)]),
]  # fmt: skip


COUNTS = [(page, sentence.replace(" ", r"\s+"), counted) for page, sentence, counted in COUNTS]
"""Sentences as patterns: a space also matches the end of a line."""


@pytest.mark.parametrize(("page", "sentence", "counted"), COUNTS, ids=[sentence for _, sentence, _ in COUNTS])
def test_what_is_counted_is_said(page: str, sentence: str, counted: list[int]) -> None:
    """The page has the sentence, and its numbers are those of the code."""
    matches = list(re.finditer(sentence, (HOUSE / page).read_text(encoding="utf-8")))
    assert matches
    for match in matches:
        words = [word.lower().replace(",", "") for word in match.groups()]
        assert [WORDS.get(word) or int(word) for word in words] == counted


def test_three_splits_are_played() -> None:
    """README's example has a line for whole days, for held-out kinds and for random rows, at both levels."""
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    for level in ("packets", "readings"):
        for split in ("day", "random", "kind"):
            assert len(re.findall(rf"{level}, {split} split: \d+ models?", text)) == 1
