"""The table of bad input: one exception, one sentence, the same from both twins.

A message about data names the argument, the row and the bin.
"""

import fractions
import math
import re

import numpy as np
import pandas as pd
import pytest
from calls import BASELESS, ELEMENTWISE, PAIRED, ROWWISE, TWINS, call

GOOD = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def spoiled(value, row=1, bin_=2, a=GOOD):
    a = a.copy()
    a[row, bin_] = value
    return a


def masked(a):
    return np.ma.masked_equal(a, a.flat[0])


def raises_alike(kind, message, ask):
    """Both twins raise ``kind``, exactly, and say the same, of which ``message`` is a part."""
    said = []
    for library in TWINS.values():
        with pytest.raises(kind) as caught:
            ask(library)
        assert caught.type is kind
        said.append(str(caught.value))
    assert message in said[1]
    assert said[0] == said[1]
    assert "\n" not in said[0]


# what is wrong with p or q -> exception, a part of its message ({name} is the argument), options
BAD_ARRAYS = {
    "negative": (
        spoiled(-0.25),
        ValueError,
        "{name} has a negative mass: {name}[1, 2] = -0.25 (row 1, bin 2)",
        {},
    ),
    "minus inf": (spoiled(-np.inf), ValueError, "{name} has a negative mass: {name}[1, 2] = -inf", {}),
    "inf": (
        spoiled(np.inf),
        ValueError,
        "{name} has an infinite mass: {name}[1, 2] = inf (row 1, bin 2)",
        {},
    ),
    "negative beside nan": (
        spoiled(-1.0, 1, 0, spoiled(np.nan)),
        ValueError,
        "{name} has a negative mass: {name}[1, 0] = -1.0 (row 1, bin 0)",
        {},
    ),
    "negative where omitted": (
        spoiled(-1.0, 0, 1, spoiled(np.nan, 0, 0)),
        ValueError,
        "{name}[0, 1] = -1.0 (row 0, bin 1)",
        {"nan_policy": "omit"},
    ),
    "negative, raw": (spoiled(-2.0), ValueError, "{name}[1, 2] = -2.0 (row 1, bin 2)", {"normalize": False}),
    "negative, pseudocount": (spoiled(-0.1), ValueError, "{name}[1, 2] = -0.1", {"pseudocount": 1.0}),
    "negative integer": (
        spoiled(-7).astype(int),
        ValueError,
        "{name} has a negative mass: {name}[1, 2] = -7",
        {},
    ),
    "negative float32": (spoiled(-0.5).astype("f4"), ValueError, "{name}[1, 2] = -0.5 (row 1, bin 2)", {}),
    "infinite float16": (
        spoiled(np.inf).astype("f2"),
        ValueError,
        "an infinite mass: {name}[1, 2] = inf",
        {},
    ),
    "smallest negative": (spoiled(-5e-324), ValueError, "{name}[1, 2] = -5e-324", {}),
    "missing": (
        spoiled(np.nan),
        ValueError,
        "{name} has a missing value: {name}[1, 2] = nan (row 1, bin 2)",
        {"nan_policy": "raise"},
    ),
    "missing logit": (
        spoiled(np.nan),
        ValueError,
        "{name} has a missing value: {name}[1, 2] = nan (row 1, bin 2)",
        {"nan_policy": "raise", "log_input": True},
    ),
    "infinite logit": (
        spoiled(np.inf),
        ValueError,
        "{name} has an infinite log-probability: {name}[1, 2] = inf (row 1, bin 2)",
        {"log_input": True},
    ),
    "no bins": (np.zeros((2, 0)), ValueError, "{name} has no bins", {}),
    "0-d": (np.float64(1.0), ValueError, "{name} is 0-d", {}),
    "a number": (3, ValueError, "{name} is 0-d", {}),
    "None": (None, TypeError, "{name} has dtype object", {}),
    "objects": (GOOD.astype(object), TypeError, "{name} has dtype object", {}),
    "fractions": ([[fractions.Fraction(1, 3)] * 3] * 2, TypeError, "{name} has dtype object", {}),
    "strings": ([["1", "2", "3"]] * 2, TypeError, "{name} has dtype <U1", {}),
    "bytes": (GOOD.astype("S4"), TypeError, "{name} has dtype |S4", {}),
    "complex": (GOOD.astype(complex), TypeError, "{name} has dtype complex128", {}),
    "dates": (
        GOOD.astype("i8").view("M8[s]"),
        TypeError,
        'pass np.asarray({name}).astype("int64"), counts of s',
        {},
    ),
    "time spans": (
        GOOD.astype("i8").view("m8[s]"),
        TypeError,
        'pass np.asarray({name}).astype("int64"), counts of s',
        {},
    ),
    "records": (np.zeros((2, 3), "f8,f8"), TypeError, "{name} has dtype", {}),
    "masked": (masked(GOOD), TypeError, "{name} has masked entries", {}),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, "{name} is not a rectangular array", {}),
    "strings in a frame": (
        pd.DataFrame({"a": ["x", "y"], "b": ["z", "w"]}),
        TypeError,
        "{name} has dtype",
        {},
    ),
}
if np.dtype(np.longdouble).itemsize > 8:
    BAD_ARRAYS["long double"] = (GOOD.astype(np.longdouble), TypeError, "{name} has dtype float128", {})


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_bad_array(fault, name):
    bad, kind, message, options = BAD_ARRAYS[fault]
    good = [[1.0], [2.0]] if fault in ("0-d", "a number") else GOOD
    raises_alike(kind, message.format(name="p"), lambda lib: call(lib, name, bad, good, **options))
    stack = name.startswith("js") and bad is None  # without q, p is a stack
    if name != "entropy" and fault != "no bins" and not stack:
        raises_alike(kind, message.format(name="q"), lambda lib: call(lib, name, good, bad, **options))


