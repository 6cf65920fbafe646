"""Output for scripts: with ``--json`` standard output holds one JSON object and nothing else, whatever the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.analysis import made_detector
from tests.conftest import HOUSE
from tests.testbed import made_finished
from tests.testbed.conftest import Call

from coldaisle_analysis.audit import CHECKS
from coldaisle_contracts.manifest import Manifest, digest_of
from coldaisle_testbed import doctor, json_output
from coldaisle_testbed.cli import spread

HOUR = HOUSE / "scenarios" / "hour.toml"
COMMANDS = ("runs", "inject", "verify", "audit", "score", "doctor", "scenario check")


def _object(result: tuple[int, str, str], code: int = 0) -> dict[str, Any]:
    """Return the one object of a result, and assert that sentences go to standard error."""
    assert result[0] == code
    assert result[1].count("\n") == 1
    assert result[2] == "" if code == 0 else result[2].startswith("coldaisle: ")
    facts: dict[str, Any] = json.loads(result[1])
    assert facts.get("exit_code", 0) == code
    return facts


def test_verify(coldaisle: Call, finished_run: Path) -> None:
    """The object of a verified run has its counts, the agreement of its labels, both digests, and no problem."""
    manifest = Manifest.load(finished_run)
    assert _object(coldaisle("verify", finished_run, "--json")) == {
        "run": "made",
        "counts": manifest.counts,
        "precision": 1.0,
        "recall": 1.0,
        "unexplained_frames": 0,
        "semantic_digest": manifest.semantic_digest,
        "manifest_sha256": digest_of(finished_run),
        "signed_by": None,
        "problems": [],
    }


def test_verify_of_a_run_that_was_touched(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """A changed run gives exit code 3: the object lists every problem, and the sentence stays on standard error."""
    run = made_finished.copy(finished_run, tmp_path)
    for name in (made_finished.CAPTURE, "plan.json"):
        made_finished.flip(run / name)
    result = coldaisle("verify", "--json", run)
    facts = _object(result, 3)
    assert {problem.partition(":")[0] for problem in facts["problems"]} == {
        made_finished.CAPTURE,
        "plan.json",
    }
    assert result[2] == f"coldaisle: {facts['error']}\n"


def test_a_run_of_an_older_version_still_verifies(
    coldaisle: Call, finished_run: Path, tmp_path: Path
) -> None:
    """A run of another version verifies, and the object has that version."""
    run = made_finished.copy(finished_run, tmp_path)
    made_finished.refit(run, versions=Manifest.load(run).versions | {"coldaisle": "0.1.0"})
    assert _object(coldaisle("verify", run, "--json"))["problems"] == []


def test_runs(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """The object has the runs with state and counts, and the leftovers."""
    run = made_finished.copy(finished_run, tmp_path / "runs")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "manifest.json").write_text("{")
    (tmp_path / "runs" / ".begun").mkdir()
    facts = _object(coldaisle("runs", "--folder", tmp_path / "runs", "--json"))
    broken, finished = facts["runs"]
    assert (broken["run"], broken["state"], broken["packets"]) == ("broken", "broken", None)
    assert "manifest.json" in broken["problem"]
    assert (finished["state"], finished["engine"], finished["problem"]) == ("finished", "netns", None)
    assert finished["packets"] == Manifest.load(run).counts["packets"]
    assert [str(tmp_path / "runs" / ".begun")] in [leftover["paths"] for leftover in facts["leftovers"]]
    empty = _object(coldaisle("runs", "--folder", tmp_path / "none", "--json"))
    assert empty["runs"] == []


def test_runs_that_are_cleared(coldaisle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --clean there are two lists: what was removed and what was kept."""
    monkeypatch.setattr("coldaisle_testbed.leftovers.clean", lambda _: [])
    monkeypatch.setattr("coldaisle_testbed.leftovers.find", lambda _: [])
    facts = _object(coldaisle("runs", "--folder", tmp_path, "--clean", "--json"))
    assert facts == {"removed": [], "kept": []}


