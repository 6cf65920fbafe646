"""Trees, alone and many together."""

from scipy.stats import loguniform
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from coldaisle_analysis.models.model import Model, plain

MODELS: dict[str, Model] = {
    "decision_tree": Model(
        "Decision tree",
        lambda seed, _: plain(DecisionTreeClassifier(max_depth=8, min_samples_leaf=20, random_state=seed)),
        space={
            "min_samples_leaf": (2, 5, 10, 20, 50),
            "max_depth": (None, 4, 8),
            "class_weight": (None, "balanced"),
        },
    ),
    "random_forest": Model(
        "Random forest",
        lambda seed, _: plain(RandomForestClassifier(30, min_samples_leaf=2, random_state=seed)),
        6_000,
        space={
            "min_samples_leaf": (1, 2, 5, 10),
            "max_features": ("sqrt", "log2", 0.3),
            "max_depth": (None, 10),
            "class_weight": (None, "balanced", "balanced_subsample"),
        },
    ),
    "gradient_boosting": Model(
        "Gradient boosting",
        lambda seed, _: plain(
            HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=seed)
        ),
        space={
            "learning_rate": loguniform(0.03, 0.3),
            "max_leaf_nodes": (4, 8, 15, 31),
            "min_samples_leaf": (10, 20, 50),
            "l2_regularization": (0.0, 1.0, 10.0),
        },
    ),
    "adaboost": Model(
        "AdaBoost",
        lambda seed, _: plain(
            AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=20, random_state=seed)
        ),
        3_000,
        space={"learning_rate": loguniform(0.1, 1.5), "estimator__max_depth": (1, 2, 3, 4)},
    ),
}
