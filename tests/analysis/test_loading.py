"""Loading of runs and published captures in the form of scikit-learn's loaders."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from tests.analysis import made_dataset
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset, load_dad, load_run
from coldaisle_analysis.columns import LEVELS, Level, features
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST


@pytest.fixture
def run(made_week: Path) -> Path:
    """Return a run of seven days with an episode on each of the first six."""
    return made_week


@pytest.mark.parametrize("level", LEVELS)
def test_a_bunch_has_what_scikit_learn_expects(run: Path, level: Level) -> None:
    """Data, target and groups have one entry per row; data are the level's features as numbers."""
    bunch = load_run(run, level=level)
    assert bunch.data.shape == (len(bunch.target), len(bunch.feature_names))
    assert bunch.data.dtype == np.float64
    assert bunch.groups.shape == bunch.target.shape
    assert bunch.feature_names == features(level)
    assert bunch.target_names == ["normal", "attack"]
    assert bunch.frame is None
    assert f"Level {level}" in bunch.DESCR
    assert set(np.unique(bunch.target)) == {0, 1}


@pytest.mark.parametrize("level", LEVELS)
def test_train_and_test_are_days_in_order(run: Path, level: Level) -> None:
    """The test side is the last two of seven days, both sides together are all rows, and no episode is on both."""
    train, test, whole = (
        load_run(run, level=level, subset=side, as_frame=True) for side in ("train", "test", "all")
    )
    assert set(train.frame["day"]) == {1, 2, 3, 4, 5}
    assert set(test.frame["day"]) == {6, 7}
    assert len(train.target) + len(test.target) == len(whole.target)
    assert not set(train.groups) & set(test.groups)
    pd.testing.assert_frame_equal(pd.concat([train.data, test.data]).sort_index(), whole.data)


def test_data_and_target_alone(run: Path) -> None:
    """With ``return_X_y`` there are two results: a frame with names, or arrays with the same numbers."""
    named, truth = load_run(run, level="readings", subset="train", return_X_y=True, as_frame=True)
    plain, target = load_run(run, level="readings", subset="train", return_X_y=True)
    assert isinstance(named, pd.DataFrame)
    assert list(named) == features("readings")
    np.testing.assert_array_equal(named.to_numpy(), plain)
    np.testing.assert_array_equal(np.asarray(truth), target)


def test_groups_keep_episodes_and_parts_of_days_whole(run: Path) -> None:
    """The group of a row is its episode or its quarter of a day, and GroupKFold divides neither."""
    bunch = load_run(run, as_frame=True)
    attacked = bunch.target == 1
    assert set(bunch.groups[attacked]) == {f"e{number:02d}" for number in range(1, 7)}
    assert set(bunch.groups[~attacked]) == {f"day-{day}/{part}" for day in range(1, 8) for part in range(4)}
    for train, test in GroupKFold(3).split(bunch.data, bunch.target, bunch.groups):
        assert not set(bunch.groups[train]) & set(bunch.groups[test])


def test_identity_only_when_asked_for(run: Path) -> None:
    """Ports leak, so they are features only with ``identity=True``."""
    assert "tcp_srcport" not in load_run(run, level="packets").feature_names
    assert "tcp_srcport" in load_run(run, level="packets", identity=True).feature_names


def test_a_short_run_is_split_in_blocks(tmp_path: Path) -> None:
    """Of a run of one day the last of four parts is the test side."""
    dataset.write(made_dataset.make(days=1, episodes=1), tmp_path / "dataset")
    (tmp_path / MANIFEST).write_text(made_manifest(tmp_path).model_dump_json())
    train, test = (load_run(tmp_path, subset=side, as_frame=True) for side in ("train", "test"))
    assert train.frame["time"].max() < test.frame["time"].min()
    assert len(test.target) * 3 == len(train.target)
    assert "split by block" in test.DESCR


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"level": "frames"}, "level is 'frames': use one of packets, messages, readings, flows, windows"),
        ({"subset": "validation"}, "subset is 'validation': use one of train, test, all"),
    ],
)
def test_unknown_words(run: Path, words: dict[str, str], message: str) -> None:
    """An unknown level or subset is refused with the known ones, by both loaders."""
    for load in (load_run, load_dad):
        with pytest.raises(InputError, match=message):
            load(run, **words)  # type: ignore[arg-type]


def test_folders_without_data(tmp_path: Path) -> None:
    """A folder that is no run, and one without captures, are refused with the remedy."""
    with pytest.raises(InputError, match=r"manifest\.json: name the folder of a finished run"):
        load_run(tmp_path)
    with pytest.raises(InputError, match="holds 0 captures and 0 label tables"):
        load_dad(tmp_path)


def test_a_run_from_before_there_were_flows(tmp_path: Path) -> None:
    """A finished run without the requested level has to be played again, because a sealed run gets no new tables."""
    (tmp_path / MANIFEST).write_text(made_manifest(tmp_path).model_dump_json())
    with pytest.raises(InputError, match=r"flows\.parquet: is missing: .* played again with `coldaisle up`"):
        load_run(tmp_path, level="flows")


@pytest.mark.dad
@pytest.mark.parametrize(("level", "attacks"), [("packets", 160), ("readings", 160)])
def test_published_captures(dad: Path, level: Level, attacks: int) -> None:
    """The published days load in the same way: three days to train on, one to test on, 160 labelled rows in all."""
    whole, test = (load_dad(dad, level=level, subset=side, as_frame=True) for side in ("all", "test"))
    assert whole.target.sum() == attacks
    assert set(test.frame["day"]) == {4}


@pytest.mark.dad
def test_identity_leaks_as_the_document_says(dad: Path) -> None:
    """Address, port and message id alone detect every attack of the published captures with random folds, and none with other days."""
    packets = load_dad(dad, level="packets", as_frame=True).frame
    features = pd.DataFrame({
        "ip_src": pd.factorize(packets["ip_src"])[0],
        "tcp_srcport": packets["tcp_srcport"].astype("float64").fillna(-1),
        "mqtt_msgid": packets["mqtt_msgid"].astype("float64").fillna(-1),
    })  # fmt: skip
    labels, tree = packets["label"].to_numpy(), DecisionTreeClassifier(random_state=1)
    random = cross_val_predict(tree, features, labels, cv=StratifiedKFold(5, shuffle=True, random_state=1))
    days = cross_val_predict(tree, features, labels, cv=LeaveOneGroupOut(), groups=packets["day"])
    scores = [f"{f1_score(labels, predicted):.2f}" for predicted in (random, days)]
    text = " ".join((Path(__file__).parents[2] / "docs" / "dataset.md").read_text("utf-8").split())
    assert (
        f"reaches F1 {scores[0]} under random folds of the published captures' packets, and {scores[1]} with each day left out"
        in text
    )


def test_importing_the_package_is_quick() -> None:
    """The package alone imports neither pandas nor scikit-learn; the first loader imports them."""
    code = "import sys, coldaisle_analysis; print({'pandas', 'sklearn', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_unknown_name_of_the_package() -> None:
    """Any other name raises AttributeError."""
    import coldaisle_analysis  # noqa: PLC0415 - the package itself is what is looked at

    with pytest.raises(AttributeError, match="load_moon"):
        coldaisle_analysis.__getattr__("load_moon")