@pytest.mark.parametrize("name", ROWWISE)
def test_place_of_the_fault(name):
    """Row and bin are counted in the array as given, whatever its layout, shape and axis."""
    bad = np.ones((4, 5, 6))
    bad[2, 3, 4] = -1.0
    bad[3, 0, 0] = -2.0
    ones = np.ones_like(bad)
    cases = [
        (bad, -1, "p[2, 3, 4] = -1.0 (row (2, 3), bin 4)"),
        (bad, 0, "p[3, 0, 0] = -2.0 (row (0, 0), bin 3)"),
        (bad, 1, "p[2, 3, 4] = -1.0 (row (2, 4), bin 3)"),
        (bad[2], 1, "p[3, 4] = -1.0 (row 3, bin 4)"),
        (bad[2], -2, "p[3, 4] = -1.0 (row 4, bin 3)"),
        (bad[2, 3], 0, "p[4] = -1.0 (bin 4)"),
        (bad[2, 3, ::-1], 0, "p[1] = -1.0 (bin 1)"),
        (np.asfortranarray(bad[2]), 1, "p[3, 4] = -1.0 (row 3, bin 4)"),
        (bad[2].astype(">f8"), 1, "p[3, 4] = -1.0 (row 3, bin 4)"),
        (bad[2].tolist(), 1, "p[3, 4] = -1.0 (row 3, bin 4)"),
    ]
    for p, axis, message in cases:
        other = ones[tuple([0] * (3 - np.ndim(p)))][..., : np.shape(p)[-1]]
        raises_alike(
            ValueError, message, lambda lib, p=p, q=other, axis=axis: call(lib, name, p, q, axis=axis)
        )
    if name != "entropy":  # the rows of the one that broadcasts are its own
        one = np.array([[1.0, 1.0, -3.0]])
        raises_alike(ValueError, "q[0, 2] = -3.0 (row 0, bin 2)", lambda lib: call(lib, name, GOOD, one))
        raises_alike(ValueError, "q[2] = -3.0 (bin 2)", lambda lib: call(lib, name, GOOD, one[0]))


