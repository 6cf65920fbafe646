"""A campaign is played once, whatever happens: nothing done is done twice, and nothing half-done counts."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import HOUSE
from tests.testbed import made_campaign as made
from tests.testbed.conftest import Call

from coldaisle_contracts.campaign import MAKING, CampaignFile, CampaignFolder, Week, load_campaign_file
from coldaisle_contracts.errors import InputError, RunError
from coldaisle_testbed.campaign import attempt, claims, lasting, local, playing, records
from coldaisle_testbed.campaign.display import Display
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.names import CLAIMS, digest_of_week
from coldaisle_testbed.campaign.outcome import Outcome

RUN = """
import sys
from pathlib import Path
from coldaisle_testbed import __main__
from coldaisle_contracts.errors import RunError
from coldaisle_testbed.campaign import attempt
attempt.COMMAND = tuple(sys.argv[1].split("|"))
sys.argv = ["coldaisle", "campaign", "run", *sys.argv[2:]]
__main__.main()
"""
Campaign = tuple[CampaignFolder, Path, Path]
"""A campaign's folder, its file, and the folder of the stand-in for the command that plays a week."""


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """A campaign of four weeks that was not played, and a stand-in for what plays them."""
    file = made.file(tmp_path)
    folder = folder_for(file, tmp_path / "out")
    monkeypatch.setattr(attempt, "COMMAND", made.stand_in(tmp_path / "house", folder))
    return folder, file, tmp_path / "house"


def _started(campaign: Campaign, *more: str) -> subprocess.Popen[bytes]:
    """Start a runner as a process of its own."""
    folder, file, _ = campaign
    words = ["|".join(attempt.COMMAND), str(file), "--out", str(folder.path), *more]
    return subprocess.Popen([sys.executable, "-c", RUN, *words], stderr=subprocess.PIPE)


def _until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("place", ["site", "scenario"])
def test_a_file_of_records_is_refused(tmp_path: Path, place: str) -> None:
    """A campaign does not copy CSV files, so a scenario that needs one is refused with the remedy, and nothing is made."""
    (tmp_path / "pump.csv").write_text("offset_s,value\n0,1\n", encoding="utf-8")
    table = "[[{}devices]]\naddress = {}\n{}\n"
    prefix = "" if place == "site" else "site."
    groups = "".join(
        table.format(prefix, address, rest)
        for address, rest in ((41, "number = 13"), (100, 'kind = "replay"\nrecords = "pump.csv"'))
    )
    scenario, hour = tmp_path / "mine.toml", (HOUSE / "scenarios" / "hour.toml").read_text(encoding="utf-8")
    (tmp_path / "pump.toml").write_text(groups, encoding="utf-8")
    hour = re.sub(r"(?s)\n\[\[episodes.*", "\n", hour)
    scenario.write_text('site = "pump.toml"\n' + hour if place == "site" else hour + groups, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"its site names pump\.csv, and a campaign copies scenarios and sites only"
    ):
        folder_for(made.file(tmp_path, 3, "", scenario), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_holds_all_that_the_tasks_need(tmp_path: Path) -> None:
    """Scenario and site are copied, and a task's command line names only what lies in the folder."""
    site = tmp_path / "there" / "cold.toml"
    site.parent.mkdir()
    site.write_text("[medians]\n" + "".join(f"inrow-{n} = [10, 20, 22, 30]\n" for n in (13, 15, 23, 25)))
    scenario = tmp_path / "there" / "mine.toml"
    scenario.write_text('site = "cold.toml"\n' + (HOUSE / "scenarios" / "hour.toml").read_text())
    file = made.file(
        tmp_path, 3, "[overrides]\nntp_every = 2\ndrawn.count = 1\ndrawn.clean_days = 0", scenario
    )
    folder = folder_for(file, tmp_path / "out")
    week = folder.weeks[0]
    assert (folder.path / "scenarios" / "hour.toml").read_bytes() == scenario.read_bytes()
    assert (folder.path / "scenarios" / "hour.site.toml").read_bytes() == site.read_bytes()
    assert (folder.path / "campaign.toml").read_bytes() == file.read_bytes()
    assert week.command == (
        "coldaisle", "up", "scenarios/hour.toml", "--seed", "1", "--set", "ntp_every=2", "--set", "drawn.count=1",
        "--set", "drawn.clean_days=0", "--set", 'site="hour.site.toml"', "--no-analysis",
        "--out", f"weeks/{week.digest}",
    )  # fmt: skip
    assert [(week.seed, week.role) for week in folder.weeks] == [(1, "train"), (2, "validate"), (3, "test")]
    assert {path.name for path in tmp_path.iterdir()} == {"there", "tiny.toml", "out"}


def test_the_name_of_a_week_follows_from_plan_and_version() -> None:
    """Another plan and another version of coldaisle give another name."""
    names = {digest_of_week(plan, version) for plan in ("a" * 64, "b" * 64) for version in ("1.0", "1.1")}
    assert len(names) == 4
    assert all(len(name) == 16 for name in names)


def test_every_week_is_played_once(campaign: Campaign, coldaisle: Call) -> None:
    """A campaign is played, with a line and an outcome for each week; the same command again finds nothing to do."""
    folder, file, house = campaign
    code, out, err = coldaisle("campaign", "run", file, "--out", folder.path, "--workers", 2)
    assert (code, out) == (0, f"4 weeks are done: {folder.path}\n")
    assert "4 of 4 weeks done" in err
    digests = sorted(week.digest for week in folder.weeks)
    assert sorted(path.name for path in (folder.path / "weeks").iterdir()) == made.calls(house) == digests
    lines = (folder.path / "campaign.log").read_text().splitlines()
    assert sorted(line.split()[1] for line in lines) == ["hour-1", "hour-2", "hour-3", "hour-4"]
    assert all(" done " in line and "load " in line and "steal " in line for line in lines)
    assert sorted(outcome.digest for outcome in records.outcomes(folder)) == digests
    assert list((folder.path / ".making").iterdir()) == list((folder.path / ".claims").iterdir()) == []
    assert coldaisle("campaign", "run", file, "--out", folder.path)[0] == 0
    assert coldaisle("campaign", "run", folder.path)[0] == 0  # the folder says all, too
    assert made.calls(house) == digests


def test_a_part_is_played_and_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coldaisle: Call
) -> None:
    """`--size S` plays the weeks of S; a larger size later plays the rest."""
    file = made.file(tmp_path, 4)
    file.write_text(file.read_text() + '[sizes]\nS = "1"\nM = "1-2"\n')
    folder = folder_for(file, tmp_path / "out")
    monkeypatch.setattr(attempt, "COMMAND", made.stand_in(tmp_path / "house", folder))
    for size, count in (("S", 1), ("M", 2), ("L", 4)):
        assert coldaisle("campaign", "run", file, "--out", folder.path, "--size", size)[0] == 0
        assert len(made.calls(tmp_path / "house")) == count


