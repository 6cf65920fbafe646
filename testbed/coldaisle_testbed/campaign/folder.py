"""The making of a campaign's folder from its file: copies of the scenarios, and the list of its weeks."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts import texts
from coldaisle_contracts.campaign import (
    CAMPAIGN,
    MAKING,
    SCENARIOS,
    TASKS,
    WEEKS,
    CampaignFile,
    CampaignFolder,
    Week,
    load_campaign_file,
    seeds_of,
)
from coldaisle_contracts.companions import named_files
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.overrides import merged, texts_of
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed import provenance
from coldaisle_testbed.campaign.names import CLAIMS, OUTCOMES, digest_of_week, runner
from coldaisle_testbed.stage import hand_over, refuse_full

_REMEDY = "name another folder with --out"


@dataclass(frozen=True)
class _Copy:
    """A scenario of a campaign, as its folder has it.

    Attributes:
        source: the scenario file.
        name: name of the scenario, and of its copy.
        site: its site file; ``None`` where it has none.
        changes: the overrides as words ``KEY=VALUE``.
    """

    source: Path
    name: str
    site: Path | None
    changes: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its copy, relative to the folder."""
        return f"{SCENARIOS}/{self.name}.toml"

    @property
    def site_path(self) -> str:
        """The copy of its site, relative to the folder."""
        return f"{SCENARIOS}/{self.name}.site.toml"


def folder_for(file: Path, out: Path) -> CampaignFolder:
    """Return the folder of a campaign; make it where there is none.

    Args:
        file: the campaign's file, or the folder of a campaign to go on with.
        out: the folder.

    Raises:
        InputError: if the file or a scenario is not valid, the folder is that of another campaign, or it cannot be made.
    """
    if file.is_dir():
        return CampaignFolder(file)
    campaign = load_campaign_file(file)
    copies = [_copy(campaign, file, scenario) for scenario in campaign.scenarios]
    _refuse_twins(file, copies)
    tasks = "".join(f"{week.model_dump_json()}\n" for week in _weeks(campaign, copies))
    if not (out / TASKS).is_file():
        _make(file, copies, tasks, out)
    _refuse_another(file, tasks, out)
    return CampaignFolder(out)


def _copy(campaign: CampaignFile, file: Path, scenario: str) -> _Copy:
    if "seed" in campaign.overrides:
        raise InputError(f"{file}: key overrides.seed", "remove it: `seeds` names the seeds")
    source = file.parent / scenario
    name = load_scenario(source, None, campaign.overrides).name
    named = merged(texts.read_toml(source, ""), campaign.overrides).get("site", {})
    site = source.parent / named if isinstance(named, str) else None
    if files := named_files(texts.read_toml(site, "") if site else named):
        remedy = f"its site names {files[0]}, and a campaign copies scenarios and sites only: write the records into the site, as pairs"
        raise InputError(f"{file}: key scenarios", remedy, scenario)
    changes = dict(campaign.overrides) | ({"site": f"{name}.site.toml"} if site else {})
    return _Copy(source, name, site, tuple(texts_of(changes)))


def _refuse_twins(file: Path, copies: list[_Copy]) -> None:
    names = [copy.name for copy in copies]
    for copy in copies:
        if names.count(copy.name) > 1:
            raise InputError(f"{file}: key scenarios", f"two of them have the name {copy.name}: change one")


def _weeks(campaign: CampaignFile, copies: list[_Copy]) -> Iterator[Week]:
    version = provenance.version()
    for copy in copies:
        for seed in seeds_of(campaign.seeds):
            scenario = load_scenario(copy.source, seed, campaign.overrides)
            digest = digest_of_week(build_plan(scenario, str(copy.source)).digest(), version)
            changes = [word for change in copy.changes for word in ("--set", change)]
            yield Week(
                scenario=copy.name,
                seed=seed,
                role=campaign.role_of(seed),
                size=campaign.size_of(seed),
                digest=digest,
                command=(
                    "coldaisle", "up", copy.path, "--seed", str(seed), *changes,
                    "--no-analysis", "--out", f"{WEEKS}/{digest}",
                ),
            )  # fmt: skip


def _make(file: Path, copies: list[_Copy], tasks: str, out: Path) -> None:
    """Make the folder beside its place and rename it, so that it appears complete; of two runners one makes it."""
    with texts.writable(out, _REMEDY):
        refuse_full(out)
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        fresh = out.absolute().parent / f".{out.name}.{runner()}"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            for name in (SCENARIOS, WEEKS, OUTCOMES, CLAIMS, MAKING):
                (fresh / name).mkdir(parents=True)
            shutil.copyfile(file, fresh / CAMPAIGN)
            for copy in copies:
                shutil.copyfile(copy.source, fresh / copy.path)
                if copy.site is not None:
                    shutil.copyfile(copy.site, fresh / copy.site_path)
            (fresh / TASKS).write_text(tasks, encoding="utf-8")
            hand_over(fresh)
            _appear(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _appear(fresh: Path, out: Path) -> None:
    try:
        os.rename(fresh, out)  # noqa: PTH104 - over an empty folder, too
    except OSError:
        if not (out / TASKS).is_file():  # else another runner was faster
            raise


def _refuse_another(file: Path, tasks: str, out: Path) -> None:
    """Refuse the folder of another campaign, or of the same one planned by other scenarios or another version."""
    if texts.read_text(out / TASKS, _REMEDY) == tasks:
        return
    theirs = load_campaign_file(out / CAMPAIGN)
    if theirs != load_campaign_file(file):
        raise InputError(out, f"it is the folder of another campaign, {theirs.name}: {_REMEDY}")
    remedy = "a scenario has changed since its weeks were planned, or this is another version of coldaisle"
    raise InputError(out, f"{remedy}: go on with those, or {_REMEDY}")
