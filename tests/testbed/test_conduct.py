"""Making a run that containers play: its progress, its end, and the error if a container fails."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import FederateError, InputError, TrustError
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import OffsetLine
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed import conduct, container_programs, making, notebook
from coldaisle_testbed.conduct import PlayError, Shown
from coldaisle_testbed.days import Days
from coldaisle_testbed.holding import held
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order
from coldaisle_testbed.timekeeper import VERDICT

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


@pytest.fixture(scope="module")
def week() -> Plan:
    """The plan of the default week."""
    return build_plan(load_scenario(SCENARIOS / "week.toml"), "week")


def play(federation: Path, verdict: str | None, seconds: float = 0.5) -> threading.Thread:
    """Hold the timekeeper's folder for a while in a thread, and leave a verdict there."""

    def keep() -> None:
        with held(federation) as ours:
            assert ours
            time.sleep(seconds)
            if verdict is not None:
                (federation / VERDICT).write_text(verdict, encoding="utf-8")

    thread = threading.Thread(target=keep)
    thread.start()
    return thread


def test_each_day_is_said_once(tmp_path: Path, week: Plan) -> None:
    """The last line of the timekeeper's journal gives the day, which is printed once; before the first midnight no day is printed."""
    lines: list[str] = []
    days = Days(week, tmp_path, lines.append)
    days.look()
    (tmp_path / "journal").mkdir()
    journal = Journal(tmp_path / "journal" / "timeline.jsonl", "day-1-7")
    for now_ns in (week.day_ns(0) - 1800 * SECOND, *(week.day_ns(day) + SECOND for day in (0, 2, 6))):
        journal.write(OffsetLine(1, now_ns - time.time_ns()))
        journal.flush()
        days.look()
        days.look()
    assert lines == ["playing day 1 of 7", "playing day 3 of 7", "playing day 7 of 7"]


def test_a_played_run_is_waited_for(tmp_path: Path) -> None:
    """The run goes on when the timekeeper has released its folder without an accusation; meanwhile the day is checked."""
    looks: list[int] = []
    thread = play(tmp_path, "{}")
    conduct.follow(tmp_path, lambda: looks.append(1))
    thread.join()
    assert looks


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (
            json.dumps({"name": "inrow-13", "what": "died"}),
            "inrow-13 died, so the run was ended: play it again .* `docker compose logs inrow-13`",
        ),
        (
            json.dumps({"name": "inrow-13, inrow-15", "what": "died"}),
            "inrow-13, inrow-15 died, .* `docker compose logs inrow-13 inrow-15`",
        ),
        (
            json.dumps({"name": "the program that makes this run", "what": "has ended"}),
            "the program that makes this run has ended, .* `docker compose logs timekeeper`",
        ),
        (None, "timekeeper ended without a verdict"),
    ],
)
def test_a_failure_is_said(tmp_path: Path, verdict: str | None, sentence: str) -> None:
    """The sentence names the program that the timekeeper accuses, or a killed timekeeper itself; exit code 3."""
    thread = play(tmp_path, verdict)
    with pytest.raises(PlayError, match=sentence) as failure:
        conduct.follow(tmp_path, lambda: None)
    thread.join()
    assert failure.value.exit_code == 3


def test_a_timekeeper_that_never_comes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for the containers has a limit, and a sentence says so."""
    monkeypatch.setattr(conduct, "START_S", 0.1)
    with pytest.raises(PlayError, match="timekeeper did not start"):
        conduct.follow(tmp_path, lambda: None)


def test_nobody_is_played_for_who_is_gone(tmp_path: Path) -> None:
    """The timekeeper ends when the program that makes the run has released its folder; if it never held it, the timekeeper goes on."""
    maker = container_programs._Maker(tmp_path)
    maker.check()
    with held(tmp_path):
        maker.check()
    with pytest.raises(FederateError, match="the program that makes this run has ended"):
        maker.check()


@pytest.mark.parametrize("path", ["/lab/runs/a/report", "lab/runs/a/report"])
@pytest.mark.parametrize("outside", ["runs", "/data/lab/runs/"])
def test_paths_are_shown_as_the_machine_knows_them(path: str, outside: str) -> None:
    """A path in the container, with or without its first slash, is printed as the path on the machine."""
    shown = Shown(Path("/lab/runs"), outside)
    assert shown.outside(f"report: {path}") == f"report: {outside.rstrip('/')}/a/report"
    said = shown.outside("/lab/runs: it is full: name another with --out")
    assert said == f"{outside.rstrip('/')}: it is full: name another in COLDAISLE_RUNS"
    assert shown.outside("/lab/runs-2: is another") == "/lab/runs-2: is another"


def test_a_watch_without_a_detector_says_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no run has a detector, the sentence has the machine's path, Compose's command and the variable; a bad policy names its variable."""
    (tmp_path / "alarms").mkdir()
    (tmp_path / "alarms" / "password").write_text("secret\n")
    (tmp_path / conduct.LINK).mkdir()
    (tmp_path / conduct.LINK / "plan.json").write_text("{}")
    monkeypatch.setattr(container_programs, "RUNS", tmp_path)
    sentence = (
        "data: no run here has a detector: play one first with `docker compose up`, or set COLDAISLE_MODEL"
    )
    with pytest.raises(InputError, match=sentence):
        container_programs.watch({"COLDAISLE_SHOWN_RUNS": "data/"})
    assert Shown(tmp_path, "data").outside("--policy is 'x'") == "COLDAISLE_POLICY is 'x'"


