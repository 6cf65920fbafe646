"""The report: one self-contained file whose sentences are computed, with attacks and without."""

import re
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from tests.analysis import made_dataset

from coldaisle_analysis.audit import CHECKS
from coldaisle_analysis.audit.examine import of_dataset
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.evaluation.evaluate import evaluate
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.evaluation.metrics import AlarmMetrics, Scored
from coldaisle_analysis.models import WITH_POLICIES, WITHOUT_KIND
from coldaisle_analysis.pipeline import _happened
from coldaisle_analysis.report.conclusions import conclusions
from coldaisle_analysis.report.conclusions.advice import operator
from coldaisle_analysis.report.figures import traffic
from coldaisle_analysis.report.figures.earliness import WAYS, earliest, gains, headline, speakers
from coldaisle_analysis.report.figures.style import FEW, grouped, in_order, kind_colour
from coldaisle_analysis.report.kinds import reach
from coldaisle_analysis.report.lookup import title
from coldaisle_analysis.report.page import Subject, write
from coldaisle_analysis.report.statistics import describe
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario


class Page(HTMLParser):
    """What the tests want to know of a page: its ids, its references and whether its tags are closed in order."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids and references."""
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.references.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids and references of a tag closed at once."""
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Hold tags to be closed in order."""
        assert self.open.pop() == tag


def page_of(folder: Path, episodes: int, days: int = 3) -> tuple[str, list[Scored]]:
    """Return the report of a dataset made by hand, and its scores."""
    made = made_dataset.make(days, episodes)
    levels = [prepare(made.packets, "packets"), prepare(made.readings, "readings")]
    scored = evaluate(levels, 1, lambda _: None)
    subject = Subject("made", "Made <by> hand", "Two units.", {"kernel drops": "0"}, ("A caveat.",))
    audited = of_dataset("made", made, metrics=[one.row for one in scored])
    description = describe(made.packets, made.readings)
    write(subject, made, description, scored, audited, folder / "report" / "index.html")
    return (folder / "report" / "index.html").read_text(encoding="utf-8"), scored


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Scored]]:
    """Return the report of three days with an episode each."""
    return page_of(tmp_path_factory.mktemp("attacked"), 3)


def test_the_audit_is_a_section(attacked: tuple[str, list[Scored]]) -> None:
    """Each check that was made stands there with its status, its sentence and the rules of its thresholds."""
    section = attacked[0].partition('<section id="audit">')[2].partition("</section>")[0]
    found = re.findall(r"<tr><td>([A-F]\d)</td>", section)
    assert set(found) == {check.id for check in CHECKS}
    assert len(found) > len(CHECKS)
    assert section.count('class="status look"') > 0
    assert "not verdicts" in section


def test_the_page_needs_nothing_else(attacked: tuple[str, list[Scored]]) -> None:
    """Every reference stays in the page; no address of a resource stands in style or script."""
    page = Page(attacked[0])
    assert all(reference.startswith("#") or reference == "data:," for reference in page.references)
    assert not re.search(r"@import|url\((?!#)|<script", attacked[0])


def test_the_page_is_well_formed(attacked: tuple[str, list[Scored]]) -> None:
    """Tags close in order, ids are unique, links within the page lead somewhere, text from outside is escaped."""
    page = Page(attacked[0])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)
    assert "Made &lt;by&gt; hand" in attacked[0]


def test_every_figure_is_there_and_says_what_it_shows(attacked: tuple[str, list[Scored]]) -> None:
    """Ten figures, each with an alternative text and a caption."""
    text = attacked[0]
    assert [int(number) for number in re.findall(r"<b>Figure (\d+)\.", text)] == list(range(1, 11))
    assert len(re.findall(r'<svg role="img" aria-label="[^"]{20,}"', text)) == 10


def test_both_splits_stand_side_by_side(attacked: tuple[str, list[Scored]]) -> None:
    """The model table shows the F1 of the day split and of the random split of every model."""
    text, scored = attacked
    for one in scored:
        if one.row["level"] == "readings" and one.row["split"] in {"day", "random"}:
            assert f"{one.row['f1']:.3f}" in text


def test_sentences_are_computed(attacked: tuple[str, list[Scored]]) -> None:
    """The conclusions name the best honest score, and change when the score does."""
    scored = attacked[1]
    made = made_dataset.make()
    description = describe(made.packets, made.readings)
    best = max(
        one.row["f1"] for one in scored
        if (one.row["level"], one.row["split"]) == ("readings", "day") and one.row["model"] != "dummy"
    )  # fmt: skip
    told = [
        sentence.text
        for sentence in conclusions(scored, description, made.readings, reach(scored, made, description))
    ]
    assert any(
        text.startswith("Readings: with whole days held out") and f"F1 {best:.2f}" in text for text in told
    )
    worse = [Scored({**one.row, "f1": one.row["f1"] / 4}, one.recall, one.precision) for one in scored]
    told = [
        sentence.text
        for sentence in conclusions(worse, description, made.readings, reach(worse, made, description))
    ]
    assert any("poor detector" in text for text in told)


