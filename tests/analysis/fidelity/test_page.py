"""docs/fidelity.md: its measures are the code's, each large difference has its reason, and the datasheet states the same figures."""

import re

from tests.conftest import HOUSE

from coldaisle_analysis.fidelity import measures
from coldaisle_analysis.fidelity.reasons import REASONS
from coldaisle_analysis.metadata.responsible import LIKENESS

PAGE = (HOUSE / "docs" / "fidelity.md").read_text(encoding="utf-8")
MEASURED = PAGE.partition("## What was measured")[2].partition("## What differs")[0]
WHY = PAGE.partition("## What differs")[2].partition("## What was mended")[0]
NAMES = {measure.name for measure in measures.MEASURES}
WORDS = {
    word
    for line in re.findall(r"^\| (`\w+`[^|]*)\|", MEASURED, re.MULTILINE)
    for word in re.findall(r"`(\w+)`", line)
}


def test_measures_are_the_code_s() -> None:
    """The page has the table of all measures, each name once."""
    assert PAGE.endswith(f"{measures.markdown()}\n")
    assert len(NAMES) == len(measures.MEASURES)


def test_each_large_difference_has_its_reason() -> None:
    """Every measure with a large difference has a reason in the code, and every reason belongs to a measure."""
    assert len(WORDS) == 19
    assert WORDS <= set(REASONS) <= NAMES
    assert {"publish_iat", "host_gap", "ntp_iat"} <= set(re.findall(r"`(\w+)`", WHY))


def test_datasheet_states_what_was_measured() -> None:
    """Date, plays, counts and AUC in the datasheet are those of the page."""
    like, every = map(int, re.findall(r"\*\*(\d+) of (\d+) measures do not differ", MEASURED)[0])
    assert every == len(NAMES)
    assert every - like == len(WORDS)
    assert f"{like} of {every} measures" in LIKENESS
    assert f" {every - like} do: " in LIKENESS
    (date,) = re.findall(r"On (\d{4}-\d\d-\d\d), ", MEASURED)
    assert f"on {date}, " in LIKENESS
    (plays,) = re.findall(r"(\d+) plays of `scenarios/dad.toml`", MEASURED)
    assert f"{plays} plays of `scenarios/dad.toml` (seeds 101 to 110)" in LIKENESS
    auc = {
        (level, columns): score
        for level, columns, score in re.findall(
            r"^\| (packets|flows) \| ([\w, ]+) \| ([\d.]+) ", MEASURED, re.MULTILINE
        )
    }
    assert f"with an AUC of {auc['flows', 'all']}, packets with {auc['packets', 'all']}" in LIKENESS
    assert f"by values alone with {auc['packets', 'values']}" in LIKENESS
