"""The witness: a second, independent determination of the label of every captured frame.

It reads plan, journals and the *raw* captures and shares no code with the labeller. It has its own reader of captures and
journals, follows connections itself, and examines the payloads of frames. Where it and the dataset differ, one of them is wrong.
Only the vocabulary is shared (:mod:`coldaisle_contracts`): addresses, kinds, plan, and the digest that names a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.witness.journals import Journals
from coldaisle_analysis.witness.shard import Examination
from coldaisle_analysis.witness.verdict import Doubt, Verdict
from coldaisle_contracts.timeline import Timeline

__all__ = ["Doubt", "Testimony", "Verdict", "differences", "testify"]


@dataclass(frozen=True)
class Testimony:
    """The result of the witness for a run.

    Attributes:
        names: number and file of each frame, in the order of level ``packets``.
        verdicts: the possible verdicts on each frame: usually one, none where nothing explains it, two where both are possible.
        doubts: everything that the witness cannot explain.
    """

    names: list[str]
    verdicts: list[tuple[Verdict, ...]]
    doubts: list[Doubt]


def testify(run: Path) -> Testimony:
    """Return the verdict of the witness on every captured frame of a run.

    Raises:
        InputError: if plan, journals or captures cannot be read.
    """
    journals = Journals.open(run)
    names, verdicts, doubts = list[str](), list[tuple[Verdict, ...]](), list[Doubt]()
    for shard in journals.shards:
        timeline = Timeline.load(run / "journal" / "timeline.jsonl", shard)
        examination = Examination(journals, shard)
        examination.run(run, [line["raw"] for line in journals.sealed[shard]], timeline)
        names += examination.names
        verdicts += examination.verdicts
        doubts += examination.doubts
    return Testimony(names, verdicts, doubts)


def differences(testimony: Testimony, labels: Sequence[Verdict]) -> list[str]:
    """Return a sentence for each kind of difference between a dataset and the witness.

    Args:
        testimony: the result of the witness.
        labels: label, benign and episode of each row of level ``packets``; the episode is empty where label and benign are 0.
    """
    doubts = [str(doubt) for doubt in testimony.doubts[:1]]
    if len(testimony.doubts) > 1:
        doubts = [f"{doubts[0]} (the first of {len(testimony.doubts)} things the witness cannot explain)"]
    if len(labels) != len(testimony.verdicts):
        return [
            *doubts,
            f"dataset/packets holds {len(labels)} rows, but the captures have {len(testimony.verdicts)} frames",
        ]
    wrong = [
        row
        for row, (label, able) in enumerate(zip(labels, testimony.verdicts, strict=True))
        if label not in able
    ]
    if wrong:
        row = wrong[0]
        doubts.append(
            f"{len(wrong)} frames are labelled otherwise than the witness finds, the first is {testimony.names[row]}: "
            f"{_words(labels[row])}; the witness: {' or '.join(map(_words, testimony.verdicts[row])) or 'unexplained'}"
        )
    return doubts


def _words(verdict: Verdict) -> str:
    kind = "attack" if verdict.label else "benign anomaly" if verdict.benign else "normal"
    return f"{kind} {verdict.episode}".strip()
