"""Overrides: every value survives the way through a command line, and what is none is one sentence."""

import shlex
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import HOUSE

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.overrides import merged, parsed, texts_of
from coldaisle_contracts.scenario import load_scenario

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | _TEXTS
    | st.dates() | st.datetimes(min_value=datetime(1000, 1, 1)) | st.times(),  # noqa: DTZ001 - local times, as in scenarios
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_DATES = (date, datetime, time)


@given(st.dictionaries(st.text("abc_-1. \"'é", min_size=1, max_size=5), _VALUES, max_size=4))
def test_every_value_comes_back(table: dict[str, Any]) -> None:
    """Texts of overrides are read back as the same values, whatever their keys and types, also through a shell's quoting."""
    texts = texts_of(table)
    assert shlex.split(shlex.join(texts)) == texts
    assert parsed(texts) == table
    assert all("\n" not in text for text in texts)


def test_a_text_needs_no_quotation_marks() -> None:
    """What is no TOML is the text itself; numbers, lists and dates are what TOML reads."""
    words = [
        "time_zone=Europe/Madrid",
        "drawn.count=20",
        "units=['inrow-13']",
        "first_day=2026-03-02",
        "drawn.clean_days = 0",
    ]
    assert parsed(words) == {
        "time_zone": "Europe/Madrid",
        "drawn": {"count": 20, "clean_days": 0},
        "units": ["inrow-13"],
        "first_day": date(2026, 3, 2),
    }


@pytest.mark.parametrize(
    "text",
    ["", "=", "drawn", "drawn.count=", "a b=1", "a\nb=1", "a=1\nb=2", "a." * 9 + "b=1", "a=" + "1" * 20_000],
)
def test_what_is_no_override_is_refused(text: str) -> None:
    """A word without key or value, with several lines, or too long, is refused with the form to write."""
    with pytest.raises(InputError, match=r"--set.*write KEY=VALUE"):
        parsed([text])


def test_tables_are_merged() -> None:
    """A table replaces only the keys that it names; anything else is replaced, and nothing given is changed."""
    table = {"drawn": {"count": 1, "kinds": {"replay": 2.0}}, "units": ["a"], "name": "x"}
    changed = merged(table, {"drawn": {"kinds": {"flood": 1.0}}, "units": ["b"]})
    assert changed == {
        "drawn": {"count": 1, "kinds": {"replay": 2.0, "flood": 1.0}},
        "units": ["b"],
        "name": "x",
    }
    assert table["units"] == ["a"]


def test_a_scenario_takes_them() -> None:
    """A scenario has the other values; an unknown key is refused with the scenario's file."""
    week = HOUSE / "scenarios" / "week.toml"
    scenario = load_scenario(
        week, 3, {"duration_h": 48, "drawn": {"count": 2, "clean_days": 0}, "episodes": []}
    )
    assert (scenario.seed, scenario.days, scenario.drawn.count, scenario.episodes) == (3, 2, 2, ())
    assert scenario.drawn.kinds == load_scenario(week).drawn.kinds
    with pytest.raises(InputError, match=r"week\.toml with other values: key drawn\.cuont: remove it"):
        load_scenario(week, None, {"drawn": {"cuont": 2}})


def test_a_site_may_be_another_file(tmp_path: Path) -> None:
    """A site that an override names is looked for beside the scenario."""
    scenario = tmp_path / "mine.toml"
    scenario.write_text((HOUSE / "scenarios" / "hour.toml").read_text())
    (tmp_path / "cold.toml").write_text(
        "[medians]\n" + "".join(f"inrow-{n} = [1, 20, 22, 30]\n" for n in (13, 15, 23, 25))
    )
    assert load_scenario(scenario, None, {"site": "cold.toml"}).site.medians["inrow-13"][0] == 1
