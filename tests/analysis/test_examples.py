"""The Python code in README, documentation and docstrings runs unchanged."""

import doctest
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests import python_api
from tests.analysis import made_campaign, made_detector
from tests.published import UNITS

from coldaisle_analysis import dataset
from coldaisle_analysis.features import packets

HOUSE = Path(__file__).resolve().parents[2]
PAGES = {
    page: blocks
    for page in (HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md")))
    if (blocks := re.findall(r"^```python\n(.+?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE))
}


@pytest.fixture
def folder(made_week: Path, analysed_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a current folder in which ``runs/`` has two finished runs with a detector, ``campaign`` has four weeks, and ``site.pcapng`` is a capture."""
    for name in ("20260302-000000-week-1", "20260309-000000-week-2"):
        shutil.copytree(made_week, tmp_path / "runs" / name)
    (tmp_path / "runs" / "latest").symlink_to(name)
    made_campaign.make(tmp_path / "campaign", made_week)
    (tmp_path / "site.pcapng").symlink_to(next((analysed_run / "capture").glob("*.pcap")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page: Path) -> None:
    """The examples of a page run, one after another."""
    names: dict[str, Any] = {}
    for block in PAGES[page]:
        exec(compile(block, str(page), "exec"), names)  # noqa: S102 - our own pages
    assert names


@pytest.mark.parametrize("module", python_api.MODULES)
def test_docstring_examples_run(module: str, folder: Path) -> None:
    """The examples in the docstrings of the public API run, one after another, with the results that are printed there."""
    made_detector.make().save(folder / "runs" / "latest" / "models" / "packets.random_forest.skops")
    _label(folder / "site.pcapng", folder / "dad")
    names = {name: value for name, value in python_api.members(module).items() if "." not in name}
    text = "\n".join(python_api.examples(value) for value in python_api.members(module).values())
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    failures: list[str] = []
    runner.run(doctest.DocTestParser().get_doctest(text, names, module, None, None), out=failures.append)
    assert not failures, "".join(failures)


def _label(capture: Path, into: Path) -> None:
    """Write a capture and a label table for it, in which no frame is labelled, into a new folder."""
    into.mkdir()
    (into / "day.pcap").symlink_to(capture)
    rows = packets.decode([capture])
    columns = (rows[name].astype("str").fillna("") for name in ("frame_in_file", "ip_src", "tcp_srcport"))
    lines = [f"{frame};{source};{port};;;0" for frame, source, port in zip(*columns, strict=True)]
    head = "frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label"
    (into / "day.labels.csv").write_text("\n".join([head, *lines, ""]))


def test_there_are_examples() -> None:
    """README and the page on early detection each show how to score a classifier."""
    for name in ("README.md", "docs/early-detection.md"):
        assert any("score_early(" in block for block in PAGES[HOUSE / name])


def test_rules_label_as_the_page_says(analysed_run: Path, tmp_path: Path) -> None:
    """The rules of docs/dataset.md, with times and addresses of a run, label what they name."""
    text = (HOUSE / "docs" / "dataset.md").read_text("utf-8")
    (rules,) = re.findall(r"^```\n(class,from,.+?)^```", text, re.DOTALL | re.MULTILINE)
    capture = next((analysed_run / "capture").glob("*.pcap"))
    middle, unit = (
        pd.Timestamp(int(packets.decode([capture])["time_ns"].median()), tz="UTC"),
        UNITS["inrow-13"].ip,
    )
    assert (rules.count("2019-10-23T10:00:00+02:00"), rules.count("2019-10-23T11:00:00+02:00")) == (1, 1)
    later = (middle + pd.Timedelta(hours=1)).isoformat()
    for written, ours in (
        ("2019-10-23T10:00:00+02:00", middle.isoformat()), ("2019-10-23T11:00:00+02:00", later), ("10.6.56.41", unit),
    ):  # fmt: skip
        rules = rules.replace(written, ours)
    (tmp_path / "rules.csv").write_text(rules)
    built = dataset.from_captures([capture], [tmp_path / "rules.csv"])
    sent = built.packets[built.packets["kind"].astype("str") == "flood"]
    attacked = (built.packets["time"] >= middle) & (
        (built.packets[["ip_src", "ip_dst", "arp_src_ip", "arp_dst_ip"]].astype("object") == unit).any(axis=1)
    )
    assert 0 < attacked.sum() < len(built.packets)
    assert (built.packets["label"] == attacked.astype(int)).all()
    assert len(sent) == attacked.sum()
    assert [remark.partition(" (")[0] for remark in built.remarks] == [
        "rules.csv: the rule in line 2", "rules.csv: the rule in line 4",
    ]  # fmt: skip
