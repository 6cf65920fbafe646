"""Check of the labels against the witness, which derives the label of every frame by independent code."""

from collections.abc import Iterable

from coldaisle_analysis import tables, witness
from coldaisle_testbed.verification.case import Case

_COLUMNS = ["label", "benign", "episode"]


def labels_agree(case: Case) -> Iterable[str]:
    """Return a sentence for each label that differs from the witness's, and for each frame or line that it cannot explain."""
    path = case.run / "dataset" / "packets.parquet"
    table = tables.read(path) if path.is_file() else case.account.join.table
    columns = (table[name].astype("object").tolist() for name in _COLUMNS)
    labels = [
        witness.Verdict(int(label), int(benign), episode if label or benign else "")
        for label, benign, episode in zip(*columns, strict=True)
    ]
    return witness.differences(witness.testify(case.run), labels)
