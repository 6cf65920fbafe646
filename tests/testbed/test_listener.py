"""Publishing alarms: the watch's own broker, which admits no strangers, and external brokers, also with TLS."""

import json
import multiprocessing
import os
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from coldaisle_contracts.errors import InputError
from coldaisle_testbed import broker_accounts
from coldaisle_testbed.live import listener as listening
from coldaisle_testbed.live.broker import OPTIONS, TOPIC, Broker
from coldaisle_testbed.live.listener import Address, Listener

HOUSE = Path(__file__).resolve().parents[2]
CERTIFICATE = Path(__file__).with_name("localhost.pem")
PATIENCE_S = 60.0
"""Time limit of every wait here, s, for a busy machine."""
PASSWORD = "cold-feet"  # noqa: S105 - of a broker in this file


def free_port() -> int:
    """Return a free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def brokers() -> set[int]:
    """Return the process ids of every mosquitto that this process has started."""
    processes = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            lines = status.read_text().splitlines()
            if "Name:\tmosquitto" in lines and f"PPid:\t{os.getpid()}" in lines:
                processes.add(int(status.parent.name))
    return processes


def options(folder: Path) -> dict[str, str]:
    """Return the options of mosquitto_sub in the file for subscribers."""
    return dict(line.split(" ", 1) for line in (folder / OPTIONS).read_text().splitlines())


def subscribed(options: dict[str, str], heard: list[tuple[str, bytes]]) -> mqtt.Client:
    """Return a client with these options that appends its messages to a list."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append((message.topic, bytes(message.payload)))
    client.username_pw_set(options["-u"], options["-P"])
    client.connect(options["-h"], int(options["-p"]))
    client.subscribe(options["-t"], qos=1)
    client.loop_start()
    return client


