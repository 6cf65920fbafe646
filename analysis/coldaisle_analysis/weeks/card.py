"""The README of an exported campaign: for people, and for Hugging Face as the dataset card, whose head is YAML."""

import json
from collections.abc import Iterator
from typing import Any

from coldaisle_analysis.columns import LEVELS, Level, markdown
from coldaisle_analysis.metadata.croissant import KEYWORDS
from coldaisle_analysis.metadata.facts import ROWS
from coldaisle_analysis.weeks.croissant import citation
from coldaisle_analysis.weeks.datasheet import NO_LICENCE
from coldaisle_analysis.weeks.facts import CampaignFacts
from coldaisle_contracts.campaign import Role
from coldaisle_contracts.publish import is_url

SPLIT_NAMES = {"train": "train", "validate": "validation", "test": "test"}
"""Hugging Face's names of the subsets."""
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
_LARGEST = "10M<n<100M"


def readme(facts: CampaignFacts) -> str:
    """Return the README.

    Args:
        facts: the campaign.
    """
    return f"---\n{_head(facts)}---\n\n" + "\n\n".join(_body(facts)) + "\n"


def columns_page() -> str:
    """Return the page ``COLUMNS.md``: every column of every level with its group, type, unit and meaning."""
    parts = ["# Columns", _BESIDE]
    for level in LEVELS:
        parts += [f"## {level}: one row per {ROWS[level]}", markdown(level)]
    return "\n\n".join(parts) + "\n"


def _head(facts: CampaignFacts) -> str:
    """Return the head in YAML, of which JSON is a part."""
    rows = max(facts.rows.values())
    head: dict[str, Any] = {
        "pretty_name": facts.title,
        **_licence(facts),
        "tags": [*KEYWORDS, "tabular"],
        "task_categories": ["tabular-classification"],
        "size_categories": [next((name for most, name in _SIZES if rows < most), _LARGEST)],
        "configs": [_config(facts, level) for level in LEVELS if facts.rows[level]],
    }
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in head.items())


def _licence(facts: CampaignFacts) -> dict[str, str]:
    if facts.publish is None:
        return {}
    if is_url(facts.publish.licence):
        return {"license": "other", "license_name": "other", "license_link": facts.publish.licence}
    return {"license": facts.publish.licence.lower()}


def _config(facts: CampaignFacts, level: Level) -> dict[str, Any]:
    files = [
        {"split": SPLIT_NAMES[role], "path": f"{level}/subset={role}/*/*/part.parquet"}
        for role in facts.subsets
    ]
    return {"config_name": level, "data_files": files, **({"default": True} if level == "readings" else {})}


def _body(facts: CampaignFacts) -> Iterator[str]:
    yield f"# {facts.title}"
    weeks = ", ".join(
        f"{len(facts.of_role(role))} to {verb}" for role, verb in _VERBS.items() if facts.of_role(role)
    )
    yield (
        "Labelled traffic of a virtual data-centre cold aisle: MQTT sensors, a broker, and an attacker on the same network. Every packet "
        f"and reading has an exact label. {len(facts.weeks)} weeks ({weeks}), each played from a seed of its own."
    )
    if facts.missing:
        yield f"Not played, and so not in it: {', '.join(facts.missing)}."
    rows = [
        f"| `{level}` | {ROWS[level]} | {count:,} | {facts.attacks[level]:,} |"
        for level, count in facts.rows.items()
    ]
    yield "\n".join(["| level | one row per | rows | attacks |", "|---|---|---|---|", *rows])
    yield (
        f"Files lie in `LEVEL/subset=…/week=…/day=…/part.parquet`. The split is frozen: `splits/` lists the weeks of each subset, and "
        f"its id is `{facts.split}`. [COLUMNS.md](COLUMNS.md) explains every column, [DATASHEET.md](DATASHEET.md) how the data came about, "
        "`SCORECARD.json` what an audit finds in it, `croissant.json` all of it to machines. `sha256sum -c SHA256SUMS` checks the files."
    )
    yield _USE
    yield _UPLOAD.replace("ARCHIVE", facts.key)
    yield f"## Licence and citation\n\n{_terms(facts)}"


def _terms(facts: CampaignFacts) -> str:
    if facts.publish is None:
        return NO_LICENCE
    return f"{facts.publish.licence}: <{facts.publish.terms}>\n\n```bibtex\n{citation(facts)}\n```"


_BESIDE = (
    "Beside these every level has `subset`, `week` and `day` in the names of its folders, and `groups`, which names the rows that a "
    "split must not divide. Columns of the groups `feature` and `value` are causal and made for models; those of `identity`, `time` "
    "and `label` are none."
)
_VERBS: dict[Role, str] = {"train": "train on", "validate": "validate on", "test": "test on"}
_USE = """## Use

```python
import duckdb, polars

duckdb.sql("SELECT subset, week, sum(label) FROM 'readings/**/*.parquet' GROUP BY ALL ORDER BY ALL")
polars.scan_parquet("packets").filter(polars.col("week") == "week-1").collect()
```

With coldaisle, features and labels as scikit-learn takes them, and groups for its splitters:

```python
from coldaisle_analysis import load_campaign

train = load_campaign(".", level="readings", subset="train", lazy=False)
train.data, train.target, train.groups
```

With Hugging Face, whose loader sees files and no folders, `groups` begins with the week:

```python
from datasets import load_dataset

load_dataset("OWNER/NAME", "readings", split="train")
```"""
_UPLOAD = """## Upload

Hugging Face takes the folder as it is: `hf upload --repo-type dataset OWNER/NAME .` Zenodo keeps no folders, so pack it first, in the
folder above: `zip -0 -r ARCHIVE.zip ARCHIVE`; `.zenodo.json` has the metadata of the record."""
