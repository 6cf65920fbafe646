"""Columns of text, hexadecimal and mixed values, classes and times: examined and named, or refused in one sentence."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coldaisle_analysis.audit import Result, Status, audit, tables
from coldaisle_analysis.audit.foreign.classes import classes_of
from coldaisle_analysis.audit.foreign.times import times_of
from coldaisle_analysis.audit.foreign.values import encoded
from coldaisle_analysis.audit.subject import Subject
from coldaisle_analysis.class_names import is_benign
from coldaisle_contracts.errors import InputError

ATTACK = np.array([20 <= i % 60 < 30 for i in range(600)])


def frame(values: Callable[[int, bool], object]) -> pd.DataFrame:
    """Return a table of 600 rows with a column made of the row's number and whether it is an attack."""
    column = [values(i, bool(attack)) for i, attack in enumerate(ATTACK)]
    return pd.DataFrame(
        {"sign": column, "size": [i * 7919 % 97 for i in range(600)], "label": ATTACK.astype(int)}
    )


def result(subject: Subject, check: str) -> Result:
    """Return the result of one check."""
    return next(result for result in audit([subject]) if result.check.id == check)


TELLING: dict[str, Callable[[int, bool], object]] = {
    "hexadecimal": lambda _, attack: f"0x{2 if attack else 24:08x}",
    "hexadecimal among numbers": lambda i, attack: "0x00000002" if attack else ("24" if i % 2 else "0x18"),
    "words": lambda i, attack: "S0" if attack else ("SF", "REJ")[i % 2],
    "a word in the middle of the alphabet": lambda i, attack: "m" if attack else "az"[i % 2],
    "words with blanks": lambda i, attack: " GET " if attack else ("POST", "PUT")[i % 2],
    "an empty cell": lambda i, attack: "" if attack else ("a", "b")[i % 2],
    "a dash": lambda i, attack: "-" if attack else ("a", "b")[i % 2],
    "a word among numbers": lambda i, attack: "error" if attack else str(i),
    "numbers among words": lambda i, attack: str(i + 1000) if attack else ("low", "none of it")[i % 2],
    "numbers beside some words": lambda i, attack: (
        str(1000 + i) if attack else ("n. a." if i % 9 == 0 else str(i))
    ),
    "true and false": lambda _, attack: attack,
    "words for true and false": lambda _, attack: "T" if attack else "F",
}


@pytest.mark.parametrize("form", TELLING)
def test_a_column_that_tells_attacks_apart(form: str, tmp_path: Path) -> None:
    """C1 and C2 name a column that gives attacks away whether it holds numbers or text, from a file and from a frame."""
    rows = frame(TELLING[form])
    path = tmp_path / "flows.csv"
    rows.to_csv(path, index=False)
    for subject in (tables.of_frame(rows, "t"), tables.load(path)):
        best = result(subject, "C1")
        assert (best.status, best.value, best.evidence[0]["column"]) == (Status.BAD, 1.0, "sign")
        assert "sign" in result(subject, "C2").sentence


def test_text_that_says_nothing() -> None:
    """Neither words drawn by chance nor text of its own for each row separate the classes; the latter is an identity."""
    rng = np.random.default_rng(3)
    words = rng.choice(list("abcdefgh"), 600)
    assert (result(tables.of_frame(frame(lambda i, _: words[i]), "t"), "C1").value or 1) < 0.6
    assert (result(tables.of_frame(frame(lambda *_: "same"), "t"), "C1").value or 1) < 0.55
    subject = tables.of_frame(frame(lambda i, _: f"id-{i:03d}"), "t")
    assert (subject.features, subject.identity) == (["size"], ["sign"])
    assert any("names nearly every row" in remark and "sign" in remark for remark in subject.remarks)


def test_rules_name_texts() -> None:
    """The rule of C2 names the text, not its code."""
    subject = tables.of_frame(frame(TELLING["words"]), "t")
    assert result(subject, "C2").evidence[0]["rule"] == "sign is 'S0'"


def test_every_column_is_used_or_named() -> None:
    """A column is a feature, an identity, a time, a label, or named in a remark."""
    rows = frame(TELLING["words"])
    rows["last seen"] = [f"2026-03-02 00:{i // 60:02d}:{i % 60:02d}" for i in range(600)]
    rows["src ip"], rows["attack_cat"] = "198.18.0.1", np.where(ATTACK, "scan", "-")
    rows["uid"] = [f"C{i}" for i in range(600)]
    subject = tables.of_frame(rows, "t")
    assert "Ids, days and episodes, no features: uid." in subject.remarks
    rows = rows.drop(columns="uid")
    assert {*subject.features, *subject.identity, *subject.clocks, "label", "attack_cat"} == set(rows)
    assert any("attack_cat" in remark for remark in subject.remarks)
    assert set(subject.kind) == {"normal", "scan"}