@pytest.mark.parametrize("name", ROWWISE)
def test_one_fault_among_many_rows(name):
    p = np.ones((500, 40))
    q = p.copy()
    p[321, 39] = -1e-9
    message = "p has a negative mass: p[321, 39] = -1e-09 (row 321, bin 39)"
    raises_alike(ValueError, message, lambda lib: call(lib, name, p, q))
    raises_alike(ValueError, message.split(": ")[0], lambda lib: call(lib, name, p[:, ::-1], q))


@pytest.mark.parametrize("name", PAIRED)
def test_shapes(name):
    wide = np.ones((2, 4))
    raises_alike(ValueError, "p has 3 bins but q has 4 bins", lambda lib: call(lib, name, GOOD, wide))
    raises_alike(ValueError, "p has 1 bin but q has 3 bins", lambda lib: call(lib, name, [2.0], GOOD))
    raises_alike(ValueError, "p has 3 bins but q has 1 bin", lambda lib: call(lib, name, GOOD, GOOD[:, :1]))
    raises_alike(
        ValueError, "their shapes are p (2,) and q (5,)", lambda lib: call(lib, name, GOOD, np.ones((5, 3)))
    )
    raises_alike(ValueError, "p has 2 bins but q has 3", lambda lib: call(lib, name, GOOD, GOOD[0], axis=0))


# option -> (value, exception, a part of its message)
BAD_OPTIONS = [
    ("axis", 2, np.exceptions.AxisError, "p: axis 2 is out of bounds for array of dimension 2"),
    ("axis", -3, np.exceptions.AxisError, "p: axis -3 is out of bounds"),
    ("axis", 10**30, np.exceptions.AxisError, "out of bounds"),
    ("axis", 1.0, TypeError, "axis must be an integer, not 1.0"),
    ("axis", True, TypeError, "axis must be an integer, not True"),
    ("axis", None, TypeError, "axis must be an integer, not None"),
    ("axis", (0, 1), TypeError, "axis must be an integer"),
    ("axis", "0", TypeError, "axis must be an integer"),
    ("keepdims", 1, TypeError, "keepdims must be True or False, not 1"),
    ("normalize", "no", TypeError, "normalize must be True or False, not 'no'"),
    ("normalize", None, TypeError, "normalize must be True or False"),
    ("log_input", 1.0, TypeError, "log_input must be True or False"),
    ("nan_policy", "ignore", ValueError, "must be one of 'propagate', 'omit', 'raise', not 'ignore'"),
    ("nan_policy", None, ValueError, "must be one of 'propagate', 'omit', 'raise', not None"),
    ("nan_policy", ["omit"], ValueError, "must be one of 'propagate', 'omit', 'raise'"),
    ("pseudocount", -1e-9, ValueError, "pseudocount must be finite and not negative, not -1e-09"),
    ("pseudocount", math.inf, ValueError, "pseudocount must be finite"),
    ("pseudocount", math.nan, ValueError, "pseudocount must be finite"),
    ("pseudocount", "1", TypeError, "pseudocount must be a real number, not '1'"),
    ("pseudocount", [1, 2, 3], TypeError, "pseudocount must be a real number"),
    ("pseudocount", True, TypeError, "pseudocount must be a real number, not True"),
    ("out", [0.0, 0.0], TypeError, "out must be a NumPy array, not list"),
    ("out", np.zeros(3), ValueError, "out has shape (3,), but the result has shape (2,)"),
    ("out", np.zeros((2, 1)), ValueError, "out has shape (2, 1), but the result has shape (2,)"),
    ("out", np.zeros(2, "f4"), TypeError, "out has dtype float32, but the result has dtype float64"),
    ("out", np.zeros(2, ">f8"), TypeError, "out has dtype >f8, but the result has dtype float64"),
    ("out", np.zeros(2, int), TypeError, "out has dtype int64"),
    ("out", np.broadcast_to(0.0, 2), ValueError, "out is read-only"),
]
BAD_BASES = [
    (value, ValueError, f"base must be finite and greater than 1 (None for nats), not {value!r}")
    for value in (0, 1, 1.0, 0.5, -2, math.inf, math.nan, np.float32(1))
] + [
    (value, TypeError, "base must be a real number, not")
    for value in ("2", "e", 2j, True, [2], np.array([2.0]))
]


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize(("option", "value", "kind", "message"), BAD_OPTIONS, ids=lambda x: str(x)[:30])
def test_bad_option(name, option, value, kind, message):
    raises_alike(kind, message, lambda lib: call(lib, name, GOOD, GOOD, **{option: value}))


