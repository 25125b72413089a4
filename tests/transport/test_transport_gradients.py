"""Gradients of transport: an exact oracle, differences, laws, batches, kinks and mistakes."""

import mpmath
import numpy as np
import oracle_slopes
import pytest
from scipy.optimize import check_grad

import fastdiv
import fastdiv.grad

RNG = np.random.default_rng(20261126)
T = 2**60 + 12345


def cases():
    """Samples and their weights."""
    n, m = 9, 7
    u, v = RNG.normal(size=n), RNG.normal(size=m) + 0.4
    a, b = RNG.random(n), RNG.random(m)
    tied = np.round(u * 2), np.round(v * 2)
    empty = [0, 1, 0, 2, 3, 0, 0, 1, 0], [1, 0, 3, 0, 2, 1, 0]
    yield "plain", (u, v)
    yield "one size", (u, RNG.normal(size=n))
    yield "weighted", (u, v, a, b)
    yield "weighted on one side", (u, v, None, b)
    yield "one against one", ([2.0], [5.0], [3.0], None)
    yield "one against many", ([0.1], v, None, b)
    yield "ties", tied
    yield "ties and whole weights", (*tied, *empty)
    yield "values without mass", (u, v, *empty)
    yield "shifted", (u + 1e9, v + 1e9, a, b)
    yield "far apart", (u + 1e9, v, a, b)
    yield "far apart and of one size", (u - 1e7, RNG.normal(size=n) + 1e7)
    yield "nearly the same", (u, u * (1 + RNG.normal(size=n) * 1e-14))
    yield "nearly the same weights", (u, u, a, a * (1 + RNG.normal(size=n) * 1e-14))
    yield "wide weights", (u, v, 10.0 ** RNG.uniform(-20, 20, n), 10.0 ** RNG.uniform(-20, 20, m))
    yield "huge and tiny weights", (u, v, a * 1e300, b * 1e-300)
    yield "integers", ([T, T + 7, T - 3, T + 2], [T + 1, T - 9, T + 400], [1, 2, 1, 5], [3, 1, 1])
    yield "integers far apart", ([T, T + 7, T - 3], [-T, 5, -T + 2, -T + 2], None, None)
    yield "large", (u * 1e300, v * 1e300, a, b)
    yield "small", (u * 1e-305, v * 1e-305, a, b)
    yield "large numbers", (RNG.normal(size=60), RNG.normal(size=80) * 2, RNG.random(60), RNG.random(80))


CASES = dict(cases())
DISTANCES = {
    "energy": ("energy_distance", oracle_slopes.energy, {}),
    "cramer": ("cramer_distance", oracle_slopes.cramer, {}),
}
DISTANCES |= {
    f"w{p}": ("wasserstein_distance", oracle_slopes.wasserstein, {"p": p}) for p in (1, 1.5, 2, 3, 7)
}


def off(got, truth, size):
    """How far a number is from the truth, in parts of `size`."""
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(float(got)) - truth) / size) if size else float(got != 0)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_exact(case, distance):
    name, truth, options = DISTANCES[distance]
    x = CASES[case]
    value, *sides = truth(*x, **options)
    got = getattr(fastdiv.grad, name)(*x, **options)
    assert off(got.value, value, value) < 1e-14
    assert got.value == pytest.approx(getattr(fastdiv, name)(*x, **options), rel=2e-15)
    for (by_values, sizes, by_weights), ours, weights in zip(sides, got[1:3], got[3:], strict=True):
        told = [s > 1e-30 * max(sizes) for s in sizes]  # smaller masses are known to fewer digits
        assert (
            max(off(*x) for x, t in zip(zip(ours, by_values, sizes, strict=True), told, strict=True) if t)
            < 1e-13
        )
        largest = max(map(abs, by_weights))
        assert max(off(g, t, largest) for g, t in zip(weights, by_weights, strict=True)) < 1e-13
        if name != "wasserstein_distance" or options["p"] == 1:  # no parts of both signs
            pairs = zip(ours, by_values, told, strict=True)
            assert max(off(g, t, abs(t)) for g, t, large in pairs if large) < 1e-13


NAMES = ("wasserstein_distance", "energy_distance", "cramer_distance")


def gradient(name, *x, **options):
    return getattr(fastdiv.grad, name)(*x, **options)


