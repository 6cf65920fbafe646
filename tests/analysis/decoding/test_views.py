"""What a watcher sees of a batch is what Arrow's columns hold."""

import numpy as np
import pytest
from tests.analysis import made_run

from coldaisle_analysis.decoding import Batch, Decoder, View, batches
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.decoding.views import NUMBERS


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[View, Batch]:
    """Return the frames of a run made by hand, as numpy and as Arrow has them."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    (view,) = Decoder().views([run / "capture" / f"{made_run.SHARD}-000.pcap"])
    return view, batches.batch(view)


@pytest.mark.parametrize("name", [*NUMBERS])
def test_numbers_are_the_same(seen: tuple[View, Batch], name: str) -> None:
    """Every column of numbers holds the same, and nothing in the same rows."""
    view, batch = seen
    expected = [np.nan if value is None else float(value) for value in batch.packets[name].to_pylist()]
    np.testing.assert_array_equal(view.numbers(name), expected)


@pytest.mark.parametrize("name", ["protocol", "client", "ip_src", "ip_dst", "eth_src", "mqtt_topic"])
def test_texts_are_the_same(seen: tuple[View, Batch], name: str) -> None:
    """Columns of text too."""
    view, batch = seen
    assert view.texts(name).tolist() == batch.packets[name].to_pylist()


def test_what_was_published_is_the_same(seen: tuple[View, Batch]) -> None:
    """The first PUBLISH of each frame, with its payload and whose it is."""
    view, batch = seen
    rows = [row for row in batch.messages.to_pylist() if row["msgtype"] == PUBLISH]
    first = {row["frame"]: row for row in reversed(rows)}
    sent = view.published
    told = zip(view.frame[sent.row].tolist(), sent.flow.tolist(), sent.client, sent.payload, strict=True)
    keys = ("frame", "flow", "client", "payload")
    assert [*told] == [tuple(first[frame][key] for key in keys) for frame in sorted(first)]
    assert len(first) > 1
