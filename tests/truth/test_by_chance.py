"""Every public function against its twin, on inputs by chance: the same values, or the same kind of error.

`make fuzz` does this for ten minutes; what fails is shrunk, and kept in .hypothesis for the next run.
"""

import os

import numpy as np
from calls import ELEMENTWISE, PAIRED
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import each

import fastdiv
from fastdiv import reference
from fastdiv.matrix.metric import METRICS

EXAMPLES = int(os.environ.get("FASTDIV_EXAMPLES", "5"))
measured = settings(max_examples=EXAMPLES, deadline=None, print_blob=True)

DTYPES = ("f8", "f8", "f8", "f4", "i8", "u1", ">f8", "?")


# -- inputs --------------------------------------------------------------------------------------------------


def table(draw, rng, shape):
    """Masses of any kind: counts, shares, wide, sparse, near one another, in any layout and most dtypes."""
    kind = draw(st.sampled_from(["counts", "shares", "wide", "near", "sparse", "constant", "nan"]))
    if kind == "counts":
        x = rng.integers(0, draw(st.sampled_from([2, 9, 200])), size=shape).astype(float)
    elif kind == "wide":
        x = 10.0 ** rng.uniform(-150, 150, size=shape)
    elif kind == "near":
        x = rng.random(shape[-1]) * (1 + 10.0 ** -rng.integers(1, 16) * rng.random(shape))
    elif kind == "constant":
        x = np.full(shape, draw(st.sampled_from([0.0, 1.0, 3.0, 1e-310, 1e300])))
    else:
        x = rng.random(shape)
    if kind == "sparse":
        x[rng.random(shape) < 0.7] = 0.0
    if kind == "nan":
        x[rng.random(shape) < 0.1] = np.nan
    dtype = np.dtype(draw(st.sampled_from(DTYPES)) if kind in ("counts", "shares", "sparse") else "f8")
    if dtype.kind != "f":
        x = np.rint(x if kind == "counts" else 50 * x)
    return laid(draw, x.astype(dtype))


def laid(draw, x):
    """The same numbers otherwise in memory."""
    layout = draw(st.sampled_from(["C", "F", "reversed", "strided", "list"]))
    if layout == "F":
        return np.asfortranarray(x)
    if layout == "reversed":
        return x[..., ::-1].copy()[..., ::-1]
    if layout == "strided":
        return np.repeat(x, 3, axis=-1)[..., ::3]
    return x.tolist() if layout == "list" and x.dtype.kind in "fib" else x


def sample(draw, rng, n):
    kind = draw(st.sampled_from(["normal", "ties", "lognormal", "halves", "far", "near", "one", "nan"]))
    if kind == "ties":
        return rng.integers(-3, 9, size=n)
    if kind == "far":
        return draw(st.sampled_from([1e9, -(2.0**52), 2**62])) + rng.integers(0, 50, size=n)
    x = rng.normal(size=n)
    if kind == "lognormal":
        x = np.exp(3 * x)
    elif kind == "halves":
        x = np.where(rng.random(n) < 0.5, np.rint(2 * x) / 2, x)
    elif kind == "near":
        x = 1 + 1e-12 * x
    elif kind == "one":
        x = np.full(n, x[:1].sum())
    elif kind == "nan":
        x[rng.random(n) < 0.1] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return x.astype("f4") if draw(st.booleans()) else x


def weights(draw, rng, n):
    kind = draw(st.sampled_from(["none", "none", "counts", "random", "zero"]))
    if kind == "none":
        return None
    if kind == "zero":
        return np.zeros(n)
    return rng.integers(0, 4, size=n) if kind == "counts" else rng.random(n)


def options_of_rows(draw, name):
    """Those that `name` takes, each as often as not."""
    given = {
        "normalize": st.booleans(),
        "pseudocount": st.sampled_from([0.0, 0.5, 1e-9]),
        "nan_policy": st.sampled_from(["propagate", "omit", "raise"]),
        "base": st.sampled_from([None, 2, 10.0]),
        "weights": st.sampled_from([None, [1, 3], [0.0, 1.0]]),
        "alpha": st.sampled_from([0.0, 0.3, 1.0, 2.0, 7.0, np.inf]),
    }
    taken = METRICS[name].options
    return {key: draw(values) for key, values in given.items() if key in taken and draw(st.booleans())}


# -- comparison ----------------------------------------------------------------------------------------------


def outcome(function, *args, **options):
    try:
        with np.errstate(all="ignore"):
            return function(*args, **options)
    except (ValueError, TypeError, MemoryError) as error:
        return error


def held(got, want, rel=2e-12, slack=2e-30):
    """The same to twice the promise, which both have a right to, or errors of one kind."""
    if isinstance(want, Exception) or isinstance(got, Exception):
        assert type(got) is type(want), (got, want)
        return
    if isinstance(want, tuple):
        for a, b in zip(got, want, strict=True):
            held(a, b, rel, slack)
        return
    a, b = np.asarray(got), np.asarray(want)
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    if a.dtype == np.float32:
        rel = max(rel, 1e-5)
    with np.errstate(invalid="ignore", over="ignore"):
        close = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= rel * np.abs(b) + slack)
    assert close.all(), (a[~close][:3], b[~close][:3])