def test_what_speaking_early_costs_is_told_first(attacked: tuple[str, list[Scored]]) -> None:
    """Before the conclusions each kind of case stands with its plain threshold, chosen policy and budgets, as measured."""
    text, scored = attacked
    section = text.partition('<section id="gains">')[2].partition("</section>")[0]
    assert text.index('id="gains"') < text.index('id="conclusions"') < text.index('id="run"')
    found = earliest(scored)
    assert [one.case for one in found] == ["connection", "unit", "sensor"]
    for one in found:
        assert list(one.ways) == list(WAYS)
        assert all(f"<td>{row['erde_5']:.3f}</td>" in section for row in one.ways.values())
    assert section.count('scope="rowgroup"') == len(found)


def test_a_gain_is_called_one_only_when_it_is(attacked: tuple[str, list[Scored]]) -> None:
    """A lower ERDE than the plain threshold's is a gain, a higher one a loss, and none where little changes."""
    one = earliest(attacked[1])[0]
    plain, (best, never) = one.ways["threshold"], one.ways["threshold"]["erde_5_bounds"]
    for change, verdict in ((-0.5, "a gain"), (0.5, "a loss"), (0.0, "next to nothing")):
        chosen: AlarmMetrics = {**plain, "erde_5": plain["erde_5"] + change * (never - best)}
        changed = replace(one, ways={**one.ways, "early": chosen})
        told = dict(gains([changed]))
        (own,) = next(
            cases for text, cases in told.items() if text.endswith("the best F1") and "Policies" in text
        )
        assert verdict in own


def test_the_headline_counts_every_model_policies_were_chosen_for(attacked: tuple[str, list[Scored]]) -> None:
    """Its counts are those of all combinations of such a model and a kind of case, and its false alarms those measured."""
    text, scored = attacked
    found = speakers(scored)
    assert len(found) == 3 * len(WITH_POLICIES)
    said = headline(found)
    assert said in text
    earlier, pairings, later, alike = map(int, re.findall(r" (\d+)", said.partition(". ")[0]))
    assert earlier + later + alike == pairings == len(found)
    raised = [one.ways[way]["incidents_per_day"] for one in found for way in ("1 a day", "early, 1 a day")]
    assert f"raised {min(raised):.2g} to {max(raised):.2g} false alarms a day" in said
    assert headline([]) == ""


def test_nothing_is_said_to_lie_within_a_budget(attacked: tuple[str, list[Scored]]) -> None:
    """A budget is kept on training days alone: no sentence says that what was tested lies within it."""
    assert not re.search(r"[Ww]ithin one false alarm|At a budget of", attacked[0])
    assert attacked[0].count("set on training days for one false alarm a day") > 1


def test_a_policy_is_advised_where_it_gained_and_nowhere_else(attacked: tuple[str, list[Scored]]) -> None:
    """The advice names as many combinations as the headline says are earlier, and none without a gain."""
    scored = attacked[1]
    found = speakers(scored)
    silent, keen = (
        [sentence.text for sentence in operator(changed, {}) if "policy" in sentence.text]
        for changed in (_with_policies(scored, 0.0), _with_policies(scored, -0.2))
    )
    assert silent == []
    (said,) = keen
    assert f"earlier than a threshold in {len(found)} of {len(found)} combinations" in said


def _with_policies(scored: list[Scored], gain: float) -> list[Scored]:
    """Return the scores as if each policy at one false alarm a day had changed ERDE_5 by so much of a threshold's."""
    changed = deepcopy(scored)
    for one in changed:
        for own in one.row.get("early", {}).values():
            if "policies" in own:
                plain = own["1 a day"]
                own["policies"]["1 a day"] = {
                    **own["policies"]["1 a day"],
                    **plain,
                    "erde_5": plain["erde_5"] + gain,
                }
    return changed


def test_the_model_without_a_kind_is_called_by_its_name(attacked: tuple[str, list[Scored]]) -> None:
    """Above the table whose last columns are its recall with and without the kind."""
    assert f"the recall over rows of the {title(WITHOUT_KIND).lower()}, where the kind" in attacked[0]


