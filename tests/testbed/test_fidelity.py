"""The command `coldaisle fidelity`: what it prints and writes, and how it refuses."""

import json
from pathlib import Path

import pytest
from tests.analysis import made_traffic
from tests.testbed.conftest import Call


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path]]:
    """Return two plays and two captures, of a day each."""
    folder = tmp_path_factory.mktemp("sides")
    plays = [made_traffic.run(folder / f"play-{seed}", seed, 1) for seed in (1, 2)]
    return plays, [made_traffic.capture(folder / f"{day}.pcap", day, 100 + day) for day in (0, 1)]


def test_result_as_a_page_and_as_json(
    coldaisle: Call, sides: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    """The tables are printed, the page is written whole, and JSON is one object with every measure and classifier."""
    plays, pcaps = sides
    page = tmp_path / "fidelity.md"
    code, out, err = coldaisle("fidelity", *plays, "--against", *pcaps, "--out", page)
    assert code == 0
    assert "2 plays (2 days) against 2 captures, seed 0" in out
    assert "puback_delay" in out
    assert "comparing" in err
    assert page.read_text().startswith("# How like the published captures")
    code, out, _ = coldaisle("fidelity", *plays, "--against", *pcaps, "--json", "--seed", 3)
    facts = json.loads(out)
    assert (code, facts["seed"], facts["days"]) == (0, 3, 2)
    assert facts["captures"] == ["0.pcap", "1.pcap"]
    delay = next(row for row in facts["measures"] if row["name"] == "puback_delay")
    assert delay["unit"] == "decades"
    assert 0 <= delay["ks"]["between"] <= 1
    assert {row["level"] for row in facts["classifiers"]} == {"packets", "flows"}


def test_bad_input_is_one_sentence(
    coldaisle: Call, sides: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    """No capture, a file that is none, a folder that is no run, and a place that cannot be written each give exit code 2."""
    plays, pcaps = sides
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"no capture at all, but long enough to hold a header")
    for arguments, part in (
        ([*plays], "--against: name at least one"),
        ([*plays, "--against", broken], "broken.pcap"),
        ([tmp_path, "--against", *pcaps], "name the folder of a finished run"),
        ([plays[0], "--against", *pcaps, "--out", tmp_path / "no" / "x.md"], "--out"),
        ([plays[0], "--against", *pcaps, "--out", plays[1] / "x.md"], "may not change"),
    ):
        code, out, err = coldaisle("fidelity", *arguments)
        assert (code, out) == (2, ""), arguments
        assert part in err
        assert err.splitlines()[-1].startswith("coldaisle: ")
