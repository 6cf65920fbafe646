"""Models that compare a row with training rows: nearest neighbours and support vectors."""

from scipy.stats import loguniform
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from coldaisle_analysis.models.model import Model, scaled
from coldaisle_analysis.models.support import RadialSVC

MODELS: dict[str, Model] = {
    "knn": Model(
        "k nearest neighbours",
        lambda _seed, _: KNeighborsClassifier(n_neighbors=5, algorithm="brute"),
        scaled,
        800,
        space={"n_neighbors": (3, 5, 9, 15, 25), "weights": ("uniform", "distance"), "p": (1, 2)},
    ),
    "svm_linear": Model(
        "SVM, linear",
        lambda seed, _: LinearSVC(C=0.005, tol=1e-3, random_state=seed),
        scaled,
        4_000,
        space={"C": loguniform(1e-3, 1), "class_weight": (None, "balanced")},
    ),
    "svm_rbf": Model(
        "SVM, RBF",
        lambda seed, _: RadialSVC(class_weight="balanced", C=10, random_state=seed),
        scaled,
        1_200,
        space={
            "C": loguniform(0.3, 100),
            "gamma": loguniform(1e-3, 0.1),
            "class_weight": (None, "balanced"),
        },
    ),
}
