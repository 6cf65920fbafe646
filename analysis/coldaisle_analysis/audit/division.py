"""Check group E: training and test sides are separate but alike, and scores are earned."""

import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.audit.check import Check, Measured
from coldaisle_analysis.audit.shortcuts import ARP
from coldaisle_analysis.audit.similarity import shared
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.audit.sweep import sweep
from coldaisle_analysis.evaluation.groups import in_time
from coldaisle_analysis.evaluation.splits import OTHER_RUNS


def test_side(subject: Subject) -> Mask:
    """Return the mask of the test rows of the default split, that of :func:`coldaisle_analysis.load_run`.

    Raises:
        Absent: where there is nothing to divide.
    """
    days = subject.days
    if not len(days) or days.max() == 0:
        raise Absent("the rows cannot be divided by time")
    return in_time(days)


def repeated(subject: Subject) -> Measured:
    """Return the share of test rows whose features equal those of a training row."""
    test = test_side(subject)
    share = shared(subject, test, ~test)
    return Measured(share, f"{share:.1%} of the test rows equal a training row in every feature.", [])


def on_both_sides(subject: Subject) -> Measured:
    """Count episodes and attacked flows with rows on both sides; clean flows do not count, because they give nothing away."""
    test = test_side(subject)
    torn_names = {}
    for meaning in ("episode", "flow"):
        if not subject.has(meaning):
            continue
        names = subject.of(meaning).astype("object")
        attacked = names.isin(names[subject.label])
        named = (attacked & names.notna() & (names != "") & (names != -1)).to_numpy()
        sides = pd.Series(test[named]).groupby(names[named].to_numpy()).nunique()
        torn_names[meaning] = [str(name) for name in sides.index[sides > 1]]
    if not torn_names:
        raise Absent("the rows have neither episode nor flow")
    evidence = [{meaning: name} for meaning, names in torn_names.items() for name in names]
    counted = " and ".join(f"{len(names)} attacked {meaning}s" for meaning, names in torn_names.items())
    return Measured(len(evidence), f"{counted} have rows on both sides.", evidence)


def separable(subject: Subject) -> Measured:
    """Return the AUC of a small tree that separates training from test rows without an attack."""
    test = test_side(subject)
    rows = subject.draw(~subject.label, salt=5)
    features, sides = subject.scaled(rows), test[rows]
    if min(np.bincount(sides, minlength=2)) < 2:  # noqa: PLR2004 - a row for each fold
        raise Absent("a side has no row without an attack")
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=20, random_state=subject.seed)
    auc = sweep(cross_val_predict(tree, features, sides, cv=2, method="predict_proba")[:, 1], sides).auc
    weights = pd.Series(tree.fit(features, sides).feature_importances_, list(subject.features))
    ranked = weights[weights > 0].sort_values(ascending=False)
    evidence = [
        {"column": str(name), "importance": round(float(weight), 4)} for name, weight in ranked.items()
    ]
    text = f"A small tree separates clean training rows from clean test rows with an AUC of {auc:.3f}."
    return Measured(auc, text, evidence)


def _scored(subject: Subject) -> pd.DataFrame:
    rows = [row for row in subject.metrics if row["level"] == subject.level]
    if not rows:
        raise Absent("no model was scored on these rows")
    return pd.DataFrame(rows)


def leak(subject: Subject) -> Measured:
    """Return how much more F1 the best model has with random folds than with whole days held out."""
    rows = _scored(subject)
    plain = rows[~rows["split"].str.contains("+", regex=False)]
    best = plain.sort_values("f1").groupby("split")[["model", "f1"]].last()
    if "random" not in best.index or len(best) < 2:  # noqa: PLR2004 - random beside grouped
        raise Absent("models were not scored on both random and grouped folds")
    grouped = best.drop(index="random")["f1"].max()
    value = max(0.0, float(best.loc["random", "f1"] - grouped))
    evidence = [
        {"folds": str(split), "model": model, "F1": round(float(f1), 4)}
        for split, model, f1 in best.itertuples()
    ]
    return Measured(
        value, f"Random folds give {value:.3f} more F1 than folds that hold whole days out.", evidence
    )


def held_out_kinds(subject: Subject) -> Measured:
    """Return 1 if no model was scored on a kind of attack held out of its training, else 0."""
    splits = sorted(_scored(subject)["split"].unique())
    there = any(str(split).startswith("kind") for split in splits)
    text = "Models were scored on kinds" if there else "No model was scored on a kind"
    return Measured(0 if there else 1, f"{text} of attack held out of training.", [{"splits": splits}])


def repeats(subject: Subject) -> Measured:
    """Count the missing ones of two guards against chance: intervals of the scores, and more than one seed."""
    rows = _scored(subject)
    evidence_kinds = {
        "intervals": "intervals" in rows and bool(rows["intervals"].map(bool).all()),
        "more than one seed": len(set(rows.get("seed", []))) > 1,
    }
    lacking = [name for name, present in evidence_kinds.items() if not present]
    text = f"Beside the scores there {'is no ' + ' and no '.join(lacking) if lacking else 'are intervals and several seeds'}."
    return Measured(len(lacking), text, [{"lacks": name} for name in lacking])


def trained_apart(subject: Subject) -> Measured:
    """Count scored models without one threshold per fold, or whose training and test rows together exceed all rows."""
    rows = _scored(subject)
    whole = rows["rows"].max()
    sides = rows["train_rows"] + (rows["rows"] / rows["folds"]).round()
    crowded = (sides > whole) & (rows["split"] != OTHER_RUNS)
    wrong = rows[(rows["thresholds"].map(len) != rows["folds"]) | crowded]
    evidence = [{"model": model, "split": split} for model, split in wrong[["model", "split"]].to_numpy()]
    return Measured(
        len(wrong),
        f"{len(wrong)} of {len(rows)} rows of the metrics lack a threshold of each fold or a test side.",
        evidence,
    )


def baselines(subject: Subject) -> Measured:
    """Count splits without a trivial model, or whose best model is no better than the trivial one."""
    rows = _scored(subject)
    plain = rows[~rows["split"].str.contains("+", regex=False)]
    trivial = plain["f1"].where(plain["model"] == "dummy")
    best = plain.assign(trivial=trivial).groupby("split")[["f1", "trivial"]].max()
    poor = best.loc[~(best["f1"] > best["trivial"]), "f1"]
    evidence = [{"split": str(split), "best F1": round(float(f1), 4)} for split, f1 in poor.items()]
    text = f"In {len(poor)} of {len(best)} splits no model is better than a trivial one."
    return Measured(len(poor), text, evidence)


CHECKS = (
    Check("E1", "test rows seen in training", "share of test rows", 0.05, 0.3, ARP, repeated),
    Check("E2", "episodes on both sides", "attacked episodes and flows on both sides", 1, 1, "Arp et al. 2022", on_both_sides),
    Check("E3", "sides from one distribution", "AUC of a small tree that separates the sides", 0.7, 0.9, ARP, separable),
    Check("E4", "random against grouped folds", "F1 that random folds add", 0.1, 0.3, "Arp et al. 2022; threshold ours", leak),
    Check("E5", "a kind held out", "1 if no kind is", 1, 2, "Arp et al. 2022", held_out_kinds),
    Check("E7", "seeds and intervals", "how many of the two are missing", 1, 2, "Arp et al. 2022", repeats),
    Check("E8", "learned on the training side", "models without a threshold of each fold or a test side", 1, 1, "Arp et al. 2022", trained_apart),
    Check("E9", "trivial baselines", "splits in which no model is better than one", 1, 2, "Arp et al. 2022", baselines),
)  # fmt: skip
