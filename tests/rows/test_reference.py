"""The slow twin against the truth: the whole zoo, every measure, every option."""

import inspect

import mpmath
import oracle
import pytest
import truths
from calls import ELEMENTWISE, ROWWISE, call
from mpmath import mp, mpf

import fastdiv


def test_keeps_the_promise():
    found = truths.judge(fastdiv.reference)
    assert not found.broken, "\n".join(found.broken)
    assert {name.split(",")[0] for name in found.errors} == {*ROWWISE, *ELEMENTWISE}


@pytest.mark.parametrize("name", [*ROWWISE, *ELEMENTWISE])
def test_the_judge_notices(name):
    """A measure that is off by 2e-12 breaks the promise of float64, one off by 2e-7 that of float32."""

    class Off:
        def __getattr__(self, measure):
            exact = getattr(fastdiv.reference, measure)
            if measure != name:
                return exact
            return lambda *args, **options: exact(*args, **options) * (1 + (2e-7 if single(args) else 2e-12))

    def single(args):
        return getattr(args[0], "dtype", None) == "f4"

    group = "events" if name in ELEMENTWISE else "stacks" if name.startswith("js") else "float32"
    broken = truths.judge(Off(), groups=[group]).broken
    assert broken
    assert all(line.startswith(f"{name} of ") and "relative error" in line for line in broken)


@pytest.mark.parametrize("name", [*ROWWISE, *ELEMENTWISE])
def test_same_signature(name):
    """Names, order, kinds and defaults of the arguments are those of the compiled measure."""

    def shape(f):
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    assert shape(getattr(fastdiv.reference, name)) == shape(getattr(fastdiv, name))


def test_every_measure_is_here():
    """A measure without a twin, an oracle line or a case in the table of truths fails here."""
    import fastdiv.information
    import fastdiv.reference.information

    public = set(fastdiv.information.__all__)
    assert public == set(fastdiv.reference.information.__all__) == set(oracle.ORACLE)
    assert public == {name for tasks in truths.TASKS.values() for name, _ in tasks}
    assert public == {*ROWWISE, *ELEMENTWISE}


INF = float("inf")
BEYOND = [  # logarithms of masses, of which float64 holds some or none
    ([0.0], [800.0]),
    ([800.0], [0.0]),
    ([0.0, 1.0], [800.0, 1.0]),
    ([0.0, 0.0], [2000.0, 2000.0]),
    ([2000.0, 0.0], [2000.0, 1.0]),
    ([2000.0, -INF, 1.0], [2000.0, -INF, 0.0]),
    ([3.0, 2000.0], [-INF, 2000.0]),
    ([800.0, 0.0], [801.0, 0.0]),
    ([720.0, 5.0], [720.0, 4.0]),
    ([-5.0, 720.0], [4.0, 720.0]),
    ([0.0, 705.0], [3.0, -700.0]),
    ([-800.0, -700.0], [-700.0, -800.0]),
    ([1.0, -900.0], [2.0, -100.0]),
    ([705.0, 0.0, 3.0], [705.0, -3.0, 3.5]),
]


@pytest.mark.parametrize("name", ROWWISE)
def test_logarithms_as_they_stand(name):
    """Every bin counts on its own scale: beside e^800 a mass of 1 is not nothing."""
    orders = [{"alpha": a} for a in (0.0, 0.3, 1.0, 2.0, INF)] if name == "renyi_divergence" else [{}]
    for p, q in BEYOND:
        for order in orders:
            rows = (p,) if name == "entropy" else (p, q)
            with mp.workdps(1200):
                want = oracle.truth(name, *rows, normalize=False, log_input=True, more_digits=1000, **order)
                got = call(fastdiv.reference, name, p, q, normalize=False, log_input=True, **order)
                if abs(want) > 1.797e308:
                    assert got == float(mpmath.sign(want)) * INF, (p, q)
                else:
                    assert abs(mpf(float(got)) - want) <= 1e-12 * abs(want) + 1e-30, (p, q)


def test_roots_of_logarithms_as_they_stand_that_are_doubles():
    """exp(710) and more, of which only the difference of the rows makes a double."""
    p, q = [1435.7881966018954], [1435.7880767369045]
    for name in ("js_distance", "hellinger_distance"):
        twins = [
            getattr(twin, name)(p, q, normalize=False, log_input=True)
            for twin in (fastdiv, fastdiv.reference)
        ]
        assert twins[1] == pytest.approx(twins[0], rel=1e-12)
        assert 1e307 < twins[0] < 1e308
