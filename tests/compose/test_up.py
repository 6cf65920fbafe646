"""`docker compose up` as users call it, in checkouts of their own: two at once, a second time, with a watch, with a taken port, and failing."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import pytest
from tests.stopwatch import Stopwatch

from coldaisle_analysis.audit import scorecard
from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.compose import project_of

HOUSE = Path(__file__).resolve().parents[2]
SOMEBODY = 4242
"""The id of a user that no image has, like most users of `docker compose up`."""
PATIENCE_S = 1500.0
"""A limit in s: the analysis image takes minutes to build without a cache."""
FOR_SCRIPTS, NO_WAITING = ("--exit-code-from", "analysis"), {"COLDAISLE_VERDICT": "service_started"}
"""The options for scripts in docs/containers.md: `up` ends with the run and its exit code."""
TOKEN = "known"  # noqa: S105 - of a JupyterLab that lives for seconds

pytestmark = [
    pytest.mark.compose,
    pytest.mark.skipif(not compose.answers(), reason="needs a Docker Engine that answers"),
]


def free_port() -> int:
    """Return a free port of the loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Checkout:
    """A checkout of this source, and the Compose commands in it."""

    folder: Path
    port: int
    desk_port: int

    @property
    def env(self) -> dict[str, str]:
        """The environment of a shell in it, with free ports and the images of this repository."""
        return os.environ | {
            "PWD": str(self.folder),
            "COLDAISLE_IMAGES": project_of(HOUSE),
            "COLDAISLE_PORT": str(self.port),
            "COLDAISLE_DESK_PORT": str(self.desk_port),
            "COLDAISLE_ALARMS_PORT": str(free_port()),
            "COLDAISLE_SCENARIO": "scenarios/hour.toml",
            "COLDAISLE_TOKEN": TOKEN,
        }

    def start(self, *arguments: str) -> "Popen[str]":
        """Start a Compose command in a group of its own, as a shell does; one for scripts gets the variable of docs/containers.md."""
        command = ["docker", "compose", "--ansi", "never", *arguments]
        env = self.env | (NO_WAITING if FOR_SCRIPTS[0] in arguments else {})
        return Popen(
            command, cwd=self.folder, env=env, stdout=PIPE, stderr=STDOUT, text=True, process_group=0
        )

    def call(self, *arguments: str) -> tuple[int, str]:
        """Call a Compose command; return its exit code and its output."""
        with self.start(*arguments) as process:
            output, _ = process.communicate(timeout=PATIENCE_S)
            return process.returncode, output

    def latest(self) -> Path:
        """Return the newest finished run."""
        return (self.folder / "runs" / "latest").resolve()

    def listed(self) -> set[str]:
        """Return the names in its folder of runs, with hidden stages."""
        return {path.name for path in (self.folder / "runs").iterdir()}

    def running(self) -> list[str]:
        """Return the services that are still running."""
        return self.call("ps", "--services", "--status", "running")[1].split()


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Checkout]]:
    """Two checkouts in folders of the same name, one with another user's runs; their containers are removed afterwards."""
    checkouts = []
    for name in ("one", "two"):
        folder = tmp_path_factory.mktemp(name) / "coldaisle"
        subprocess.run(["git", "clone", "-q", HOUSE, folder], check=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
            cwd=HOUSE, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for path in filter(None, listed.split("\0")):
            if (HOUSE / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(HOUSE / path, folder / path)
        checkouts.append(Checkout(folder, free_port(), free_port()))
    if os.geteuid() == 0:
        os.chown(checkouts[1].folder / "runs", SOMEBODY, SOMEBODY)
        (checkouts[1].folder / "runs").chmod(0o700)
    yield checkouts
    for checkout in checkouts:
        code, output = checkout.call("--profile", "live", "down", "--volumes", "--timeout", "2")
        assert code == 0, output


@pytest.fixture(scope="module")
def played(checkouts: list[Checkout]) -> list[tuple[int, str]]:
    """The smoke scenario played and analysed in both checkouts at the same time; exit codes and terminal outputs."""
    processes = [checkout.start("up", *FOR_SCRIPTS) for checkout in checkouts]
    outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    return [(process.returncode, output) for process, output in zip(processes, outputs, strict=True)]


def answer(url: str, browser: urllib.request.OpenerDirector) -> str:
    """Return the page at an address that may still be starting."""
    until = time.monotonic() + 300
    while True:
        try:
            return str(browser.open(url, timeout=60).read().decode())
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.5)


def from_containers(output: str) -> list[str]:
    """Return the lines that containers printed after the images were built, without control characters."""
    _, _, attached = output.replace("\x1b[2K", "").partition("Attaching to ")
    return [line for line in attached.splitlines() if " | " in line]


@pytest.mark.netns
def test_two_checkouts_play_at_once(
    checkouts: list[Checkout], played: list[tuple[int, str]], hour_run: Path
) -> None:
    """Both runs end well, have their version and commit, and have the semantic digest of the netns engine."""
    digest = Manifest.load(hour_run).semantic_digest
    for checkout, (code, output) in zip(checkouts, played, strict=True):
        assert code == 0, output
        manifest = Manifest.load(checkout.latest())
        assert (manifest.engine, manifest.semantic_digest) == ("compose", digest)
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=checkout.folder, capture_output=True, text=True, check=True
        )
        assert manifest.commit.removesuffix("-dirty") == head.stdout.strip()
        assert {"coldaisle", "mosquitto", "tcpdump", "chronyd", "scapy"} <= manifest.versions.keys()
        rows = {row["id"]: row for row in scorecard.read(checkout.latest() / scorecard.SCORECARD)["checks"]}
        assert rows["F2"]["status"] == "ok", rows["F2"]
        owner = (checkout.folder / "runs").stat().st_uid
        assert {path.lstat().st_uid for path in checkout.latest().rglob("*")} == {owner}


