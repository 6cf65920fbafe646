"""Custody: every captured frame has a known sender and reason, or is reported as unexplained.

There are five explanations: the attacker's journal has a line for the frame; it belongs to a connection or to an NTP exchange
in the journal of a unit or companion; it is :mod:`background` traffic; or it is ARP between the kernels of two hosts.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.truth import background
from coldaisle_analysis.truth.consequences import KEY, reasons
from coldaisle_analysis.truth.evidence import name_of_frame
from coldaisle_analysis.truth.frames import questions
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.addressing import BROKER, INJECTOR, NTP_PORT
from coldaisle_contracts.journal_lines import UNWANTED
from coldaisle_contracts.plan import Plan

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
        yield f"{len(rows)} frames that nothing explains, the first is {where}: {' '.join(first)}"
    lost = reasons(account.evidence)
    lost = lost[lost["reason"].isin(UNWANTED) & (lost["episode"] == "")]
    if len(lost):
        client, port = lost.iloc[0][["client", "port"]]
        yield f"{len(lost)} connections were lost and no act is the reason, the first is that of client {client}, opened again from port {port}"
    yield from _refusals(account)
    yield from _exchanges(account)
    yield from background.check(account.evidence)


def _refusals(account: Account) -> Iterator[str]:
    """Yield a sentence for refusals of connections that no unit opened, or that are in the capture all the same.

    The capture stands at the broker, so a request that the attacker answered is not in it.
    """
    evidence = account.evidence
    units = {episode.id: episode.unit for episode in evidence.plan.episodes}
    if evidence.refusals.empty:
        return
    refused = evidence.refusals.assign(host=evidence.refusals["episode"].map(units).astype("str"))
    lines = evidence.connects[[*KEY, "at_ns"]].assign(line=np.arange(len(evidence.connects)))
    line = pd.merge_asof(refused, lines, on="at_ns", by=KEY)["line"]
    wrong = line.isna() | line.duplicated() | line.isin(account.connections["line"])
    if wrong.any():
        first = refused[wrong].iloc[0]
        yield (
            f"{wrong.sum()} refusals are not of a connection that a unit opened in vain, "
            f"the first in episode {first['episode']} from port {first['port']}"
        )


def unexplained(account: Account) -> Ints:
    """Return the positions of the unexplained frames."""
    packets = account.evidence.trace.packets
    noted = account.join.table["role"].notna().to_numpy()
    plan = account.evidence.plan
    hosts = [host for host in plan.hosts if host != INJECTOR]
    explained = noted | _of_units(account) | questions(packets, hosts) | _ntp(plan, packets)
    explained |= background.explained(account.evidence) & ~account.join.touched
    return np.flatnonzero(~explained)


def _of_units(account: Account) -> Mask:
    """Return which frames belong to a connection in the journal of a unit or companion."""
    frames = account.connections
    explained = np.zeros(len(account.join.table), bool)
    explained[frames.index[frames["line"] >= 0]] = True
    return explained & ~account.join.touched


def _ntp(plan: Plan, packets: pd.DataFrame) -> Mask:
    """Return which frames are NTP between a unit or workstation and the time server; :func:`_exchanges` counts them."""
    units = list(_clients(plan))
    source, target = packets["ip_src"].astype("str"), packets["ip_dst"].astype("str")
    requests = source.isin(units) & (target == BROKER.ip) & packets["udp_dstport"].eq(NTP_PORT)
    answers = target.isin(units) & (source == BROKER.ip) & packets["udp_srcport"].eq(NTP_PORT)
    return (requests | answers).fillna(value=False).to_numpy(bool)


def _clients(plan: Plan) -> dict[str, str]:
    """Return the names of the hosts that ask for the time, by address."""
    units = {unit.host.ip: unit.name for unit in plan.units.values()}
    return units | {host.ip: host.name for host in plan.workstations.values()}


def _exchanges(account: Account) -> Iterator[str]:
    """Yield a sentence for NTP requests that are not in the unit's journal, and for more answers than requests.

    A query that failed may not have reached the network: a unit whose cable is unplugged has no route.
    """
    plan, packets = account.evidence.plan, account.evidence.trace.packets
    ntp = packets[_ntp(plan, packets)].astype({"shard": "str", "ip_src": "str", "ip_dst": "str"})
    is_request = ntp["ntp_mode"].eq(_REQUEST).to_numpy(bool)
    names = _clients(plan)
    exchanges = ntp[["shard"]].assign(host=ntp["ip_src"].where(is_request, ntp["ip_dst"]).map(names))
    times = account.evidence.times
    tables = (exchanges[is_request], exchanges[~is_request], times, times[times["failed"] != ""])
    counts = pd.concat([table.groupby(["shard", "host"]).size() for table in tables], axis=1)
    counts = counts.fillna(0).astype("int64").sort_index()
    for (shard, unit), requests, answers, noted, failed in counts.itertuples(name=None):
        if not noted - failed <= requests <= noted:
            yield f"{unit} sent {requests} NTP requests in {shard}, but its journal has {noted}"
        if answers > requests:
            yield f"{unit} got {answers} NTP answers in {shard}, but sent {requests} requests"
