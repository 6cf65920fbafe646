"""Writing a text to the user's path: the whole file or nothing, and never over a device."""

import os
import threading
from pathlib import Path

import pytest

from coldaisle_contracts import texts


def test_a_file_appears_whole(tmp_path: Path) -> None:
    """The old file is replaced, and no temporary file is left."""
    path = tmp_path / "a.json"
    path.write_text("old")
    texts.write(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_place_of_a_file_is_left(tmp_path: Path) -> None:
    """A folder in the file's place is not replaced, and no temporary file is left."""
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        texts.write(tmp_path / "a", "new")
    with pytest.raises(OSError, match="b"):
        texts.write(tmp_path / "none" / "b", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_device_and_a_link_are_written_to_and_stay(tmp_path: Path) -> None:
    """A rename by root would replace a device for all users: a pipe and a link are written to and still exist afterwards."""
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to(file)
    file.write_text("old")
    came: list[str] = []
    reader = threading.Thread(target=lambda: came.append(pipe.read_text()))
    reader.start()
    texts.write(pipe, "through")
    reader.join()
    texts.write(link, "linked")
    assert came == ["through"]
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert file.read_text() == "linked"