def test_an_analysis_cut_short_is_made_without_playing_again(
    checkouts: list[Checkout], played: list[tuple[int, str]]
) -> None:
    """`docker compose run --rm notebook finish` analyses a run that was played and not analysed, and makes no run."""
    assert played
    run, runs = checkouts[0].latest(), checkouts[0].listed()
    shutil.rmtree(run / "analyses")
    code, output = checkouts[0].call("run", "--rm", "notebook", "finish")
    assert code == 0, output
    assert (run / "report" / "index.html").is_file()
    assert checkouts[0].listed() == runs


def test_the_terminal_says_how_far_it_is(checkouts: list[Checkout], played: list[tuple[int, str]]) -> None:
    """The terminal shows the day, then the addresses of report and JupyterLab on this machine, and no output of units or attacker."""
    for checkout, (_, output) in zip(checkouts, played, strict=True):
        lines = from_containers(output)
        assert {line.partition("-1")[0] for line in lines} <= {"notebook", "desk", "analysis"}
        said = [line.partition(" | ")[2] for line in lines]
        assert [line for line in said if not re.match(r"coldaisle: | *\d+\.\d s  ", line)] == []
        text = "\n".join(lines)
        assert "planning /scenarios/hour.toml" in text or "planning scenarios/hour.toml" in text
        assert "playing day 1 of 1" in text
        assert f"report: runs/{checkout.latest().name}/report/index.html" in text
        assert f"http://127.0.0.1:{checkout.port}/files/runs/{checkout.latest().name}/report/" in text
        assert "unhealthy" not in output


@pytest.mark.usefixtures("played")
def test_jupyterlab_opens_by_itself(checkouts: list[Checkout]) -> None:
    """`docker compose up notebook` makes no run, and serves the report at the address with the token."""
    checkout, runs = checkouts[0], checkouts[0].listed()
    code, output = checkout.call("up", "--detach", "notebook")
    assert code == 0, output
    url = f"http://127.0.0.1:{checkout.port}/files/runs/latest/report/index.html?token={TOKEN}"
    assert "<html" in answer(url, urllib.request.build_opener())
    assert checkout.running() == ["notebook"]
    assert checkout.listed() == runs


