"""The report is one self-contained file with computed sentences, with attacks and without."""

import re
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from tests.analysis import made_dataset
from tests.conftest import HOUSE

from coldaisle_analysis.audit import CHECKS
from coldaisle_analysis.audit.examine import of_dataset
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.evaluation.evaluate import evaluate
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.evaluation.metrics import AlarmMetrics, Scored
from coldaisle_analysis.models import WITH_POLICIES, WITHOUT_KIND
from coldaisle_analysis.report.conclusions import ANSWERS, conclusions
from coldaisle_analysis.report.conclusions.advice import operator
from coldaisle_analysis.report.conclusions.gains import gains, headline
from coldaisle_analysis.report.decision_rules import DECISION_RULES, earliest, policy_results
from coldaisle_analysis.report.figures import traffic
from coldaisle_analysis.report.figures.style import FEW, grouped, in_order, kind_colour
from coldaisle_analysis.report.kinds import reach
from coldaisle_analysis.report.lookup import results_of, row_of, title
from coldaisle_analysis.report.numbers import number
from coldaisle_analysis.report.page import write
from coldaisle_analysis.report.statistics import describe
from coldaisle_analysis.report.subject import Subject
from coldaisle_analysis.report.told import happened, played
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario


class Page(HTMLParser):
    """The ids and references of a page, and the tags that are open."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store ids and references."""
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.references.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store ids and references of a tag without content."""
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that tags are closed in order."""
        assert self.open.pop() == tag


def page_of(folder: Path, episodes: int, days: int = 3) -> tuple[str, list[Scored]]:
    """Return the report of a dataset made by hand, and the scores."""
    dataset = made_dataset.make(days, episodes)
    levels = [prepare(dataset.packets, "packets"), prepare(dataset.readings, "readings")]
    scored = evaluate(levels, 1, lambda _: None)
    subject = Subject("made", "Made <by> hand", "Two units.", {"kernel drops": "0"}, ("A caveat.",))
    audited = of_dataset("made", dataset, metrics=[result.row for result in scored])
    description = describe(dataset.packets, dataset.readings)
    write(subject, dataset, description, scored, audited, folder / "report" / "index.html")
    return (folder / "report" / "index.html").read_text(encoding="utf-8"), scored


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Scored]]:
    """Return the report of three days with one episode each."""
    return page_of(tmp_path_factory.mktemp("attacked"), 3)


def test_the_audit_is_a_section(attacked: tuple[str, list[Scored]]) -> None:
    """The section of the audit lists each check with its status, its sentence and its thresholds."""
    section = attacked[0].partition('<section id="audit">')[2].partition("</section>")[0]
    ids = re.findall(r"<tr><td>([A-F]\d)</td>", section)
    assert set(ids) == {check.id for check in CHECKS}
    assert len(ids) > len(CHECKS)
    assert section.count('class="status look"') > 0
    assert "not verdicts" in section


def test_the_page_needs_nothing_else(attacked: tuple[str, list[Scored]]) -> None:
    """Every reference leads into the page, and neither style nor script has an address."""
    page = Page(attacked[0])
    assert all(reference.startswith("#") or reference == "data:," for reference in page.references)
    assert not re.search(r"@import|url\((?!#)|<script", attacked[0])


def test_the_page_is_well_formed(attacked: tuple[str, list[Scored]]) -> None:
    """Tags are closed in order, ids are unique, links lead to an id of the page, and text from outside is escaped."""
    page = Page(attacked[0])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)
    assert "Made &lt;by&gt; hand" in attacked[0]


def test_every_figure_is_there_and_says_what_it_shows(attacked: tuple[str, list[Scored]]) -> None:
    """There are ten figures, each with an alternative text and a caption."""
    text = attacked[0]
    assert [int(number) for number in re.findall(r"<b>Figure (\d+)\.", text)] == list(range(1, 11))
    assert len(re.findall(r'<svg role="img" aria-label="[^"]{20,}"', text)) == 10


