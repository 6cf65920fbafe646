"""Custody: every captured frame has a known sender and reason, or is reported as unexplained.

There are four explanations: the attacker's journal has a line for the frame; it belongs to a connection or to an NTP exchange
in a unit's journal; or it is ARP between the kernels of two hosts.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.truth.consequences import reasons
from coldaisle_analysis.truth.evidence import name_of_frame
from coldaisle_analysis.truth.frames import questions
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.addressing import BROKER, HOSTS, INJECTOR, NTP_PORT, UNITS

_REQUEST = 3
"""Mode of an NTP request."""


def check(account: Account) -> Iterator[str]:
    """Yield a sentence for unexplained frames, and for connections that were lost without a reason."""
    rows = unexplained(account)
    if len(rows):
        packets = account.evidence.trace.packets
        names = ["protocol", "eth_src", "eth_dst", "ip_src", "ip_dst"]
        first = packets.loc[rows[0], names].astype("str").fillna("-").tolist()
        where = name_of_frame(account.evidence, int(rows[0]))
        yield f"{len(rows)} frames no one accounts for, the first is {where}: {' '.join(first)}"
    lost = reasons(account.evidence)
    lost = lost[(lost["reason"] == "lost") & (lost["episode"] == "")]
    if len(lost):
        client, port = lost.iloc[0][["client", "port"]]
        yield f"{len(lost)} connections were lost and no act says why, the first {client}'s, made anew from port {port}"
    yield from _exchanges(account)


def unexplained(account: Account) -> Ints:
    """Return the positions of the unexplained frames."""
    packets = account.evidence.trace.packets
    noted = account.join.table["role"].notna().to_numpy()
    hosts = [host for host in HOSTS if host is not INJECTOR]
    explained = noted | _of_units(account) | questions(packets, hosts) | _ntp(packets)
    return np.flatnonzero(~explained)


def _of_units(account: Account) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which frames belong to a connection in a unit's journal."""
    frames = account.connections
    explained = np.zeros(len(account.join.table), bool)
    explained[frames.index[frames["line"] >= 0]] = True
    return explained & ~account.join.touched


def _ntp(packets: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which frames are NTP between a unit and the time server; :func:`_exchanges` counts them."""
    units = [unit.ip for unit in UNITS.values()]
    source, target = packets["ip_src"].astype("str"), packets["ip_dst"].astype("str")
    requests = source.isin(units) & (target == BROKER.ip) & packets["udp_dstport"].eq(NTP_PORT)
    answers = target.isin(units) & (source == BROKER.ip) & packets["udp_srcport"].eq(NTP_PORT)
    return (requests | answers).fillna(value=False).to_numpy(bool)


def _exchanges(account: Account) -> Iterator[str]:
    """Yield a sentence for NTP requests that are not in the unit's journal, and for more answers than requests.

    A query that failed may not have reached the network: a unit whose cable is unplugged has no route.
    """
    packets = account.evidence.trace.packets
    ntp = packets[_ntp(packets)]
    is_request = ntp["ntp_mode"].eq(_REQUEST).to_numpy(bool)
    names = {unit.ip: unit.name for unit in UNITS.values()}
    shard = ntp["shard"].astype("str")
    requests = pd.DataFrame(
        {"shard": shard[is_request], "host": ntp["ip_src"].astype("str")[is_request].map(names)}
    )
    answers = pd.DataFrame(
        {"shard": shard[~is_request], "host": ntp["ip_dst"].astype("str")[~is_request].map(names)}
    )
    times = account.evidence.times
    parts = {
        "asked": requests,
        "given": answers,
        "noted": times,
        "failed": times[times["failed"] != ""],
    }
    counts = pd.DataFrame({name: table.groupby(["shard", "host"]).size() for name, table in parts.items()})
    for shard_name, unit, *row in (
        counts.fillna(0).astype("int64").reset_index().itertuples(index=False, name=None)
    ):
        asked_times, given_times, noted_times, failed_times = row
        if not noted_times - failed_times <= asked_times <= noted_times:
            yield f"{unit} asked for the time {asked_times} times in {shard_name}, its journal says {noted_times}"
        if given_times > asked_times:
            yield f"{unit} got the time {given_times} times in {shard_name} and asked {asked_times} times"
