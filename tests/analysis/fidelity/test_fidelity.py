"""Our plays compared with published captures: alike they are within the spreads, and a difference is found by its name."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.analysis import made_traffic
from tests.analysis.made_traffic import LIKE, Habit

from coldaisle_analysis import fidelity
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.fidelity import Fidelity, Told, result, two_samples
from coldaisle_analysis.fidelity.distances import Compared
from coldaisle_contracts.errors import InputError

DAYS = 4


@pytest.fixture(scope="module", autouse=True)
def _few_trees() -> Iterator[None]:
    """Let classifiers have a third of their trees, which is enough for these rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_samples, "_TREES", 20)
        yield


def _plays(folder: Path, habit: Habit = LIKE, count: int = 4) -> list[Path]:
    return [made_traffic.run(folder / f"play-{seed}", seed, DAYS, habit) for seed in range(1, count + 1)]


def _captures(folder: Path, first: int = 0) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [
        made_traffic.capture(folder / f"{day}.pcap", day, 100 + day) for day in range(first, first + DAYS)
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return four published days."""
    return _captures(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory, published: list[Path]) -> Fidelity:
    """Return the comparison with plays of the same distributions."""
    return fidelity.measure(_plays(tmp_path_factory.mktemp("alike")), published)


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory, published: list[Path]) -> Fidelity:
    """Return the comparison with plays whose broker takes three times as long."""
    return fidelity.measure(_plays(tmp_path_factory.mktemp("slower"), Habit(reply_s=6e-4)), published)


def _row(compared: Fidelity, name: str) -> Compared:
    return next(row for row in compared.rows if row.measure.name == name)


def _told(compared: Fidelity, level: str, topic: str, sides: str = "ours and published") -> Told:
    (told,) = (row for row in compared.told if (row.level, row.topic, row.sides) == (level, topic, sides))
    return told


def test_alike_is_within_the_spreads(alike: Fidelity) -> None:
    """Where both sides have the same distributions, no difference is large and no classifier tells them apart."""
    assert result.large(alike) == []
    assert sum(row.large is False for row in alike.rows) > 20
    for told in alike.told:
        assert told.auc == pytest.approx(0.5, abs=0.1), told


def test_a_shift_is_found_by_name(slower: Fidelity) -> None:
    """A broker that is three times as slow is found in the delay of its PUBACK, as a factor of three, and not in the values."""
    large = [row.measure.name for row in result.large(slower)]
    assert large[0] == "puback_delay"
    assert "value" not in large
    row = _row(slower, "puback_delay")
    assert 10**row.shift.between == pytest.approx(3, rel=0.1)
    assert row.shift.between > 5 * max(row.shift.own, row.shift.published)
    assert 10 ** row.theirs["50%"] == pytest.approx(2e-4, rel=0.1)


def test_a_classifier_says_what_it_uses(slower: Fidelity) -> None:
    """It tells the slow broker by the times of packets, and names the column; sizes and values tell it nothing."""
    told = _told(slower, "packets", "all")
    assert told.auc > 0.75
    assert told.used[0][0] in {"reply_s", "since_publish"}  # of a PUBACK both are the same time
    assert _told(slower, "packets", "times").auc > 0.75
    for topic in ("sizes", "values"):
        assert _told(slower, "packets", topic).auc == pytest.approx(0.5, abs=0.1)


def test_a_side_is_not_told_from_itself(slower: Fidelity) -> None:
    """Plays among themselves, and published days among themselves, give an AUC of about 0.5."""
    for sides in ("our plays", "published days"):
        told = _told(slower, "flows", "all", sides)
        assert not np.isfinite(told.auc) or told.auc == pytest.approx(0.5, abs=0.1)


def test_values_are_found_by_name(tmp_path: Path, published: list[Path]) -> None:
    """Values that are 1 °C higher are found as such: in the values, and in nothing that is about time or size."""
    compared = fidelity.measure(_plays(tmp_path, Habit(celsius=21.0), count=2), published)
    assert _row(compared, "value").large
    assert _row(compared, "value").shift.between == pytest.approx(1.0, abs=0.1)
    assert {row.measure.topic for row in result.large(compared)} == {"values"}


def test_the_same_seed_gives_the_same_result(tmp_path: Path, published: list[Path]) -> None:
    """The result follows from captures and seed alone."""
    plays = _plays(tmp_path, count=2)
    first, again, other = (result.facts(fidelity.measure(plays, published, seed=seed)) for seed in (1, 1, 2))
    assert json.dumps(first) == json.dumps(again)
    assert first["measures"] == other["measures"]
    assert first["classifiers"] != other["classifiers"]


def test_one_play_has_no_spread(tmp_path: Path, published: list[Path]) -> None:
    """With one play the spread of the published days alone counts, no play is held out, and the result says so."""
    compared = fidelity.measure(_plays(tmp_path, count=1), published)
    assert all(not np.isfinite(row.shift.own) for row in compared.rows)
    assert any("no spread among our plays" in remark for remark in compared.remarks)
    assert not np.isfinite(_told(compared, "packets", "all", "our plays").auc)


def test_one_play_and_one_capture_are_not_judged(tmp_path: Path, published: list[Path]) -> None:
    """Without any spread there are distances and no judgement, and no source can be held out."""
    compared = fidelity.measure(_plays(tmp_path, count=1), published[:1])
    assert {row.large for row in compared.rows} == {None}
    assert np.isfinite(_row(compared, "puback_delay").shift.between)
    assert not any(np.isfinite(told.auc) for told in compared.told)
    assert "not judged" in " ".join(result.sentences(compared))


def test_days_with_the_dates_of_captures_are_compared(tmp_path: Path, published: list[Path]) -> None:
    """Of plays only the days that were captured are compared; without a common date all are, and the result says so."""
    two = fidelity.measure(_plays(tmp_path, count=2), published[:2])
    assert two.dates == (made_traffic.date_of(0), made_traffic.date_of(1))
    assert two.ours == 4
    other = fidelity.measure(_plays(tmp_path / "more", count=2), _captures(tmp_path / "later", first=30))
    assert other.ours == 2 * DAYS
    assert any("no day of the plays has the date of a capture" in remark for remark in other.remarks)


def test_what_cannot_be_compared_is_refused(tmp_path: Path, published: list[Path]) -> None:
    """Each wrong input is one sentence that names it."""
    play, *_ = plays = _plays(tmp_path, count=2)
    other = made_traffic.run(tmp_path / "other", 9, 1, name="other")
    silent, empty = tmp_path / "silent.pcap", tmp_path / "empty.pcap"
    made_traffic.capture(silent, 0, 1)
    empty.write_bytes(b"")
    refused = [
        (plays, [], "--against: name at least one"),
        ([], published, "RUN: name at least one"),
        ([play, play], published, "is named twice"),
        (plays, [*published, published[0]], "is named twice"),
        ([play, other], published, "name plays of one scenario, here made"),
        (plays, [empty], "empty.pcap"),
        (plays, [tmp_path / "none.pcap"], "none.pcap"),
        ([tmp_path / "nothing"], published, "name the folder of a finished run"),
    ]
    for runs, pcaps, sentence in refused:
        with pytest.raises(InputError, match=sentence):
            fidelity.measure(runs, pcaps)
    with pytest.raises(InputError, match=r"silent.pcap: holds no MQTT"):
        fidelity.measure(plays, [silent], mqtt=MqttOptions((8883,)))


def test_markdown_has_every_measure(slower: Fidelity) -> None:
    """The page names what was compared, each measure with its meaning, and every classifier."""
    page = result.markdown(slower)
    for row in slower.rows:
        assert f"| {row.measure.name} |" in page
        assert row.measure.meaning in page
    assert page.count("| packets |") == sum(told.level == "packets" for told in slower.told) / 3
    assert "nan" not in page
