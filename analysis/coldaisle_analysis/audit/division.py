"""E: training and test sides that are apart yet alike, and scores that were earned."""

import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.audit.alike import shared
from coldaisle_analysis.audit.check import Absent, Check, Measured
from coldaisle_analysis.audit.shortcuts import ARP
from coldaisle_analysis.audit.subject import Subject
from coldaisle_analysis.audit.sweep import sweep
from coldaisle_analysis.evaluation.groups import in_time
from coldaisle_analysis.evaluation.splits import OTHER_RUNS


def test_side(subject: Subject) -> Mask:
    """Return which rows the default division tests on, that of :func:`coldaisle_analysis.load_run`.

    Raises:
        Absent: where there is nothing to divide.
    """
    days = subject.days
    if not len(days) or days.max() == 0:
        raise Absent("the rows cannot be divided by time")
    return in_time(days)


def repeated(subject: Subject) -> Measured:
    """Return the share of test rows whose features a training row has too."""
    test = test_side(subject)
    if not subject.features:
        raise Absent("the rows have no numeric feature")
    share = shared(subject.matrix, test, ~test)
    return Measured(share, f"{share:.1%} of the test rows equal a training row in every feature.", [])


def torn(subject: Subject) -> Measured:
    """Count episodes and attacked flows with rows on both sides; a clean one tells as little as any host that stays."""
    test = test_side(subject)
    found = {}
    for what in ("episode", "flow"):
        if not subject.has(what):
            continue
        names = subject.of(what).astype("object")
        attacked = names.isin(names[subject.label])
        known = (attacked & names.notna() & (names != "") & (names != -1)).to_numpy()
        sides = pd.Series(test[known]).groupby(names[known].to_numpy()).nunique()
        found[what] = [str(name) for name in sides.index[sides > 1]]
    if not found:
        raise Absent("the rows name neither episode nor flow")
    evidence = [{what: name} for what, names in found.items() for name in names]
    told = " and ".join(f"{len(names)} attacked {what}s" for what, names in found.items())
    return Measured(len(evidence), f"{told} have rows on both sides.", evidence)


def drawn_alike(subject: Subject) -> Measured:
    """Return the AUC of a small tree that tells training from test rows without an attack."""
    test = test_side(subject)
    if not subject.features:
        raise Absent("the rows have no numeric feature")
    rows = subject.draw(~subject.label, salt=5)
    if min(np.bincount(test[rows], minlength=2)) < 2:  # noqa: PLR2004 - a row for each fold
        raise Absent("a side has no row without an attack")
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=20, random_state=subject.seed)
    score = cross_val_predict(tree, subject.scaled[rows], test[rows], cv=2, method="predict_proba")[:, 1]
    found = sweep(score, test[rows])
    tree.fit(subject.scaled[rows], test[rows])
    weights = pd.Series(tree.feature_importances_, list(subject.features)).sort_values(ascending=False)
    evidence = [
        {"column": str(name), "importance": round(float(weight), 4)}
        for name, weight in weights.items()
        if weight > 0
    ]
    return Measured(
        found.auc,
        f"A small tree tells clean training from clean test rows with an AUC of {found.auc:.3f}.",
        evidence,
    )


def _scored(subject: Subject) -> pd.DataFrame:
    rows = [row for row in subject.metrics if row["level"] == subject.level]
    if not rows:
        raise Absent("no model was scored on these rows")
    return pd.DataFrame(rows)


def leak(subject: Subject) -> Measured:
    """Return how much better the best model scores with random folds than with whole days held out."""
    rows = _scored(subject)
    plain = rows[~rows["split"].str.contains("+", regex=False)]
    best = plain.sort_values("f1").groupby("split")[["model", "f1"]].last()
    if "random" not in best.index or len(best) < 2:  # noqa: PLR2004 - random beside grouped
        raise Absent("models were not scored on both random and grouped folds")
    grouped = best.drop(index="random")["f1"].max()
    value = max(0.0, float(best.loc["random", "f1"] - grouped))
    evidence = [
        {"folds": str(split), "model": model, "F1": round(float(f1), 4)}
        for split, (model, f1) in zip(best.index, best.to_numpy(), strict=True)
    ]
    return Measured(
        value, f"Random folds score {value:.3f} more F1 than folds that hold whole days out.", evidence
    )


