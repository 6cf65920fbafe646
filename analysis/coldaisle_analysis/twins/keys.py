"""What a row is, in words that hold in every play of a plan: so rows are matched by meaning, not by place.

A reading is its sensor and its slot, a window its sensor and its number. A frame is its day, its slot, who sends it to whom on whose
connection, its sort (such as a PUBLISH or a bare ACK) and its number among those that agree in all this. A frame that carries a reading
has the slot of that reading, however late it comes. Ports, MAC addresses, sequence numbers and lengths are not part of it: they differ
between plays, or are what an attack changes. A frame that the attacker made belongs to its episode and matches nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask, Rows, Texts
from coldaisle_analysis.columns import Level
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import FIRST_READING, Plan
from coldaisle_contracts.taxonomy import Role

_EARLY = SECOND // 4
"""Time before the first reading of a slot at which the slot begins, in ns; the slots of level ``readings`` begin at the same time."""
_MADE = (Role.INJECTED.value, Role.DUPLICATE.value)
"""Roles of frames that exist only because an episode made them."""
_FLAGS = 0x17
"""TCP flags that make the sort of a segment: FIN, SYN, RST and ACK."""


@dataclass(frozen=True)
class Keys:
    """What each row of a level is; all have one entry per row.

    Attributes:
        table: the columns that together name a row; no two rows of a play agree in all of them.
        sort: the sort of row, within which differences are compared.
    """

    table: pd.DataFrame
    sort: Texts


def keys_of(levels: Mapping[Level, pd.DataFrame], level: Level, plan: Plan) -> Keys:
    """Return what each row of a level is.

    Args:
        levels: the tables of a play.
        level: the level.
        plan: the plan of the run.
    """
    rows = levels[level]
    if level in ("readings", "windows"):
        table = rows[["unit", "sensor", "slot" if level == "readings" else "window"]]
        return Keys(table.astype({"unit": "str"}), np.full(len(rows), level, object))
    if level == "flows":
        return _of_flows(rows, plan)
    frames = _of_frames(levels["packets"], plan)
    return frames if level == "packets" else _of_messages(rows, frames)


def _of_frames(packets: pd.DataFrame, plan: Plan) -> Keys:
    slot = packets["slot"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    is_arp = packets["arp_op"].notna()
    ends = {
        name: packets[f"ip_{end}"].astype("object").where(~is_arp, packets[f"arp_{end}_ip"].astype("object"))
        for name, end in (("sender", "src"), ("receiver", "dst"))
    }
    flow = packets["flow"]
    client = packets["client"].astype("object").groupby(flow.to_numpy()).transform("first")
    sort = _sorts(packets)
    made = packets["role"].isin(_MADE).to_numpy()
    table = pd.DataFrame(
        {
            "day": packets["day"].to_numpy(np.int64),
            "slot": np.where(np.isnan(slot), slot_at(packets["time_ns"].to_numpy(np.int64), plan), slot),
            **{name: texts.fillna("").to_numpy() for name, texts in ends.items()},
            "client": client.where(flow >= 0).fillna("").to_numpy(),
            "sort": sort,
            "made": np.where(made, packets["episode"].astype("object"), ""),
        }
    )
    return Keys(_numbered(table), sort)


def _sorts(packets: pd.DataFrame) -> Texts:
    """Return the sort of each frame: protocol, direction, and type of MQTT packet, NTP mode, ARP operation, or TCP flags."""
    flags = packets["tcp_flags"].astype("Float64").to_numpy(np.float64, na_value=0).astype(np.int64) & _FLAGS
    with_data = packets["tcp_len"].astype("Float64").to_numpy(np.float64, na_value=0) > 0
    code = flags * 2 + with_data
    for name in ("arp_op", "ntp_mode", "mqtt_msgtype"):
        value = packets[name].astype("Float64").to_numpy(np.float64, na_value=-1).astype(np.int64)
        code = np.where(value >= 0, value, code)
    protocol = packets["protocol"].astype("str")
    table = protocol + " " + pd.Series(code, packets.index).astype("str")
    return (table + " " + packets["to_server"].astype("str")).to_numpy(object)


def _of_messages(messages: pd.DataFrame, frames: Keys) -> Keys:
    """Return the keys of messages: those of the frame that completes one, with its type and its number in the frame."""
    row = messages["frame"].to_numpy(np.int64) - 1
    table = frames.table.iloc[row].reset_index(drop=True)
    table["type"] = messages["msgtype"].astype("Int64").fillna(-1).to_numpy(np.int64)
    table["at"] = table.assign(row=row).groupby("row").cumcount().to_numpy()
    way = pd.Series(frames.sort[row]).str.rpartition(" ")[2]
    sort = ("MQTT " + table["type"].astype("str") + " " + way).to_numpy(object)
    return Keys(table, sort)


def _of_flows(flows: pd.DataFrame, plan: Plan) -> Keys:
    sort = (flows["ip_proto"].astype("str") + " " + flows["to_server"].astype("str")).to_numpy(object)
    table = pd.DataFrame(
        {
            "day": flows["day"].to_numpy(np.int64),
            "slot": slot_at(flows["first_ns"].to_numpy(np.int64), plan),
            "sender": flows["ip_src"].astype("str").to_numpy(object),
            "receiver": flows["ip_dst"].astype("str").to_numpy(object),
            "client": flows["client"].astype("object").fillna("").to_numpy(),
            "sort": sort,
        }
    )
    return Keys(_numbered(table), sort)


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the number of each row among those that agree in every column."""
    codes = table.groupby(list(table.columns), sort=False, observed=True).cumcount()
    return table.assign(number=codes.to_numpy())


def slot_at(time_ns: Ints, plan: Plan) -> Ints:
    """Return the slot in which a time lies, -1 before the first one of the run."""
    since = time_ns - plan.start_ns - FIRST_READING + _EARLY
    return np.floor_divide(since, round(plan.scenario.interval_s * SECOND))


def matched(one: Keys, other: Keys) -> Rows:
    """Return for each row of one play the place of the same row in the other, -1 where there is none."""
    on = list(one.table.columns)
    there = other.table.assign(place=np.arange(len(other.table)))
    place = one.table.merge(there, how="left", on=on, validate="one_to_one")["place"]
    return place.fillna(-1).to_numpy(np.intp)


def unmatched(place: Rows, rows: int) -> Mask:
    """Return which of the other play's rows are matched by none, given the places of :func:`matched`."""
    lonely = np.ones(rows, np.bool_)
    lonely[place[place >= 0]] = False
    return lonely