def test_a_figure_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything has its place before the figure is drawn, a single time."""
    drawn, draw = list[Figure](), Figure.draw

    def counted(figure: Figure, renderer: RendererBase) -> None:
        drawn.append(figure)
        draw(figure, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    made = made_dataset.make(2, 2)
    assert "<svg" in traffic.distributions(made.packets)
    assert len(drawn) == 1


def test_both_splits_stand_side_by_side(attacked: tuple[str, list[Scored]]) -> None:
    """The table of models shows F1 of every model on the day split and on the random split."""
    text, scored = attacked
    for row in (result.row for result in scored):
        if row["level"] == "readings" and row["split"] in {"day", "random"}:
            assert f"{row['f1']:.3f}" in text


def test_sentences_are_computed(attacked: tuple[str, list[Scored]]) -> None:
    """The conclusions give the best F1 of the grouped split, and change with the score."""
    scored = attacked[1]
    best = max(
        result.row["f1"] for result in scored
        if (result.row["level"], result.row["split"]) == ("readings", "day") and result.row["model"] != "dummy"
    )  # fmt: skip
    texts = _conclusions(scored)
    assert any(
        text.startswith("Readings: with whole days held out") and f"F1 {best:.2f}" in text for text in texts
    )
    worse = [replace(result, row={**result.row, "f1": result.row["f1"] / 4}) for result in scored]
    assert any("poor detector" in text for text in _conclusions(worse))


def _conclusions(scored: list[Scored]) -> list[str]:
    """Return the sentences of the conclusions on the dataset made by hand."""
    dataset = made_dataset.make()
    description = describe(dataset.packets, dataset.readings)
    sentences = conclusions(scored, description, dataset.readings, reach(scored, dataset, description))
    return [sentence.text for sentence in sentences]


def test_the_first_screen_answers_four_questions(attacked: tuple[str, list[Scored]]) -> None:
    """The first screen says what was played, what was found, what was not found, and how far to trust it; each answer has text."""
    summary, _, remainder = attacked[0].partition("<main>")[2].partition("</section>")
    assert re.findall(r"<h2>(.+?)</h2>", summary) == ["What was played", *ANSWERS]
    assert all(re.search(r"<(li|p)>\w", answer) for answer in summary.split("</h2>")[1:])
    assert "<table" not in summary
    assert "A caveat." in summary
    assert remainder.lstrip().startswith("<nav")


def test_gains_and_costs_of_early_alarms_come_first(attacked: tuple[str, list[Scored]]) -> None:
    """The table of early alarms stands before the conclusions, and shows each kind of case with all decision rules."""
    text, scored = attacked
    section = text.partition('<section id="gains">')[2].partition("</section>")[0]
    assert text.index('id="gains"') < text.index('id="conclusions"') < text.index('id="run"')
    results = earliest(scored)
    assert [result.case for result in results] == ["connection", "unit", "sensor"]
    for result in results:
        assert list(result.by_rule) == list(DECISION_RULES)
        assert all(f"<td>{row['erde_5']:.3f}</td>" in section for row in result.by_rule.values())
    assert section.count('scope="rowgroup"') == len(results)


def test_a_gain_is_called_one_only_when_it_is(attacked: tuple[str, list[Scored]]) -> None:
    """An ERDE below that of the threshold is better, one above it is worse, and a small change is no material one."""
    result = earliest(attacked[1])[0]
    plain = result.by_rule["threshold"]
    perfect, silent = plain["erde_5_bounds"]
    for change, verdict in ((-0.5, "better;"), (0.5, "worse:"), (0.0, "no material change;")):
        policy: AlarmMetrics = {**plain, "erde_5": plain["erde_5"] + change * (silent - perfect)}
        changed = replace(result, by_rule={**result.by_rule, "early": policy})
        (text,) = next(
            texts
            for condition, texts in gains([changed])
            if condition.endswith("the best F1") and "Policies" in condition
        )
        assert verdict in text


def test_the_headline_counts_every_model_policies_were_chosen_for(attacked: tuple[str, list[Scored]]) -> None:
    """Its counts cover all combinations of a model with policies and a kind of case, and its false alarms are the measured ones."""
    text, scored = attacked
    results = policy_results(scored)
    assert len(results) == 3 * len(WITH_POLICIES)
    sentence = headline(results)
    assert sentence in text
    better, pairings, worse, alike = map(int, re.findall(r" (\d+)", sentence.split(". ")[1]))
    assert better + worse + alike == pairings == len(results)
    raised = [
        result.by_rule[rule]["incidents_per_day"]
        for result in results
        for rule in ("1 a day", "early, 1 a day")
    ]
    assert f"raised {number(min(raised))} to {number(max(raised))} false alarms a day" in sentence
    assert headline([]) == ""


def test_nothing_is_said_to_lie_within_a_budget(attacked: tuple[str, list[Scored]]) -> None:
    """A budget is kept on training days only, so no sentence says that the test days kept it."""
    assert not re.search(r"[Ww]ithin one false alarm|At a budget of", attacked[0])
    assert attacked[0].count("set on training days for one false alarm a day") > 1


def test_a_policy_is_advised_where_it_gained_and_nowhere_else(attacked: tuple[str, list[Scored]]) -> None:
    """The advice names as many combinations as the headline calls better, and none if there is no gain."""
    scored = attacked[1]
    results = policy_results(scored)
    silent, keen = (
        [sentence.text for sentence in operator(changed, {}) if "policy" in sentence.text]
        for changed in (_with_policies(scored, 0.0), _with_policies(scored, -0.2))
    )
    assert silent == []
    (text,) = keen
    assert f"a better ERDE_5 than a threshold in {len(results)} of {len(results)} combinations" in text


def _with_policies(scored: list[Scored], gain: float) -> list[Scored]:
    """Return the scores, changed so that each policy at one false alarm a day changes the ERDE_5 of the threshold by ``gain``."""
    changed = deepcopy(scored)
    for result in changed:
        for metrics in result.row["early"].values():
            if "policies" in metrics:
                plain = metrics["1 a day"]
                metrics["policies"]["1 a day"] = {
                    **metrics["policies"]["1 a day"],
                    **plain,
                    "erde_5": plain["erde_5"] + gain,
                }
    return changed


def test_the_model_without_a_kind_is_called_by_its_name(attacked: tuple[str, list[Scored]]) -> None:
    """The text above the table names the model whose recall, with and without the kind, is in the last columns."""
    assert f"the recall over rows of the {title(WITHOUT_KIND).lower()}: with the kind" in attacked[0]


def test_attacked_cases_are_not_called_episodes(attacked: tuple[str, list[Scored]]) -> None:
    """The caption counts cases, because an episode on the four sensors of a unit is several cases on connections."""
    text, scored = attacked
    for level in ("packets", "readings"):
        early = results_of(scored, level, "day")[0].row["early"]
        alarms = next(iter(early.values()))["threshold"]
        assert f"{alarms['cases']} cases, {alarms['positive_cases']} of them attacked" in text


def test_a_figure_shows_families_where_kinds_are_many(attacked: tuple[str, list[Scored]]) -> None:
    """Up to the number in the caption each kind has its colour; with more kinds it is the colour of the family."""
    assert f"or of its family where the figure has more than {FEW} kinds" in attacked[0]
    few, many = (pd.Series(list(SHIPPED)[:count]) for count in (FEW, FEW + 1))
    assert grouped(few).tolist() == few.tolist()
    assert set(grouped(many)) == {SHIPPED[kind].family for kind in many}


def test_the_report_names_every_level(attacked: tuple[str, list[Scored]]) -> None:
    """The last section names all levels in ``dataset/``."""
    assert f"holds the levels {', '.join(LEVELS)} as Parquet" in attacked[0]


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ({"removal": 2, "door": 1}, "An attacker on the same network acted in 2 episodes and 1 benign anomaly happened."),
        ({"removal": 1}, "An attacker on the same network acted in 1 episode."),
        ({"door": 2}, "2 benign anomalies happened."),
        ({}, "Nothing else happened."),
    ],
)  # fmt: skip
def test_benign_anomalies_are_nobodys_acts(kinds: dict[str, int], sentence: str) -> None:
    """The first sentence of the report gives the numbers of attacks and of benign anomalies in the plan."""
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    drawn = {"drawn": {"count": sum(kinds.values()), "readings": (2, 3), "kinds": kinds}} if kinds else {}
    plan = build_plan(Scenario.model_validate(scenario | drawn))
    assert happened(plan) == sentence


def test_whatever_stands_beside_the_units_is_told() -> None:
    """The first sentence of the report counts companions and workstations, where there are any."""
    file = HOUSE / "scenarios" / "datacentre.toml"
    told = played(build_plan(load_scenario(file)))
    assert told.startswith(
        "5 cooling units with four sensors each sent a reading every 300 s for 2 h (UTC), beside 9 companions and 2 workstations. "
    )
    assert " beside " not in played(build_plan(load_scenario(HOUSE / "scenarios" / "hour.toml")))


def test_every_kind_has_a_row_and_every_miss_a_reason(attacked: tuple[str, list[Scored]]) -> None:
    """The tables name the kinds of each level, and say if a kind has a single episode."""
    dataset = made_dataset.make(3, 3)
    reached = reach(attacked[1], dataset, describe(dataset.packets, dataset.readings))
    for level, frame in (("packets", dataset.packets), ("readings", dataset.readings)):
        assert {row.kind for row in reached[level]} == set(frame.loc[frame["label"] == 1, "kind"].astype(str))
        for row in reached[level]:
            assert 0 <= row.recall <= 1
            assert (row.episodes == 1) == any(
                "one episode" in reason for reason in row.reasons
            ) or not row.reasons


def test_recall_without_a_kind_is_that_of_the_model_tested_without_it(
    attacked: tuple[str, list[Scored]],
) -> None:
    """Recall with the kind in training and without it is that of the one model that is also tested without kinds."""
    dataset = made_dataset.make(3, 3)
    reached = reach(attacked[1], dataset, describe(dataset.packets, dataset.readings))
    for level, kinds in reached.items():
        trained, unseen = (row_of(attacked[1], level, split, WITHOUT_KIND) for split in ("day", "kind"))
        assert trained
        assert unseen
        for row in kinds:
            assert row.trained == trained["recall_per_kind"][row.kind]
            assert row.unseen == unseen["recall_per_kind"][row.kind]


def test_few_episodes_are_a_caveat(attacked: tuple[str, list[Scored]]) -> None:
    """With three episodes the page says that the scores depend on few."""
    assert "only 3 episodes" in attacked[0]


def test_a_clean_dataset_says_so(tmp_path: Path) -> None:
    """Without attacks the report says that there was nothing to learn, has no table of models, and has the audit."""
    text, scored = page_of(tmp_path, 0, days=1)
    assert scored == []
    assert "No row of this dataset is labelled an attack" in text
    assert "No model was scored" in text
    assert re.search(r"<h2>How far to trust it</h2>\s*<ul>\s*<li>Audit of the data: \d+ checks", text)
    assert Page(text).open == []
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_the_page_repeats(tmp_path: Path) -> None:
    """The same dataset gives the same page, independent of clock and chance."""
    first, second = (page_of(tmp_path / name, 0, days=1)[0] for name in ("a", "b"))
    assert first == second


def test_each_kind_has_one_colour() -> None:
    """The kinds of the taxonomy have different colours, and follow ``normal`` in their order."""
    assert len({kind_colour(kind) for kind in SHIPPED}) == len(SHIPPED)
    assert in_order({"duplication", "normal", "removal", "x"}) == ["normal", "removal", "duplication", "x"]


def test_drawing_leaves_the_caller_style_alone() -> None:
    """Drawing a figure does not change the matplotlib settings of a notebook."""
    before = dict(mpl.rcParams)
    traffic.week(made_dataset.make(1, 1).readings)
    assert dict(mpl.rcParams) == before


def test_twins_add_ceilings(attacked: tuple[str, list[Scored]], tmp_path: Path) -> None:
    """Where a run was compared with twins, each kind has its share of rows with a trace beside its recall, and F1 is given twice."""
    text, scored = attacked
    assert "a trace</th>" not in text
    compared = [
        replace(
            result,
            row={
                **result.row,
                "visible_rows": 7,
                "visible_per_kind": dict.fromkeys(result.row["recall_per_kind"], 0.125),
                "recall_visible": 0.5,
                "f1_visible": 0.625,
            },
        )
        for result in scored
    ]
    dataset = made_dataset.make()
    description = describe(dataset.packets, dataset.readings)
    path = tmp_path / "index.html"
    write(Subject("made", "Made", "Two units."), dataset, description, compared, [], path)
    shown = path.read_text(encoding="utf-8")
    assert "7 of" in shown
    assert "0.625 over those with a trace" in shown
    assert shown.count("<td>0.125</td>") == sum(map(len, reach(compared, dataset, description).values()))
    assert Page(shown).open == []
