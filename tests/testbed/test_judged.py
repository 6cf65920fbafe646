"""`coldaisle judge`: a new analysis with the result beside what was there, or a folder of one's own; nothing that was sealed changes."""

import json
from pathlib import Path

import pytest
from tests.testbed import made_finished
from tests.testbed.conftest import Call

from coldaisle_analysis import tables
from coldaisle_contracts.manifest import Manifest, sha256_of
from coldaisle_testbed.verification.folder import unsealed


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return made_finished.copy(finished_run, tmp_path)


@pytest.fixture
def alerts(run: Path, tmp_path: Path) -> Path:
    """Alerts on every attack frame of it."""
    packets = tables.read_level(run, "packets")
    path = tmp_path / "alerts.csv"
    packets.loc[packets["label"] == 1, ["frame"]].to_csv(path, index=False)
    return path


def test_a_judgement_is_a_new_analysis(run: Path, alerts: Path, coldaisle: Call) -> None:
    """The result is in the next analysis with all that the newest one holds; that one and the run stay, and the run verifies."""
    before = {path: sha256_of(path) for path in run.rglob("*") if path.is_file() and not path.is_symlink()}
    code, out, err = coldaisle("judge", run, alerts)
    assert (code, err) == (0, "")
    assert "precision 1.000, recall 1.000" in out
    second = run / "analyses" / "002"
    assert (run / "analyses" / "latest").resolve() == second
    assert sorted(path.name for path in second.iterdir()) == [
        "DATASHEET.md",
        "SCORECARD.json",
        "judged",
        "manifest.json",
    ]
    assert {path: sha256_of(path) for path in before if path.is_file()} == before
    assert unsealed(run, Manifest.load(run)) == []


def test_detectors_stand_side_by_side(run: Path, alerts: Path, coldaisle: Call) -> None:
    """A second detector's result joins the first one's; each has its row and the frame of each alert."""
    for name in ("one", "two"):
        assert coldaisle("judge", run, alerts, "--name", name)[0] == 0
    judged = run / "analyses" / "003" / "judged"
    assert sorted(path.name for path in judged.iterdir()) == ["one.csv", "one.json", "two.csv", "two.json"]
    assert json.loads((judged / "two.json").read_text())[0]["model"] == "two"
    assert (judged / "one.csv").read_text().splitlines()[
        0
    ] == "alert,name,score,rule,frame,label,kind,episode"


def test_json_is_one_object(run: Path, alerts: Path, tmp_path: Path, coldaisle: Call) -> None:
    """With --json and --out the row is on standard output, the results are in the folder, and the run has no new analysis."""
    code, out, _ = coldaisle("judge", run, alerts, "--json", "--out", tmp_path / "mine")
    row = json.loads(out)
    assert (code, row["f1"], row["unmatched"], row["out"]) == (0, 1.0, 0, str(tmp_path / "mine"))
    assert (tmp_path / "mine" / "judged" / "alerts.json").is_file()
    assert [path.name for path in (run / "analyses").iterdir() if path.name.isdigit()] == ["001"]


@pytest.mark.parametrize("form", ["with --alerts", "behind the labels", "in front"])
def test_labelled_captures(run: Path, alerts: Path, tmp_path: Path, coldaisle: Call, form: str) -> None:
    """A capture with a label table is judged likewise, whichever way the alerts are named, and its page stands alone."""
    packets = tables.read_level(run, "packets")
    table = tmp_path / "labels.csv"
    lines = [f"{number};;;;;{label}" for number, label in enumerate(packets["label"], 1)]
    table.write_text(
        "\n".join(["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label", *lines]) + "\n"
    )
    capture = ["--pcap", run / made_finished.CAPTURE, "--labels", table]
    words = {
        "with --alerts": [*capture, "--alerts", alerts],
        "behind the labels": [*capture, alerts],
        "in front": [alerts, *capture],
    }
    code, out, err = coldaisle("judge", *words[form], "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "precision 1.000, recall 1.000" in out
    page = (tmp_path / "out" / "index.html").read_text()
    assert "kind by kind" in page
    assert "http" not in page.replace("http://www.w3.org/", "")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "give RUN ALERTS"),
        (["RUN"], "give RUN ALERTS"),
        (["RUN", "nothing.json"], "nothing.json"),
        (["nowhere", "ALERTS"], "nowhere"),
        (["RUN", "ALERTS", "--out", "RUN/x"], "lies in the finished run"),
        (["RUN", "ALERTS", "--name", "../x"], "--name"),
        (["--pcap", "a.pcap", "--alerts", "ALERTS"], "give RUN ALERTS"),
    ],
)
def test_bad_words_leave_nothing(
    run: Path, alerts: Path, coldaisle: Call, arguments: list[str], part: str
) -> None:
    """Each is one sentence and exit code 2, and the run has no new analysis."""
    words = [word.replace("RUN", str(run)).replace("ALERTS", str(alerts)) for word in arguments]
    code, out, err = coldaisle("judge", *words)
    assert (code, out) == (2, "")
    assert part in err
    assert sorted(path.name for path in (run / "analyses").iterdir()) == ["001", "latest"]


def test_a_run_that_was_changed_is_not_judged(run: Path, alerts: Path, coldaisle: Call) -> None:
    """Its sentence names the file that changed, with exit code 3."""
    made_finished.flip(run / "dataset" / "packets.csv")
    code, _, err = coldaisle("judge", run, alerts)
    assert code == 3
    assert "dataset/packets.csv" in err
