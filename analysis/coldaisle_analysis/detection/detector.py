"""A detector and its file: fitted pipeline, site, policies, and the origin of all of them."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis import columns
from coldaisle_analysis.earliness.policies import Policy, as_json, of_json
from coldaisle_analysis.forecast.kalman import COLUMNS, Forecast, Site
from coldaisle_analysis.models import files
from coldaisle_analysis.models.model import scores
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read, writable

FORMAT = 1
SUFFIX = ".skops"
PLAIN = "best F1"
"""Policy that a detector follows by default."""


@dataclass(frozen=True)
class Detector:
    """A fitted model that scores frames, with policies that raise alarms.

    Attributes:
        model: name of the model.
        pipeline: fitted on the columns that :func:`inputs` names.
        site: site that forecasts are made for.
        policies: alarm policies by name: :data:`PLAIN`, a budget of false alarms, or one chosen for earliness.
        about: origin of the training data and scores, as JSON.
        series: patterns of the names of series whose values it reads; without any, it reads all.

    Examples:
        >>> from pathlib import Path
        >>> detector = Detector.load(Path("runs/latest/models/packets.random_forest.skops"))
        >>> detector.model, list(detector.policies)
        ('random_forest', ['best F1', '1 a day', '1 a week', 'early'])
    """

    model: str
    pipeline: Pipeline
    site: Site
    policies: dict[str, Policy]
    about: dict[str, Any] = field(default_factory=dict)
    series: tuple[str, ...] = ()

    def policy(self, name: str) -> Policy:
        """Return a policy by name.

        Raises:
            InputError: if no policy has the name.

        Examples:
            >>> type(detector.policy("best F1")).__name__
            'Threshold'
        """
        if name not in self.policies:
            raise InputError("--policy", f"use one of {', '.join(map(repr, self.policies))}", name)
        return self.policies[name]

    def save(self, path: Path) -> None:
        """Write the detector into a file, which appears by rename; its folder is made if it does not exist.

        Raises:
            InputError: if the model cannot be saved without pickle, or the file cannot be written.

        Examples:
            >>> detector.save(Path("detectors/site.skops"))
            >>> Detector.load(Path("detectors/site.skops")).model
            'random_forest'
        """
        contents = {
            "format": FORMAT,
            "model": self.model,
            "columns": inputs(),
            "site": self.site.to_json(),
            "policies": {name: as_json(policy) for name, policy in self.policies.items()},
            "about": self.about,
            "series": self.series,
        }
        data = files.dumps({"told": json.dumps(contents), "pipeline": self.pipeline})
        hidden = path.with_name(f".{path.name}")
        with writable(path, "choose another place"):
            path.parent.mkdir(parents=True, exist_ok=True)
            hidden.write_bytes(data)
            hidden.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a detector that :meth:`save` wrote; nothing in the file is executed.

        Raises:
            InputError: if the file cannot be read, is no detector, or was written by another version of coldaisle.

        Examples:
            >>> Detector.load(Path("site.pcapng"))
            Traceback (most recent call last):
            coldaisle_contracts.errors.InputError: ...
        """
        remedy = f"name a model file, such as runs/latest/models/packets.random_forest{SUFFIX}"
        stored = files.loads(read(path, f"cannot be read: {remedy}", files.MOST_UNPACKED), str(path))
        try:
            contents = json.loads(stored["told"])  # type: ignore[index]  # another type is refused below
            pipeline = stored["pipeline"]  # type: ignore[index]
            if (
                contents["format"] != FORMAT
                or contents["columns"] != inputs()
                or not isinstance(pipeline, Pipeline)
            ):
                raise InputError(
                    path,
                    "was made by another version of coldaisle: train it again with `coldaisle analyse RUN`",
                )
            policies = {name: of_json(policy) for name, policy in contents["policies"].items()}
            about, series = dict(contents["about"]), tuple(map(str, contents.get("series", ())))
            site = Site.from_json(contents["site"])
            detector = cls(str(contents["model"]), pipeline, site, policies, about, series)
            detector.probe()
        except files.DAMAGED as error:
            raise InputError(
                path, "is no detector of coldaisle: train one with `coldaisle analyse RUN`"
            ) from error
        return detector

    def probe(self) -> None:
        """Score two dummy rows, so that a detector that cannot score fails here and not in the middle of a capture.

        Raises:
            ValueError: or another of :data:`files.DAMAGED`, if site, pipeline and columns do not fit together.

        Examples:
            >>> detector.probe()
        """
        Forecast(self.site)
        rows = np.vstack([np.zeros(len(inputs())), np.full(len(inputs()), np.nan)])
        with np.errstate(all="ignore"):
            score = scores(self.pipeline, rows)
        if score.shape != (2,) or not ((score >= 0) & (score <= 1)).all():
            raise ValueError("it gives no scores between 0 and 1")


def inputs() -> list[str]:
    """Return the names of a detector's input columns: those that models get of a frame."""
    return [*columns.learned("packets"), *COLUMNS]
