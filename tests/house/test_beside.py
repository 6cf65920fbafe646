"""Tests in two processes: what they share is made once, what belongs together stays together, and what is long begins first."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.beside import CONTAINERS, FIRST, Shared, Together, group_of, rank_of
from tests.conftest import HOUSE


def test_what_is_shared_is_made_once(tmp_path: Path) -> None:
    """Of several that ask at the same time one makes it, in an empty folder, and all get the path that it returned."""
    made = list[Path]()

    def make(folder: Path) -> Path:
        assert list(folder.iterdir()) == []
        time.sleep(0.2)
        made.append(folder)
        return folder / "run"

    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: Shared(tmp_path).once("hour", make), range(4)))
    assert len(made) == 1
    assert set(paths) == {made[0] / "run"}
    assert Shared(tmp_path).once("day", lambda folder: folder) != made[0]


def test_what_could_not_be_made_is_tried_again(tmp_path: Path) -> None:
    """A failure is raised where it happens, and leaves nothing to the next that asks."""

    def fail(folder: Path) -> Path:
        (folder / "half").touch()
        raise OSError(folder)

    with pytest.raises(OSError, match="hour"):
        Shared(tmp_path).once("hour", fail)
    folder = Shared(tmp_path).once("hour", lambda folder: folder)
    assert list(folder.iterdir()) == []


def test_tests_that_share_something_are_in_one_group(request: pytest.FixtureRequest) -> None:
    """Those of a file, whatever their parameters are, and all in containers; the scheduler of pytest-xdist goes by it."""
    mine = group_of(request.node.nodeid)
    assert mine == "tests/house/test_beside.py" == group_of(f"{mine}::test_other[a::b/c]")
    assert len({group_of(f"{place}test_a.py::test_b") for place in CONTAINERS}) == 1
    in_containers = [item.nodeid for item in request.session.items if item.get_closest_marker("compose")]
    assert {group_of(nodeid) for nodeid in in_containers} <= {group_of(CONTAINERS[0])}
    assert Together._split_scope(Together.__new__(Together), request.node.nodeid) == mine


def test_long_ones_begin_first(request: pytest.FixtureRequest) -> None:
    """Every folder and file that begins first exists, in the order of the list; all others follow."""
    assert [rank_of(place) for place in FIRST] == list(range(len(FIRST)))
    assert all((HOUSE / place).exists() for place in FIRST)
    assert rank_of(request.node.nodeid) == len(FIRST)
