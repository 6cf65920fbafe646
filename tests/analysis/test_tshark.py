"""tshark and the decoder agree in every field."""

import os
import shutil
from pathlib import Path

import pytest
from tests.analysis import made_run
from tests.oracle import differences

from coldaisle_analysis.features import packets

DAD = Path(os.environ.get("COLDAISLE_DAD", Path(__file__).parents[3] / "shared" / "data" / "dad"))
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
def test_made_run_equals_tshark(tmp_path: Path) -> None:
    """On a capture made by hand, with ARP and relayed connections, no field differs."""
    made_run.make(tmp_path / "run")
    capture = tmp_path / "run" / "capture" / "day-1-000.pcap"
    assert differences(packets.decode([capture]), capture) == []


@needs_tshark
@pytest.mark.dad
@pytest.mark.skipif(
    not DAD.is_dir(), reason=f"the published captures are not in {DAD}; name them in COLDAISLE_DAD"
)
def test_published_day_equals_tshark() -> None:
    """On a whole published day no field of any frame differs."""
    capture = DAD / "capture_1910230000_wed.pcap"
    assert differences(packets.decode([capture]), capture) == []


@needs_tshark
@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("tcp_seq", 1),
        ("mqtt_payload", "0.00"),
        ("arp_op", None),
        ("eth_src", "02:00:00:00:00:00"),
        ("time_ns", 1),
    ],
)
def test_witness_notices(tmp_path: Path, column: str, wrong: str | int | None) -> None:
    """One wrong cell in a column of any type is found and reported."""
    made_run.make(tmp_path / "run")
    capture = tmp_path / "run" / "capture" / "day-1-000.pcap"
    table = packets.decode([capture])
    row = int(table[column].notna().to_numpy().nonzero()[0][0])
    table[column] = [wrong if number == row else value for number, value in enumerate(table[column])]
    sentences = differences(table, capture)
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{column}: 1 frames differ")
