"""Tests of the labels that people have: classes of whole captures, tables, rules, and comments of a pcapng."""

from pathlib import Path

import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_frames import frame
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset
from coldaisle_analysis.export import export
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST

START = 1_772_409_600 * SECOND
"""2026-03-02T00:00:00Z."""
ARP = bytes.fromhex(
    "ffffffffffff0242c61200290806000108000604000102 42c61200 29c6120029000000000000c6120001".replace(" ", "")
)


def capture(path: Path) -> Path:
    """Write a capture of six frames, one per second: three to port 1883, one back, one to port 123, and an ARP request."""
    frames = [
        frame((40001, 1883), 2), frame((40001, 1883), seq=2), frame((40001, 1883), back=True),
        frame((40002, 1884)), frame((123, 123), proto=17, payload=bytes(48)), ARP,
    ]  # fmt: skip
    made_run.pcap(path, [(START + number * SECOND, data) for number, data in enumerate(frames)])
    return path


def kinds(pcaps: list[Path], labels: list[Path]) -> tuple[list[str], tuple[str, ...]]:
    """Return the kind of each frame, and the remarks."""
    built = dataset.from_captures(pcaps, labels)
    assert (built.packets["label"] == (built.packets["kind"] != "normal")).all()
    return built.packets["kind"].astype("str").tolist(), built.remarks


def rules(folder: Path, *lines: str) -> Path:
    """Write a file of rules."""
    (folder / "rules.csv").write_text("\n".join(lines) + "\n")
    return folder / "rules.csv"


def test_a_capture_has_one_class(tmp_path: Path) -> None:
    """`NAME=CLASS` labels every frame of that capture; another capture keeps its own labels."""
    pcaps = [capture(tmp_path / name) for name in ("attack.pcap", "calm.pcap")]
    given = [Path("attack.pcap=flood"), Path("calm.pcap=Benign")]
    assert kinds(pcaps, given)[0] == ["flood"] * 6 + ["normal"] * 6
    with pytest.raises(
        InputError, match=r"--labels is 'none.pcap=flood': names no capture; there are attack.pcap, calm.pcap"
    ):
        kinds(pcaps, [Path("none.pcap=flood")])
    with pytest.raises(
        InputError, match="one source of labels is needed for each capture: 2 captures, 1 with a class"
    ):
        kinds(pcaps, given[:1])
    with pytest.raises(InputError, match="names no class"):
        kinds(pcaps, [Path("attack.pcap=")])


def test_rules_name_classes(tmp_path: Path) -> None:
    """The first rule that matches names the class: by address, network, MAC address, port, time with an offset, filter and capture."""
    pcap = capture(tmp_path / "a.pcap")
    path = rules(
        tmp_path,
        "class,from,to,address,port,filter,capture",
        "scan,,,,,tcp[tcpflags] & tcp-syn != 0,a.*",
        "brute force,2026-03-02T01:00:01+01:00,2026-03-02T00:00:03Z,198.18.0.41,1883,,",
        "normal,,,,1884-1885,,",
        "spoofing,,,02:42:c6:12:00:29,,arp,",
        "attack,,,198.18.0.0/24,123,,",
        "never,,,,,,b.pcap",
    )
    found, remarks = kinds([pcap], [path])
    assert found == ["scan", "brute force", "brute force", "normal", "attack", "spoofing"]
    assert remarks == (
        "rules.csv: the rule in line 7 (never) matches no frame that no rule before it matches",
    )


def test_rules_refine_a_class(tmp_path: Path) -> None:
    """Rules go before the class of the whole capture; episodes are told apart by kind."""
    pcap = capture(tmp_path / "a.pcap")
    path = rules(tmp_path, "class;port", "normal;123")
    built = dataset.from_captures([pcap], [Path("a.pcap=flood"), path]).packets
    assert built["kind"].astype("str").tolist() == ["flood"] * 4 + ["normal", "flood"]
    assert built["episode"].isna().tolist() == [False] * 4 + [True, False]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "scan,2026-03-02T00:00:00,,",
            r"line 2: from is '2026-03-02T00:00:00': write ISO 8601 with an offset",
        ),
        ("scan,,198.18.0.300,", r"line 2: address is '198.18.0.300': write an IP address"),
        ("scan,,,tcp and and", r"line 2: filter is 'tcp and and': is no capture filter"),
        (",,,", r"line 2: class: name the class of the frames"),
    ],
)
def test_a_rule_that_cannot_be_used(tmp_path: Path, line: str, problem: str) -> None:
    """File, line, column and value are named, and what to write."""
    with pytest.raises(InputError, match=problem):
        kinds([capture(tmp_path / "a.pcap")], [rules(tmp_path, "class,from,address,filter", line)])
    with pytest.raises(InputError, match=r"line 1 is 'colour': give a CSV of rules"):
        kinds([capture(tmp_path / "a.pcap")], [rules(tmp_path, "class,colour", "a,b")])


def test_a_table_names_classes(tmp_path: Path) -> None:
    """The published form takes names of classes, too; a number that is neither 0 nor 1 is refused."""
    pcap, path = capture(tmp_path / "a.pcap"), tmp_path / "labels.csv"
    head = "frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label\n"
    path.write_text(
        head
        + "".join(
            f"{n};;;;;{name}\n"
            for n, name in enumerate(("0", "1", "flood", "BENIGN", "false data", "Normal traffic"), 1)
        )
    )
    assert kinds([pcap], [path])[0] == ["normal", "attack", "flood", "normal", "false data", "normal"]
    path.write_text(head + "1;;;;;2\n" + "".join(f"{n};;;;;0\n" for n in range(2, 7)))
    with pytest.raises(InputError, match=r"line 2: label is '2': write 0, 1 or the name of a class"):
        kinds([pcap], [path])


def test_our_own_pcapng_says_its_labels(tmp_path: Path) -> None:
    """The captures that a run exports have the run's labels, kinds, episodes and roles."""
    run = tmp_path / "run"
    made_run.make(run)
    dataset.write(dataset.build(run), run / "dataset")
    (run / MANIFEST).write_text(made_manifest(run).model_dump_json())
    export(run, ["pcapng"], tmp_path / "out")
    pcaps = sorted((tmp_path / "out").rglob("*.pcapng"))
    read = dataset.from_captures(pcaps, pcaps).packets
    original = dataset.load(run / "dataset").packets
    touched = (original["label"] == 1) | (original["benign"] == 1)
    for name in ("label", "benign"):
        assert read[name].tolist() == original[name].tolist()
    for name in ("kind", "episode", "role"):
        pd.testing.assert_series_equal(
            read.loc[touched.to_numpy(), name].astype("str"),
            original.loc[touched, name].astype("str"),
            check_index=False,
        )
    plain = capture(tmp_path / "plain.pcap")
    with pytest.raises(InputError, match=r"has \d+ frames, plain.pcap 6: give the pcapng of this capture"):
        dataset.from_captures([plain], [pcaps[0]])
