"""Models that compare a row with rows they know: nearest neighbours and support vectors."""

from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from coldaisle_analysis.models.model import Model, scaled

MODELS: dict[str, Model] = {
    "knn": Model("k nearest neighbours", lambda _seed, _: scaled(KNeighborsClassifier(n_neighbors=5)), 1_200),
    "svm_linear": Model(
        "SVM, linear",
        lambda seed, _: scaled(LinearSVC(class_weight="balanced", C=0.1, tol=1e-3, random_state=seed)),
        4_000,
    ),
    "svm_rbf": Model(
        "SVM, RBF", lambda seed, _: scaled(SVC(class_weight="balanced", C=10, random_state=seed)), 600
    ),
}
