"""fastdiv.sklearn: scikit-learn's checks, its pipelines, and what the graph holds."""

import pickle
from functools import partial

import numpy as np
import pytest
from doctests import docstring_runs

pytest.importorskip("sklearn")
from sklearn.cluster import DBSCAN
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastdiv
from fastdiv import sklearn as ours
from fastdiv.sklearn import NeighborsTransformer, js_kernel


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([NeighborsTransformer(), NeighborsTransformer(mode="connectivity")])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def two_kinds():
    rng = np.random.default_rng(0)
    shapes = np.array([[8.0, 2, 1, 1], [1, 1, 2, 8]])
    y = np.repeat([0, 1], 40)
    return np.array([rng.dirichlet(shapes[k]) for k in y]), y


def test_the_graph_holds_the_nearest():
    X, _ = two_kinds()
    t = NeighborsTransformer(4, metric="hellinger_distance").fit(X[:60])
    graph = t.transform(X[60:])
    distances, indices = fastdiv.knn(X[60:], X[:60], 5, "hellinger_distance")
    assert graph.shape == (20, 60)
    np.testing.assert_array_equal(graph.indices.reshape(20, 5), indices)
    np.testing.assert_array_equal(graph.data.reshape(20, 5), distances)
    found, apart = t.precomputed_knn(X[60:])
    np.testing.assert_array_equal(found, indices[:, :4])
    np.testing.assert_array_equal(apart, distances[:, :4])
    again = pickle.loads(pickle.dumps(t)).transform(X[60:])
    assert (again != graph).nnz == 0


def test_pipelines():
    X, y = two_kinds()
    neighbours = make_pipeline(NeighborsTransformer(5), KNeighborsClassifier(5, metric="precomputed"))
    assert cross_val_score(neighbours, X, y, cv=4).mean() > 0.9
    whole = fastdiv.cdist(X, X)
    graph = NeighborsTransformer(40).fit_transform(X)
    few = DBSCAN(eps=0.15, min_samples=5, metric="precomputed").fit(graph).labels_
    np.testing.assert_array_equal(
        few, DBSCAN(eps=0.15, min_samples=5, metric="precomputed").fit(whole).labels_
    )
    for kernel in (js_kernel, partial(js_kernel, gamma=10.0)):
        assert cross_val_score(SVC(kernel=kernel), X, y, cv=4).mean() > 0.9


def test_the_kernel():
    X, _ = two_kinds()
    K = js_kernel(X, gamma=3.0)
    np.testing.assert_allclose(K[0], np.exp(-3 * fastdiv.js_divergence(X[0], X)), rtol=1e-12)
    assert np.linalg.eigvalsh(K).min() > -1e-12
    with pytest.raises(ValueError, match="gamma must be finite and not negative, not -1"):
        js_kernel(X, gamma=-1)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rows_without_mass_are_no_neighbours(mode, dtype):
    X, _ = two_kinds()
    X = X.astype(dtype)
    X[[3, 7]] = 0
    there = np.delete(np.arange(len(X)), [3, 7])
    t = NeighborsTransformer(5, mode=mode)
    graph = t.fit_transform(X)
    assert graph[[3, 7]].nnz == graph[:, [3, 7]].nnz == 0
    assert (graph[there][:, there] != t.fit_transform(X[there])).nnz == 0
    if mode == "distance":
        labels = DBSCAN(eps=0.15, min_samples=3, metric="precomputed").fit(graph).labels_
        assert labels[3] == labels[7] == -1
        with pytest.raises(ValueError, match="have only 0 neighbors"):
            KNeighborsClassifier(3, metric="precomputed").fit(graph, np.arange(len(X)) % 2).predict(graph)


def test_infinite_distances_are_not_in_the_graph():
    graph = NeighborsTransformer(1, metric="kl_divergence").fit_transform([[1, 1], [1, 0], [0, 1]])
    assert np.isfinite(graph.data).all()
    assert graph.toarray()[1].tolist() == [np.log(2), 0, 0]


def test_what_is_refused():
    t = NeighborsTransformer(2).fit([[1, 0], [1, 1], [0, 1]])
    assert t.transform([[1, 1], [0, 0]]).getnnz(axis=1).tolist() == [3, 0]  # no mass: far from all
    with pytest.raises(ValueError, match="n_neighbors must leave 4 rows"):
        t.set_params(n_neighbors=3).transform([[1, 1]])
    with pytest.raises(ValueError, match="mode must be"):
        NeighborsTransformer(mode="x").fit([[1, 0]])
    logits = NeighborsTransformer(1, metric_options={"log_input": True}).fit_transform(
        [[-1.0, 0], [0, -1], [0, -2]]
    )
    assert logits.nnz == 6


@pytest.mark.parametrize("name", ours.__all__)
def test_the_examples_run(name):
    docstring_runs(getattr(ours, name))


def test_options_are_named():
    X = np.eye(4) + 1
    for k, error in (
        (0, ValueError),
        (-1, ValueError),
        (2.5, TypeError),
        ("2", TypeError),
        (True, TypeError),
    ):
        with pytest.raises(error, match=f"n_neighbors must be .*, not {k!r}"):
            NeighborsTransformer(k).fit(X)
    for gamma, error in ((-1, ValueError), (np.inf, ValueError), (np.nan, ValueError), ("1", TypeError)):
        with pytest.raises(error, match="gamma must be "):
            js_kernel(X, gamma=gamma)
