"""The targets of damaged files: every way by which files of others enter coldaisle."""

import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tests.analysis import made_campaign, made_detector, made_publishers, made_run
from tests.analysis.decoding.made import (
    block,
    connect,
    control,
    enhanced,
    interface,
    option,
    pcap,
    publish,
    section,
    talk,
)
from tests.analysis.made_frames import level_of
from tests.analysis.made_manifest import made_manifest
from tests.analysis.test_judging import files
from tests.hostile.mutations import Mutation, damaged, edited_json, edited_lines, edited_text

from coldaisle_analysis.audit import examine
from coldaisle_analysis.dataset import labelled_captures
from coldaisle_analysis.dataset.labels.table import HEADER
from coldaisle_analysis.decoding import Decoder
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.fitting import fit, site_from
from coldaisle_analysis.fitting.site_file import to_toml
from coldaisle_analysis.judging import formats
from coldaisle_analysis.judging.alerts import table_of
from coldaisle_analysis.judging.frames import Frames
from coldaisle_analysis.judging.matching import match
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.weeks import CampaignData
from coldaisle_analysis.weeks.splits import SubsetFile
from coldaisle_capture.retime import Retimer
from coldaisle_contracts.campaign import CAMPAIGN, TASKS
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.site_parameters import load_site
from coldaisle_contracts.timeline import Timeline

RULES = """\
class,from,to,address,port,filter,capture
flood,2026-03-02T00:00:00Z,2026-03-03T00:00:00+01:00,198.18.0.0/24,1883-1884,,
normal,,,02:42:c6:12:00:29,,arp,*.pcap
scan,,,,,tcp[tcpflags] & tcp-syn != 0,
"""
SCENARIOS = Path(__file__).parents[2] / "scenarios"
Feed = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """One way in.

    Attributes:
        name: name of the way in.
        samples: undamaged files by name.
        mutate: function that damages a file.
        feed: function that reads the damaged file; it may raise only a :class:`ColdaisleError`.
        beside: a folder that is copied; the damaged file replaces the file of the same name in the copy.
    """

    name: str
    samples: dict[str, bytes]
    mutate: Mutation
    feed: Feed
    beside: Path | None = None


class Escaped(AssertionError):  # noqa: N818 - it says what an error did
    """An error other than a :class:`ColdaisleError` was raised.

    Args:
        target: the way in.
        sample: the file.
        seed: of the damage.
        error: what came out.
    """

    def __init__(self, target: str, sample: str, seed: int, error: BaseException) -> None:
        super().__init__(f"{target} {sample} seed {seed}: {type(error).__name__}: {str(error)[:300]}")


def feed(target: Target, folder: Path, seeds: Iterator[int] | range) -> tuple[int, int]:
    """Feed a target one damaged file per seed; return how many were accepted and how many refused.

    Args:
        target: the way in.
        folder: an empty folder for its files.
        seeds: of the damages.

    Raises:
        Escaped: the first error that is no sentence with exit code 2 or 3.
    """
    place = folder / target.name
    if target.beside is not None:
        shutil.copytree(target.beside, place)
    names, taken, refused = sorted(target.samples), 0, 0
    for seed in seeds:
        chance = random.Random(f"{target.name} {seed}")  # noqa: S311 - damage, not secrets
        name = chance.choice(names)
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.mutate(chance, target.samples[name]))
        try:
            target.feed(path if target.beside is None else place)
            taken += 1
        except ColdaisleError as error:
            if error.exit_code not in (2, 3) or not str(error).isprintable():
                raise Escaped(target.name, name, seed, error) from error
            refused += 1
        except Exception as error:
            raise Escaped(target.name, name, seed, error) from error
        if target.beside is not None:
            path.write_bytes(target.samples[name])
    return taken, refused