def test_a_spoiled_week_is_repeated_and_it_is_said(campaign: Campaign, coldaisle: Call) -> None:
    """What was not trustworthy, or was killed, is played again; the log says why."""
    folder, file, house = campaign
    noisy = folder.weeks[1].digest
    made.order(house, noisy, "exit 3 the run is not trustworthy: 5 packets were dropped", "die", "play")
    code, _, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert code == 0
    assert made.calls(house).count(noisy) == 3
    assert len(made.calls(house)) == 6
    assert "hour-2 spoiled, and repeated if attempts are left" in err
    log = (folder.path / "campaign.log").read_text()
    assert "hour-2 spoiled" in log
    assert "5 packets were dropped" in log
    assert "was killed by SIGKILL" in log


def test_repetitions_are_bounded(campaign: Campaign, coldaisle: Call) -> None:
    """A week that is spoiled three times is given up with exit code 3, all others are played, and the next call tries again."""
    folder, file, house = campaign
    bad = folder.weeks[0].digest
    made.order(house, bad, *["exit 3 the run is not trustworthy: load"] * playing.ATTEMPTS)
    code, out, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert (code, out) == (3, "")
    assert err.splitlines()[-1] == (
        "coldaisle: hour-1 failed: the run is not trustworthy: load; the same command tries again"
    )
    assert made.calls(house).count(bad) == playing.ATTEMPTS
    assert json.loads(coldaisle("campaign", "status", folder.path, "--json")[1]) == {
        "campaign": "tiny", "weeks": 4, "done": 3, "running": 0, "failed": 1, "missing": 0,
        "groups": [
            {"scenario": "hour", "role": "train", "done": 1, "running": 0, "failed": 1, "missing": 0},
            {"scenario": "hour", "role": "validate", "done": 1, "running": 0, "failed": 0, "missing": 0},
            {"scenario": "hour", "role": "test", "done": 1, "running": 0, "failed": 0, "missing": 0},
        ],
    }  # fmt: skip
    assert (
        "hour-1 spoiled: the run is not trustworthy: load" in coldaisle("campaign", "status", folder.path)[1]
    )
    assert coldaisle("campaign", "run", file, "--out", folder.path)[0] == 0


