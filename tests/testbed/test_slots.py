"""Slots: all runs of a machine together play no more shards than it takes, and no slot can be lost."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.netns.catalogue import PLAN

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import capacity, sharding, slots
from coldaisle_testbed.slots import Slots

HOLD = """
import os, sys, time
from pathlib import Path
from coldaisle_testbed.slots import Slots
slot = Slots(Path(sys.argv[1]), 2).take()
if os.fork() == 0:          # as a run starts the process of a shard
    time.sleep(60)
os.close(slot)
print("taken", flush=True)
time.sleep(60)
"""


def test_a_slot_is_taken_once(tmp_path: Path) -> None:
    """Of two slots a third cannot be taken, by whoever asks, until one of them is closed."""
    one, other = Slots(tmp_path, 2), Slots(tmp_path, 2)
    first, second = one.take(), other.take()
    assert first is not None
    assert second is not None
    assert one.take() is None
    assert other.take() is None
    os.close(first)
    again = other.take()
    assert again is not None
    os.close(again)
    os.close(second)


def test_a_big_site_finds_its_slots_free(tmp_path: Path) -> None:
    """A machine that takes one shard of a big site and three of a small one gives that slot to a small one last."""
    small, big = Slots(tmp_path, 3), Slots(tmp_path, 1)
    taken = [small.take(), small.take(), big.take()]
    assert None not in taken
    assert small.take() is None
    for slot in taken:
        os.close(slot or 0)


def test_a_slot_is_held_by_the_process_of_the_shard_and_ends_with_it(tmp_path: Path) -> None:
    """The process that a run has forked holds its slot; when both are killed, the slot is free."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"taken\n"
    mine = Slots(tmp_path, 2)
    taken = mine.take()
    assert taken is not None
    assert mine.take() is None
    os.killpg(holder.pid, 9)
    holder.communicate(timeout=120)
    freed = mine.take()
    assert freed is not None
    os.close(freed)
    os.close(taken)


def test_a_program_that_a_shard_starts_holds_no_slot(tmp_path: Path) -> None:
    """The descriptor of a slot is closed in a program that another process becomes."""
    slot = Slots(tmp_path, 1).take()
    assert slot is not None
    assert not os.get_inheritable(slot)
    os.close(slot)


def test_the_number_does_not_depend_on_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven per processor, fewer where the memory of the whole machine holds fewer, and at least one."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))
    for gib, most in ((64, 28), (2, 9), (0.3, 1)):
        monkeypatch.setattr(
            capacity, "_stated", lambda name, gib=gib: int(gib * 2**30) if name == "MemTotal" else 0
        )
        monkeypatch.setattr(capacity, "_LIMITS", ())
        assert capacity.slots_here(4) == most


def test_a_folder_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A link in the place of the folder is refused in one sentence: else it would lead the locks elsewhere."""
    monkeypatch.setattr(slots, "_MACHINE", tmp_path / "none")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Slots(None, 1).take() is not None
    folder = tmp_path / f"coldaisle-slots-{os.geteuid()}"
    folder.rename(tmp_path / "else")
    folder.symlink_to(tmp_path / "else")
    with pytest.raises(InputError, match="belongs to somebody else"):
        Slots(None, 1)


def test_a_run_waits_for_a_slot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run begins no shard while other runs have all slots, and goes on when one is free."""
    mine = Slots(tmp_path, 1)
    taken, played, looks = mine.take(), list[int](), list[int]()
    assert taken is not None
    player = sharding._Player.__new__(sharding._Player)
    player._slots, player._running, player.waiting = Slots(tmp_path, 1), {}, []
    player._plan = PLAN

    def begin(_: object, slot: int) -> None:
        played.append(slot)
        os.close(slot)

    def look() -> None:
        looks.append(len(played))
        if len(looks) == 1:
            os.close(taken)

    monkeypatch.setattr(player, "_begin", begin)
    monkeypatch.setattr(player, "_check", look)
    assert list(player.play([Shard(range(1))])) == []
    assert looks == [0, 1]