def refused(federation: Path, **variables: str) -> str:
    """Return the sentence with which the service ``analysis`` refuses to begin."""
    code = (
        "import os; from coldaisle_testbed import container_programs, notebook; notebook.CALLED_S = 0; from coldaisle_contracts import unforeseen;"
        "unforeseen.run(lambda: container_programs.conduct(os.environ))"
    )
    env = os.environ | {"COLDAISLE_FEDERATION": str(federation)} | variables
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    return done.stderr


@pytest.mark.parametrize("seed", ["-1", "seven", "1.5"])
def test_a_seed_that_is_none_is_named(tmp_path: Path, seed: str) -> None:
    """A bad seed is refused with the variable, its value and exit code 2."""
    sentence = f"COLDAISLE_SEED is {seed!r}: write a whole number"
    assert sentence in refused(tmp_path, COLDAISLE_SEED=seed)


def test_units_without_a_container_are_refused_before_anything_is_played(tmp_path: Path) -> None:
    """A site with a unit that docker-compose.yml does not have is refused; the sentence names the command that plays it."""
    file = tmp_path / "other.toml"
    text = (SCENARIOS / "hour.toml").read_text(encoding="utf-8").partition("[[episodes]]")[0]
    file.write_text(f"{text}[[site.devices]]\nname = 'crah-{{number}}'\naddress = 300\n", encoding="utf-8")
    sentence = refused(tmp_path, COLDAISLE_SCENARIO=str(file))
    assert f"{file}: unit is 'crah-1': docker-compose.yml has services for inrow-13, inrow-15" in sentence
    assert f"play it with ./coldaisle up {file} --engine compose\n" in sentence


@pytest.mark.parametrize("run", ["20260302-a-1", ""])
def test_jupyterlab_hears_how_a_run_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: str
) -> None:
    """A caller that names its run keeps JupyterLab open and prints the report's address; a caller that closes without a name ends it."""
    monkeypatch.setattr(notebook, "ADDRESS", f"\0coldaisle-test-{os.getpid()}-{run}")
    address = notebook.Address("9999", "t0ken")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(notebook.ADDRESS)
        listener.listen(1)
        with notebook.called() as finished:
            if run:
                finished(run)
        assert notebook._heard_out(listener, address) is bool(run)
    output = capsys.readouterr().out
    expected = f"http://127.0.0.1:9999/files/runs/{run}/report/index.html?token=t0ken"
    assert (expected in output) is bool(run)
    assert ("the run has failed" in output) is not bool(run)


def test_what_cannot_be_finished_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two played runs, one is not trustworthy: the other is concluded first, then the error names the first."""
    tried: list[str] = []

    def resume(stage: Path, *_: object) -> None:
        tried.append(stage.name)
        if stage.name == ".a":
            raise TrustError(["a reading is missing"])

    monkeypatch.setattr(making, "resume", resume)
    order = Order(engine="compose", shards=1, analyse=True, latest=True, played=True)
    stages: dict[str, dict[str, object]] = {
        ".a": {},
        ".b": {},
        ".c": {"played": False},
        ".d": {"engine": "netns"},
    }
    for name, changes in stages.items():
        (tmp_path / name).mkdir()
        order.model_copy(update=changes).save(tmp_path / name)
    with held(tmp_path / ".b"):
        assert conduct._was_played(tmp_path / ".b")
        with pytest.raises(TrustError):
            conduct.finish(tmp_path, Progress())
    assert tried == [".a"]
    with pytest.raises(TrustError, match="a reading is missing"):
        conduct.finish(tmp_path, Progress())
    assert tried == [".a", ".a", ".b"]


@pytest.mark.parametrize("is_open", [True, False])
def test_the_desk_ends_with_jupyterlab(monkeypatch: pytest.MonkeyPatch, is_open: bool) -> None:
    """The desk in containers ends when JupyterLab's service has ended, and not before; it ends, too, where there is no service."""
    monkeypatch.setattr(notebook, "OPEN", f"\0coldaisle-test-{os.getpid()}-{is_open}")
    monkeypatch.setattr(notebook, "CALLED_S", 0.5)
    over = threading.Event()
    if not is_open:
        notebook.when_it_ends(over.set)
    else:
        with notebook._listening(notebook.OPEN):
            notebook.when_it_ends(over.set)
            assert not over.wait(1)
    assert over.wait(10)