@pytest.mark.parametrize("distance", DISTANCES)
def test_scipy_agrees(distance):
    name, _, options = DISTANCES[distance]
    arrays = CASES["weighted"]
    for k, array in enumerate(arrays):

        def value(x, k=k):
            return float(getattr(fastdiv, name)(*arrays[:k], x, *arrays[k + 1 :], **options))

        def slope(x, k=k):
            return gradient(name, *arrays[:k], x, *arrays[k + 1 :], **options)[k + 1]

        assert check_grad(value, slope, array) < 1e-5 * (1 + np.abs(slope(array)).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_as_one_by_one(name, weighted):
    u, v = RNG.normal(size=(3, 1, 6)), RNG.normal(size=(4, 5))
    weights = (RNG.random(6), RNG.random((3, 1, 5))) if weighted else ()
    got = gradient(name, u, v, *weights)
    assert [x.shape for x in got] == [(3, 4), (3, 4, 6), (3, 4, 5), (3, 4, 6), (3, 4, 5)]
    for i in range(3):
        for j in range(4):
            row = (weights[0], weights[1][i, 0]) if weighted else ()
            for x, one in zip(got, gradient(name, u[i, 0], v[j], *row), strict=True):
                np.testing.assert_array_equal(x[i, j], one)
    moved = [np.moveaxis(x, -1, 0) for x in (u, v[None], *weights)]
    turned = gradient(name, *(np.ascontiguousarray(x) for x in moved), axis=0, keepdims=True)
    assert turned.value.shape == (1, 3, 4)
    np.testing.assert_array_equal(turned.value[0], got.value)
    for x, y in zip(turned[1:], got[1:], strict=True):
        np.testing.assert_array_equal(np.moveaxis(x, 0, -1), y)


@pytest.mark.parametrize("distance", DISTANCES)
def test_laws(distance):
    name, _, options = DISTANCES[distance]
    for x in CASES.values():
        x = (*x, None, None)[:4]
        got = gradient(name, *x, **options)
        other = gradient(name, x[1], x[0], x[3], x[2], **options)
        assert other.value == got.value
        for a, b in zip(got[1:], (other[2], other[1], other[4], other[3]), strict=True):
            np.testing.assert_array_equal(a, b)
        parts = np.abs([*got.u_values, *got.v_values]).max()
        assert got.u_values.sum() + got.v_values.sum() == pytest.approx(0, abs=1e-13 * parts)
        for k in (0, 1):
            weights = np.ones(len(x[k])) if x[k + 2] is None else np.asarray(x[k + 2], float)
            slopes = got[k + 3]
            assert abs(slopes @ weights) <= 1e-13 * np.abs(slopes).max() * weights.sum()
        order = RNG.permutation(len(x[0]))
        again = gradient(
            name,
            np.asarray(x[0])[order],
            x[1],
            None if x[2] is None else np.asarray(x[2])[order],
            x[3],
            **options,
        )
        np.testing.assert_allclose(again.u_values, got.u_values[order], rtol=1e-14, atol=1e-16 * parts)


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_policies_and_sorted_values(name):
    u, v = RNG.normal(size=(3, 8)).astype("f"), np.sort(RNG.normal(size=5)).astype("f")
    single, double = gradient(name, u, v), gradient(name, u.astype("d"), v.astype("d"))
    assert {x.dtype for x in single} == {np.dtype("f")}
    assert {x.dtype for x in double} == {np.dtype("d")}
    assert {x.dtype for x in gradient(name, u, v.astype("d"))} == {np.dtype("d")}
    for a, b in zip(single, double, strict=True):
        np.testing.assert_array_equal(a, b.astype("f"))
    ordered = gradient(name, np.sort(u), v, assume_sorted=True)
    np.testing.assert_array_equal(np.sort(ordered.u_weights), np.sort(single.u_weights))
    gap = u.astype("d")
    gap[1, 2] = np.nan
    omitted = gradient(name, gap, v, nan_policy="omit")
    rest = gradient(name, np.delete(gap[1], 2), v)
    assert omitted.u_values[1, 2] == omitted.u_weights[1, 2] == 0
    np.testing.assert_array_equal(np.delete(omitted.u_values[1], 2), rest.u_values)
    np.testing.assert_array_equal(omitted.v_weights[1], rest.v_weights)
    with pytest.raises(ValueError, match=r"u_values has a missing value: u_values\[1, 2\] = nan"):
        gradient(name, gap, v, nan_policy="raise")
    with pytest.raises(ValueError, match=f"{name} is nan in row 1, where it has no gradient"):
        gradient(name, gap, v)
    with pytest.raises(ValueError, match=rf"{name} is inf in row \(0, 1\), where it has no gradient"):
        gradient(name, [[[1.0, 2.0], [1.0, np.inf]]], [3.0])
    with pytest.raises(ValueError, match=f"{name} is nan, where it has no gradient"):
        gradient(name, [np.nan], [3.0])


@pytest.mark.parametrize("name", NAMES)
def test_values_without_mass(name):
    """They have the derivative towards mass, which is infinite infinitely far away."""
    got = gradient(name, [-np.inf, 1.0, 7.0, 2.0, np.inf], [3.0, 0.5], [0, 1, 0, 2, 0], [1, 2])
    plain = gradient(name, [1.0, 2.0], [3.0, 0.5], [1, 2], [1, 2])
    np.testing.assert_array_equal(got.u_values, [0, plain.u_values[0], 0, plain.u_values[1], 0])
    assert got.u_weights[[0, 4]].tolist() == [np.inf, np.inf]
    np.testing.assert_array_equal(got.u_weights[[1, 3]], plain.u_weights)
    step = 1e-7
    distance = getattr(fastdiv, name)
    more = distance([1.0, 7.0, 2.0], [3.0, 0.5], [1, step, 2], [1, 2])
    assert got.u_weights[2] == pytest.approx((more - got.value) / step, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_same_bits_on_every_level_and_any_threads(name, weighted, level):
    u, v = RNG.normal(size=(40, 300)), RNG.normal(size=(40, 200))
    x = (u, v, RNG.random((40, 300)), RNG.random(200)) if weighted else (u, v)
    before = fastdiv.num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            fastdiv.set_num_threads(threads)
            results.append(gradient(name, *x))
    finally:
        fastdiv.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    for i in (0, 39):
        rows = [y[i] if y.ndim == 2 else y for y in x]
        np.testing.assert_array_equal(gradient(name, *rows).u_weights, results[0].u_weights[i])


def test_equal_values_share_what_they_are_moved_by():
    got = fastdiv.grad.wasserstein_distance([2.0, 2.0, 2.0], [1.0, 1.0, 7.0], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(got.u_values, np.array([1, 2, 3]) / 6 * (2 / 3 - 1 / 3), rtol=1e-15)
    got = fastdiv.grad.wasserstein_distance([0.0, 1.0], [0.0, 5.0])
    assert got.u_values.tolist() == [0.0, -0.5]


@pytest.mark.parametrize("p", [1, 1.5, 2, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_against_differences(p, weighted):
    x = [RNG.normal(size=7), RNG.normal(size=5) + 0.3]
    x += [RNG.random(7) + 0.1, RNG.random(5) + 0.1] if weighted else [np.ones(7), np.ones(5)]
    got = fastdiv.grad.wasserstein_distance(*(x if weighted else x[:2]), p=p)
    assert got.value == pytest.approx(fastdiv.wasserstein_distance(*x, p=p), rel=1e-13)
    for k, gradient in enumerate(got[1:]):
        for i in range(len(gradient)):
            h = 1e-6
            ahead, behind = [z.copy() for z in x], [z.copy() for z in x]
            ahead[k][i] += h
            behind[k][i] -= h
            rise = fastdiv.wasserstein_distance(*ahead, p=p) - fastdiv.wasserstein_distance(*behind, p=p)
            if not weighted and p == 1 and k >= 2:
                continue  # 7 and 5 equal weights: levels may coincide, where W_1 has a kink
            assert gradient[i] == pytest.approx(rise / (2 * h), abs=2e-6)
    # moving everything together changes nothing; nor does scaling the weights
    assert got.u_values.sum() + got.v_values.sum() == pytest.approx(0, abs=1e-14)
    assert got.u_weights @ x[2] == pytest.approx(0, abs=1e-13)
    assert got.v_weights @ x[3] == pytest.approx(0, abs=1e-13)


def test_gradient_at_zero_is_zero():
    for name in NAMES:
        assert not any(np.any(x) for x in gradient(name, [1, 2], [2, 1]))
    assert not any(np.any(x) for x in gradient(NAMES[0], [1, 2], [2, 1], [0, 1], [1, 0], p=2))