def targets(folder: Path) -> list[Target]:
    """Return every way in, with its undamaged files made in a folder."""
    run = folder / "run"
    made_run.make(run)
    raw = {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
    journals = {name: data for name, data in raw.items() if name.endswith(".jsonl")}
    plan = {name: data for name, data in raw.items() if name == "plan.json"}
    captured = {name: data for name, data in raw.items() if name.endswith(".pcap")}
    sites = str(SCENARIOS.parent / "sites").encode()
    scenarios = {
        path.name: path.read_bytes().replace(b"../sites", sites) for path in SCENARIOS.glob("*.toml")
    }
    site = to_toml(load_scenario(SCENARIOS / "hour.toml").site).encode()
    publishers = made_publishers.unit("10.0.0.5", "7", count=100)
    campaign = made_campaign.make(folder / "campaign", run, played=())
    capture = folder / "sound.pcap"
    capture.write_bytes(_captures(folder)["sound.pcap"])
    return [
        Target("captures", _captures(folder), damaged, _decode),
        Target("frames", {"sound.pcap": capture.read_bytes()}, _bent_frames, _retime),
        Target("lines", journals, edited_lines, lambda path: list(read_journal(path))),
        Target("plans", plan, edited_json, Plan.load),
        Target(
            "manifests",
            {"manifest.json": made_manifest(run).model_dump_json().encode()},
            edited_json,
            lambda path: Manifest.load(path.parent),
        ),
        Target("scenarios", scenarios, edited_text, lambda path: build_plan(load_scenario(path), str(path))),
        Target("sites", {"site.toml": site}, edited_text, load_site),
        Target("models", _models(folder), damaged, Detector.load),
        Target("journals of a run", journals, edited_lines, ledger.check, run),
        Target("plan of a run", plan, edited_json, ledger.check, run),
        Target("captures of a run", captured, damaged, ledger.check, run),
        Target("alerts", _alerts(), edited_text, lambda path: _matched(path, capture)),
        Target(
            "label tables",
            {"labels.csv": _labels(), "rules.csv": RULES.encode()},
            edited_text,
            lambda path: labelled_captures.build([capture], [path], 0),
        ),
        Target(
            "label comments",
            {"labels.pcapng": _comments()},
            damaged,
            lambda path: labelled_captures.build([capture], [path], 0),
        ),
        Target("tasks of a campaign", _of(campaign, TASKS), edited_lines, CampaignData, campaign),
        Target("file of a campaign", _of(campaign, CAMPAIGN), edited_text, CampaignData, campaign),
        Target(
            "split of an export",
            _split(),
            edited_json,
            lambda path: SubsetFile.load(path.parents[1], "train"),
        ),
        Target("tables", {"rows.csv": _rows()}, edited_text, lambda path: examine.path(path, "label")),
        Target(
            "readings",
            {"readings.csv": _readings()},
            edited_text,
            lambda path: fit.fit([path], lambda _: None),
        ),
        Target(
            "site of a capture",
            {"site.pcap": made_publishers.capture(folder / "site.pcap", publishers).read_bytes()},
            _bent_frames,
            lambda path: site_from.run([path], folder / "site.toml", lambda _: None),
        ),
    ]


def _of(folder: Path, name: str) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes()}


def _split() -> dict[str, bytes]:
    """Return the file of a subset of an exported campaign."""
    digest = "0" * 64
    week = {"week": "made-1", "scenario": "made", "seed": 1, "digest": digest[:16], "plan_digest": digest}
    weeks = [week | {"semantic_digest": digest, "manifest": digest}]
    text = json.dumps({"split": digest[:16], "subset": "train", "weeks": weeks})
    return {"splits/train.json": text.encode()}


def _decode(path: Path) -> None:
    for batch in Decoder(frames=256, size=0).decode([path]):
        batch.packets.validate(full=True)
        batch.messages.validate(full=True)


def _bent_frames(chance: random.Random, data: bytes) -> bytes:
    """Damage the frames of a capture and keep the file around them valid."""
    out, at = bytearray(data[:24]), 24
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        frame = (
            damaged(chance, data[at + 16 : at + 16 + size])
            if chance.randrange(2)
            else data[at + 16 : at + 16 + size]
        )
        out += data[at : at + 8] + struct.pack("<II", len(frame), len(frame)) + frame
        at += 16 + size
    return bytes(out)


def _retime(path: Path) -> None:
    """Retime every frame, then decode the capture: both accept any frame."""
    retimer, data, at = Retimer(Timeline([(0, 0), (SECOND, 5 * SECOND)])), path.read_bytes(), 24
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        frame = data[at + 16 : at + 16 + size]
        if len(retimer.frame(at * SECOND, frame)) != size:
            raise AssertionError("a frame has another length")
        at += 16 + size
    _decode(path)


