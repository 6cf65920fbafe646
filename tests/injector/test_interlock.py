"""The interlock: the attacker starts only in the test network."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute  # type: ignore[import-untyped]
from tests.published import HOSTS

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_injector import interlock
from coldaisle_injector.interlock import InterlockError
from coldaisle_testbed import namespaces

SCENARIO: dict[str, Any] = {
    "name": "made",
    "seed": 1,
    "first_day": "2026-03-02",
    "time_zone": "UTC",
    "duration_h": 1,
}
PLAN = build_plan(
    Scenario.model_validate(
        SCENARIO
        | {"episodes": [{"kind": "removal", "unit": "inrow-13", "day": 1, "start": "00:20", "readings": 2}]}
    )
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")


@contextmanager
def _place() -> Iterator[IPRoute]:
    """Run in a test network of its own, in the attacker's network namespace."""
    spaces = namespaces.build(HOSTS)
    try:
        with namespaces.inside(spaces[INJECTOR.name]), IPRoute() as route:
            yield route
    finally:
        for space in spaces.values():
            os.close(space)


def _run(folder: Path, plan: Plan) -> subprocess.CompletedProcess[str]:
    """Start the injector itself in this thread's network namespace, without a timekeeper."""
    (folder / "plan.json").write_text(plan.model_dump_json())
    env = os.environ | {"COLDAISLE_RUN": str(folder), "COLDAISLE_FEDERATION": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "coldaisle_injector"], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.netns
@as_root
def test_attackers_place_in_the_test_network_is_taken(tmp_path: Path) -> None:
    """At the address and in the network where the engines put it, the interlock lets the attacker start."""
    (tmp_path / "self").symlink_to(f"/proc/self/task/{threading.get_native_id()}")
    with _place():
        interlock.check(PLAN, tmp_path, outside=str(Path("/proc/self/ns/net").stat().st_ino + 1))


@pytest.mark.netns
@as_root
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda route: route.route("add", dst="default", gateway="198.18.0.1"), "a route to 0.0.0.0/0"),
        (lambda route: route.route("add", dst="default", gateway="198.18.15.254"), "a route to 0.0.0.0/0"),
        (
            lambda route: route.route("add", dst="10.0.0.0/8", oif=route.link_lookup(ifname="eth0")[0]),
            "a route to 10.0.0.0/8",
        ),
        (
            lambda route: route.link("add", ifname="eth1", kind="veth", peer="eth2"),
            "the interfaces are not those of the test network: eth1, eth2 differ",
        ),
    ],
    ids=["default route", "default route by an unused address", "another route", "another interface"],
)
def test_way_out_is_refused(tmp_path: Path, change: Any, sentence: str) -> None:
    """A route out of the network or a second interface is refused with one sentence, exit code 3 and no journal."""
    with _place() as route:
        change(route)
        done = _run(tmp_path, PLAN)
    assert (done.returncode, done.stdout) == (3, "")
    assert "coldaisle: the injector refuses to start" in done.stderr
    assert sentence in done.stderr
    assert not (tmp_path / "journal").exists()


@pytest.mark.netns
@as_root
def test_another_address_is_refused(tmp_path: Path) -> None:
    """The attacker does not start with an address that differs from the plan's."""
    with _place() as route:
        eth0 = route.link_lookup(ifname="eth0")[0]
        route.addr("delete", index=eth0, address=INJECTOR.ip, prefixlen=20)
        route.addr("add", index=eth0, address="198.18.0.67", prefixlen=20)
        done = _run(tmp_path, PLAN)
    assert done.returncode == 3
    assert "eth0 is 198.18.0.67" in done.stderr


def test_hosts_own_namespace_is_refused(tmp_path: Path) -> None:
    """The attacker does not start in the network namespace of the tests, and the error says why."""
    done = _run(tmp_path, PLAN)
    assert done.returncode == 3
    assert "the injector refuses to start" in done.stderr
    with pytest.raises(InterlockError, match="the host's own network namespace"):
        interlock.check(PLAN, outside=str(Path("/proc/self/ns/net").stat().st_ino))


def test_plan_edited_by_hand_is_refused() -> None:
    """A plan with a host outside the network, or with a host name, is refused."""
    for target in ("8.8.8.8", "plant.example", "inrow-99"):
        edited = PLAN.episodes[0].model_copy(update={"unit": target})
        with pytest.raises(InterlockError, match=f"the plan names '{target}'"):
            interlock.check(PLAN.model_copy(update={"episodes": (edited,)}))


@pytest.mark.parametrize("target", ["8.8.8.8", "plant.example"])
def test_hostile_scenario_is_refused(tmp_path: Path, target: str) -> None:
    """A scenario with a target outside the network is refused."""
    lines = [f'{key} = "{value}"' for key, value in SCENARIO.items() if isinstance(value, str)]
    text = "\n".join([*lines, "seed = 1", "duration_h = 1"]).replace('"2026-03-02"', "2026-03-02")
    path = tmp_path / "hostile.toml"
    path.write_text(
        f'{text}\n[[episodes]]\nkind = "removal"\nunit = "{target}"\nday = 1\nstart = 00:20:00\nreadings = 2\n'
    )
    with pytest.raises(InputError, match=r"hostile\.toml: key episodes\.0\.unit is '" + target):
        load_scenario(path)