@contextmanager
def mosquitto(folder: Path, *settings: str) -> Iterator[int]:
    """Run an external mosquitto on loopback, with one account, and yield its port."""
    port = free_port()
    broker_accounts.write(folder, {"ann": PASSWORD})
    lines = (
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        "password_file passwords",
        "user root",
        *settings,
    )
    (folder / "its.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(["mosquitto", "-c", "its.conf"], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def test_a_watch_has_a_broker_of_its_own(tmp_path: Path) -> None:
    """If no broker listens, one is started that requires the account in its file; file and process are gone afterwards."""
    lines: list[str] = []
    heard: list[tuple[str, bytes]] = []
    port, before = free_port(), brokers()
    with closing(Listener(Address.parse(f"127.0.0.1:{port}"), tmp_path / "alarms", lines.append)) as listener:
        settings = options(tmp_path / "alarms")
        client = subscribed(settings, heard)
        until = time.monotonic() + PATIENCE_S
        while not heard and time.monotonic() < until:
            listener.publish("day-1", {"frame": 3})
            time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
        assert stat.S_IMODE((tmp_path / "alarms" / OPTIONS).stat().st_mode) == 0o600
        for stranger in (f"127.0.0.1:{port}", f"mqtt://{settings['-u']}@127.0.0.1:{port}"):
            with pytest.raises(InputError, match="Not authorized"):
                Listener(Address.parse(stranger), tmp_path, lines.append)
    assert json.loads(heard[0][1]) == {"frame": 3}
    assert heard[0][0] == f"{TOPIC}/day-1"
    assert lines == [f"to subscribe to the alarms: XDG_CONFIG_HOME={tmp_path}/alarms mosquitto_sub"]
    assert list((tmp_path / "alarms").iterdir()) == []
    assert brokers() == before


def test_each_watch_has_another_password() -> None:
    """Two brokers have different passwords."""
    first, second = Broker(free_port()), Broker(free_port())
    first.close()
    second.close()
    assert first.password != second.password


def test_the_broker_is_not_root_and_on_loopback_only() -> None:
    """If the caller is root, the process belongs to another user; its one socket listens on 127.0.0.1."""
    port = free_port()
    broker = Broker(port)
    try:
        owner = Path(f"/proc/{broker._process.pid}").stat().st_uid
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening_on = {row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
        six = [line.split()[1] for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    finally:
        broker.close()
    assert owner != 0
    assert os.geteuid() == 0 or owner == os.geteuid()
    assert listening_on == {f"0100007F:{port:04X}"}
    assert not [address for address in six if address.endswith(f":{port:04X}")]


def test_a_broker_that_cannot_listen_leaves_nothing(tmp_path: Path) -> None:
    """A taken port gives one sentence with mosquitto's reason, and neither process nor file is left."""
    before = brokers()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        where = Address.parse(f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(InputError, match=r"cannot listen there \(Address already in use\)"):
            Listener(where, tmp_path / "alarms", print)
    assert not (tmp_path / "alarms").exists()
    assert brokers() == before


def test_a_broker_ends_with_a_watch_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL to the watch also ends its mosquitto, and the next watch can use the port."""
    port, fork = free_port(), multiprocessing.get_context("fork")
    lines = fork.SimpleQueue()

    def watch() -> None:
        Listener(Address.parse(f"127.0.0.1:{port}"), tmp_path, lines.put)
        time.sleep(600)

    process = fork.Process(target=watch)
    process.start()
    assert lines.get().startswith("to subscribe to the alarms")
    process.kill()
    process.join()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with suppress(InputError):
            Broker(port).close()
            break
    else:
        pytest.fail(f"the port is still taken {PATIENCE_S:g} s later")


def test_alarms_go_to_a_broker_that_asks_who_we_are(tmp_path: Path) -> None:
    """The right user and password file are accepted; no user and a wrong password are refused in one sentence."""
    heard: list[tuple[str, bytes]] = []
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(f"{PASSWORD}\n")
    wrong.write_text("warm-feet\n")
    with mosquitto(tmp_path) as port:
        settings = {"-h": "127.0.0.1", "-p": str(port), "-u": "ann", "-P": PASSWORD, "-t": f"{TOPIC}/#"}
        client = subscribed(settings, heard)
        where = f"mqtt://ann@127.0.0.1:{port}"
        with closing(Listener(Address.parse(where, right), tmp_path, print)) as listener:
            until = time.monotonic() + PATIENCE_S
            while not heard and time.monotonic() < until:
                listener.publish("day-2", {"frame": 5})
                time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
        for address in (Address.parse(where, wrong), Address.parse(f"127.0.0.1:{port}")):
            with pytest.raises(InputError, match=r"Not authorized.*--mqtt-password") as refused:
                Listener(address, tmp_path, print)
            assert "warm-feet" not in str(refused.value)
    assert heard[0] == (f"{TOPIC}/day-2", b'{"frame": 5}')


def test_tls_is_spoken_and_checked(tmp_path: Path) -> None:
    """A broker with TLS is used if its certificate is trusted, and refused otherwise."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    with mosquitto(tmp_path, f"certfile {CERTIFICATE}", f"keyfile {CERTIFICATE}") as port:
        where = f"mqtts://ann@localhost:{port}"
        with closing(Listener(Address.parse(where, password, CERTIFICATE), tmp_path, print)) as listener:
            listener.publish("day-1", {"frame": 1})
        with pytest.raises(InputError, match=r"TLS fails \(CERTIFICATE_VERIFY_FAILED\).*--mqtt-ca"):
            Listener(Address.parse(where, password), tmp_path, print)
        with pytest.raises(InputError, match="cannot be reached"):
            Listener(Address.parse(where, password, tmp_path / "none.pem"), tmp_path, print)


def test_alarms_that_nobody_confirmed_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the broker is gone at the end, the watch prints how many alarms it did not confirm."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    lines: list[str] = []
    with mosquitto(tmp_path) as port:
        listener = Listener(Address.parse(f"mqtt://ann@127.0.0.1:{port}", password), tmp_path, lines.append)
    monkeypatch.setattr(listening, "PATIENCE_S", 0.2)
    for frame in range(3):
        listener.publish("day-1", {"frame": frame})
    listener.close()
    assert lines == ["3 alarms were not confirmed by the MQTT listener; the files hold them all"]


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A temporary folder that other users may enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.netns
def test_the_listener_in_containers_has_a_password_too(open_path: Path) -> None:
    """Its script runs mosquitto as the daemons' user; only the owner of the runs can read the password, with which the watch connects."""
    port, owner, daemon = free_port(), 4242, 10001
    runs, place = open_path / "runs", open_path / "tmp"
    runs.mkdir()
    place.mkdir()
    place.chmod(0o1777)
    os.chown(runs, owner, owner)
    conf = (HOUSE / "broker" / "alarms.conf").read_text().replace("1884 0.0.0.0", f"{port} 127.0.0.1")
    (place / "alarms.conf").write_text(conf)
    programs = f"{HOUSE / 'broker'}:{HOUSE / 'testbed'}:{os.environ['PATH']}:/usr/sbin"
    command = ["with-password", str(runs), str(port), "mosquitto", "-c", "alarms.conf"]
    process = subprocess.Popen(["env", *command], cwd=place, env={"PATH": programs})
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None
            time.sleep(0.02)
        heard: list[tuple[str, bytes]] = []
        client = subscribed(options(runs / "alarms"), heard)
        where = Address.parse(f"mqtt://coldaisle@127.0.0.1:{port}", runs / "alarms" / "password")
        with closing(Listener(where, open_path, print)) as listener:
            while not heard and time.monotonic() < until:
                listener.publish("day-1", {"frame": 1})
                time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
        with pytest.raises(InputError, match="Not authorized"):
            Listener(Address.parse(f"127.0.0.1:{port}"), open_path, print)
        assert Path(f"/proc/{process.pid}").stat().st_uid == daemon
    finally:
        process.terminate()
        process.wait()
    assert heard[0] == (f"{TOPIC}/day-1", b'{"frame": 1}')
    for file, user in (
        (runs / "alarms" / "password", owner),
        (runs / "alarms" / OPTIONS, owner),
        (place / "passwords", daemon),
    ):
        assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_uid) == (0o600, user)


@pytest.mark.parametrize(
    "where",
    ["nowhere", "1884", "127.0.0.1:none", "127.0.0.1:0", "127.0.0.1:65536", "http://h:1", "mqtt://h:1/topic"],
)
def test_what_is_no_address_is_refused(where: str) -> None:
    """Anything but host and port, with an optional scheme and user, is refused with the right forms."""
    with pytest.raises(InputError, match="write HOST:PORT, or mqtt://USER@HOST:PORT"):
        Address.parse(where)


def test_a_password_is_never_on_the_command_line(tmp_path: Path) -> None:
    """An address with a password is refused without repeating it; a password needs a user and a readable file."""
    with pytest.raises(InputError, match="--mqtt-password") as refused:
        Address.parse("mqtt://ann:cold-feet@h:1883")
    assert "cold-feet" not in str(refused.value)
    with pytest.raises(InputError, match="belongs to a user"):
        Address.parse("h:1883", tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        Address.parse("mqtt://ann@h:1883", tmp_path)


def test_addresses_say_what_they_are(tmp_path: Path) -> None:
    """Scheme, user and port are read, IPv6 too, and no password is printed."""
    (tmp_path / "password").write_text("cold-feet\nsecond line\n")
    full = Address.parse("mqtts://ann@[::1]:8883", tmp_path / "password", CERTIFICATE)
    assert full == Address("::1", 8883, "ann", "cold-feet", tls=True, authority=CERTIFICATE)
    assert Address.parse("localhost:1884") == Address("localhost", 1884)
    assert "cold-feet" not in f"{full} {full!r}"
