"""Alerts of other detectors judged: read, matched with labelled frames, scored like our models, and written beside them."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import conform, names
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.evaluation.metrics import MetricsRow
from coldaisle_analysis.judging import formats
from coldaisle_analysis.judging.alerts import table_of
from coldaisle_analysis.judging.frames import Frames
from coldaisle_analysis.judging.matching import RULES, Matches, match
from coldaisle_analysis.judging.scoring import JudgedRow, judge, write
from coldaisle_analysis.models import BASELINES
from coldaisle_analysis.report import detectors
from coldaisle_analysis.report.numbers import number, score, seconds
from coldaisle_contracts import texts
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

FOLDER = "judged"
"""Folder of an analysis with a file per detector."""
WITHIN_S = 1.0
"""Default tolerance in time, in s."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_LONGEST_S = 1_000_000
_MOST_LOST = 0.5
"""Share of the alerts that match no frame from which on a remark is made."""


@dataclass(frozen=True)
class Terms:
    """The terms on which alerts are judged.

    Attributes:
        name: name of the detector; ``None`` for that of its format.
        within_s: how far in time from an alert its frame may be, in s.
        least: the score that an alert must reach.

    Raises:
        InputError: if one of them cannot be used.
    """

    name: str | None = None
    within_s: float = WITHIN_S
    least: float = 0.0

    def __post_init__(self) -> None:
        """Check them."""
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise InputError("--name", "use letters, digits, '.', '_', '+' and '-', 64 at most", self.name)
        if not 0 <= self.within_s <= _LONGEST_S:
            raise InputError("--within", f"give a number of seconds from 0 to {_LONGEST_S:,}", self.within_s)
        if not 0 <= self.least < math.inf:
            raise InputError("--threshold", "give a number from 0 on", self.least)


DEFAULT = Terms()
"""The terms where nobody asks for others."""


@dataclass(frozen=True)
class Judgement:
    """A detector's result.

    Attributes:
        row: its row of the metrics.
        alerts: its alerts with ``score``, ``rule``, ``frame``, ``label``, ``kind`` and ``episode`` of the frame with which each is known.
        remarks: sentences on what a reader should know.
    """

    row: JudgedRow
    alerts: pd.DataFrame
    remarks: tuple[str, ...] = ()


def of_run(run: Path, paths: Sequence[Path], terms: Terms = DEFAULT) -> Judgement:
    """Judge alerts on a finished run.

    Args:
        run: the run's folder, which is only read.
        paths: files of alerts of one detector.
        terms: on what terms they are judged.

    Raises:
        InputError: if the run or a file cannot be read, or a value cannot be used.
    """
    return of_packets(tables.read_level(run, "packets"), paths, terms)


