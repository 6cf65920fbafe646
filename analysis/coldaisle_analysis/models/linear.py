"""Linear models and their relatives: discriminants, logistic regression, naive Bayes."""

from scipy.stats import loguniform
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from coldaisle_analysis.models.model import Model, scaled

MODELS: dict[str, Model] = {
    "logistic_regression": Model(
        "Logistic regression",
        lambda seed, _: LogisticRegression(C=0.05, max_iter=200, tol=1e-3, random_state=seed),
        scaled,
        space={"C": loguniform(0.01, 30), "class_weight": (None, "balanced")},
    ),
    "lda": Model(
        "LDA",
        lambda _seed, _: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.01),
        scaled,
        space={"shrinkage": loguniform(1e-4, 0.5)},
    ),
    "qda": Model(
        "QDA",
        lambda _seed, _: QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1),
        scaled,
        space={"shrinkage": loguniform(1e-3, 0.9)},
    ),
    "naive_bayes": Model(
        "Naive Bayes",
        lambda _seed, _: GaussianNB(var_smoothing=1e-3),
        scaled,
        space={"var_smoothing": loguniform(1e-6, 1.0)},
    ),
}
