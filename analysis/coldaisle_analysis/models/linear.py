"""Models that weigh sums: discriminants, logistic regression, naive Bayes."""

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from coldaisle_analysis.models.model import Model, scaled

MODELS: dict[str, Model] = {
    "logistic_regression": Model(
        "Logistic regression",
        lambda seed, _: scaled(
            LogisticRegression(class_weight="balanced", max_iter=200, tol=1e-3, random_state=seed)
        ),
    ),
    "lda": Model("LDA", lambda _seed, _: scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.01))),
    "qda": Model(
        "QDA", lambda _seed, _: scaled(QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1))
    ),
    "naive_bayes": Model("Naive Bayes", lambda _seed, _: scaled(GaussianNB(var_smoothing=1e-3))),
}
