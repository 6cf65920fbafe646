"""Tables as people have them: layouts, encodings, packed files, Zeek logs, ARFF, and several files."""

import bz2
import gzip
import lzma
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from coldaisle_analysis.audit import examine, tables
from coldaisle_analysis.audit.foreign import blocks, files
from coldaisle_analysis.audit.subject import Subject
from coldaisle_contracts.errors import InputError

HEADER = ("Dst Port", "Flow Duration", "Rate", "Label")
ROWS = [
    (1883 if i % 3 else 80, i * 7919 % 1000, i % 7 / 2, "DoS" if 20 <= i < 40 else "BENIGN")
    for i in range(120)
]


def lines(separator: str = ",", rows: Sequence[Sequence[object]] = ROWS) -> list[str]:
    """Return the lines of a table, the header first."""
    return [separator.join(map(str, row)) for row in (HEADER, *rows)]


def written(folder: Path, text: str | bytes, name: str = "flows.csv") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def same_rows(subject: Subject) -> bool:
    """Tell whether a table has the rows of this module, whatever form it had."""
    frame = subject.frame
    return (
        subject.features == ["Flow Duration", "Rate"]
        and [frame[name].tolist() for name in HEADER[:3]] == [[row[at] for row in ROWS] for at in range(3)]
        and subject.label.tolist() == [row[3] == "DoS" for row in ROWS]
    )