@cache
def _conversation() -> tuple[bytes, ...]:
    conversation = [(">", connect()), ("<", control(0x20, b"\0\0"))]
    conversation += [
        message
        for number in range(1, 9)
        for message in (
            (">", publish(b"%.2f" % (15 + number), number)),
            ("<", control(0x40, struct.pack(">H", number))),
        )
    ]
    return tuple(map(bytes, talk(*conversation)))


def _captures(folder: Path) -> dict[str, bytes]:
    """Return one conversation as captures in every supported format."""
    frames = _conversation()
    path = pcap(folder / "made.pcap", frames)
    odd = option(9, b"\x89") + option(14, struct.pack("<q", 3_600)) + option(2, b"eth0")
    simple = b"".join(block(3, struct.pack("<I", len(frame)) + frame) for frame in frames)
    old = b"".join(
        block(2, struct.pack("<HHIIII", 0, 0, 0, 9, len(frame), len(frame)) + frame) for frame in frames
    )
    return {
        "sound.pcap": path.read_bytes(),
        "odd.pcapng": section() + interface() + interface(options=odd[:-4]) + b"".join(
            enhanced(frame, 10**6 + at, at % 2) for at, frame in enumerate(frames)
        ) + block(5, bytes(8)),
        "big.pcapng": section(">") + interface(order=">") + b"".join(enhanced(frame, at, 0, ">") for at, frame in enumerate(frames)),
        "simple.pcapng": section() + interface(snap=200) + simple,
        "old.pcapng": section() + interface() + old + section() + interface(101) + old,
    }  # fmt: skip


def _models(folder: Path) -> dict[str, bytes]:
    models = {}
    for name in ("random_forest", "logistic_regression", "rule"):
        made_detector.make(name).save(folder / f"{name}.skops")
        models[f"{name}.skops"] = (folder / f"{name}.skops").read_bytes()
    return models


def _labels() -> bytes:
    lines = [";".join(HEADER)]
    for number, frame in enumerate(_conversation(), 1):
        source = ".".join(map(str, frame[26:30]))
        lines.append(f"{number};{source};{int.from_bytes(frame[34:36], 'big')};131;;{int(number % 5 == 0)}")
    return ("\n".join(lines) + "\n").encode()


def _comments() -> bytes:
    comment = option(1, b"label=attack kind=flood episode=e01 role=injected")
    frames = [enhanced(frame + bytes(-len(frame) % 4), at) for at, frame in enumerate(_conversation())]
    return section() + interface() + block(6, frames[0][8:-4] + comment) + b"".join(frames[1:])


def _rows() -> bytes:
    chance = np.random.default_rng(1)
    lines = ["Timestamp,Src IP,Dst Port,Flow Bytes/s,Pkts,Label,label"]
    for number in range(120):
        attack = number % 7 == 0
        rate = "Infinity" if number % 9 == 0 else f"{chance.normal(1000, 50):.1f}"
        lines.append(
            f"2026-03-02 00:{number // 60:02d}:{number % 60:02d},10.0.0.{number % 5},{1883 + attack},{rate},{number % 4},x,{int(attack)}"
        )
    return ("\n".join(lines) + "\n").encode()


def _readings() -> bytes:
    chance = np.random.default_rng(1)
    rows = [
        (f"2026-03-02T{slot // 12:02d}:{slot % 12 * 5:02d}:00Z", sensor)
        for slot in range(100)
        for sensor in range(1, 5)
    ]
    lines = [
        f"{time},inrow-13,{sensor},{10 + 4 * sensor + chance.normal(0, 0.2):.2f}" for time, sensor in rows
    ]
    return "\n".join(["time,unit,sensor,value", *lines, ""]).encode()


def _alerts() -> dict[str, bytes]:
    """Return a file of alerts in every format."""
    facts = {
        "ip_src": "198.18.0.41", "ip_dst": "198.18.0.1", "file": "sound.pcap", "tcp_srcport": 50_000, "tcp_dstport": 1883,
        "time_ns": 1_772_500_000 * SECOND, "frame": 2, "frame_in_file": 2,
    }  # fmt: skip
    return {form.replace(" ", "_"): text.encode() for form, text in files(facts).items()}


def _matched(path: Path, capture: Path) -> object:
    """Match the alerts in a file with the frames of a capture."""
    alerts = formats.read([path], 1_772_500_000 * SECOND).alerts
    return match(table_of(alerts), _frames(capture), SECOND)


@cache
def _frames(capture: Path) -> Frames:
    return Frames.of(level_of([capture]))
