"""Trees, alone and many together."""

from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from coldaisle_analysis.models.model import Model, plain

MODELS: dict[str, Model] = {
    "decision_tree": Model(
        "Decision tree",
        lambda seed, _: plain(DecisionTreeClassifier(min_samples_leaf=5, random_state=seed)),
    ),
    "random_forest": Model(
        "Random forest",
        lambda seed, _: plain(RandomForestClassifier(30, min_samples_leaf=2, random_state=seed)),
        6_000,
    ),
    "gradient_boosting": Model(
        "Gradient boosting",
        lambda seed, _: plain(
            HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=seed)
        ),
    ),
    "adaboost": Model(
        "AdaBoost",
        lambda seed, _: plain(
            AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=20, random_state=seed)
        ),
        3_000,
    ),
}
