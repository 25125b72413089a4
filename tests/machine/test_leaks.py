"""Nothing is kept by a call: neither Python's blocks nor the C library's bytes grow with their number."""

import ctypes
import gc
import sys
from itertools import cycle
from math import inf

import pytest
from bad_input import FUNCTIONS
from test_bad_input import of_array, of_option

import fastdiv


class _Mallinfo2(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in (*"abcd", "hblkhd", "e", "f", "uordblks", "g", "h"))


def _bytes_of_c():
    """What malloc and mmap have given and not got back; 0 where the library does not say."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0
    mallinfo2.restype = _Mallinfo2
    found = mallinfo2()
    return found.uordblks + found.hblkhd


@pytest.fixture(autouse=True, scope="module")
def only_what_is_new():
    """What modules hold is not looked through again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def growth(call, times, least=0.5):
    """Blocks of Python and bytes of C for each call, the least of some times: a leak keeps them each time.

    Caches and lists of free blocks fill up for a while, so it is counted anew until nearly nothing is kept.
    """
    before, found = None, [inf, inf]
    for _ in range(20):
        for _ in range(times if before else 0):
            call()
        gc.collect()
        now = sys.getallocatedblocks(), _bytes_of_c()
        if before:
            found = [min(f, (b - a) / times) for f, a, b in zip(found, before, now, strict=True)]
            if found[0] < least and found[1] < 32 * least:  # the least of an allocation is 32 bytes
                break
        before = now
    return found


def errors_of(function):
    """A call of each bad input, to be made for ever."""
    result = function(fastdiv, function.good())
    calls = []
    for name in (*function.arrays, *function.options):
        cases = of_array(function, name) if name in function.arrays else of_option(function, name, result)
        calls += [(arrays, options, kind) for _, arrays, options, kind, _ in cases]
    turn = cycle(calls)

    def one():
        arrays, options, kind = next(turn)
        with pytest.raises(kind):
            function(fastdiv, arrays, **options)

    return one, len(calls)


def held_onto(function, times, turns, most=0.5):
    """What grows by a block or an allocation a call; of errors by `most` of one."""
    one, n = errors_of(function)
    for what, call, many, least in (
        ("good", lambda: function(fastdiv, function.good()), times, 0.5),
        ("errors", one, turns * n, most),
    ):
        blocks, size = growth(call, many, least)
        if blocks >= least or size >= 32 * least:
            yield f"{what}: {blocks:.3f} blocks and {size:.1f} bytes a call"


LIMITS = pytest.mark.unsanitized("keeps what is freed for a while")


@LIMITS
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.label)
def test_nothing_is_kept(function):
    assert list(held_onto(function, 60, turns=1)) == []


@LIMITS
@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.label)
def test_nothing_is_kept_by_ten_thousand_calls(function):
    n = errors_of(function)[1]
    assert list(held_onto(function, 10_000, turns=10_000 // n + 1, most=0.5 / n)) == []


@LIMITS
def test_a_leak_is_seen():
    kept = []
    assert growth(lambda: kept.append(object()), 2000)[0] > 0.5  # whatever other threads let go of by the way
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    if _bytes_of_c():
        assert growth(lambda: libc.malloc(ctypes.c_size_t(2000)), 500)[1] > 1000
