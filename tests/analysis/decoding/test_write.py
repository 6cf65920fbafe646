"""The tables as files: whole or not there, the columns of the table of columns, and the machine code behind them."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.analysis.decoding.made import connect, control, decode, pcap, publish, talk, up

from coldaisle_analysis import columns, decoding
from coldaisle_analysis.columns import WIRE, Level
from coldaisle_analysis.compiled import compiler, jit, machine
from coldaisle_analysis.decoding import batches, layout, records, schema
from coldaisle_analysis.decoding.batches import Batch
from coldaisle_contracts.errors import InputError

FRAMES = talk(
    (">", connect()), ("<", control(0x20, b"\0\0")), (">", publish()), ("<", control(0x40, b"\0\7"))
)


def test_tables_are_what_was_decoded(tmp_path: Path) -> None:
    """Read back by pyarrow, DuckDB and Polars the files hold the rows of the batches."""
    path = pcap(tmp_path / "made.pcap", FRAMES)
    tables, written = decode(path), decoding.write([path], tmp_path / "out" / "tables")
    assert (written.frames, written.messages, written.remarks) == (4, 4, ())
    for file, table in zip(written.files, (tables.packets, tables.messages), strict=True):
        assert pq.read_table(file).to_pylist() == table.to_pylist()
        assert len(pl.read_parquet(file)) == 4
        assert duckdb.read_parquet(str(file)).aggregate("count(*), min(frame)").fetchall() == [(4, 1)]
    assert sorted(path.name for path in (tmp_path / "out" / "tables").iterdir()) == [
        "messages.parquet",
        "packets.parquet",
    ]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    """Frames are numbered through all files and within each, and a connection goes on in the next one."""
    paths = [pcap(tmp_path / "a.pcap", FRAMES[:2]), pcap(tmp_path / "b.pcap", FRAMES[2:])]
    table = pq.read_table(decoding.write(paths, tmp_path / "out").files[0])
    assert table["frame"].to_pylist() == [1, 2, 3, 4]
    assert table["frame_in_file"].to_pylist() == [1, 2, 1, 2]
    assert table["file"].to_pylist() == ["a.pcap", "a.pcap", "b.pcap", "b.pcap"]
    assert set(table["client"].to_pylist()) == {"131"}


def test_nothing_is_left_of_a_capture_cut_short(tmp_path: Path) -> None:
    """When a later file is cut short no table is left, nor a folder that was made for it."""
    good, bad = pcap(tmp_path / "a.pcap", FRAMES), pcap(tmp_path / "b.pcap", FRAMES)
    bad.write_bytes(bad.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"b\.pcap: frame 4"):
        decoding.write([good, bad], tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError):
        decoding.write([bad], tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """A file in the place of the folder is named, and stays as it is."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file: it exists already: name another"):
        decoding.write([pcap(tmp_path / "made.pcap", FRAMES)], tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_rows_stay_as_they_are_until_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly batches are written, the decoder overwrites none that is not on disk yet."""
    frames = [up(publish(f"{number}".encode() * 9), 1000 + 100 * number) for number in range(64)]
    path = pcap(tmp_path / "made.pcap", frames)
    write_batch = pq.ParquetWriter.write_batch

    def slowly(writer: pq.ParquetWriter, rows: pa.RecordBatch) -> None:
        time.sleep(0.02)
        write_batch(writer, rows)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", slowly)
    written = decoding.write([path], tmp_path / "out", decoding.Decoder(frames=7, size=0))
    tables = decode(path, decoding.Decoder(frames=7, size=0))
    assert pq.ParquetFile(written.files[0]).num_row_groups > 8
    for file, table in zip(written.files, (tables.packets, tables.messages), strict=True):
        assert pq.read_table(file).to_pylist() == table.to_pylist()


@pytest.mark.parametrize("level", WIRE)
def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Level) -> None:
    """An error of a thread that writes is the command's own error; no thread and no file is left."""
    write_batch, before = pq.ParquetWriter.write_batch, threading.active_count()

    def fails(writer: pq.ParquetWriter, rows: pa.RecordBatch) -> None:
        if rows.schema == decoding.SCHEMAS[level]:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_batch(writer, rows)

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", fails)
    path = pcap(tmp_path / "made.pcap", FRAMES)
    with pytest.raises(InputError, match=r"the disk at .* is full"):
        decoding.write([path], tmp_path / "out", decoding.Decoder(frames=1, size=0))
    assert threading.active_count() == before
    assert not (tmp_path / "out").exists()


def test_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a batch is written ends all threads and leaves nothing."""
    before, writing = threading.active_count(), threading.Event()
    write_batch = pq.ParquetWriter.write_batch

    def slowly(writer: pq.ParquetWriter, rows: pa.RecordBatch) -> None:
        writing.set()
        time.sleep(0.05)
        write_batch(writer, rows)

    def interrupted(*_: object) -> Batch:
        if writing.is_set():
            raise KeyboardInterrupt
        return batch(*_)  # type: ignore[arg-type]

    batch = batches.batch
    monkeypatch.setattr(pq.ParquetWriter, "write_batch", slowly)
    monkeypatch.setattr(batches, "batch", interrupted)
    path = pcap(tmp_path / "made.pcap", FRAMES)
    with pytest.raises(KeyboardInterrupt):
        decoding.write([path], tmp_path / "out", decoding.Decoder(frames=1, size=0))
    assert threading.active_count() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("level", WIRE)
def test_types_are_those_of_the_table_of_columns(level: Level) -> None:
    """Every column of a batch is in the table of columns, and its array has the type that stands there."""
    kinds = {column.name: column.dtype.lower() for column in columns.columns(level)}
    assert set(decoding.SCHEMAS[level].names) <= set(kinds)
    parts: dict[type[layout.Ordinal], str] = (
        {
            layout.I8: "int8",
            layout.I16: "int16",
            layout.I32: "int32",
            layout.I64: "int64",
            layout.F64: "float64",
        }
        if level == "packets"
        else {layout.M8: "int8", layout.M16: "int16", layout.M32: "int32"}
    )
    for names, kind in parts.items():
        for column in names:
            name = column.name.lower()
            assert name in {"row", "protocol"} or kinds[name] == kind, name


def test_every_column_has_its_bit() -> None:
    """Each row of the kernel's arrays is in the table that says where it holds something, unless it always does."""
    always = {"PROTOCOL", "ETH_SRC_CHANGED", "TO_SERVER", "FRAME_LEN", "ETH_TYPE", "FLOW", "ROW"}
    rows = (
        layout.I8,
        layout.I16,
        layout.I32,
        layout.I64,
        layout.F64,
        layout.Code,
        layout.M8,
        layout.M16,
        layout.M32,
        layout.MCode,
    )
    names = {column.name for part in rows for column in part}
    assert names - set(schema.BIT) == always


def test_slow_libraries_are_not_loaded(tmp_path: Path) -> None:
    """Decoding a file loads neither numba nor pandas nor scikit-learn, which take longer than a small capture."""
    path = pcap(tmp_path / "made.pcap", FRAMES)
    program = (
        "import sys; from pathlib import Path; from coldaisle_analysis import decoding; "
        f"decoding.write([Path({str(path)!r})], Path({str(tmp_path / 'out')!r})); "
        "print({'numba', 'pandas', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


def test_machine_code_is_called_without_its_compiler(tmp_path: Path) -> None:
    """What was compiled and kept returns one number or several, fills arrays, and refuses arguments of another kind."""
    numbers, places = np.arange(6, dtype=np.int64), (np.zeros(6, np.int32), np.zeros((2, 3)))
    examples = (numbers, places, 1, False)
    machine.save(tmp_path / "code.o", *compiler.entry(_spread, *examples))
    spread = machine.load(tmp_path / "code.o", 2, *examples)
    assert spread(numbers, places, 10, True) == (6, 150)
    assert places[0].tolist() == [0, 10, 20, 30, 40, 50]
    assert places[1].tolist() == [[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]]
    machine.save(tmp_path / "one.o", *compiler.entry(_twice, 1))
    assert machine.load(tmp_path / "one.o", 1, 1)(-21) == -42
    for wrong in (numbers[::2], numbers.astype(np.int32), 3):
        with pytest.raises(TypeError, match="other arguments"):
            spread(wrong, places, 1, True)


def test_machine_code_is_made_where_it_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the sources, else in the user's cache; where neither may be written, and where compiling fails, one sentence says so."""
    monkeypatch.setattr(jit, "stamp", lambda _: "of-this-test")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[str] = []

    def compiles(_: object, env: dict[str, str], **__: object) -> SimpleNamespace:
        made.append(env[jit._FOLDER])
        machine.save(Path(made[-1]) / "twice-of-this-test.o", *compiler.entry(_twice, 1))
        return SimpleNamespace(returncode=0)

    with monkeypatch.context() as patch:
        patch.setattr(jit, "_HERE", tmp_path / "sources")
        patch.setattr("subprocess.run", compiles)
        assert jit.entry(_twice, 1, 1)(21) == 42
        patch.setattr(jit, "_HERE", Path("/proc"))
        assert jit.entry(_twice, 1, 1)(21) == 42
        assert jit.entry(_twice, 1, 1)(4) == 8
        assert made == [str(tmp_path / "sources" / "__pycache__"), str(tmp_path / "coldaisle")]
    monkeypatch.setattr(jit, "_folders", lambda: [tmp_path / "empty"])
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(InputError, match="could not be made"):
        jit.entry(_twice, 1, 1)
    monkeypatch.setattr(jit, "_folders", lambda: [Path("/proc/none"), Path("/proc/nor")])
    with pytest.raises(InputError, match="no folder to keep it in: make /proc/none or /proc/nor writable"):
        jit.entry(_twice, 1, 1)


def test_machine_code_that_cannot_be_read_is_not_blamed_on_the_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the file of the machine code and what to do with it, and not the capture that was to be decoded."""
    monkeypatch.setattr(jit, "_folders", lambda: [tmp_path])
    code = tmp_path / f"pcap-{jit.stamp(Path(records.__file__).parent)}.o"
    code.mkdir()  # root may read any file, but nobody reads a folder as one
    records.load.cache_clear()
    with pytest.raises(InputError) as failed:
        decode(pcap(tmp_path / "made.pcap", FRAMES))
    assert str(failed.value).startswith(f"{code}: compiled code cannot be read (Is a directory): make it")


SLOW = """
import os, pathlib, time
folder = pathlib.Path(os.environ["COLDAISLE_COMPILES_INTO"])
with (folder / "log").open("a") as log:
    log.write(f"{os.getpid()}\\n")
time.sleep(1.5)
(folder / "twice-x.o").touch()
"""
"""A compiler that takes its time."""
NEEDS = """
import sys
from pathlib import Path
from coldaisle_analysis.compiled import jit
jit._EVERYTHING, jit._folders = "slow", lambda: [Path(sys.argv[1])]
print(jit._kept("twice-x.o") or jit._compiled("twice-x.o"))
"""
"""A program that needs machine code."""


@pytest.mark.parametrize("dies", ["nobody", "the process", "the process and its compiler"])
def test_one_process_compiles_and_the_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Of several processes one compiles; if it is killed its compiler goes on, and if that is killed, too, another one compiles."""
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    kept, log = tmp_path / "kept", tmp_path / "kept" / "log"
    command = [sys.executable, "-c", NEEDS, str(kept)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not (log.exists() and log.read_text(encoding="utf-8").endswith("\n")):
            time.sleep(0.02)
        if dies != "nobody":
            first.kill()
        if dies == "the process and its compiler":
            os.kill(int(log.read_text(encoding="utf-8")), signal.SIGKILL)
        others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert {other.communicate()[0] for other in others} == {f"{kept / 'twice-x.o'}\n"}
    finally:
        first.kill()
        first.wait()
    compiled = len(log.read_text(encoding="utf-8").split())
    assert compiled == (2 if dies == "the process and its compiler" else 1)


def _twice(number: int) -> int:
    return 2 * number


def _spread(
    numbers: npt.NDArray[np.int64],
    places: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]],
    factor: int,
    halved: bool,
) -> tuple[int, int]:
    total = 0
    for index in range(len(numbers)):
        places[0][index] = numbers[index] * factor
        total += places[0][index]
        if halved:
            places[1][index // 3, index % 3] = numbers[index] / 2
    return len(numbers), total


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A capture forty times as large takes no more memory than the bound, and a process of its own shows it."""
    chunk = b"".join(
        bytes.fromhex("e8030000000000006400000064000000").replace(
            b"\x64\0\0\0", len(data).to_bytes(4, "little")
        )
        + data
        for data in (
            bytes(up(publish(bytes([65 + number % 26]) * 40), 1000 + 54 * number)) for number in range(2000)
        )
    )
    head = pcap(tmp_path / "empty.pcap", []).read_bytes()
    peaks = []
    for times in (5, 200):
        path = tmp_path / f"{times}.pcap"
        path.write_bytes(head + chunk * times)
        program = (
            "from pathlib import Path; from coldaisle_analysis import decoding; "
            f"decoding.write([Path({str(path)!r})], Path({str(tmp_path / 'out')!r})); "
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        )
        peaks.append(int(subprocess.check_output([sys.executable, "-c", program], text=True)) // 1024)
    assert peaks[1] < 600
    assert peaks[1] - peaks[0] < 250