def test_attacked_cases_are_not_called_episodes(attacked: tuple[str, list[Scored]]) -> None:
    """The caption counts the cases of the scores: an episode on the four sensors of a unit is several on connections."""
    text, scored = attacked
    for level in ("packets", "readings"):
        row = next(one.row for one in scored if (one.row["level"], one.row["split"]) == (level, "day"))
        assert f"{row['cases']} cases, {row['positive_cases']} of them attacked" in text


def test_a_figure_shows_families_where_kinds_are_many(attacked: tuple[str, list[Scored]]) -> None:
    """Up to the number the caption names each kind has its colour, beyond it its family's."""
    assert f"or of its family where the figure has more than {FEW} kinds" in attacked[0]
    few, many = (pd.Series(list(KINDS)[:count]) for count in (FEW, FEW + 1))
    assert grouped(few).tolist() == few.tolist()
    assert set(grouped(many)) == {KINDS[kind].family for kind in many}


def test_the_report_names_every_level(attacked: tuple[str, list[Scored]]) -> None:
    """What lies in dataset/ is told in full, and its example runs where that folder is."""
    assert f"The levels {', '.join(LEVELS)} lie in" in attacked[0]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"removal": 2, "door": 1}, "An attacker on the same network acted in 2 episodes and 1 benign anomaly happened."),
        ({"removal": 1}, "An attacker on the same network acted in 1 episode."),
        ({"door": 2}, "2 benign anomalies happened."),
        ({}, "Nothing else happened."),
    ],
)  # fmt: skip
def test_benign_anomalies_are_nobodys_acts(kinds: dict[str, int], said: str) -> None:
    """The first sentence of the report tells attacks from benign anomalies, in numbers of the plan."""
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    drawn = {"drawn": {"count": sum(kinds.values()), "readings": (2, 3), "kinds": kinds}} if kinds else {}
    plan = build_plan(Scenario.model_validate(scenario | drawn))
    assert _happened(plan) == said


def test_every_kind_has_a_row_and_every_miss_a_reason(attacked: tuple[str, list[Scored]]) -> None:
    """The tables name the kinds of each level; a kind the rule catches as often is explained by the data."""
    made = made_dataset.make(3, 3)
    reached = reach(attacked[1], made, describe(made.packets, made.readings))
    for level, frame in (("packets", made.packets), ("readings", made.readings)):
        assert {one.kind for one in reached[level]} == set(frame.loc[frame["label"] == 1, "kind"].astype(str))
        for one in reached[level]:
            assert 0 <= one.recall <= 1
            assert (one.episodes == 1) == any(
                "one episode" in reason for reason in one.reasons
            ) or not one.reasons


def test_a_kind_held_out_is_told_of_the_model_that_was_tried_without_it(
    attacked: tuple[str, list[Scored]],
) -> None:
    """Recall with and without the kind is that of one model, and not of a bar, which learns no kind."""
    made = made_dataset.make(3, 3)
    reached = reach(attacked[1], made, describe(made.packets, made.readings))
    for level, own in reached.items():
        rows = {
            one.row["split"]: one.row
            for one in attacked[1]
            if one.row["level"] == level and one.row["model"] == WITHOUT_KIND
        }
        for one in own:
            assert one.known == rows["day"]["recall_per_kind"][one.kind]
            assert one.unseen == rows["kind"]["recall_per_kind"][one.kind]


def test_few_episodes_are_a_caveat(attacked: tuple[str, list[Scored]]) -> None:
    """With three episodes the reader is told that every score hangs on few."""
    assert "only 3 episodes" in attacked[0]


def test_a_clean_dataset_says_so(tmp_path: Path) -> None:
    """Without an attack the report says that there was nothing to learn, and shows no model table."""
    text, scored = page_of(tmp_path, 0, days=1)
    assert scored == []
    assert "No row of this dataset is labelled an attack" in text
    assert "No model was scored" in text
    assert Page(text).open == []
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_the_page_repeats(tmp_path: Path) -> None:
    """The same dataset gives the same page: nothing of clock or chance is in it."""
    first, second = (page_of(tmp_path / name, 0, days=1)[0] for name in ("a", "b"))
    assert first == second


def test_each_kind_has_one_colour() -> None:
    """The kinds of the taxonomy have colours of their own, and stand in its order after normal."""
    assert len({kind_colour(kind) for kind in KINDS}) == len(KINDS)
    assert in_order({"duplication", "normal", "removal", "x"}) == ["normal", "removal", "duplication", "x"]


def test_drawing_leaves_the_caller_style_alone() -> None:
    """A notebook's matplotlib settings survive the drawing of a figure."""
    before = dict(mpl.rcParams)
    traffic.week(made_dataset.make(1, 1).readings)
    assert dict(mpl.rcParams) == before