@pytest.mark.parametrize("name", [*(n for n in ROWWISE if n not in BASELESS), *ELEMENTWISE])
@pytest.mark.parametrize(("base", "kind", "message"), BAD_BASES, ids=lambda x: f"{type(x).__name__} {x}")
def test_bad_base(name, base, kind, message):
    if name in ELEMENTWISE:
        raises_alike(kind, message, lambda lib: getattr(lib, name)(0.5, base=base))
    else:
        raises_alike(kind, message, lambda lib: call(lib, name, GOOD, GOOD, base=base))


@pytest.mark.parametrize("name", ROWWISE)
def test_options_that_exclude_each_other(name):
    raises_alike(
        ValueError,
        "pseudocount has no meaning with log_input=True",
        lambda lib: call(lib, name, GOOD, GOOD, log_input=True, pseudocount=0.5),
    )
    assert np.isfinite(call(TWINS["compiled"], name, GOOD, GOOD, log_input=True, pseudocount=0)).all()


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("name", ROWWISE)
def test_arguments(library, name):
    """Options are keywords, and nothing else is taken."""
    measure = getattr(library, name)
    arrays = [GOOD] if name == "entropy" else [GOOD, GOOD]
    arrays += [2.0] if name == "renyi_divergence" else []
    with pytest.raises(TypeError, match="unexpected keyword argument 'bases'"):
        measure(*arrays, bases=2)
    with pytest.raises(TypeError, match="positional argument"):
        measure(*arrays, 2)
    with pytest.raises(TypeError, match="missing"):
        measure()
    if name in BASELESS:
        with pytest.raises(TypeError, match="unexpected keyword argument 'base'"):
            measure(*arrays, base=2)


@pytest.mark.parametrize("name", ["js_divergence", "js_distance"])
@pytest.mark.parametrize(
    ("weights", "kind", "message"),
    [
        ([1.0, 2.0, 3.0], ValueError, "weights must have shape (2,), one for each distribution, not (3,)"),
        ([[0.5, 0.5]], ValueError, "weights must have shape (2,)"),
        (0.5, ValueError, "weights must have shape (2,), one for each distribution, not ()"),
        ([0.5, -0.5], ValueError, "weights must be finite and not negative, not -0.5: weights[1]"),
        ([math.nan, 0.5], ValueError, "not nan: weights[0]"),
        ([math.inf, 0.5], ValueError, "not inf: weights[0]"),
        ([0.0, 0.0], ValueError, "weights are all zero"),
        (["a", "b"], TypeError, "weights has dtype <U1"),
        ([1j, 1.0], TypeError, "weights has dtype complex128"),
    ],
    ids=str,
)
def test_bad_weights(name, weights, kind, message):
    raises_alike(kind, message, lambda lib: getattr(lib, name)(GOOD, GOOD, weights=weights))
    stack = np.stack([GOOD, GOOD], axis=1)
    raises_alike(kind, message, lambda lib: getattr(lib, name)(stack, weights=weights))