def held_out_kinds(subject: Subject) -> Measured:
    """Return 1 if no model was scored on a kind of attack that it never saw."""
    splits = sorted(_scored(subject)["split"].unique())
    there = any(str(split).startswith("kind") for split in splits)
    text = "Models were scored on kinds" if there else "No model was scored on a kind"
    return Measured(0 if there else 1, f"{text} of attack held out of training.", [{"splits": splits}])


def repeats(subject: Subject) -> Measured:
    """Count what tells chance from merit and is missing: intervals beside the scores, more than one seed."""
    rows = _scored(subject)
    known = {
        "intervals": "intervals" in rows and bool(rows["intervals"].map(bool).all()),
        "more than one seed": len(set(rows.get("seed", []))) > 1,
    }
    lacking = [what for what, there in known.items() if not there]
    text = f"Beside the scores there {'is no ' + ' and no '.join(lacking) if lacking else 'are intervals and several seeds'}."
    return Measured(len(lacking), text, [{"lacks": what} for what in lacking])


def trained_apart(subject: Subject) -> Measured:
    """Count scored models without a threshold of their own for each fold, or for whose test side the training side leaves no room."""
    rows = _scored(subject)
    whole = rows["rows"].max()
    sides = rows["train_rows"] + (rows["rows"] / rows["folds"]).round()
    crowded = (sides > whole) & (rows["split"] != OTHER_RUNS)
    wrong = rows[(rows["thresholds"].map(len) != rows["folds"]) | crowded]
    evidence = [{"model": model, "split": split} for model, split in wrong[["model", "split"]].to_numpy()]
    return Measured(
        len(wrong),
        f"{len(wrong)} of {len(rows)} rows of the metrics lack a fold's own threshold or a test side.",
        evidence,
    )


def baselines(subject: Subject) -> Measured:
    """Count splits in which no trivial model stands beside the others, or the best one does not beat it."""
    rows = _scored(subject)
    plain = rows[~rows["split"].str.contains("+", regex=False)]
    evidence = []
    for split, own in plain.groupby("split"):
        trivial, best = own.loc[own["model"] == "dummy", "f1"], float(own["f1"].max())
        if trivial.empty or best <= float(trivial.max()):
            evidence.append({"split": str(split), "best F1": round(best, 4)})
    return Measured(
        len(evidence),
        f"In {len(evidence)} of {plain['split'].nunique()} splits no model beats a trivial one beside it.",
        evidence,
    )


CHECKS = (
    Check("E1", "test rows seen in training", "share of test rows", 0.05, 0.3, ARP, repeated),
    Check("E2", "episodes torn apart", "attacked episodes and flows on both sides", 1, 1, "Arp et al. 2022", torn),
    Check("E3", "sides drawn alike", "AUC of a small tree that tells the sides apart", 0.7, 0.9, ARP, drawn_alike),
    Check("E4", "random beside grouped folds", "F1 that random folds add", 0.1, 0.3, "Arp et al. 2022; threshold ours", leak),
    Check("E5", "a kind held out", "1 where no kind is", 1, 2, "Arp et al. 2022", held_out_kinds),
    Check("E7", "seeds and intervals", "what is missing of the two", 1, 2, "Arp et al. 2022", repeats),
    Check("E8", "learned on the training side", "models without their fold's own threshold or test side", 1, 1, "Arp et al. 2022", trained_apart),
    Check("E9", "trivial baselines", "splits in which no model beats one", 1, 2, "Arp et al. 2022", baselines),
)  # fmt: skip