FORMS = {
    "plain": "\n".join(lines()),
    "carriage returns and line feeds": "\r\n".join(lines()) + "\r\n",
    "carriage returns": "\r".join(lines()) + "\r",
    "byte order mark": "\ufeff" + "\n".join(lines()),
    "byte order mark and semicolons": "\ufeff" + "\n".join(lines(";")),
    "decimal commas": "\n".join(lines(";")).replace(".", ","),
    "what Excel writes": "sep=;\n" + "\n".join(lines(";")).replace(".", ","),
    "pipes": "\n".join(lines("|")),
    "blanks behind commas": "\n".join(lines(", ")),
    "delimiters at the ends of rows": "\n".join([lines()[0], *(line + "," for line in lines()[1:])]),
    "delimiters at all ends": "\n".join(line + "," for line in lines()),
    "a delimiter at some ends": "\n".join(line + "," * (at in {3, 70}) for at, line in enumerate(lines())),
    "blank lines and rows": "\n\n" + "\n".join([*lines(), "", ",,,", " , , ,", "", ",,,"]) + "\n\n",
    "repeated headers": "\n".join([*lines()[:50], lines()[0], *lines()[50:], lines()[0]]),
    "files with marks put together": "\ufeff"
    + "\n".join([*lines()[:9], "\ufeff" + lines()[0], *lines()[9:]]),
    "quotation marks": "\n".join('"' + line.replace(",", '","') + '"' for line in lines()),
    "quoted rows without a value": "\n".join([*lines(), '"","","",""']),
    "blanks around names": "\n".join([" Dst Port, Flow Duration ,Rate , Label", *lines()[1:]]),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_table(form: str, tmp_path: Path) -> None:
    """The same rows come out of every form in which they are written."""
    subject = tables.load(written(tmp_path, FORMS[form]), "Label")
    if form == "delimiters at all ends":
        subject.features.remove("Unnamed: 4")  # type: ignore[attr-defined]  # it is a list
    assert same_rows(subject)


def test_what_was_left_out_is_counted(tmp_path: Path) -> None:
    """Blank rows and repeated headers are counted in a remark."""
    subject = tables.load(written(tmp_path, FORMS["blank lines and rows"]), "Label")
    assert "3 blank rows were left out." in subject.remarks
    subject = tables.load(written(tmp_path, FORMS["repeated headers"]), "Label")
    assert "2 repeated headers were left out." in subject.remarks


@pytest.mark.parametrize("pack", ["gz", "two", "zst", "bz2", "xz"])
def test_packed_files(pack: str, tmp_path: Path) -> None:
    """A packed table is unpacked while it is read, also one of several members."""
    text = FORMS["plain"].encode()
    half = text.index(b"\n") + 1
    packed = {
        "gz": gzip.compress(text),
        "two": gzip.compress(text[:half]) + gzip.compress(text[half:]),
        "zst": pa.compress(text, codec="zstd", asbytes=True),
        "bz2": bz2.compress(text),
        "xz": lzma.compress(text),
    }[pack]
    assert same_rows(tables.load(written(tmp_path, packed, f"flows.csv.{pack}"), "Label"))


@pytest.mark.parametrize("pack", ["gz", "zst"])
def test_a_packed_file_that_ends_too_early(pack: str, tmp_path: Path) -> None:
    """A download that broke off is named and not taken for the whole."""
    text = FORMS["plain"].encode() * 50
    packed = gzip.compress(text) if pack == "gz" else pa.compress(text, codec="zstd", asbytes=True)
    path = written(tmp_path, packed[: len(packed) // 2], f"flows.csv.{pack}")
    with pytest.raises(InputError, match=r"flows\.csv.*cannot be read to its end.*make the file again"):
        tables.load(path, "Label")


def test_other_encodings(tmp_path: Path) -> None:
    """A dash in Windows-1252 is read as such and said; UTF-16 with its mark is read, too."""
    text = FORMS["plain"].replace("DoS", "Web Attack \u2013 XSS")
    subject = tables.load(written(tmp_path, text.encode("cp1252")), "Label")
    assert set(subject.kind) == {"normal", "Web Attack \u2013 XSS"}
    assert any("flows.csv is not UTF-8 (byte 0x96 in line 22)" in remark for remark in subject.remarks)
    assert set(tables.load(written(tmp_path, text.encode("utf-16")), "Label").kind) == set(subject.kind)
    mixed = text.encode() + b"\n80,1,0.5,na\xefve"
    assert set(tables.load(written(tmp_path, mixed), "Label").kind) == {*subject.kind, "na\xefve"}


@pytest.mark.parametrize("size", [64, 1000])
def test_blocks_do_not_matter(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a file is divided, its rows are the same, also where text comes after numbers and lines are in quotation marks."""
    monkeypatch.setattr(blocks.blocks, "__defaults__", (size,))
    rows = [
        (port, duration, f'"a\nb{at}"' if at > 60 else at, label)
        for at, (port, duration, _, label) in enumerate(ROWS)
    ]
    subject = tables.load(written(tmp_path, "\n".join(lines(rows=rows))), "Label")
    assert subject.frame["Flow Duration"].tolist() == [row[1] for row in ROWS]
    assert subject.texts["Rate"][subject.frame["Rate"].iloc[-1]] == "a\nb119"
    assert len(subject) == len(ROWS)


BAD: dict[str, tuple[str | bytes, str]] = {
    "a row with a value too many": ("\n".join([*lines()[:5], "1,2,3,4,5", *lines()[5:]]), r"line 6 is '1,2,3,4,5': has 5 values for 4 columns: mend or remove this line"),
    "a row that breaks off": ("\n".join([*lines(), "1,2"]), r"line 122 is '1,2': has 2 values for 4 columns"),
    "no header": ("\n".join(lines()[1:]).replace("BENIGN", "0"), r"line 1 is '80': holds values and no names of columns"),
    "an archive": (b"PK\x03\x04" + bytes(80), "is a ZIP archive or an Excel workbook: unpack it"),
    "JSON": ('{"label": 1}\n' * 9, "is JSON: write a CSV or Parquet table"),
    "zeros": (b"Dst Port,Label\n80,\0\n", r"line 2: has a NUL byte"),
    "a header with other names further down": ("\n".join([*lines()[:50], "Dst Port,Flow Duration,Speed,Label", *lines()[50:]]), "holds the name of a column"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read(case: str, tmp_path: Path) -> None:
    """What is no table, or is broken, is one sentence with file, place, value and remedy."""
    text, sentence = BAD[case]
    with pytest.raises(InputError, match=sentence) as raised:
        tables.load(written(tmp_path, text), "Label")
    assert "flows.csv" in str(raised.value)


def test_a_label_that_is_not_there_names_the_last_columns(tmp_path: Path) -> None:
    """Where the columns are many, the sentence names the last ones, too, because the label stands there."""
    names = [*(f"Feature {number}" for number in range(78)), "Class"]
    path = written(tmp_path, ",".join(names) + "\n" + ",".join("1" * 79) + "\n")
    with pytest.raises(InputError, match=r"there are Feature 0, .*, …, .*, Class \(perhaps Class\)"):
        tables.load(path)


ZEEK = """#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#open\t2026-03-02-00-00-00
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\tlabel
#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tstring
"""


def zeek(first: int, last: int, end: str = "#close\t2026-03-02-01-00-00\n") -> str:
    """Return a log of connections, every third of them an attack without a service."""
    rows = "".join(
        f"{1772409600 + i}.5\tC{i}\t198.18.0.{i % 7}\t{40000 + i}\t198.18.0.2\t1883\ttcp\t{'mqtt' if i % 3 else '-'}\t{'0.25' if i % 2 else '-'}\t{'Benign' if i % 3 else 'Malicious'}\n"
        for i in range(first, last)
    )
    return ZEEK + rows + end


def test_zeek_logs(tmp_path: Path) -> None:
    """A log is read by its #fields; - is missing; logs put together and logs in a folder are one table."""
    whole = tables.load(written(tmp_path, zeek(0, 60), "conn.log"), "label")
    assert whole.meaning["src"] == "id.orig_h"
    assert whole.of("time").iloc[1] == pd.Timestamp("2026-03-02T00:00:01.5Z")
    assert whole.label.tolist() == [i % 3 == 0 for i in range(60)]
    assert set(whole.features) == {"proto", "service", "duration"}
    assert whole.frame["duration"].isna().tolist() == [i % 2 == 0 for i in range(60)]
    together = tables.load(written(tmp_path, zeek(0, 30) + zeek(30, 60), "both.log"), "label")
    folder = tmp_path / "logs"
    folder.mkdir()
    written(folder, gzip.compress(zeek(0, 30).encode()), "conn.00.log.gz")
    written(folder, zeek(30, 60, ""), "conn.01.log")
    for subject in (together, tables.load(folder, "label")):
        pd.testing.assert_frame_equal(subject.frame, whole.frame, check_categorical=False)


def test_labelled_zeek_logs_of_ctu(tmp_path: Path) -> None:
    """The last columns of these logs stand between three blanks, in the header and in the rows."""
    text = (
        zeek(0, 60)
        .replace("\tinterval\tstring", "\tinterval\tstring   string")
        .replace("\tlabel", "\ttunnel_parents   label   detailed-label")
    )
    text = text.replace("\tBenign\n", "\t(empty)   Benign   -\n").replace(
        "\tMalicious\n", "\t(empty)   Malicious   C&C\n"
    )
    subject = tables.load(written(tmp_path, text, "conn.log.labeled"), "label")
    assert set(subject.kind) == {"normal", "C&C"}
    assert not {"label", "detailed-label"} & set(subject.features)


def test_logs_of_different_fields(tmp_path: Path) -> None:
    """Two logs that are not one table are told apart by the first field that differs."""
    written(tmp_path, zeek(0, 30), "conn.log")
    written(tmp_path, zeek(0, 30).replace("\tservice", "\tserver"), "dns.log")
    with pytest.raises(
        InputError,
        match=r"dns\.log: column server is not in the first file: give files with the same columns|dns\.log: column server: is not",
    ):
        tables.load(tmp_path, "label")
    with pytest.raises(InputError, match=r"both\.log: line 46: has other fields"):
        tables.load(
            written(tmp_path, zeek(0, 30) + zeek(30, 60).replace("\tservice", "\tserver"), "both.log"),
            "label",
        )


def test_arff(tmp_path: Path) -> None:
    """Attributes give the names, ? is missing, and quotation marks and comments are no values."""
    head = "% flows\n@RELATION flows\n\n@attribute 'Dst Port' numeric\n@attribute \"Flow Duration\" REAL\n@ATTRIBUTE Rate real\n@attribute Label{BENIGN, 'DoS'}\n@data\n"
    rows = "".join(f"{port},{duration},{rate}, '{label}'\n" for port, duration, rate, label in ROWS)
    assert same_rows(tables.load(written(tmp_path, head + "% rows\n" + rows, "flows.arff"), "Label"))
    subject = tables.load(written(tmp_path, head + rows + "80,?,?,DoS\n", "flows.arff"), "Label")
    assert subject.frame["Rate"].isna().tolist() == [False] * len(ROWS) + [True]
    with pytest.raises(InputError, match=r"line 9: is a sparse ARFF row: write each value of each row"):
        tables.load(written(tmp_path, head + "{0 80, 3 DoS}\n", "flows.arff"), "Label")


def test_folders_and_patterns(tmp_path: Path) -> None:
    """Files of a folder or a pattern are one table in natural order, whatever the order of their columns; others are named."""
    written(tmp_path, "\n".join(lines(rows=ROWS[:70])), "Day2.csv")
    frame = pd.DataFrame(ROWS[70:], columns=list(HEADER))
    frame[[*reversed(HEADER)]].to_csv(tmp_path / "Day10.csv", index=False)
    written(tmp_path, "no table", "README.md")
    folder, pattern = tables.load(tmp_path, "Label"), tables.load(tmp_path / "Day*.csv", "Label")
    assert same_rows(folder)
    assert same_rows(pattern)
    assert same_rows(tables.load([tmp_path / "Day2.csv", tmp_path / "Day10.csv"], "Label"))
    assert "2 files were read as one table, from Day2.csv to Day10.csv." in pattern.remarks
    assert any("README.md" in remark for remark in folder.remarks)
    name, _ = examine.path(tmp_path, "Label")
    assert name == "2 tables from Day2.csv"


def test_parquet_and_csv_together(tmp_path: Path) -> None:
    """A folder may hold both; text, dictionaries and times of Parquet are the same as those of a CSV."""
    frame = pd.DataFrame(ROWS, columns=list(HEADER))
    frame[:50].astype({"Label": "category"}).to_parquet(tmp_path / "a.parquet")
    frame[50:].to_csv(tmp_path / "b.csv", index=False)
    assert same_rows(tables.load(tmp_path, "Label"))


def test_columns_twice(tmp_path: Path) -> None:
    """CICIDS2017 has Fwd Header Length twice: the second one gets a number, and it is said."""
    path = written(tmp_path, "a,label, a\n" + "1,0,2\n2,1,3\n" * 20)
    subject = tables.load(path)
    assert subject.features == ["a", "a.1"]
    assert any("more than one column a" in remark for remark in subject.remarks)


def test_a_folder_without_tables(tmp_path: Path) -> None:
    """A folder is a run or holds tables."""
    written(tmp_path, "no table", "README.md")
    assert not files.is_table(tmp_path)
    with pytest.raises(InputError):
        examine.path(tmp_path)


def test_tables_of_parquet(tmp_path: Path) -> None:
    """Times with a zone, truth values, dates and lists of Parquet are times, text and times again."""
    frame = pd.DataFrame(ROWS, columns=list(HEADER))
    frame["Timestamp"] = pd.date_range("2026-03-02", periods=len(ROWS), freq="min", tz="Europe/Berlin")
    frame["day of it"] = frame["Timestamp"].dt.date
    frame["open"], frame["parts"] = frame["Flow Duration"] > 500, [[1, at % 3] for at in range(len(ROWS))]
    frame.to_parquet(tmp_path / "flows.parquet")
    subject = tables.load(tmp_path / "flows.parquet", "Label")
    assert subject.of("time").tolist() == frame["Timestamp"].tolist()
    assert subject.features == ["Flow Duration", "Rate", "open", "parts"]
    assert subject.clocks == ["Timestamp", "day of it"]
    written(tmp_path, b"PAR1 and no more", "odd.parquet")
    with pytest.raises(InputError, match=r"odd\.parquet: cannot be read"):
        tables.load(tmp_path / "odd.parquet", "Label")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_delimiters_at_some_ends(sign: str, tmp_path: Path) -> None:
    """A delimiter behind some rows adds no column, whatever it is and however lines end."""
    text = "\r\n".join(line + sign * (at in {3, 70, 90}) for at, line in enumerate(lines(sign))) + "\r\n"
    assert same_rows(tables.load(written(tmp_path, text), "Label"))


def test_two_label_columns(tmp_path: Path) -> None:
    """Of two columns with the name of the label neither is taken."""
    path = written(tmp_path, "a,label,label\n" + "1,0,0\n2,1,1\n" * 20)
    with pytest.raises(InputError, match=r"column label: is there twice: rename one"):
        tables.load(path)


def test_own_signs_of_zeek(tmp_path: Path) -> None:
    """The log says itself what stands for a value that is not set, and what stands between values."""
    text = zeek(0, 60).replace("\t-\t", "\tNIL\t").replace("#unset_field\t-", "#unset_field\tNIL")
    subject = tables.load(
        written(tmp_path, text.replace(",", ";").replace("\t", ",").replace("\\x09", ","), "conn.log"),
        "label",
    )
    assert subject.frame["duration"].isna().tolist() == [i % 2 == 0 for i in range(60)]
    assert "duration" not in subject.texts
