"""The command line: bad input is one sentence and exit code 2; a changed run is exit code 3."""

import io
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from scapy.all import TCP  # type: ignore[attr-defined]
from tests.analysis.decoding import made
from tests.analysis.decoding.made import pcap
from tests.conftest import HOUSE
from tests.testbed import made_finished
from tests.testbed.conftest import Call

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import DRAWN, SHIPPED
from coldaisle_contracts.manifest import digest_of
from coldaisle_testbed import doctor, sharding
from coldaisle_testbed.cli import spread
from coldaisle_testbed.engines import compose
from coldaisle_testbed.progress import Progress

HOUR = HOUSE / "scenarios" / "hour.toml"


def _assert_one_sentence(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert code == 2
    assert out == ""
    assert err.startswith("coldaisle: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def _scenario(folder: Path, extra: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(extra + "\n" + HOUR.read_text())
    return path


def test_missing_scenario(coldaisle: Call, tmp_path: Path) -> None:
    """A missing scenario is refused with the files to name instead."""
    for command in (("up",), ("scenario", "check"), ("scenario", "show")):
        _assert_one_sentence(coldaisle(*command, tmp_path / "none.toml"), "none.toml", "scenarios/")


def test_unknown_key(coldaisle: Call, tmp_path: Path) -> None:
    """An unknown key is refused with the key and its file."""
    result = coldaisle("scenario", "check", _scenario(tmp_path, "colour = 'blue'"))
    _assert_one_sentence(result, "mine.toml: key colour", "remove it")


def test_bad_value(coldaisle: Call, tmp_path: Path) -> None:
    """A bad value is refused with its key."""
    result = coldaisle("scenario", "check", _scenario(tmp_path, "interval_s = 7"))
    _assert_one_sentence(result, "mine.toml", "7")


@pytest.mark.parametrize("command", ["verify", "analyse", "reproduce"])
def test_what_is_no_run(coldaisle: Call, tmp_path: Path, command: str) -> None:
    """A folder without a finished run is refused with the folder to name instead."""
    _assert_one_sentence(coldaisle(command, tmp_path), "manifest.json", "runs/latest")


def test_export_to_no_format(coldaisle: Call, tmp_path: Path) -> None:
    """An unknown format, or none, is refused with the list of formats."""
    formats = "parquet, csv, pcapng, zeek, eve"
    _assert_one_sentence(
        coldaisle("export", tmp_path, "--to", "csv", "xls"), "--to is 'xls': use one of", formats
    )
    _assert_one_sentence(coldaisle("export", tmp_path), "--to: name one or more of", formats)
    _assert_one_sentence(coldaisle("export", tmp_path, "--to", "csv"), "manifest.json", "runs/latest")
    assert list(tmp_path.iterdir()) == []


def test_audit_of_a_table(coldaisle: Call, tmp_path: Path) -> None:
    """A table with labels gives findings and a scorecard; any other file, or none, is refused."""
    table, card = tmp_path / "rows.csv", tmp_path / "SCORECARD.json"
    table.write_text("ip_src,size,label\n" + "198.18.0.41,80,0\n198.18.0.66,80,1\n" * 50)
    code, out, _ = coldaisle("audit", table, "--json", card)
    assert (code, "\n B3   table     bad " in out) == (0, True)
    assert json.loads(card.read_text())["subject"] == "rows.csv"
    _assert_one_sentence(coldaisle("audit", table, "--label", "Class"), "rows.csv: column Class", "--label")
    _assert_one_sentence(coldaisle("audit", tmp_path / "none.csv"), "none.csv", "name a run")
    _assert_one_sentence(coldaisle("audit"), "--pcap", "--labels")
    _assert_one_sentence(coldaisle("audit", "--pcap", table), "--pcap", "--labels")


def test_audit_of_a_table_in_several_files(coldaisle: Call, tmp_path: Path) -> None:
    """Files, a folder and a pattern are one table; --benign names the classes that are no attack, and remarks say what was done."""
    for day in (1, 2):
        rows = "198.18.0.41,80,web browsing\n198.18.0.66,80,flood\n" * 50
        (tmp_path / f"Day{day}.csv").write_text("ip_src,size,label\n" + rows)
    files = [tmp_path / "Day1.csv", tmp_path / "Day2.csv"]
    _assert_one_sentence(coldaisle("audit", *files), "flood, web browsing", "--benign NAME")
    cards = []
    for places in (files, [tmp_path], [tmp_path / "Day*.csv"]):
        code, out, _ = coldaisle("audit", *places, "--benign", "Web Browsing", "--json")
        cards.append(json.loads(out))
        assert (code, cards[-1]["subject"]) == (0, "2 tables from Day1.csv")
    assert cards[0] == cards[1] == cards[2]
    assert cards[0]["remarks"] == [
        "2 files were read as one table, from Day1.csv to Day2.csv.",
        "label: web browsing counts as no attack (100 of 200 rows), flood as attack.",
    ]
    _assert_one_sentence(coldaisle("audit", tmp_path / "Week*.csv"), "Week*.csv", "name a run")
    _assert_one_sentence(coldaisle("audit", tmp_path.parent, "--benign", "none"), "--benign", "for tables")


def test_analyse_wants_all_of_it(coldaisle: Call, tmp_path: Path) -> None:
    """Captures without labels are refused with the right form of the call."""
    _assert_one_sentence(coldaisle("analyse", "--pcap", tmp_path / "a.pcap"), "--labels")


def test_truncated_capture(coldaisle: Call, tmp_path: Path) -> None:
    """A truncated capture is refused with the place, and no table is left."""
    path, out = tmp_path / "cut.pcap", tmp_path / "out"
    path.write_bytes(b"\x4d\x3c\xb2\xa1\x02\0\x04\0" + bytes(8) + b"\xff\xff\0\0\x01\0\0\0" + bytes(9))
    _assert_one_sentence(coldaisle("decode", path, "--out", out), "cut.pcap")
    assert not out.exists()


def test_other_values_of_a_scenario(coldaisle: Call, tmp_path: Path) -> None:
    """`up --set` with an unknown key, a wrong value or no KEY=VALUE is refused, and nothing is made."""
    for change, part in (
        ("colour=1", "key colour"),
        ("duration_h=0", "key duration_h is 0"),
        ("seven", "KEY=VALUE"),
    ):
        _assert_one_sentence(coldaisle("up", HOUR, "--set", change, "--out", tmp_path / "run"), part)
    assert list(tmp_path.iterdir()) == []


def test_netns_without_root(coldaisle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root, `--engine netns` is refused with both remedies."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _assert_one_sentence(coldaisle("up", HOUR, "--engine", "netns"), "needs root", "sudo", "--engine compose")


def test_no_engine_at_all(coldaisle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root and without Docker, the sentence names both remedies."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(compose, "answers", lambda: False)
    _assert_one_sentence(coldaisle("up", HOUR), "as root", "Docker")


@pytest.mark.parametrize("obstacle", ["full folder", "file", "unfinished", "no folder"])
def test_out_that_cannot_be_used(
    coldaisle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    """No output is overwritten: a full folder, a file, an unfinished run and an unusable parent are refused."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    out, blocking = tmp_path / "run", tmp_path / "run" / "mine.txt"
    if obstacle == "file":
        blocking = out
    elif obstacle == "unfinished":
        blocking = tmp_path / ".run" / "plan.json"
    elif obstacle == "no folder":
        blocking, out = tmp_path / "mine.txt", tmp_path / "mine.txt" / "run"
    blocking.parent.mkdir(exist_ok=True)
    blocking.write_text("mine")
    _assert_one_sentence(coldaisle("up", HOUR, "--out", out), str(tmp_path))
    assert blocking.read_text() == "mine"


def test_failed_run_leaves_nothing(coldaisle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without libfaketime the sentence has the remedy, and no part of a run is left."""

    def missing() -> str:
        raise InputError("libfaketime", "it is not installed: apt-get install faketime")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sharding, "faketime_library", missing)
    code, _, err = coldaisle("up", HOUR, "--out", tmp_path / "run")
    assert (code, err.splitlines()[-1]) == (
        2,
        "coldaisle: libfaketime: it is not installed: apt-get install faketime",
    )
    assert list(tmp_path.iterdir()) == []


def test_unknown_option_is_usage_not_traceback(coldaisle: Call) -> None:
    """An unknown option ends with exit code 2 and the usage."""
    code, _, err = coldaisle("up", "--colour", "blue")
    assert code == 2
    assert "No such option" in err
    assert "Traceback" not in err


def test_help_has_examples(coldaisle: Call) -> None:
    """Every command's help shows how to call it."""
    for command in (
        ["up"],
        ["verify"],
        ["analyse"],
        ["decode"],
        ["export"],
        ["reproduce"],
        ["fit"],
        ["site", "from"],
        ["runs"],
        ["doctor"],
        ["scenario", "check"],
        ["scenario", "show"],
    ):
        code, out, _ = coldaisle(*command, "--help")
        assert code == 0
        assert f"coldaisle {' '.join(command)}" in out.split("Examples")[1]


def test_scenario_show_draws_every_lane(coldaisle: Call) -> None:
    """By default the timeline has a row for each unit and the broker and one line of totals, but no list."""
    code, out, _ = coldaisle("scenario", "show", HOUR)
    assert code == 0
    rows = [line.removeprefix("Mon 02").split()[0] for line in out.splitlines() if "·" in line]
    assert rows == ["inrow-13", "inrow-15", "inrow-23", "inrow-25", "broker"]
    assert "4 episodes, 4 kinds, 12 acts" in out
    assert "e01" not in out


def test_scenario_show_lists_every_episode(coldaisle: Call) -> None:
    """With --list each episode is shown with its local time and kind."""
    code, out, _ = coldaisle("scenario", "show", HOUR, "--list")
    assert code == 0
    for begin, kind in (("00:15", "interception"), ("00:20", "modification"), ("00:25", "removal")):
        assert any(begin in line and kind in line for line in out.splitlines())


def test_scenario_show_lists_the_longest_names_whole(coldaisle: Call) -> None:
    """In 80 columns, the width of a pipe, ids, kinds and variants of the busiest scenario are not cut."""
    _, out, _ = coldaisle("scenario", "show", HOUSE / "scenarios" / "intrusions.toml", "--list")
    listed = [line.split() for line in out.splitlines() if re.match(r"e\d{3} ", line)]
    assert [row[0] for row in listed] == [f"e{number:03d}" for number in range(1, len(listed) + 1)]
    assert {row[3] for row in listed} == set(DRAWN)
    assert {row[4] for row in listed} == {variant for name in DRAWN for variant in SHIPPED[name].variants}
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


def test_scenario_show_draws_a_picture(coldaisle: Call, tmp_path: Path) -> None:
    """With --svg the timeline is written to a file of its own and replaces an older one."""
    path = tmp_path / "hour.svg"
    path.write_text("old")
    code, out, err = coldaisle("scenario", "show", HOUR, "--svg", path)
    assert (code, err) == (0, "")
    assert "inrow-13" in out
    assert path.read_text().startswith("<svg ")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["missing/hour.svg", ""])
def test_scenario_show_refuses_a_picture_it_cannot_write(coldaisle: Call, tmp_path: Path, where: str) -> None:
    """A missing folder, or a folder in the file's place, is refused in one sentence, and no file is left."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    result = coldaisle("scenario", "show", HOUR, "--svg", folder / where)
    _assert_one_sentence(result, "--svg", str(folder), "cannot be written", "name a file")
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == []


def test_no_runs_yet(coldaisle: Call, tmp_path: Path) -> None:
    """If there are no runs, the output says how to make one."""
    code, out, _ = coldaisle("runs", "--folder", tmp_path)
    assert code == 0
    assert "coldaisle up" in out


def test_option_takes_all_values_that_follow() -> None:
    """``--pcap a b --labels c`` is read as a shell expands a pattern."""
    assert spread(["analyse", "--pcap", "a", "b", "--labels", "c", "d", "--out", "e"]) == [
        "analyse", "--pcap", "a", "--pcap", "b", "--labels", "c", "--labels", "d", "--out", "e",
    ]  # fmt: skip


def test_ports_are_the_numbers_that_follow() -> None:
    """``--port 1883 1884`` names two; a file behind a port is no port."""
    assert spread(["decode", "--port", "1883", "1884", "a.pcap"]) == [
        "decode", "--port", "1883", "--port", "1884", "a.pcap",
    ]  # fmt: skip


def test_decode_takes_ports_and_a_version(coldaisle: Call, tmp_path: Path) -> None:
    """What is not told is not read, or read as what it shows; a version that does not exist is refused."""
    frames = [made.up(made.publish(b"\0\1"), port=port) for port in (40_001, 40_002)]
    frames[1][TCP].dport = 1884
    path = made.pcap(tmp_path / "a.pcap", frames)
    code, out, _ = coldaisle("decode", path, "--out", tmp_path / "one")
    assert (code, out.startswith("2 frames, 1 messages"), "--mqtt-version" in out) == (0, True, True)
    code, out, _ = coldaisle(
        "decode", "--port", 1883, 1884, path, "--mqtt-version", "5", "--out", tmp_path / "two"
    )
    assert (code, out.startswith("2 frames, 2 messages"), "--mqtt-version" in out) == (0, True, False)
    refused = coldaisle("decode", path, "--mqtt-version", "6", "--out", tmp_path / "three")
    _assert_one_sentence(refused, "--mqtt-version is '6': name a version of MQTT: 3.1, 3.1.1 or 5")
    assert not (tmp_path / "three").exists()


def test_progress_is_one_line_a_step_in_a_log() -> None:
    """Without a terminal each step prints one line with its time and without control characters."""
    log, seconds = io.StringIO(), dict[str, float]()
    progress = Progress(Console(file=log, width=40))
    with progress.step("playing a scenario whose name is rather long for a line", seconds, "play"):
        pass
    progress("done")
    lines = log.getvalue().splitlines()
    assert [line.split("s  ", 1)[1] for line in lines] == [
        "playing a scenario whose name is rather long for a line",
        "done",
    ]
    assert "\x1b" not in log.getvalue()
    assert set(seconds) == {"play"}


def test_names_are_no_markup(coldaisle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's name is printed unchanged even if it looks like markup, and control characters in it are escaped."""
    monkeypatch.chdir(tmp_path)
    capture = pcap(tmp_path / "made.pcap", [])
    code, out, err = coldaisle("decode", capture, "--out", "[bold]x[]")
    assert (code, out, err) == (0, "0 frames, 0 messages: [bold]x[]\n", "")
    _assert_one_sentence(
        coldaisle("decode", "a\nb\x1b[2J.pcap", "--out", "y"), "a\\nb\\x1b[2J.pcap: cannot be read"
    )
    code, _, err = coldaisle("fit", "[bold]\x1b[2J.csv")
    assert code == 2
    assert "[bold]\\x1b[2J.csv" in err.splitlines()[0]
    assert "\x1b" not in err


def test_an_error_nobody_foresaw(coldaisle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen error in any command prints its place, ends with exit code 70, and writes the traceback to a named file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(doctor, "checks", lambda **_: 1 // 0)
    code, out, err = coldaisle("doctor")
    assert (code, out, err.count("\n")) == (70, "", 1)
    (log,) = tmp_path.glob("coldaisle-error-*.log")
    assert err.startswith(
        "coldaisle: ZeroDivisionError (integer division or modulo by zero) in doctor (cli.py, line "
    )
    assert str(log) in err
    assert "Traceback" in log.read_text()


def test_long_sentence_stays_one_line(coldaisle: Call, tmp_path: Path) -> None:
    """Errors are not wrapped, even with a long path."""
    deep = tmp_path / ("x" * 100) / ("y" * 100) / "none.toml"
    _assert_one_sentence(coldaisle("scenario", "check", deep), str(deep))


# -- a finished run ----------------------------------------------------------------------------------------------


@pytest.fixture
def copy_of_run(hour_run: Path, tmp_path: Path) -> Path:
    """A copy of the real run that a test may damage."""
    return Path(shutil.copytree(hour_run, tmp_path / "hour"))


def _edit_json(path: Path, condition: Callable[[dict[str, object]], bool], **changes: object) -> None:
    """Change the first line of a journal that meets a condition."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        facts = json.loads(line)
        if condition(facts):
            lines[number] = json.dumps(facts | changes, separators=(",", ":"))
            path.write_text("\n".join(lines) + "\n")
            return
    raise AssertionError(path)


@pytest.mark.netns
def test_verify_passes_an_untouched_run(coldaisle: Call, hour_run: Path) -> None:
    """An unchanged run verifies with exit code 0 and its counts."""
    code, out, err = coldaisle("verify", hour_run)
    assert (code, err) == (0, "")
    assert "every act found, every reading accounted for" in out


@pytest.mark.netns
@pytest.mark.parametrize("what", ["reading", "act", "frame", "capture", "raw", "dataset", "missing", "plan"])
def test_verify_names_what_was_changed(coldaisle: Call, copy_of_run: Path, what: str) -> None:
    """One changed line, byte or file of a run gives exit code 3 and a sentence that names it."""
    journal = copy_of_run / "journal"
    named = {
        "reading": "journal/inrow-13.jsonl",
        "act": "journal/injector.jsonl",
        "frame": "journal/injector.jsonl",
        "capture": "capture/day-1-000.pcap",
        "raw": "capture/raw/day-1-000.pcap",
        "dataset": "dataset/readings.parquet",
        "missing": "dataset/packets.parquet",
        "plan": "plan.json",
    }[what]
    spoilt = copy_of_run / named
    if what == "reading":
        _edit_json(journal / "inrow-13.jsonl", lambda line: line["event"] == "reading", value="99.99")
    elif what == "act":
        _edit_json(spoilt, lambda line: line["event"] == "act", after="99.99")
    elif what == "frame":
        _edit_json(spoilt, lambda line: line.get("side") == "broker", digest="0" * 16)
    elif what == "missing":
        spoilt.unlink()
    else:
        data = bytearray(spoilt.read_bytes())
        data[-1] ^= 1 if what in ("capture", "raw") else 0
        spoilt.write_bytes(data if what in ("capture", "raw") else data + b"\n")
    code, _, err = coldaisle("verify", copy_of_run)
    assert code == 3
    assert err.startswith("coldaisle: the run is not trustworthy: ")
    assert named in err


@pytest.mark.netns
def test_runs_lists_size_and_state(coldaisle: Call, copy_of_run: Path) -> None:
    """A finished run is listed with its counts, one with a broken manifest as broken; hidden folders of other programs are not listed."""
    broken = copy_of_run.with_name("broken")
    broken.mkdir()
    shutil.copy(copy_of_run / "plan.json", broken)
    (broken / "manifest.json").write_text("{")
    (copy_of_run.parent / ".git").mkdir()
    (copy_of_run.parent / ".git" / "config").touch()
    (copy_of_run.parent / "alarms").mkdir()
    code, out, _ = coldaisle("runs", "--folder", copy_of_run.parent)
    assert code == 0
    assert any("hour" in line and "finished" in line and "netns" in line for line in out.splitlines())
    assert any(line.split()[:2] == ["broken", "broken:"] for line in out.splitlines())
    assert "alarms" not in out
    assert ".git" not in out


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (("decode", "RUN/capture/day-1-000.pcap", "--out", "RUN"), "--out"),
        (("decode", "RUN/capture/day-1-000.pcap", "--out", "RUN/dataset"), "--out"),
        (("score", "none.skops", "RUN/capture/day-1-000.pcap", "--out", "RUN/scores"), "--out"),
        (("export", "RUN", "--to", "csv", "--out", "RUN/dataset/csv"), "--out"),
        (("analyse", "RUN", "--out", "RUN/analyses/mine"), "--out"),
        (("analyse", "--pcap", "a.pcap", "--labels", "a.csv", "--out", "RUN/more"), "--out"),
        (("audit", "RUN", "--json", "RUN/SCORECARD.json"), "--json"),
        (("fit", "RUN/capture/day-1-000.pcap", "--out", "RUN/site.toml"), "--out"),
        (("site", "from", "RUN/capture/day-1-000.pcap", "--out", "RUN/site.toml"), "--out"),
        (("up", HOUR, "--out", "RUN/more"), "--out"),
        (("live", "--out", "RUN/alarms"), "--out"),
        (("sbom", "RUN", "--out", "RUN/sbom.json"), "--out"),
        (("scenario", "show", HOUR, "--svg", "RUN/hour.svg"), "--svg"),
    ],
)
def test_nothing_is_written_into_a_finished_run(
    coldaisle: Call, finished_run: Path, command: tuple[object, ...], place: str
) -> None:
    """No command writes into a finished run, and the sentence says so."""
    before = sorted(finished_run.rglob("*"))
    words = [str(word).replace("RUN", str(finished_run)) for word in command]
    _assert_one_sentence(coldaisle(*words), f"{place} is ", f"lies in the finished run {finished_run}")
    assert sorted(finished_run.rglob("*")) == before


def test_a_run_is_signed_and_held_to_it(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """`sign` prints the path of the signature; `verify` checks the signer and the sha256 that `up` printed."""
    run = made_finished.copy(finished_run, tmp_path)
    key = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True, timeout=300)
    (tmp_path / "allowed").write_text(f"ada {(tmp_path / 'key.pub').read_text()}")
    assert coldaisle("sign", run, "--key", key) == (0, f"signed: {run / 'manifest.json.sig'}\n", "")
    digest = digest_of(run)
    code, out, err = coldaisle("verify", run, "--signers", tmp_path / "allowed", "--manifest-digest", digest)
    assert (code, err) == (0, "")
    assert out.endswith(f"sha256 of its manifest {digest}\nsigned by ada\n")
    code, out, err = coldaisle("verify", run, "--manifest-digest", "0" * 64)
    assert (code, out) == (3, "")
    assert f"manifest.json has the sha256 {digest}, not that of --manifest-digest" in err
