"""Limits of the machine: each that a site would exceed is refused in one sentence with value, need and remedy."""

import re
import resource
from pathlib import Path

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.numbering import MOST_DEVICES
from coldaisle_testbed import capacity, limits

SETTINGS = {
    "net.ipv4.neigh.default.gc_thresh3": "1024",
    "net.core.netdev_max_backlog": "1000",
    "kernel.pid_max": "32768",
}
"""What Linux starts with."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the settings of a machine of 24 GiB, for each a file by its name."""
    for name, value in SETTINGS.items():
        path = tmp_path / name.replace(".", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n", encoding="ascii")
    (tmp_path / "pids.max").write_text("max\n", encoding="ascii")
    monkeypatch.setattr(limits, "_SYSCTLS", tmp_path)
    monkeypatch.setattr(limits, "_GROUP", tmp_path / "pids.max")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(capacity, "free_memory", lambda: 24 << 30)
    return tmp_path


def test_linux_as_it_starts_holds_the_greatest_site(machine: Path) -> None:
    """With the settings that Linux starts with nothing is refused, and a bridge has a port for every host."""
    assert machine.is_dir()
    assert all(check.ok for check in limits.limits(MOST_DEVICES))
    for engine in ("netns", "compose"):
        limits.refuse_beyond(MOST_DEVICES, engine)
    assert MOST_DEVICES + 2 < 1024


@pytest.mark.parametrize(
    ("setting", "value", "name", "need"),
    [
        ("net.ipv4.neigh.default.gc_thresh3", 128, "neighbour table", 130),
        ("net.core.netdev_max_backlog", 100, "frames waiting for a processor", 132),
        ("kernel.pid_max", 100, "tasks", 128),
    ],
)
def test_a_setting_that_is_too_low_is_refused(
    machine: Path, setting: str, value: int, name: str, need: int
) -> None:
    """The sentence has the value, what 64 units need, and the command that raises it."""
    (machine / setting.replace(".", "/")).write_text(str(value), encoding="ascii")
    sentence = f"{name}: at most {value}, {need} needed for 64 units: sysctl -w {setting}={2 * need}"
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        limits.refuse_beyond(64, "netns")


def test_an_engine_is_refused_for_its_own_limits_only(machine: Path) -> None:
    """Containers need more processes than namespaces do, and open files count in namespaces alone."""
    (machine / "kernel" / "pid_max").write_text("1000", encoding="ascii")
    limits.refuse_beyond(64, "netns")
    with pytest.raises(InputError, match=r"tasks of containers: at most 1,000, 1,344 needed for 64 units"):
        limits.refuse_beyond(64, "compose")


@pytest.mark.usefixtures("machine")
def test_memory_and_open_files_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard has to fit into free memory, and every connection of the broker is an open file."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    with pytest.raises(InputError, match=r"open files: at most 256, 320 needed for 64 units: ulimit -n 640"):
        limits.refuse_beyond(64, "netns")
    monkeypatch.setattr(capacity, "free_memory", lambda: 1 << 29)
    with pytest.raises(InputError, match=r"memory of containers: 0\.5 GiB free, 3\.0 GiB needed for 64"):
        limits.refuse_beyond(64, "compose")


@pytest.mark.parametrize(
    ("allowed", "most", "units", "then"),
    [(256, 4096, 64, 320), (256, 300, 64, 300), (1024, 4096, 64, 1024)],
)
def test_a_shard_may_open_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, allowed: int, most: int, units: int, then: int
) -> None:
    """The limit of a shard's processes is raised to the need, at most to what the machine allows, and never lowered."""
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, most))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_to.append(limits))
    limits.raise_open_files(units)
    assert set_to == [(then, most)]


def test_a_control_group_bounds_tasks(machine: Path) -> None:
    """A limit of the control group counts, and says where it can be raised."""
    (machine / "pids.max").write_text("100\n", encoding="ascii")
    with pytest.raises(InputError, match=r"tasks of this control group: at most 100, 128 needed .*TasksMax"):
        limits.refuse_beyond(64, "netns")


def test_what_the_kernel_does_not_state_is_left_out(machine: Path) -> None:
    """In a network namespace that does not show a setting nothing is said of it."""
    (machine / "net" / "core" / "netdev_max_backlog").unlink()
    assert "frames waiting for a processor" not in {check.name for check in limits.limits(4)}