def test_a_fault_is_not_repeated(campaign: Campaign, coldaisle: Call) -> None:
    """A fault of our own ends the week at once and the campaign at last; all other weeks are played."""
    folder, file, house = campaign
    bad = folder.weeks[2].digest
    made.order(house, bad, "exit 70 ValueError in _made: nobody foresaw this error")
    code, _, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert code == 3
    assert "hour-3 failed: ValueError in _made: nobody foresaw this error" in err.splitlines()[-1]
    assert len(made.calls(house)) == 4


def test_what_a_machine_refuses_ends_the_campaign(campaign: Campaign, coldaisle: Call) -> None:
    """A full disk is one sentence and exit code 2; what is done stays done, nothing half-done is left."""
    folder, file, house = campaign
    made.order(house, folder.weeks[1].digest, "exit 2 /data: the disk at /data is full: free some space")
    code, out, err = coldaisle("campaign", "run", file, "--out", folder.path, "--workers", 1)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == "coldaisle: /data: the disk at /data is full: free some space"
    assert [folder.is_done(week) for week in folder.weeks] == [True, False, False, False]
    assert list((folder.path / ".making").iterdir()) == list((folder.path / ".claims").iterdir()) == []
    assert coldaisle("campaign", "run", file, "--out", folder.path)[0] == 0


def test_a_folder_that_takes_no_data_is_one_sentence(
    campaign: Campaign, coldaisle: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the runner itself cannot write, the campaign ends with the system's reason."""
    folder, file, _ = campaign

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(folder.path))

    monkeypatch.setattr(claims, "claim", full)
    code, _, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert code == 2
    assert "is full" in err.splitlines()[-1]


def test_a_run_that_is_not_whole_does_not_count(campaign: Campaign, coldaisle: Call) -> None:
    """A run whose files are not what its manifest says is not moved into place."""
    folder, file, house = campaign
    made.order(house, folder.weeks[0].digest, "tamper", "play")
    code, _, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert code == 3
    assert "data.txt: it is not what manifest.json says" in err.splitlines()[-1]
    assert not folder.is_done(folder.weeks[0])


def test_another_week_than_planned_does_not_count(campaign: Campaign, coldaisle: Call) -> None:
    """A machine that cannot play all kinds, or another version of coldaisle, plays another week: it is refused."""
    folder, file, house = campaign
    for week, change in zip(
        folder.weeks, ({"left_out": ["cable"]}, {"versions": {"coldaisle": "0"}}), strict=False
    ):
        facts = json.loads((house / f"{week.digest}.json").read_text())
        (house / f"{week.digest}.json").write_text(json.dumps(facts | change | {"plan_digest": "0" * 64}))
    code, _, err = coldaisle("campaign", "run", file, "--out", folder.path)
    assert code == 3
    assert "this machine cannot play cable" in err
    assert "another version of coldaisle played it" in err


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_a_runner_that_was_killed_leaves_nothing_running_and_is_resumed(
    campaign: Campaign, coldaisle: Call, blow: signal.Signals
) -> None:
    """A killed runner takes its programs with it; the same command then plays what is missing, and only that."""
    folder, file, house = campaign
    made.order(house, folder.weeks[3].digest, "hang", "play")
    runner = _started(campaign, "--workers", "4")
    _until(lambda: sum(map(folder.is_done, folder.weeks)) == 3 and len(made.calls(house)) == 4)
    hanging = [int(path.name.split(".")[2]) for path in (house / "calls").glob(f"{folder.weeks[3].digest}.*")]
    states = json.loads(coldaisle("campaign", "status", folder.path, "--json")[1])
    assert (states["done"], states["running"]) == (3, 1)
    runner.send_signal(blow)
    assert runner.wait(300) in (-signal.SIGKILL, 128 + signal.SIGTERM)
    _until(lambda: not Path(f"/proc/{hanging[0]}").exists())
    states = json.loads(coldaisle("campaign", "status", folder.path, "--json")[1])
    assert (states["done"], states["running"], states["missing"]) == (3, 0, 1)
    assert coldaisle("campaign", "run", file, "--out", folder.path)[0] == 0
    assert all(made.calls(house).count(week.digest) == 1 for week in folder.weeks[:3])
    assert all(folder.is_done(week) for week in folder.weeks)
    assert list((folder.path / ".making").iterdir()) == []
    runner.communicate()


