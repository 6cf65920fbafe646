"""The number of shards that are played side by side is bounded by processors and by memory."""

from pathlib import Path

import pytest

from coldaisle_testbed import capacity


@pytest.mark.parametrize(
    ("units", "processors", "gib", "most"),
    [
        (4, 2, 24, 14),
        (4, 1, 24, 7),
        (4, 2, 2, 9),
        (4, 64, 4, 22),
        (4, 2, 0.3, 1),
        (1, 2, 24, 14),
        (12, 2, 24, 6),
        (64, 2, 24, 2),
        (64, 16, 24, 7),
        (64, 16, 4, 5),
        (256, 16, 24, 1),
    ],
)
def test_processors_memory_and_neighbours_bound_it(
    monkeypatch: pytest.MonkeyPatch, units: int, processors: int, gib: float, most: int
) -> None:
    """One processor plays a week of four units at once; shards of more units wait less, and need more memory and neighbours."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr(capacity, "free_memory", lambda: int(gib * 2**30))
    monkeypatch.setattr(capacity, "most_neighbours", lambda: 1024)
    assert capacity.side_by_side(units) == most


def test_the_kernel_states_how_many_neighbours_there_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The setting counts; where a container does not show it, what Linux starts with."""
    monkeypatch.setattr(capacity, "_NEIGHBOURS", tmp_path / "gc_thresh3")
    assert capacity.most_neighbours() == 1024
    (tmp_path / "gc_thresh3").write_text("4096\n")
    assert capacity.most_neighbours() == 4096


@pytest.mark.parametrize(
    ("processors", "gib", "most"), [(2, 24, 6), (1, 24, 3), (2, 3, 2), (64, 9, 8), (2, 0.3, 1)]
)
def test_weeks_side_by_side(monkeypatch: pytest.MonkeyPatch, processors: int, gib: float, most: int) -> None:
    """Three weeks per processor are played at the same time, fewer where memory is short, and at least one."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr(capacity, "free_memory", lambda: int(gib * 2**30))
    assert capacity.weeks_side_by_side() == most


def test_a_control_group_bounds_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A control group's limit counts if it is below the machine's memory; no limit, or an unreadable one, does not count."""
    machine = capacity.free_memory()
    assert machine > 0
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(capacity, "_LIMITS", (str(tmp_path / "none"), str(limit)))
    for text, expected in (("max\n", None), (f"{1 << 20}\n", 1 << 20)):
        limit.write_text(text)
        assert capacity.free_memory() == expected or (expected is None and capacity.free_memory() > 1 << 20)
