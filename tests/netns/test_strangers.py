"""Frames injected by hand on the wire of a running testbed: each run ends with exit code 3, and the frame is named, whoever its sender claims to be."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.netns.observe import descendants, holder

pytestmark = pytest.mark.netns
SCENARIO = """
name = "strangers"
seed = 3
first_day = 2026-03-02
time_zone = "UTC"
duration_h = 8
units = ["inrow-13", "inrow-15"]

[[episodes]]
kind = "brute-force"
day = 1
start = 00:10:00
readings = 1
count = 3
"""
ATTACKER, UNIT, BROKER = "02:42:c6:12:00:42", "02:42:c6:12:00:29", "02:42:c6:12:00:01"
_TOOLS = """
import socket, struct
def checksum(data):
    data += b"\\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
def mac(text): return bytes.fromhex(text.replace(":", ""))
def ip(source, target, protocol, body, ident=9):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, 0x4000, 64, protocol, 0)
    head += socket.inet_aton(source) + socket.inet_aton(target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
def wire():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(("eth0", 0))
    return sock
def send(frame): wire().send(frame)
"""


@dataclass
class Played:
    """A run with a frame injected by hand.

    Attributes:
        code: exit code of ``up``.
        output: its standard error.
        verified: exit code of ``verify``, if ``up`` ended well.
        problems: standard error of ``verify``.
    """

    code: int
    output: str
    verified: int = 0
    problems: str = ""


class _Up:
    """A run that is being played.

    Args:
        folder: folder for its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "strangers.toml").write_text(SCENARIO)
        self._run = folder / "run"
        command = [sys.executable, "-m", "coldaisle_testbed", "up", str(folder / "strangers.toml"), "--no-analysis", "--out", str(self._run)]  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        journal = folder / ".run" / "shards" / "day-1" / "journal"
        until = time.monotonic() + 300
        while not _has(journal / "inrow-13.jsonl", '"slot":9,') or not _has(
            journal / "injector.jsonl", '"phase":"end"'
        ):
            assert self._process.poll() is None, self._process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.02)
        below = descendants(self._process.pid)
        self._pids = {name: holder(below, name) for name in ("injector", "inrow-13", "inrow-15")}
        self._pids["broker"] = next(pid for pid, name in below.items() if name == "mosquitto")

    def inside(self, host: str, code: str) -> str:
        """Run a few lines of Python in a host's network namespace and return what they print."""
        command = ["nsenter", "-t", str(self._pids[host]), "-n", sys.executable, "-c", _TOOLS + code]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def ended(self) -> Played:
        """Wait for the end, and verify a run that ended well."""
        _, output = self._process.communicate(timeout=300)
        if self._process.returncode:
            return Played(self._process.returncode, output)
        command = [sys.executable, "-m", "coldaisle_testbed", "verify", str(self._run)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return Played(0, output, done.returncode, done.stderr)


def _has(path: Path, text: str) -> bool:
    return path.exists() and text in path.read_text()


def _strange_mac(up: _Up) -> None:
    """Send a datagram from an address of no host."""
    udp = "struct.pack('!HHHH', 4000, 9, 8, 0)"
    up.inside(
        "injector",
        f"send(mac('{BROKER}') + mac('02:42:c6:12:00:63') + b'\\x08\\0' + ip('198.18.0.99', '198.18.0.1', 17, {udp}))",
    )


def _own_host(up: _Up) -> None:
    """Try to connect from the attacker's own host, long after its episode."""
    up.inside("injector", "s = socket.socket(); s.settimeout(1); s.connect_ex(('198.18.0.1', 9999))")


def _own_host_to_the_broker(up: _Up) -> None:
    """Connect from the attacker's own host to the broker's MQTT port, without an act."""
    up.inside("injector", "s = socket.create_connection(('198.18.0.1', 1883), 1); s.close()")


def _units_name(up: _Up) -> None:
    """Try to connect with a unit's addresses."""
    tcp = "struct.pack('!HHIIBBHHH', 4444, 1883, 7, 0, 0x50, 2, 1000, 0, 0)"
    up.inside(
        "inrow-15",
        f"send(mac('{BROKER}') + mac('{UNIT}') + b'\\x08\\0' + ip('198.18.0.41', '198.18.0.1', 6, {tcp}))",
    )


def _units_connection(up: _Up) -> None:
    """Send the next packet of a unit's connection, byte for byte as its kernel would: a repeated acknowledgement."""
    output = up.inside(
        "broker",
        f"""
eth = wire()
while True:
    frame = eth.recv(2000)
    if frame[6:12] == mac('{UNIT}') and frame[23] == 6 and frame[47] == 16 and len(frame) == 66:
        break
ident = struct.unpack_from('!H', frame, 18)[0] + 1 & 0xffff
packet = ip('198.18.0.41', '198.18.0.1', 6, frame[34:], ident)
print((frame[:14] + packet).hex())
""",
    )
    up.inside("inrow-15", f"send(bytes.fromhex('{output.strip()}'))")


CASES: dict[str, tuple[Callable[[_Up], None], str]] = {
    "a strange MAC address": (_strange_mac, r"frames? that nothing explains, the first is frame \d+ of capture/day-1-000.pcap: .*198\.18\.0\.99"),
    "the attacker's own host": (_own_host, r"frames? that nothing explains, the first is frame \d+ of capture/day-1-000.pcap: .*198\.18\.0\.66"),
    "the attacker's own host, MQTT": (_own_host_to_the_broker, r"frames? that nothing explains, the first is frame \d+ of capture/day-1-000.pcap: .*198\.18\.0\.66"),
    "a unit's name": (_units_name, r"frames? that nothing explains, the first is frame \d+ of capture/day-1-000.pcap: .*198\.18\.0\.41"),
    "a unit's connection": (_units_connection, r"frame \d+ of capture/raw/day-1-000.pcap is packet \d+ of its connection"),
}  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """The outcomes of all cases, played side by side."""
    folder = tmp_path_factory.mktemp("strangers")

    def play(case: str) -> Played:
        up = _Up(folder / re.sub(r"\W+", "-", case))
        CASES[case][0](up)
        return up.ended()

    with ThreadPoolExecutor(len(CASES)) as pool:
        return dict(zip(CASES, pool.map(play, CASES), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_frame_put_by_hand_ends_in_exit_3_and_is_named(played: dict[str, Played], case: str) -> None:
    """Most frames are found when the run is concluded; one that only the numbering of packets reveals is found by verify."""
    run = played[case]
    code, output = (run.code, run.output) if run.code else (run.verified, run.problems)
    assert code == 3, run
    assert re.search(CASES[case][1], output), output
    assert "Traceback" not in output
