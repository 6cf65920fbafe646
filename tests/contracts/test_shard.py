"""Shards: ranges of days, with their names and how a run is cut into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.shard import Shard


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("day-1", range(1)),
        ("day-3", range(2, 3)),
        ("day-1-7", range(7)),
        ("2-3", range(1, 3)),
        ("", range(7)),
    ],
)
def test_names_are_read(text: str, days: range) -> None:
    """Days are numbered from 1 and both ends are included; an empty name means the whole run."""
    assert Shard.parse(text, 7).days == days


@given(st.integers(1, 92), st.data())
def test_a_shard_survives_its_name(days: int, data: st.DataObject) -> None:
    """A shard is equal to the one read from its name."""
    first = data.draw(st.integers(0, days - 1))
    shard = Shard(range(first, data.draw(st.integers(first + 1, days))))
    assert Shard.parse(str(shard), days) == shard


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("monday", "shard is 'monday': write it as day-3 or day-1-7"),
        ("day-1-2-3", "shard is 'day-1-2-3': write it as day-3 or day-1-7"),
        ("day-", "shard is 'day-': write it as day-3 or day-1-7"),
        ("day-\N{SUPERSCRIPT TWO}", "shard is 'day-\N{SUPERSCRIPT TWO}': write it as day-3 or day-1-7"),
        ("day-0", "shard is 'day-0': name days from 1 to 7"),
        ("day-8", "shard is 'day-8': name days from 1 to 7"),
        ("day-3-2", "shard is 'day-3-2': name days from 1 to 7"),
    ],
)
def test_what_is_no_shard_is_refused(text: str, expected: str) -> None:
    """A name of another form and days outside the run are refused in one sentence."""
    with pytest.raises(InputError) as caught:
        Shard.parse(text, 7)
    assert str(caught.value) == expected


@given(st.integers(1, 92), st.integers(-3, 200))
def test_a_run_is_cut_into_all_its_days(days: int, shards: int) -> None:
    """For any number of shards, they hold each day once, in order, and their lengths differ by at most one day."""
    cut = Shard.split(days, shards)
    assert [day for shard in cut for day in shard.days] == list(range(days))
    assert len(cut) == max(1, min(shards, days))
    lengths = [len(shard.days) for shard in cut]
    assert max(lengths) - min(lengths) <= 1
