"""The broker's password file."""

import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv31
from paho.mqtt.enums import CallbackAPIVersion

from coldaisle_testbed import broker_accounts

ACCOUNTS = {"operator": "coolant-7"}


@pytest.fixture(params=[{}, ACCOUNTS], ids=["no account", "one account"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """A real mosquitto on loopback with accounts; its port and the accounts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker_accounts.write(tmp_path, request.param)
    conf = f"listener {port} 127.0.0.1\nallow_anonymous true\npassword_file passwords\nuser root\n"
    (tmp_path / "broker.conf").write_text(conf)
    program = shutil.which("mosquitto")
    assert program is not None
    process = subprocess.Popen([program, "-c", "broker.conf"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            break
        time.sleep(0.05)
    yield port, request.param
    process.kill()
    process.wait()


def _code(port: int, name: str | None, password: str | None) -> int:
    """Return the code of the CONNACK that a client gets."""
    codes: list[int] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id="c", protocol=MQTTv31)
    client.on_connect = lambda *arguments: codes.append(arguments[3].value)
    if name is not None:
        client.username_pw_set(name, password)
    client.connect("127.0.0.1", port)
    for _ in range(100):
        client.loop(0.05)
        if codes:
            break
    client.disconnect()
    return codes[0]


def test_mosquitto_reads_the_file(broker: tuple[int, dict[str, str]]) -> None:
    """A client without a name is accepted; a client with a name needs the right password."""
    port, accounts = broker
    assert _code(port, None, None) == 0
    assert (_code(port, "operator", "coolant-7") == 0) is bool(accounts)
    assert _code(port, "operator", "wrong") != 0


def test_file_is_not_for_everybody(tmp_path: Path) -> None:
    """Only the owner and the daemons' group can read the hashes, and the file holds no password."""
    broker_accounts.write(tmp_path, ACCOUNTS)
    path = tmp_path / broker_accounts.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_text().startswith("operator:$7$101$")
    assert "coolant" not in path.read_text()