any_seed = st.integers(0, 2**32 - 1)


# -- functions -----------------------------------------------------------------------------------------------


@each(PAIRED)
@measured
@given(st.data(), any_seed)
def test_rows(name, data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, 70)))
    p, q = table(draw, rng, shape), table(draw, rng, shape)
    given = options_of_rows(draw, name)
    if name == "renyi_divergence":
        given.setdefault("alpha", 0.5)
    if draw(st.booleans()):
        given["axis"] = draw(st.sampled_from([0, 1, -1]))
    held(outcome(getattr(fastdiv, name), p, q, **given), outcome(getattr(reference, name), p, q, **given))


@each(["entropy", *ELEMENTWISE])
@measured
@given(st.data(), any_seed)
def test_one_array(name, data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    p = table(draw, rng, (draw(st.integers(1, 9)), draw(st.integers(1, 70))))
    base = draw(st.sampled_from([None, 2, 10.0]))
    held(*(outcome(getattr(library, name), p, base=base) for library in (fastdiv, reference)))


@each(["wasserstein_distance", "energy_distance", "cramer_distance", "ks_distance"])
@measured
@given(st.data(), any_seed)
def test_samples(name, data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    n, m = (draw(st.sampled_from([1, 2, 7, 30, 200, 700])) for _ in range(2))
    u, v = sample(draw, rng, n), sample(draw, rng, m)
    a, b = weights(draw, rng, n), weights(draw, rng, m)
    given = {"nan_policy": draw(st.sampled_from(["propagate", "omit", "raise"]))}
    if name == "wasserstein_distance":
        given["p"] = draw(st.sampled_from([1, 2, 1.5, np.inf]))
    held(*(outcome(getattr(library, name), u, v, a, b, **given) for library in (fastdiv, reference)))


@measured
@given(st.data(), any_seed)
def test_histograms(data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 60)))
    u, v = table(draw, rng, shape), table(draw, rng, shape)
    given = {"p": draw(st.sampled_from([1, 2, 3.5]))}
    where = draw(st.sampled_from(["support", "bin_edges", "neither"]))
    if where != "neither":
        steps = rng.random(shape[1] + (where == "bin_edges")) + 1e-3
        given[where] = np.cumsum(steps) * 10.0 ** rng.integers(-5, 9)
    span, n = np.ptp(given[where]) if where != "neither" else shape[1], shape[1]
    slack = 2 * span * (2.0**-124 * n**2) ** (1 / given["p"])  # masses are known to 2^-124 n of the largest
    got, want = (outcome(library.wasserstein_hist, u, v, **given) for library in (fastdiv, reference))
    held(got, want, slack=max(slack, 2e-30))


@measured
@given(st.data(), any_seed)
def test_circle(data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    n, m = (draw(st.sampled_from([1, 2, 7, 20])) for _ in range(2))
    u, v = sample(draw, rng, n), sample(draw, rng, m)
    given = {"period": draw(st.sampled_from([1.0, 360.0, 7])), "p": draw(st.sampled_from([1, 2]))}
    a, b = weights(draw, rng, n), weights(draw, rng, m)
    held(*(outcome(library.wasserstein_circle, u, v, a, b, **given) for library in (fastdiv, reference)))


@each(METRICS)
@measured
@given(st.data(), any_seed)
def test_matrices(name, data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    n, m, bins = (draw(st.integers(1, most)) for most in (20, 20, 70))
    XA, XB = table(draw, rng, (n, bins)), table(draw, rng, (m, bins))
    if name == "wasserstein" and draw(st.booleans()):
        given = {"samples": True, "p": draw(st.sampled_from([1, 2]))}
        XB = table(draw, rng, (m, draw(st.integers(1, 70))))
    else:
        given = options_of_rows(draw, name)
    if name == "renyi_divergence":
        given.setdefault("alpha", 0.5)
    held(*(outcome(library.cdist, XA, XB, name, **given) for library in (fastdiv, reference)))


@measured
@given(st.data(), any_seed)
def test_neighbours(data, seed):
    """The distances alone: of two rows that are as near to the last digit either may come first."""
    rng, draw = np.random.default_rng(seed), data.draw
    n, m, bins, k = (draw(st.integers(1, most)) for most in (9, 60, 40, 5))
    XA, XB = table(draw, rng, (n, bins)), table(draw, rng, (m, bins))
    name = draw(st.sampled_from(["js_distance", "total_variation", "kl_divergence", "wasserstein"]))
    got, want = (outcome(library.knn, XA, XB, k, name) for library in (fastdiv, reference))
    held(*(x if isinstance(x, Exception) else x[0] for x in (got, want)))


@each(["minimax_value", "saturating_loss", "non_saturating_loss", "optimal_discriminator"])
@measured
@given(st.data(), any_seed)
def test_objectives(name, data, seed):
    rng, draw = np.random.default_rng(seed), data.draw
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 70)))
    p, q = table(draw, rng, shape), table(draw, rng, shape)
    given = {"normalize": draw(st.booleans())}
    held(*(outcome(getattr(library, name), p, q, **given) for library in (fastdiv.gan, reference.gan)))
