"""The switch of a run in containers: hosts in their own namespaces request a cable, as containers do."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.published import UNITS

from coldaisle_contracts import cable, offloads
from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.cable import CableError
from coldaisle_testbed import namespaces
from coldaisle_testbed.switch import Switch

pytestmark = pytest.mark.netns
UNIT = UNITS["inrow-13"]


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Path]:
    """A switch in a namespace of its own; returns its socket."""
    space = namespaces.create()
    with namespaces.inside(space):
        switch = Switch(tmp_path)

    def serve() -> None:
        with suppress(OSError), namespaces.inside(space):
            switch.serve()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield tmp_path / cable.SWITCH
    switch._listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    switch.close()
    os.close(space)


def plug_in(switch: Path, host: Host, then: str = "") -> subprocess.CompletedProcess[str]:
    """Plug in a host from a process in a namespace of its own, and run some code there."""
    code = (
        "from pathlib import Path; from coldaisle_contracts import cable;"
        "from coldaisle_contracts.addressing import BROKER, INJECTOR;"
        "from coldaisle_testbed import processes; import socket, subprocess; processes.leave();"
        f"cable.plug_in(Path({str(switch)!r}), {host!r});{then}"
    )
    imports = f"from coldaisle_contracts.addressing import Host;{code}"
    return subprocess.run([sys.executable, "-c", imports], capture_output=True, text=True, check=False)


def test_a_host_finds_its_interface(switch: Path) -> None:
    """The interface is eth0, with the host's addresses, only the network's route, and no offload."""
    code = "; ".join(
        f"print(subprocess.run({command!r}, capture_output=True, text=True).stdout)"
        for command in (["ip", "-4", "addr"], ["ip", "link"], ["ip", "route"])
    )
    code += "; from coldaisle_contracts import offloads; print('left on:', offloads.left_on('eth0'))"
    done = plug_in(switch, UNIT, code)
    assert done.returncode == 0, done.stderr
    assert f"inet {UNIT.ip}/20" in done.stdout
    assert UNIT.mac in done.stdout
    assert "default" not in [line.split()[0] for line in done.stdout.splitlines() if "dev eth0" in line]
    assert "left on: []" in done.stdout


def test_a_host_that_does_not_wait_holds_nobody_up(switch: Path) -> None:
    """A host that leaves before it is answered ends neither the switch nor the others' cables."""
    code = (
        f"import os; from coldaisle_contracts import cable; from coldaisle_testbed import processes; processes.leave(); import socket;"
        f"hurried = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); hurried.connect({str(switch)!r});"
        f"space = os.open('/proc/self/ns/net', os.O_RDONLY);"
        f"socket.send_fds(hurried, [b'inrow-15 36'], [space]); hurried.close()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    done = plug_in(switch, UNIT)
    assert done.returncode == 0, done.stderr


def test_the_ports_have_no_offloads_either() -> None:
    """The switch's end of a cable neither merges frames nor leaves checksums open."""
    space, hosts = namespaces.create(), namespaces.create()
    try:
        with namespaces.inside(space), closing(namespaces.Bridge()) as bridge:
            bridge.plug(BROKER, hosts)
            assert offloads.left_on("port0") == []
    finally:
        os.close(space)
        os.close(hosts)


def test_two_hosts_hear_each_other(switch: Path) -> None:
    """A datagram of one host reaches the other through the switch."""
    listen = f"server = socket.create_server(({BROKER.ip!r}, 1883)); print('up', flush=True); print(server.accept()[1][0])"
    code = (
        "from pathlib import Path; from coldaisle_contracts import cable; import socket;"
        "from coldaisle_contracts.addressing import BROKER; from coldaisle_testbed import processes; processes.leave();"
        f"cable.plug_in(Path({str(switch)!r}), BROKER);{listen}"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout is not None
        assert broker.stdout.readline() == "up\n"
        done = plug_in(switch, UNIT, f"socket.create_connection(({BROKER.ip!r}, 1883), 10)")
        assert done.returncode == 0, done.stderr
        assert broker.stdout.readline() == f"{UNIT.ip}\n"


def test_nobody_is_plugged_in_twice_or_under_another_name(switch: Path) -> None:
    """An address outside the network, and a name or an address that is plugged in already, are refused in one sentence."""
    stranger = Host("inrow-99", "unit", "198.18.16.1", "02:42:c6:12:10:01")
    assert "'inrow-99 4097' is no host of the test network" in plug_in(switch, stranger).stderr
    assert plug_in(switch, INJECTOR).returncode == 0
    assert "a host is already plugged in as injector" in plug_in(switch, INJECTOR).stderr
    double = replace(INJECTOR, name="inrow-99")
    assert f"a host is already plugged in as {INJECTOR.ip}" in plug_in(switch, double).stderr


def test_without_a_switch_the_sentence_names_the_host(tmp_path: Path) -> None:
    """Without a switch, the sentence has the host's name and the reason."""
    with pytest.raises(CableError, match="injector cannot be plugged into the test network: No such file"):
        cable.plug_in(tmp_path / cable.SWITCH, INJECTOR)


def test_who_has_let_go_cannot_change_the_network(switch: Path) -> None:
    """After giving up NET_ADMIN the attacker keeps its interface and can change nothing, but it can open packet sockets."""
    then = (
        "cable.let_go(); socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(); print('raw')\n"
        "try: cable.set_state('eth0', up=False)\n"
        "except OSError as error: print(error.strerror)"
    )
    done = plug_in(switch, INJECTOR, then)
    assert done.stdout.splitlines() == ["raw", os.strerror(1)], done.stderr
