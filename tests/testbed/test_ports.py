"""Every command that reads captures takes the ports of MQTT: what it says of a capture does not depend on where MQTT is."""

import json
from pathlib import Path

import pytest
from scapy.all import TCP, PcapReader, PcapWriter  # type: ignore[attr-defined]
from tests.analysis import made_detector
from tests.testbed import made_finished
from tests.testbed.conftest import Call

OTHER = 41_883


@pytest.fixture
def moved(finished_run: Path, tmp_path: Path) -> Path:
    """Return a capture in which MQTT is on another port."""
    path = tmp_path / "moved.pcap"
    with (
        PcapReader(str(finished_run / made_finished.CAPTURE)) as frames,
        PcapWriter(str(path), nano=True) as file,
    ):
        for frame in frames:
            if TCP in frame:
                ends = frame[TCP]
                ends.sport, ends.dport = (
                    OTHER if port == 1883 else port for port in (ends.sport, ends.dport)
                )
            file.write(frame)
    return path


def labels_of(folder: Path, count: int) -> Path:
    """Return a label table in which every seventh frame is an attack."""
    lines = ["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label"]
    lines += [f"{number};;;;;{int(number % 7 == 0)}" for number in range(1, count + 1)]
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_score(coldaisle: Call, finished_run: Path, moved: Path, tmp_path: Path) -> None:
    """The same alarms on either port; without the port it is said where MQTT is."""
    model = tmp_path / "made.skops"
    made_detector.make().save(model)

    def scored(*words: object) -> dict[str, object]:
        code, out, _ = coldaisle("score", model, *words, "--json")
        assert code == 0
        facts: dict[str, object] = json.loads(out)
        return facts

    assert scored(moved, "--port", OTHER, 1883) == scored(finished_run / made_finished.CAPTURE)
    assert f"`--port {OTHER}`" in str(scored(moved)["remarks"])


@pytest.mark.parametrize("command", ["audit", "decode", "fit"])
def test_remarks_are_printed(coldaisle: Call, moved: Path, tmp_path: Path, command: str) -> None:
    """A capture with MQTT elsewhere gets the remark that says so, and none when its port is named."""
    labels = labels_of(tmp_path, 271)
    words: dict[str, list[object]] = {
        "audit": ["audit", "--pcap", moved, "--labels", labels],
        "decode": ["decode", moved, "--out", tmp_path / "tables"],
        "fit": ["fit", moved],
    }
    remark = "of MQTT are on other ports"
    outputs = [
        " ".join(" ".join(coldaisle(*words[command], *more)[1:]).split()) for more in ([], ["--port", OTHER])
    ]
    assert [remark in output for output in outputs] == [True, False]
