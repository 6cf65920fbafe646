"""Custody: every frame of a capture is accounted for by somebody, or named.

A frame is the attacker's (its journal has a line for it), of a connection that a unit says it opened, of an NTP exchange that
a unit says it made, or a question or answer of a host's own kernel about who is where. Anything else is unexplained.
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
    """Yield a sentence for the frames no one accounts for, and for connections made anew without a reason."""
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
    """Return the positions of the frames no one accounts for."""
    packets = account.evidence.trace.packets
    noted = account.join.table["role"].notna().to_numpy()
    others = [host for host in HOSTS if host is not INJECTOR]
    known = noted | _of_units(account) | questions(packets, others) | _ntp(packets)
    return np.flatnonzero(~known)


def _of_units(account: Account) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which frames belong to a connection that a unit's journal names."""
    frames = account.connections
    known = np.zeros(len(account.join.table), bool)
    known[frames.index[frames["line"] >= 0]] = True
    return known & ~account.join.touched


def _ntp(packets: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which frames are NTP between a unit and the time server; :func:`_exchanges` counts them."""
    units = [unit.ip for unit in UNITS.values()]
    source, target = packets["ip_src"].astype("str"), packets["ip_dst"].astype("str")
    asked = source.isin(units) & (target == BROKER.ip) & packets["udp_dstport"].eq(NTP_PORT)
    answered = target.isin(units) & (source == BROKER.ip) & packets["udp_srcport"].eq(NTP_PORT)
    return (asked | answered).fillna(value=False).to_numpy(bool)


def _exchanges(account: Account) -> Iterator[str]:
    """Each NTP request of a unit is in its journal, and no server answers more than it was asked.

    A query that failed may not have got as far as the wire: a unit whose cable is out has no route.
    """
    packets = account.evidence.trace.packets
    ntp = packets[_ntp(packets)]
    asks = ntp["ntp_mode"].eq(_REQUEST).to_numpy(bool)
    names = {unit.ip: unit.name for unit in UNITS.values()}
    shard = ntp["shard"].astype("str")
    asked = pd.DataFrame({"shard": shard[asks], "host": ntp["ip_src"].astype("str")[asks].map(names)})
    given = pd.DataFrame({"shard": shard[~asks], "host": ntp["ip_dst"].astype("str")[~asks].map(names)})
    times = account.evidence.times.astype({"shard": "str"})
    parts = {"asked": asked, "given": given, "noted": times, "failed": times[times["failed"].astype(bool)]}
    counts = pd.DataFrame({name: table.groupby(["shard", "host"]).size() for name, table in parts.items()})
    for shard_name, unit, *row in (
        counts.fillna(0).astype("int64").reset_index().itertuples(index=False, name=None)
    ):
        asked_times, given_times, noted_times, failed_times = row
        if not noted_times - failed_times <= asked_times <= noted_times:
            yield f"{unit} asked for the time {asked_times} times in {shard_name}, its journal says {noted_times}"
        if given_times > asked_times:
            yield f"{unit} was told the time {given_times} times in {shard_name} and asked {asked_times}"