def test_audit(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """Without a file the scorecard itself is printed, at any place of the option; with a file, tables and file are as without --json."""
    last = _object(coldaisle("audit", finished_run, "--json"))
    assert last["subject"] == "made"
    assert {row["id"] for row in last["checks"]} == {check.id for check in CHECKS}
    assert _object(coldaisle("audit", "--json", "-", finished_run)) == last
    card = tmp_path / "card.json"
    code, out, _ = coldaisle("audit", finished_run, "--json", card)
    assert (code, out.startswith("{")) == (0, False)
    assert json.loads(card.read_text()) == last


def test_score(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """The object has the number of frames and every alarm, with or without a folder."""
    model, out = tmp_path / "made.skops", tmp_path / "out"
    made_detector.make().save(model)
    capture = finished_run / made_finished.CAPTURE
    facts = _object(coldaisle("score", model, capture, "--json"))
    assert (facts["frames"], facts["out"], facts["remarks"]) == (271, None, [])
    assert {alarm["event"] for alarm in facts["alarms"]} == {"alarm"}
    written = _object(coldaisle("score", model, capture, "--json", "--out", out))
    assert written == facts | {"out": str(out)}
    assert [json.loads(line) for line in (out / "alarms.jsonl").read_text().splitlines()] == facts["alarms"]


def test_doctor(coldaisle: Call) -> None:
    """The object has each check with its result, and a remedy if it failed."""
    checks = _object(coldaisle("doctor", "--json"))["checks"]
    assert {check["name"] for check in checks} > {"Python", "root", "Docker Engine"}
    assert all(bool(check["remedy"]) != check["ok"] for check in checks)


def test_scenario_check(coldaisle: Call) -> None:
    """The object has the contents of the plan and its whole digest."""
    facts = _object(coldaisle("scenario", "check", HOUR, "--json"))
    assert (facts["scenario"], facts["slots"], facts["episodes"]) == ("hour", 12, 4)
    assert len(facts["plan_digest"]) == 64


@pytest.mark.parametrize("command", COMMANDS)
def test_arguments_that_are_none(coldaisle: Call, command: str) -> None:
    """An unknown option gives exit code 2 and an error in JSON."""
    facts = _object(coldaisle(*command.split(), "--colour", "--json"), 2)
    assert facts["error"].startswith("arguments: No such option: --colour")
    assert set(facts) == {"error", "exit_code"}


@pytest.mark.parametrize("command", ["verify", "audit", "score model.skops", "scenario check"])
def test_what_is_not_there(coldaisle: Call, tmp_path: Path, command: str) -> None:
    """Bad input gives exit code 2 and an error in JSON with the sentence of standard error."""
    result = coldaisle(*command.split(), tmp_path / "none", "--json")
    assert result[2] == f"coldaisle: {_object(result, 2)['error']}\n"


def test_an_error_nobody_foresaw(coldaisle: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen error gives exit code 70 and an object, too."""
    monkeypatch.setattr(doctor, "checks", lambda **_: 1 // 0)
    assert "ZeroDivisionError" in _object(coldaisle("doctor", "--json"), 70)["error"]


def test_where_json_is_asked_for() -> None:
    """`audit --json` asks for JSON on standard output only without a file, or with `-`; then JSON is expected."""
    for words in ("audit RUN --json", "audit --json -", "audit --json --label L", "runs --json"):
        assert json_output.is_wanted(spread(words.split()))
    for words in ("audit RUN --json FILE", "runs", "audit RUN"):
        assert not json_output.is_wanted(spread(words.split()))


def test_the_documents_name_every_key(coldaisle: Call, finished_run: Path) -> None:
    """The page on JSON output has each command and each key of `verify`."""
    page = (HOUSE / "docs" / "json.md").read_text(encoding="utf-8")
    keys = _object(coldaisle("verify", finished_run, "--json"))
    for word in (*COMMANDS, *keys, "error", "exit_code", "removed", "kept", "leftovers"):
        assert f"`{word}`" in page, word