@pytest.mark.usefixtures("played")
def test_the_desk_shows_the_runs(checkouts: list[Checkout]) -> None:
    """`docker compose up desk` serves the page at the address with the token; it can write nothing, and ends with JupyterLab."""
    checkout = checkouts[0]
    code, output = checkout.call("up", "--detach", "desk")
    assert code == 0, output
    assert set(checkout.running()) == {"notebook", "desk"}
    url = f"http://127.0.0.1:{checkout.desk_port}/?token={TOKEN}"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert checkout.latest().name in answer(url, browser)
    assert f"http://127.0.0.1:{checkout.desk_port}/?token={TOKEN}" in checkout.call("logs", "desk")[1]
    code, output = checkout.call("exec", "desk", "as-owner", "/runs", "touch", "/runs/x")
    assert (code, "Read-only file system" in output) == (1, True)
    checkout.call("stop", "notebook")
    until = time.monotonic() + 120
    while checkout.running():
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.usefixtures("played")
def test_both_pages_open_again_and_end_together(checkouts: list[Checkout]) -> None:
    """`docker compose up notebook desk` prints both addresses, and Ctrl-C ends both, as docs/containers.md says."""
    checkout = checkouts[0]
    addresses = [f"127.0.0.1:{port}/" for port in (checkout.port, checkout.desk_port)]
    with checkout.start("up", "notebook", "desk") as process:
        assert process.stdout is not None
        for line in process.stdout:
            addresses = [address for address in addresses if address not in line]
            if not addresses:
                break
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert addresses == []
    until = time.monotonic() + 120
    while checkout.running():
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.usefixtures("played")
def test_up_again_with_a_watch(checkouts: list[Checkout]) -> None:
    """A second run in the same checkout has a watch with alarms in its own folder; afterwards only JupyterLab and the listener run."""
    checkout, before = checkouts[0], checkouts[0].latest()
    code, output = checkout.call("--profile", "live", "up", "--detach")
    assert code == 0, output
    run = checkout.latest()
    assert run != before
    book = checkout.folder / "runs" / "alarms" / run.name / "day-1.jsonl"
    assert f"alarms: runs/alarms/{run.name}" in checkout.call("logs", "live")[1]
    assert '"event": "end"' in book.read_text(encoding="utf-8").splitlines()[-1]
    assert set(checkout.running()) == {"notebook", "desk", "alarms"}


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize(("options", "code"), [((), 1), (FOR_SCRIPTS, 3)], ids=["by hand", "for scripts"])
def test_a_failed_run_ends_up(checkouts: list[Checkout], options: tuple[str, ...], code: int) -> None:
    """If a unit is killed, `up` ends within 30 s with a sentence that names it; then no service runs and no stage is left."""
    checkout = checkouts[1]
    with checkout.start("up", *options) as process:
        journal = checkout.folder / "runs" / ".compose" / "journal" / "inrow-13.jsonl"
        until = time.monotonic() + PATIENCE_S
        while not (journal.exists() and journal.stat().st_size):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        checkout.call("kill", "inrow-15")
        killed = Stopwatch()
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert killed.unstalled_s() < 30
    assert process.returncode == code, output
    assert (
        "coldaisle: inrow-15 died, so the run was ended: play it again with `docker compose up`; `docker compose logs inrow-15`"
        in output
    )
    while checkout.running():
        assert killed.unstalled_s() < 30
        time.sleep(0.2)
    assert list((checkout.folder / "runs").glob(".[!g]*")) == []


@pytest.mark.usefixtures("played")
def test_a_taken_port_is_said_at_once(checkouts: list[Checkout]) -> None:
    """A port in use ends `up` before a plan is made."""
    runs = checkouts[1].listed()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = Checkout(checkouts[1].folder, port, free_port()).call("up")
    assert code != 0
    assert str(port) in output
    assert checkouts[1].listed() == runs
    assert checkouts[1].running() == []
