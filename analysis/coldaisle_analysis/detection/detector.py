"""A detector as a file: fitted pipeline, the site it was learned on, policies, and where all of it comes from."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis import columns
from coldaisle_analysis.earliness.policies import Policy, as_json, of_json
from coldaisle_analysis.forecast.kalman import COLUMNS, Forecast, Site
from coldaisle_analysis.models import files, scores
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read

FORMAT = 1
SUFFIX = ".skops"
PLAIN = "best F1"
"""The policy a detector follows unless told otherwise."""


@dataclass(frozen=True)
class Detector:
    """What scores frames and says when scores amount to an alarm.

    Attributes:
        model: name of the model.
        pipeline: fitted on the columns :func:`seen` names.
        site: what forecasts are made with.
        policies: when to alarm, by name: :data:`PLAIN`, a budget of false alarms, or chosen for earliness.
        about: training manifest and scores, as JSON has it.
    """

    model: str
    pipeline: Pipeline
    site: Site
    policies: dict[str, Policy]
    about: dict[str, Any] = field(default_factory=dict)

    def policy(self, name: str) -> Policy:
        """Return a policy by name.

        Raises:
            InputError: if there is none of that name.
        """
        if name not in self.policies:
            raise InputError("--policy", f"use one of {', '.join(map(repr, self.policies))}", name)
        return self.policies[name]

    def save(self, path: Path) -> None:
        """Write it into a file, its folder made if need be; it appears by rename.

        Raises:
            InputError: if the model is of a kind that cannot be kept without pickle, or the file cannot be written.
        """
        told = {
            "format": FORMAT,
            "model": self.model,
            "columns": seen(),
            "site": self.site.to_json(),
            "policies": {name: as_json(policy) for name, policy in self.policies.items()},
            "about": self.about,
        }
        data = files.dumps({"told": json.dumps(told), "pipeline": self.pipeline})
        hidden = path.with_name(f".{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            hidden.write_bytes(data)
            hidden.replace(path)
        except OSError as error:
            raise InputError(path, f"cannot be written ({error.strerror}): choose another place") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote; nothing in the file is executed.

        Raises:
            InputError: if the file cannot be read, is no detector, or one of another version of coldaisle.
        """
        remedy = f"name a model file, such as runs/latest/models/packets.random_forest{SUFFIX}"
        kept = files.loads(read(path, f"cannot be read: {remedy}", files.MOST_UNPACKED), str(path))
        try:
            told = json.loads(kept["told"])  # type: ignore[index]  # refused below if it is something else
            pipeline = kept["pipeline"]  # type: ignore[index]
            if told["format"] != FORMAT or told["columns"] != seen() or not isinstance(pipeline, Pipeline):
                raise InputError(
                    path,
                    "was made by another version of coldaisle: train it again with `coldaisle analyse RUN`",
                )
            policies = {name: of_json(policy) for name, policy in told["policies"].items()}
            about = dict(told["about"])
            found = cls(str(told["model"]), pipeline, Site.from_json(told["site"]), policies, about)
            found.try_out()
        except files.DAMAGED as error:
            raise InputError(
                path, "is no detector of coldaisle: train one with `coldaisle analyse RUN`"
            ) from error
        return found

    def try_out(self) -> None:
        """Judge two rows of nobody, so that what cannot judge fails here and not in the middle of a capture.

        Raises:
            ValueError: or another of :data:`files.DAMAGED`, if site, pipeline and columns do not go together.
        """
        Forecast(self.site)
        rows = np.vstack([np.zeros(len(seen())), np.full(len(seen()), np.nan)])
        with np.errstate(all="ignore"):
            judged = scores(self.pipeline, rows)
        if judged.shape != (2,) or not ((judged >= 0) & (judged <= 1)).all():
            raise ValueError("its scores are none")


def seen() -> list[str]:
    """Return the names of the columns a detector looks at: what models are given of a packet."""
    return [*columns.learned("packets"), *COLUMNS]