@pytest.mark.parametrize("name", ["js_divergence", "js_distance"])
def test_bad_stack(name):
    def ask(p, **options):
        return lambda lib: getattr(lib, name)(p, **options)

    raises_alike(ValueError, "p is 1-d, but without q", ask([1.0, 2.0]))
    raises_alike(ValueError, "p is 0-d", ask(1.0))
    raises_alike(ValueError, "p holds 1 distribution(s)", ask(GOOD[:1]))
    raises_alike(ValueError, "p holds 0 distribution(s)", ask(np.zeros((0, 3))))
    raises_alike(ValueError, "p has no bins", ask(np.zeros((2, 0))))
    raises_alike(ValueError, "p[1, 2] = -1.0 (row 1, bin 2)", ask(spoiled(-1.0)))
    raises_alike(ValueError, "p[2, 1] = -1.0 (row 1, bin 2)", ask(spoiled(-1.0).T, axis=0))
    raises_alike(ValueError, "weights must have shape (2,)", ask(GOOD, weights=[1, 2, 3]))
    raises_alike(ValueError, "p[1, 2] = nan (row 1, bin 2)", ask(spoiled(math.nan), nan_policy="raise"))


@pytest.mark.parametrize(
    ("alpha", "kind", "message"),
    [
        (-0.5, ValueError, "alpha must be from 0 to infinity, not -0.5"),
        (math.nan, ValueError, "alpha must be from 0 to infinity, not nan"),
        (-math.inf, ValueError, "alpha must be from 0 to infinity"),
        ("2", TypeError, "alpha must be a real number, not '2'"),
        (True, TypeError, "alpha must be a real number, not True"),
        ([1.0, 2.0], TypeError, "alpha must be a real number"),
        (None, TypeError, "alpha must be a real number"),
        (10**400, ValueError, "alpha must fit a float"),
    ],
    ids=lambda x: str(x)[:20],
)
def test_bad_alpha(alpha, kind, message):
    raises_alike(kind, message, lambda lib: lib.renyi_divergence(GOOD, GOOD, alpha))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_bad_events(name):
    def ask(p):
        return lambda lib: getattr(lib, name)(p)

    outside = "p has a probability outside [0, 1]: "
    raises_alike(ValueError, outside + "p = 1.5", ask(1.5))
    raises_alike(ValueError, outside + "p[1] = -0.5", ask([0.5, -0.5]))
    raises_alike(ValueError, outside + "p[1, 0] = 2", ask([[0, 1], [2, 1]]))
    raises_alike(ValueError, outside + "p = inf", ask(math.inf))
    raises_alike(ValueError, outside + "p[0, 1] = 3.0", ask([[math.nan, 3.0]]))
    raises_alike(TypeError, "p has dtype object", ask(None))
    raises_alike(TypeError, "p has masked entries", ask(masked(GOOD)))


@pytest.mark.parametrize("name", ROWWISE)
def test_errors_leave_out_alone(name):
    """An error is raised before anything is written."""
    out = np.full(2, 7.0)
    for bad in (spoiled(-1.0), spoiled(math.inf, 0, 0)):
        for library in TWINS.values():
            with pytest.raises(ValueError, match=re.escape("p[")):
                call(library, name, bad, GOOD, out=out)
            assert out.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("name", ROWWISE)
def test_what_is_no_error(library, name):
    """A row without mass is NaN, unless masses are taken as they are; -0.0 is 0; a mask may hide nothing."""
    empty = GOOD.copy()
    empty[1] = 0.0
    for p, q in ((empty, GOOD), (GOOD, empty)) if name != "entropy" else ((empty, GOOD),):
        assert np.isnan(call(library, name, p, q)).tolist() == [False, True]
        assert not np.isnan(call(library, name, p, q, pseudocount=1.0)).any()
    if name not in ("renyi_divergence",):
        assert not np.isnan(call(library, name, empty, GOOD, normalize=False)).any()
    with np.errstate(divide="ignore"):
        logs = np.log(empty)
    assert np.isnan(call(library, name, logs, GOOD, log_input=True)).tolist() == [False, True]
    minus = spoiled(-0.0)
    plus = spoiled(0.0)
    assert call(library, name, minus, GOOD).tolist() == call(library, name, plus, GOOD).tolist()
    clear = np.ma.masked_array(GOOD, np.zeros(GOOD.shape, bool))
    assert call(library, name, clear, GOOD).tolist() == call(library, name, GOOD, GOOD).tolist()