def test_two_runners_share_a_folder(campaign: Campaign) -> None:
    """Two runners on one folder play each week once, and both end when all weeks are done."""
    folder, _, house = campaign
    runners = [_started(campaign, "--workers", "1") for _ in range(2)]
    assert [runner.wait(300) for runner in runners] == [0, 0]
    assert made.calls(house) == sorted(week.digest for week in folder.weeks)
    for runner in runners:
        runner.communicate()


def test_a_runner_takes_over_from_one_that_was_stopped(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt whose claim went stale is taken over, and gives up when it goes on."""
    folder, _, house = campaign
    week = folder.weeks[0]
    made.order(house, week.digest, "hang", "play")
    stopped = attempt.Attempt(folder, week)
    _until(lambda: made.calls(house))
    monkeypatch.setattr(claims, "STALE_S", -1.0)
    second = attempt.attempt(folder, week)
    assert second.ending == "done"
    monkeypatch.setattr(claims, "BEAT_S", -1.0)
    outcome = stopped.look()
    assert outcome is not None
    assert outcome.ending == "elsewhere"
    stopped.end()
    assert folder.is_done(week)


def test_what_only_a_driver_knows_is_written_down(campaign: Campaign) -> None:
    """The outcome of a week whose worker died is in the log, too, and none is there twice."""
    folder, _, _ = campaign
    lost = Outcome(
        digest=folder.weeks[0].digest,
        ending="failed",
        sentence="its worker died",
        host="x",
        began=datetime.now(UTC),
    )

    class Driver:
        def play(self, weeks: Sequence[Week]) -> Generator[Outcome, None, None]:
            yield lost
            yield from local.LocalDriver(folder, 2).play(
                [week for week in weeks if week.digest != lost.digest]
            )

    with (
        Display(folder, folder.weeks) as display,
        pytest.raises(RunError, match="hour-1 failed: its worker died"),
    ):
        playing.Playing(folder, list(folder.weeks), display).play(Driver())
    lines = (folder.path / "campaign.log").read_text().splitlines()
    assert sorted(line.split()[1] for line in lines) == ["hour-1", "hour-2", "hour-3", "hour-4"]


def test_a_driver_that_is_closed_ends_what_it_started(campaign: Campaign) -> None:
    """When its generator is closed, no program is left and no claim."""
    folder, _, house = campaign
    made.order(house, folder.weeks[0].digest, "hang")
    outcomes = local.LocalDriver(folder, 2).play(folder.weeks)
    next(outcomes)
    outcomes.close()
    (hanging,) = (house / "calls").glob(f"{folder.weeks[0].digest}.*")
    assert not Path(f"/proc/{hanging.name.split('.')[2]}").exists()
    assert list((folder.path / ".claims").iterdir()) == list((folder.path / ".making").iterdir()) == []


def test_a_program_outlives_the_thread_that_ordered_it(tmp_path: Path) -> None:
    """A child that a short-lived thread orders is not killed when that thread ends."""
    started = []
    with (tmp_path / "log").open("wb") as log:
        thread = threading.Thread(
            target=lambda: started.append(lasting.start(["sleep", "30"], tmp_path, log)), daemon=True
        )
        thread.start()
        thread.join()
        time.sleep(0.2)
        assert started[0].poll() is None
        started[0].kill()
        started[0].wait()
        with pytest.raises(FileNotFoundError):
            lasting.start(["/no/such/program"], tmp_path, log)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('name = "x"\nscenarios = ["none.toml"]\nseeds = "1"\nroles = { train = "1" }', ("none.toml", "scenarios/")),
        (
            'name = "x"\nscenarios = ["none.toml"]\nseeds = "1-2"\nroles = { train = "1-2", test = "2" }',
            ("roles.test", "seed 2 is in train, too"),
        ),
        ('name = "x"\nscenarios = ["HOUR"]\nseeds = "1"\nroles = { train = "1" }\noverrides = { colour = 1 }', ("colour",)),
        ('name = "x"\nscenarios = ["HOUR"]\nseeds = "1"\nroles = { train = "1" }\noverrides = { seed = 1 }', ("overrides.seed",)),
        ('name = "x"\nscenarios = ["HOUR", "HOUR"]\nseeds = "1"\nroles = { train = "1" }', ("two of them have the name hour",)),
    ],
)  # fmt: skip
def test_bad_files(coldaisle: Call, tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    """A file that is not right is refused in one sentence, and no folder is made."""
    (tmp_path / "bad.toml").write_text(text.replace("HOUR", str(HOUSE / "scenarios" / "hour.toml")))
    code, out, err = coldaisle("campaign", "run", tmp_path / "bad.toml", "--out", tmp_path / "out")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in parts)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_the_folder_of_another_campaign_is_refused(
    campaign: Campaign, coldaisle: Call, tmp_path: Path
) -> None:
    """So is a folder that holds something else, and one whose scenario has changed since."""
    folder, _, house = campaign
    other = made.file(tmp_path, 5)
    for text in ("it is the folder of another campaign, tiny", "--out"):
        code, _, err = coldaisle("campaign", "run", other, "--out", folder.path)
        assert (code, text in err, err.count("\n")) == (2, True, 1)
    code, _, err = coldaisle("campaign", "run", other, "--out", tmp_path)
    assert (code, "already holds something" in err) == (2, True)
    scenario = tmp_path / "hour.toml"
    scenario.write_text((HOUSE / "scenarios" / "hour.toml").read_text())
    file = made.file(tmp_path, 3, scenario=scenario)
    assert folder_for(file, tmp_path / "mine").file.name == "tiny"
    scenario.write_text(scenario.read_text().replace("readings = 3", "readings = 4"))
    code, _, err = coldaisle("campaign", "run", file, "--out", tmp_path / "mine")
    assert (code, "a scenario has changed" in err, err.count("\n")) == (2, True, 1)
    assert not (house / "calls").exists()


def test_what_is_no_campaign(coldaisle: Call, tmp_path: Path) -> None:
    """`status` of another folder is refused with the command that makes one."""
    code, _, err = coldaisle("campaign", "status", tmp_path)
    assert (code, "coldaisle campaign run FILE" in err, err.count("\n")) == (2, True, 1)


def test_commands_are_those_of_the_weeks_to_be_played(campaign: Campaign, coldaisle: Call) -> None:
    """`status --commands` prints the missing tasks, quoted for a shell."""
    folder, file, house = campaign
    made.order(house, folder.weeks[0].digest, *["exit 3 load"] * playing.ATTEMPTS)
    coldaisle("campaign", "run", file, "--out", folder.path)
    words = " ".join(folder.weeks[0].command)
    assert coldaisle("campaign", "status", folder.path, "--commands")[1] == f"{words}\n"


def test_the_page_says_what_is(tmp_path: Path) -> None:
    """The example of a file is valid, every key has its row, and the times, the names and the line of the log are the code's."""
    page = (HOUSE / "docs" / "campaigns.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    (tmp_path / "page.toml").write_text(example)
    assert load_campaign_file(tmp_path / "page.toml").roles["validate"] == "3"
    keys = re.findall(r"^\| `\[?(\w+)\]?` \|", page, re.MULTILINE)
    assert keys == list(CampaignFile.model_fields)
    words = " ".join(page.split())
    numbers = {1: "once", 2: "twice", 3: "three times"}
    for text in (
        f"claim every {claims.BEAT_S:g} s",
        f"after {claims.STALE_S:g} s without a touch",
        f"at most {numbers[playing.ATTEMPTS]} in one call",
        f"hidden folder `{MAKING}/`",
        f"a file in `{CLAIMS}/`",
    ):
        assert text in words
    (line,) = re.findall(r"^2026-.* done .*$", page, re.MULTILINE)
    facts = {
        "digest": "029271ddde16549c",
        "ending": "done",
        "host": "vm",
        "began": line[:20],
        "seconds": 78.3,
    }
    outcome = Outcome.model_validate({**facts, "cpu_s": 8.9, "load": 22.7, "steal": 0.001})
    week = Week(scenario="week", seed=2, role="train", size="S", digest=outcome.digest, command=())
    assert records.line(week, outcome) == line


def test_the_demo_is_a_campaign_of_four_short_weeks(tmp_path: Path) -> None:
    """The campaign that is shipped can be planned, has all three roles, and lasts four times two days."""
    folder = folder_for(HOUSE / "campaigns" / "demo.toml", tmp_path / "demo")
    assert [week.role for week in folder.weeks] == ["train", "train", "validate", "test"]
    assert all("duration_h=48" in week.command for week in folder.weeks)