NUMBERS = {
    "decimal commas": (["0,5", "1,25", "-3,0", "7"], [0.5, 1.25, -3.0, 7.0]),
    "points between thousands": (["1.234,5", "2.000", "0,5"], [1234.5, 2000.0, 0.5]),
    "commas between thousands": (["1,234", "1,234,567.5", "12"], [1234.0, 1234567.5, 12.0]),
    "hexadecimal": (["0x10", "0X0000ff", "3"], [16.0, 255.0, 3.0]),
    "missing": (["1", "?", "NaN", "n/a", "", "2"], [1.0, None, None, None, None, 2.0]),
    "without end": (["Infinity", "-inf", "1e3"], [np.inf, -np.inf, 1000.0]),
    "in quotation marks": (["'1'", ' "2" ', "3"], [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("form", NUMBERS)
def test_numbers_as_text(form: str) -> None:
    """Text is read as the number it stands for."""
    texts, numbers = NUMBERS[form]
    values = encoded(pd.Series(texts))
    assert [None if np.isnan(value) else value for value in values.numbers] == numbers
    assert not values.texts


def test_a_value_that_is_a_name_of_a_column() -> None:
    """One value that is called like a column is a value; a row of names is a header, which is refused."""
    rows = frame(lambda i, attack: "size" if attack else ("label", "a")[i % 2])
    assert result(tables.of_frame(rows, "t"), "C1").value == 1
    rows = rows.astype("object")
    rows.loc[7] = ["sign", "size", "label"]
    with pytest.raises(InputError, match=r"row 8: column s.* holds the name of a column"):
        tables.of_frame(rows, "t", benign=["0"])


BENIGN = (
    "BENIGN", " Benign ", "BenignTraffic", "Benign Traffic", "benign_traffic", "normal", "Normal", "normal.", "NORMAL traffic", "legitimate", "Legitimate",
    "background", "Background", "0", "0.0", "False", "no", "none", "-", "", "clean", "flow=Background-UDP-Established", "flow=From-Normal-V42-Jist", "flow=To-Background-UDP-NTP",
    "non-malicious", "No Attack",
)  # fmt: skip


def test_names_of_benign_classes() -> None:
    """Names that published tables give to rows without an attack are recognised, and names of attacks are not."""
    assert [name for name in BENIGN if not is_benign(name)] == []
    attacks = (
        "DoS",
        "abnormal",
        "1",
        "Non-benign",
        "flow=From-Botnet-V42-TCP",
        "Backdoor",
        "normalisation attack",
        "anomaly",
        "true",
        "2",
        "-1",
        "---DoS",
    )
    assert [name for name in attacks if is_benign(name)] == []


def test_classes_that_are_not_recognised() -> None:
    """The sentence lists the classes and the option; a name that is no class is refused; the option decides."""
    column = pd.Series(["web browsing", "Mirai", "web browsing", "Okiru"])
    with pytest.raises(
        InputError,
        match=r"column label: has no class that is known to be no attack: .*--benign NAME; there are Mirai, Okiru, web browsing",
    ):
        classes_of(column, "t: column label")
    with pytest.raises(
        InputError, match=r"--benign is 'browsing': is no class of t: name one of Mirai, Okiru, web browsing"
    ):
        classes_of(column, "t", ["Browsing"])
    assert classes_of(column, "t", ["Web Browsing"]).attack.tolist() == [False, True, False, True]
    for numbers in ([1, 2, 1, 2], [-1, 1, 1, 1]):
        with pytest.raises(InputError, match="--benign"):
            classes_of(pd.Series(numbers), "t")
    assert classes_of(pd.Series([1, 1]), "t").attack.all()


def test_what_counts_as_no_attack_is_said() -> None:
    """The remark names the classes of both sides and the number of rows."""
    subject = tables.of_frame(frame(TELLING["words"]), "t")
    assert "label: 0 counts as no attack (500 of 600 rows), 1 as attack." in subject.remarks


START = datetime(2018, 3, 12, 20, 0, 5, tzinfo=UTC)
STAMPS = [START + timedelta(minutes=20 * i) for i in range(60)]
WRITTEN: dict[str, Callable[[datetime], object]] = {
    "ISO 8601": lambda t: t.isoformat(timespec="seconds"),
    "ISO 8601, a blank, parts of a second": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000000000",
    "with an offset": lambda t: f"{t + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00",
    "year first": lambda t: f"{t:%Y/%m/%d %H:%M:%S}.000",
    "day first": lambda t: f"{t:%d/%m/%Y %H:%M:%S}",
    "day first, half a day": lambda t: f"{t:%d/%m/%Y %I:%M:%S %p}",
    "day first, two digits": lambda t: f"{t.day}/{t.month}/{t:%y %H:%M:%S}",
    "day first, points": lambda t: f"{t:%d.%m.%Y %H:%M:%S}",
    "day first, dashes": lambda t: f"{t:%d-%m-%Y %H:%M:%S}",
    "month first": lambda t: f"{t.month}/{t.day}/{t.year} {t:%H:%M:%S}",
    "month first, half a day": lambda t: f"{t.month}/{t.day}/{t.year} {t:%I:%M:%S %p}",
    "as tshark": lambda t: f"{t:%b} {t.day:2d}, {t:%Y %H:%M:%S}.000000000 UTC",
    "as ctime": lambda t: f"{t:%a %b} {t.day:2d} {t:%H:%M:%S %Y}",
    "name of the month": lambda t: f"{t:%d-%b-%y %H:%M:%S}",
    "as a web server": lambda t: f"{t:%d/%b/%Y:%H:%M:%S} +0000",
    "epoch": lambda t: t.timestamp(),
    "epoch in ms as text": lambda t: str(int(t.timestamp() * 1000)),
    "epoch with a decimal comma": lambda t: f"{t.timestamp():.6f}".replace(".", ","),
}  # fmt: skip


@pytest.mark.parametrize("form", WRITTEN)
def test_times_as_people_write_them(form: str) -> None:
    """Every form gives the same times; where the 13th follows the 12th, the order of day and month is certain."""
    times = times_of(pd.Series([WRITTEN[form](stamp) for stamp in STAMPS]), "t: column time", [])
    assert times.tolist() == [pd.Timestamp(stamp) for stamp in STAMPS]


def test_the_order_of_day_and_month_that_is_not_certain() -> None:
    """Five days in a row are no five months: the shorter span counts, and a remark says so."""
    days = pd.Series([f"{day:02d}/07/2017 10:00" for day in range(3, 8)])
    remarks: list[str] = []
    assert times_of(days, "t", remarks).dt.month.tolist() == [7] * 5
    assert "read day first: they span 5 days, and month first 123" in remarks[0]
    days = pd.Series([f"07/{day:02d}/2017 10:00" for day in range(3, 8)])
    assert times_of(days, "t", remarks).dt.day.tolist() == [3, 4, 5, 6, 7]
    assert "read month first" in remarks[1]


def test_dates_in_two_orders() -> None:
    """A column with days first and months first is refused with a value of each."""
    with pytest.raises(InputError, match=r"t is '13/03/2018': and elsewhere '03/14/2018': .* write ISO 8601"):
        times_of(pd.Series(["13/03/2018", "03/14/2018"]), "t", [])


def test_zones_that_are_only_names() -> None:
    """The name of one zone is said; two cannot be told apart."""
    remarks: list[str] = []
    times_of(pd.Series(["Mar 12, 2018 20:00:00 CET"]), "t", remarks)
    assert remarks == ["t names the zone CET: its times were read as UTC."]
    with pytest.raises(InputError, match="names of zones say no offset"):
        times_of(pd.Series(["Mar 12, 2018 20:00:00 CET", "Mar 26, 2018 20:00:00 CEST"]), "t", [])


@pytest.mark.parametrize("odd", ["", "soon", "31/02/2018 20:00:00", "12/03/2018 25:00:00"])
def test_a_stamp_that_is_none(odd: str) -> None:
    """One stray stamp of sixty counts as the one before, is said, and leaves all checks at work."""
    texts = [f"{stamp:%d/%m/%Y %H:%M:%S}" for stamp in STAMPS]
    texts[7] = odd
    rows = pd.DataFrame(
        {
            "Timestamp": texts,
            "size": range(60),
            "src port": 40000,
            "Label": ["DoS" if 20 <= i < 30 else "BENIGN" for i in range(60)],
        }
    )
    subject = tables.of_frame(rows, "t", "Label")
    assert subject.of("time")[7] == subject.of("time")[6]
    assert any(
        "no valid time in 1 of 60 rows, the first of them row 8" in remark for remark in subject.remarks
    )
    assert result(subject, "A1").value == 0


def test_date_and_time_in_two_columns() -> None:
    """A date of its own before times of day is one time."""
    rows = pd.DataFrame(
        {
            "date": [f"{stamp:%d-%b-%y}" for stamp in STAMPS],
            "time": [f"{stamp:%H:%M:%S}" for stamp in STAMPS],
            "label": [0, 1] * 30,
        }
    )
    assert tables.of_frame(rows, "t").of("time").tolist() == [pd.Timestamp(stamp) for stamp in STAMPS]


def test_flags_in_hexadecimal_are_flags() -> None:
    """A5 reads TCP flags as tshark writes them, and no meaning is taken from flags that are words."""
    flags = ["0x00000002", "0x00000012", "0x00000010"] * 40
    rows = pd.DataFrame(
        {
            "tcp.flags": flags,
            "tcp.stream": np.arange(120) // 3,
            "ip.src": ["a", "b", "a"] * 40,
            "label": [0] * 90 + [1] * 30,
        }
    )
    assert result(tables.of_frame(rows, "t"), "A5").value == 0
    words = tables.of_frame(rows.assign(**{"tcp.flags": ["S", "SA", "A"] * 40}), "t")
    assert result(words, "A5").status is Status.ABSENT
    assert "tcp.flags" in words.features


def test_dates_in_one_number() -> None:
    """20180312 is a day and no second of 1970."""
    times = times_of(pd.Series([20180312, 20180313]), "t", [])
    assert times.tolist() == [pd.Timestamp("2018-03-12", tz="UTC"), pd.Timestamp("2018-03-13", tz="UTC")]
