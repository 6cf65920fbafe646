"""The public Python API: its functions, classes and methods, and the page printed from their docstrings."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from textwrap import fill

MODULES: dict[str, tuple[str, ...]] = {
    "coldaisle_analysis": ("load_run", "load_campaign", "load_dad", "score_early"),
    "coldaisle_analysis.earliness": (
        "Outcomes",
        "latency_cost",
        "erde",
        "erde_bounds",
        "case_f1",
        "latency_penalty",
        "latency_rate",
        "f_latency",
        "latency_weighted_f1",
        "seconds_to_detect",
        "Curve",
        "recall_by_items",
        "recall_by_seconds",
        "outcomes_of_rows",
        "stretches",
        "incidents",
        "suppress",
        "Matches",
        "match_events",
        "events_of_labels",
        "erde_score",
        "f_latency_score",
        "latency_weighted_f1_score",
        "recall_within_score",
        "event_recall_score",
        "advance_time_score",
        "false_alarms_score",
    ),
    "coldaisle_analysis.decoding": ("Decoder", "write"),
    "coldaisle_analysis.detection": ("Detector",),
}
"""Public names by module, in an order in which their examples run."""
FEW = 5
"""Imported names from which on each has a line of its own, as ruff formats them."""
INTRODUCTION = """\
# The Python API

These functions and classes are public: their names and arguments change only with a line in the changelog.
All are typed (`py.typed`). The examples are those of the docstrings, and the tests run those of each module one
after another: `runs/latest` is a run of seven days, `campaign` a campaign of four such runs, `site.pcapng` a
capture, and `dad` a folder of captures with label tables. The docstrings (`help(load_run)`) describe arguments,
results, units and errors in full."""


def members(module: str) -> dict[str, object]:
    """Return the public functions, classes and methods of a module, by their names in it."""
    found: dict[str, object] = {}
    for name in MODULES[module]:
        found[name] = value = getattr(import_module(module), name)
        if inspect.isclass(value):
            found |= {f"{name}.{key}": member for key, member in _methods(value)}
    return found


def _methods(public: type) -> Iterator[tuple[str, object]]:
    kinds = (property, classmethod, staticmethod)
    for name, member in vars(public).items():
        if name[0] != "_" and (inspect.isfunction(member) or isinstance(member, kinds)):
            yield name, member


def documentation(value: object) -> str:
    """Return a docstring without its indentation."""
    return inspect.getdoc(value) or ""


def examples(value: object) -> str:
    """Return the examples of a docstring, empty if it has none."""
    section = re.search(r"^Examples:\n((?:    .*\n?|\n)+)", documentation(value), re.MULTILINE)
    return inspect.cleandoc(section[1]) if section else ""


def page() -> str:
    """Return the page: each name with the first sentence of its docstring and its examples."""
    parts = [INTRODUCTION]
    for module in MODULES:
        public = members(module)
        names = [name for name in public if "." not in name]
        imported = ", ".join(names) if len(names) < FEW else "(\n    " + ",\n    ".join(names) + ",\n)"
        parts.append(f"## `{module}`\n\n```python\nfrom {module} import {imported}\n```")
        for name, value in public.items():
            sentence = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", documentation(value).partition("\n")[0])
            parts.append(fill(f"**`{name}`** {sentence.replace('``', '`')}", 110, break_long_words=False))
            parts.append(f"```pycon\n{examples(value)}\n```")
    return "\n\n".join(parts) + "\n"