def of_captures(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    paths: Sequence[Path],
    terms: Terms = DEFAULT,
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Judgement:
    """Judge alerts on labelled captures, see :func:`of_run` and :func:`~coldaisle_analysis.dataset.from_captures`.

    Raises:
        InputError: see there.
    """
    built = dataset.from_captures(pcaps, labels, mqtt=mqtt)
    judgement = of_packets(built.packets, paths, terms)
    return replace(judgement, remarks=(*judgement.remarks, *built.remarks))


def of_packets(packets: pd.DataFrame, paths: Sequence[Path], terms: Terms = DEFAULT) -> Judgement:
    """Judge alerts on level ``packets``, see :func:`of_run`."""
    if not len(packets):
        raise InputError("judge", "the captures hold no frame, so no alert can be judged")
    reading = formats.read(paths, max(int(packets["time_ns"].max()), 0))
    alerts = table_of(reading.alerts)
    matches = match(alerts, Frames.of(packets), round(terms.within_s * SECOND))
    name = terms.name or reading.detector
    row = judge(_level_of(packets), alerts, matches, name, reading.left_out, terms.least)
    return Judgement(row, _listed(alerts, matches, packets), _remarks(row))


def _level_of(packets: pd.DataFrame) -> Level:
    """Return the level as far as labels and cases need it: without values of sensors; columns of later versions than the run's are missing."""
    absent = dict.fromkeys(set(names("packets")) - set(packets))
    return prepare(conform(packets.assign(**absent, mqtt_value=np.nan), "packets"), "packets")


def _listed(alerts: pd.DataFrame, matches: Matches, packets: pd.DataFrame) -> pd.DataFrame:
    """Return each alert with the rule that matched it and what its frame is."""
    columns = (
        packets[["frame", "label", "kind", "episode"]]
        .iloc[np.maximum(matches.raised, 0)]
        .reset_index(drop=True)
    )
    return pd.DataFrame({
        "alert": [PurePath(place).name for place in alerts["place"]],
        "name": alerts["name"],
        "score": alerts["score"],
        "rule": [RULES[rule] if rule >= 0 else "" for rule in matches.rule],
        **{name: columns[name].astype("object").where(~matches.unmatched, None) for name in columns},
    })  # fmt: skip


def _remarks(row: JudgedRow) -> tuple[str, ...]:
    remarks = []
    if row["unmatched"] > _MOST_LOST * row["alerts"]:
        remarks.append(
            f"{row['unmatched']:,} of {row['alerts']:,} alerts match no frame: was the detector given these captures (capture/*.pcap of a run, "
            "in virtual time), and is its clock UTC?"
        )
    if not row["attack_rows"]:
        remarks.append("no frame is labelled as an attack, so only false alarms can be counted")
    return tuple(remarks)


def lines(judgement: Judgement, ours: Sequence[MetricsRow] = ()) -> list[str]:
    """Return a judgement in sentences for a terminal, with our best model in brackets."""
    row = judgement.row
    models = [model for model in ours if model["model"] not in BASELINES]
    best = max(models, key=lambda model: model["f1"], default=None)
    beside = f" (best of our models, {best['model']}: {score(best['f1'])})" if best else ""
    matched = "".join(
        f", {count:,} by {detectors.RULE_NAMES[rule]}" for rule, count in row["matched"].items() if count
    )
    caught = [f"{kind} {hit} of {every}" for kind, (hit, every) in row["episodes_per_kind"].items() if hit]
    return [
        (f"{row['model']}: {row['alerts']:,} alerts{matched or ', none matched'}; {row['unmatched']:,} match no frame "
        f"({number(row['unmatched_per_day'])} a day); {row['left_out']:,} rows and events are no alert"),
        f"packets: precision {score(row['precision'])}, recall {score(row['recall'])}, F1 {score(row['f1'])}{beside}",
        f"episodes: {row['episodes_caught']} of {row['episodes']} caught" + (f": {', '.join(caught)}" if caught else ""),
        (f"cases: {row['caught_cases']} of {row['positive_cases']} caught, median {seconds(row['seconds_to_detect'])} to detect; "
        f"ERDE_5 {score(row['erde_5'])} ({score(row['erde_5_bounds'][0])} perfect, {score(row['erde_5_bounds'][1])} never alarms), "
        f"ERDE_50 {score(row['erde_50'])}, F_latency {score(row['f_latency'])}"),
        f"false alarms: {number(row['false_alarms_per_day'])} a day, {number(row['incidents_per_day'])} incidents a day",
        *judgement.remarks,
    ]  # fmt: skip


def models_of(analysis: Path | None) -> list[MetricsRow]:
    """Return the rows of an analysis' models on packets with whole days, or blocks, held out; none where nothing was trained."""
    path = analysis / "models" / "metrics.json" if analysis else Path()
    if not analysis or not path.is_file():
        return []
    rows: list[MetricsRow] = texts.read_json(path, "analyse the run again", most=1 << 30)
    return [row for row in rows if row["level"] == "packets" and row["split"] in ("day", "block")]


def add(judgement: Judgement, folder: Path) -> None:
    """Write a judgement into a folder with the parts of an analysis, and every judgement there is into its report.

    Raises:
        OSError: if the folder cannot be written.
    """
    row = judgement.row
    write([row], folder / FOLDER / f"{row['model']}.json")
    judgement.alerts.to_csv(folder / FOLDER / f"{row['model']}.csv", index=False)
    report = folder / "report" / "index.html"
    if report.is_file():
        every = [
            json.loads(path.read_text(encoding="utf-8"))[0]
            for path in sorted((folder / FOLDER).glob("*.json"))
        ]
        section = detectors.section(every, models_of(folder))
        report.write_text(detectors.put(report.read_text(encoding="utf-8"), section), encoding="utf-8")


def write_alone(judgement: Judgement, name: str, folder: Path) -> None:
    """Write a judgement and a page of it into a folder, for captures without a report."""
    add(judgement, folder)
    (folder / "index.html").write_text(detectors.alone(name, [judgement.row]), encoding="utf-8")
