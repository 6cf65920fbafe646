"""Header fields that a real run has in common with the published captures."""

from pathlib import Path

import pytest

from coldaisle_analysis.features import packets
from coldaisle_contracts.addressing import INJECTOR

pytestmark = pytest.mark.netns
SYN, SYN_ACK = 0x02, 0x12


def test_windows_and_service_class(hour_run: Path) -> None:
    """Kernels offer a window of 29,200 bytes and scale it by 7, and NTP has the service class of expedited forwarding both ways."""
    frames = packets.decode(sorted((hour_run / "capture").glob("*.pcap")))
    frames = frames[frames["ip_src"] != INJECTOR.ip]
    assert set(frames.loc[frames["tcp_flags"] == SYN, "tcp_window"]) == {29_200}
    assert set(frames.loc[frames["tcp_flags"] == SYN_ACK, "tcp_window"]) == {28_960}
    carried = frames[frames["mqtt_msgtype"].notna()]
    assert set(carried.loc[carried["to_server"] == 1, "tcp_window"]) == {229}
    assert set(carried.loc[carried["to_server"] == 0, "tcp_window"]) == {227}
    assert set(frames.loc[frames["protocol"] == "NTP", "ip_dscp"]) == {46}
