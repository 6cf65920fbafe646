"""The results of a campaign, ``models/metrics.json``: their types.

A value that does not exist is NaN in memory and ``null`` in the file. ``docs/schemas/campaign-metrics.json`` is printed from these types.
"""

from typing import NotRequired

from typing_extensions import TypedDict

from coldaisle_analysis.earliness.per_kind import Number
from coldaisle_analysis.evaluation.counts import Intervals
from coldaisle_analysis.evaluation.metrics import CaseRow


class Scores(TypedDict):
    """The alarms of a model, counted in rows.

    Attributes:
        precision: share of the alarming rows that are attacks.
        recall: share of the attack rows that alarm.
        f1: the harmonic mean of both.
        intervals: how sure these three are; whole episodes and days are resampled.
        attack_rows: attack rows that were tested.
        episodes: episodes that they belong to.
    """

    precision: float
    recall: float
    f1: float
    intervals: Intervals
    attack_rows: int
    episodes: int


class ModelRow(CaseRow):
    """A model that learned from all training weeks and was tested once on all test weeks; its split is ``campaign``.

    Attributes:
        learns: how it learned: on a sample of the rows of all weeks, or week by week.
        validated_f1: its F1 on the validation weeks, by which the best model is chosen.
        visible: the same where only attack rows count that left a trace; absent where the weeks were not compared with their twins.
    """

    learns: str
    validated_f1: float
    visible: NotRequired[Scores]


class LearningPoint(Scores):
    """A point of a learning curve.

    Attributes:
        level: ``packets`` or ``readings``.
        model: name of the model.
        weeks: training weeks.
        train_rows: rows that it was fitted on.
        train_episodes: episodes of attacks in the training weeks.
    """

    level: str
    model: str
    weeks: int
    train_rows: int
    train_episodes: int


class KindRow(TypedDict):
    """What the best model catches of a kind of attack.

    Attributes:
        level: ``packets`` or ``readings``.
        model: name of the model.
        kind: the kind.
        attack_rows: its attack rows in the test weeks.
        episodes: its episodes there.
        train_episodes: its episodes in the training weeks.
        recall: share of its rows that alarm.
        interval: how sure that is, ``[low, high]``: whole episodes are resampled.
        seen: share of its rows that left a trace in the columns of the level; null where the weeks were not compared with their twins.
        recall_of_seen: recall among these; null likewise, or without any.
        trained: recall of the same model on fewer rows; null where the kind was not left out, as it is not in training or test.
        unseen: recall of that model with the kind left out of training; null likewise.
        unseen_interval: how sure that is, ``[low, high]``; null likewise.
    """

    level: str
    model: str
    kind: str
    attack_rows: int
    episodes: int
    train_episodes: int
    recall: float
    interval: list[float]
    seen: Number
    recall_of_seen: Number
    trained: Number
    unseen: Number
    unseen_interval: list[Number]


class TransferRow(Scores):
    """A model that learned from one scenario, or from other captures, and was tested on another.

    Attributes:
        level: ``packets`` or ``readings``.
        model: name of the model.
        trained_on: name of the scenario, ``all`` for all of them, or ``captures``.
        tested_on: likewise.
        train_rows: rows that it was fitted on.
    """

    level: str
    model: str
    trained_on: str
    tested_on: str
    train_rows: int


class Cost(TypedDict):
    """What it took.

    Attributes:
        play_h: time of the machines for playing and labelling the weeks, in h, from their manifests.
        analysis_s: time of the machine for this analysis, in s.
        packets: packets of all weeks.
        readings: readings of all weeks.
    """

    play_h: float
    analysis_s: float
    packets: int
    readings: int


class CampaignMetrics(TypedDict):
    """The results of a campaign.

    Attributes:
        campaign: its name.
        train: names of the weeks that models learned from.
        validate: names of the weeks that thresholds, budgets and policies were set on.
        test: names of the weeks that models were tested on.
        missing: names of weeks that were not played.
        models: every model on every level.
        curve: learning curves.
        kinds: every kind of attack on every level.
        transfer: from scenario to scenario, and to other captures and back.
        cost: what it took.
    """

    campaign: str
    train: list[str]
    validate: list[str]
    test: list[str]
    missing: list[str]
    models: list[ModelRow]
    curve: list[LearningPoint]
    kinds: list[KindRow]
    transfer: list[TransferRow]
    cost: Cost
