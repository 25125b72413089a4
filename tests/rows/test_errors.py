"""What bad_input.py has no line for: arrays of any shape, stacks, options together; and what is no error."""

import math

import numpy as np
import pytest
from calls import BASELESS, PAIRED, ROWWISE, TWINS, call

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
def test_a_missing_bin_hides_no_fault(name):
    bad = np.array([[math.nan, -1.0, 3.0], [4.0, 5.0, 6.0]])
    for options in ({}, {"nan_policy": "omit"}):
        words = "p has a negative mass: p[0, 1] = -1.0 (row 0, bin 1)"
        raises_alike(ValueError, words, lambda lib, options=options: call(lib, name, bad, GOOD, **options))


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
