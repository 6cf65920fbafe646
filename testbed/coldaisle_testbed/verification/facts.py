"""Checks of a manifest's facts against plan, journals and captures."""

import json
import re
from collections.abc import Iterator
from typing import Any

from coldaisle_analysis import metadata
from coldaisle_analysis.columns import LEVELS
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.listeners import CA, KEY_LOG
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.planning import planned_again
from coldaisle_contracts.software import FOLDER, Software
from coldaisle_testbed import provenance
from coldaisle_testbed.deduced import deduced
from coldaisle_testbed.verification.case import Case

_OPTIONAL = ("clocks", "definition")
"""Facts that older manifests lack."""


def stated(case: Case) -> Iterator[str]:
    """Yield a sentence for each fact of the manifest that does not follow from plan, journals and captures."""
    for name, derived_fact in deduced(case.account).items():
        stated_fact = getattr(case.manifest, name)
        if stated_fact != derived_fact and not (name in _OPTIONAL and stated_fact is None):
            yield from _differences(name, stated_fact, derived_fact)


def _differences(name: str, stated_fact: Any, derived_fact: Any) -> Iterator[str]:
    """Yield a sentence for each difference in a fact, key by key where it has keys."""
    if name == "clocks":
        stated_fact, derived_fact = (fact.model_dump(mode="json") for fact in (stated_fact, derived_fact))
    if isinstance(stated_fact, dict) and isinstance(derived_fact, dict):
        for key in sorted({*stated_fact, *derived_fact}):
            if stated_fact.get(key) != derived_fact.get(key):
                yield f"{MANIFEST}: {name}.{key} is {stated_fact.get(key)!r}, but plan, journals and captures give {derived_fact.get(key)!r}"
    else:
        yield f"{MANIFEST}: {name} is {stated_fact!r}, but plan, journals and captures give {derived_fact!r}"


def planned(case: Case) -> Iterator[str]:
    """Yield a sentence where the plan does not follow from the scenario and its seed."""
    if case.manifest.definition is not None:
        try:
            planned_again(case.manifest, MANIFEST)
        except InputError as error:
            yield str(error)


def complete(case: Case) -> Iterator[str]:
    """Yield a sentence for each file that every run has and the manifest does not list, and for each that it lists in excess."""
    plan, sealed = case.account.evidence.plan, case.account.evidence.sealed
    journals = [*plan.devices, "timeline", "capture", "injector"]
    expected = {
        "plan.json",
        *(f"journal/{name}.jsonl" for name in journals),
        *sealed["file"],
        *sealed["raw"],
        *(f"capture/{name}" for name in (CA, KEY_LOG) if plan.scenario.site.broker.tls is not None),
        *(f"dataset/{level}.{form}" for level in LEVELS for form in case.forms),
    }
    for name in sorted(expected - set(case.manifest.files)):
        yield f"{MANIFEST}: does not list {name}, which every such run has"
    if case.manifest.definition is not None:
        for name in sorted(set(case.manifest.files) - expected):
            if not re.fullmatch(rf"{FOLDER}/[a-z]+\.json", name):
                yield f"{MANIFEST}: lists {name}, which no run has"


def noted(case: Case) -> Iterator[str]:
    """Yield a sentence where base or Debian packages differ from the notes of the machine and the images."""
    for name, noted_version in provenance.summed(Software.of_run(case.run)).items():
        stated_version = case.manifest.versions.get(name)
        if stated_version != noted_version and (name == "base" or name.startswith(provenance.PACKAGE)):
            yield f"{MANIFEST}: versions.{name} is {stated_version!r}, {FOLDER}/ says {noted_version!r}"


def described(case: Case) -> Iterator[str]:
    """Yield a sentence where the run's Croissant metadata differ from its manifest.

    Another version may use other words, but the files and their hashes have to be the same.
    """
    if case.manifest.definition is None or metadata.CROISSANT in case.manifest.files:
        return  # an older run: its manifest lists the file
    text = (case.run / metadata.CROISSANT).read_text(encoding="utf-8", errors="replace")
    fresh = metadata.metadata(case.run, case.manifest)
    if text == fresh:
        return
    try:
        same = json.loads(text)["distribution"] == json.loads(fresh)["distribution"]
    except (ValueError, RecursionError, KeyError, TypeError):
        same = False
    if not same or provenance.made_here(case.manifest):
        yield f"{metadata.CROISSANT}: is not what {MANIFEST} says"
