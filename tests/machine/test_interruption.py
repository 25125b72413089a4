"""Ctrl-C in the midst of one long pass, and other Python threads meanwhile."""

import gc
import signal
import threading
import time
import weakref

import interruptions
import numpy as np
import pytest

import fastdiv
from fastdiv import _core, _threads, barycenter, circle

openmp = pytest.mark.skipif(not _core.openmp(), reason="a serial build has one thread")


@pytest.mark.unsanitized("takes ten times as long from one look at Ctrl-C to the next")
@pytest.mark.parametrize("name", ["one long row", "W2"])
def test_a_few_moments(name):
    """Half a second is the aim; where others use the machine too, it is only not to wait for the end."""
    found = interruptions.interrupt(name, 2, 0.2, seed=3)
    assert found["longest"] < 3.0
    assert found["kept"] < 1 << 27


@pytest.mark.slow
@pytest.mark.parametrize("name", [*interruptions.CALLS, *interruptions.COMMANDS])
def test_fifty_moments(name):
    if name in interruptions.COMMANDS:
        found = interruptions.interrupt_command(name, 50)
    else:
        found = interruptions.interrupt(name, 50, 2.0)
    assert found["heard"] > 20
    assert found["middle"] < 0.5
    assert found["kept"] < 1 << 24


LETS_GO = {
    "one row": lambda x: fastdiv.js_divergence(x, x[::-1]),
    "strided": lambda x: fastdiv.entropy(x[::2]),
    "few rows": lambda x: fastdiv.kl_divergence(x.reshape(400, -1), x[: len(x) // 400]),
    "stack": lambda x: fastdiv.js_divergence(x.reshape(2, 2, -1)),
    "gradient": lambda x: fastdiv.grad.kl_divergence(x.reshape(400, -1), x[: len(x) // 400]),
    "float32": lambda x: fastdiv.js_divergence(x.astype("f4"), x[::-1].astype("f4")),
}


@pytest.mark.parametrize("call", LETS_GO.values(), ids=LETS_GO)
def test_other_threads_go_on(call):
    """NumPy keeps the GIL while a generalised ufunc has 500 rows or fewer, however long they are."""
    x = np.random.default_rng(0).random(1_600_000)
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.0005):
            ticks.append(time.monotonic())

    ticking = threading.Thread(target=tick)
    ticking.start()
    inside = 0
    try:
        for _ in range(200):  # as often as it takes on a busy machine
            began = time.monotonic()
            call(x)
            ended = time.monotonic()
            inside += sum(began + 0.1 * (ended - began) < t < ended - 0.1 * (ended - began) for t in ticks)
            ticks.clear()
            if inside > 3:
                break
    finally:
        done.set()
        ticking.join()
    assert inside > 3


@pytest.mark.parametrize("team", [1, 2])
@pytest.mark.parametrize("metric", ["kl_divergence", "js_divergence"])
def test_rows_are_prepared_a_few_at_a_time(metric, team):
    """Signals are looked at between pieces: a panel of 16 long rows was one, of half a second."""
    row = np.random.default_rng(1).random(2_000_000)
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(time.monotonic()))
    fastdiv.set_num_threads(team)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        fastdiv.cdist(row[None], np.broadcast_to(row[::-1], (16, len(row))), metric)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        fastdiv.set_num_threads(None)
    assert len(heard) > 4


def test_a_long_pass_is_the_call():
    """Results, exceptions and NumPy's settings are those of a call without a thread."""
    assert _threads.interruptibly(lambda a, b: a + b, 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        _threads.interruptibly(lambda: 1 // 0)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        _threads.interruptibly(lambda: np.float64(1) / 0)
    assert _threads.hears_signals()
    assert not _threads.interruptibly(_threads.hears_signals)


def test_what_fails_aside_keeps_nothing():
    """An error whose traceback led to itself would keep what was given until a collection."""

    class Given:
        pass

    def fail(given):
        raise ValueError("no")

    given = Given()
    seen = weakref.ref(given)
    gc.disable()
    try:
        with pytest.raises(ValueError, match="no"):
            _threads.interruptibly(fail, given)
        del given
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("first", ["the caller", "the pass"])
def test_what_is_given_up_keeps_nothing(first, monkeypatch):
    """Its error, which nobody asks for, led to itself in the same way; whoever ends first."""

    class Given:
        pass

    begun, over, join = threading.Event(), threading.Event(), threading.Thread.join

    def work(given):
        begun.set()
        over.wait(10)
        _threads.heed()

    def interrupted(thread):
        begun.wait(10)
        if first == "the pass":
            thread.given_up = True
            over.set()
            join(thread, 10)
        raise KeyboardInterrupt

    given = Given()
    seen = weakref.ref(given)
    gc.disable()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "join", interrupted)
            with pytest.raises(KeyboardInterrupt):
                _threads.interruptibly(work, given)
        over.set()
        while interruptions.passes():
            time.sleep(0.001)
        del given
        assert seen() is None
    finally:
        gc.enable()


def test_without_threads_to_be_had(monkeypatch):
    def none(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    assert _threads.interruptibly(_threads.hears_signals)


@openmp
def test_the_threads_of_a_long_pass():
    before = _core.openmp_here(3)
    try:
        assert _threads.interruptibly(_core.openmp_threads) == 3
    finally:
        _core.openmp_here(before)


def test_what_nobody_waits_for_ends_with_its_pass():
    passes, ended = [], threading.Event()

    def work():
        try:
            while True:
                _threads.heed()
                passes.append(len(passes))
                time.sleep(0.001)
                if len(passes) == 3:
                    threading.current_thread().given_up = True
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        _threads.interruptibly(work)
    assert ended.is_set()
    assert len(passes) == 3


@pytest.mark.parametrize(
    "work",
    [
        lambda: circle._remainders(np.array([2**60, 5]), 0.3),
        lambda: barycenter._integers(np.array([0.1, 0.7])),
        lambda: barycenter._refine([np.array([1, 2]), np.array([1, 3])], [2, 3]),
    ],
    ids=["fractions", "integers", "levels"],
)
def test_loops_over_pythons_numbers_end_soon(work):
    """They would go on for seconds beside whoever pressed Ctrl-C."""
    ended = []

    def run():
        threading.current_thread().given_up = True
        try:
            work()
        except KeyboardInterrupt:
            ended.append(True)

    work()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == [True]


@pytest.mark.parametrize("name", ["wasserstein_distance", "energy_distance", "ks_distance"])
def test_long_samples_have_the_bits_of_any_thread(name):
    """Above some 12 million values a call goes to a thread of its own."""
    rng = np.random.default_rng(0)
    u, v = rng.integers(0, 1000, 7_000_000).astype("i2"), rng.integers(0, 1000, 6_000_000).astype("i2")
    results = []
    call = getattr(fastdiv, name)
    other = threading.Thread(target=lambda: results.append(call(u, v)))
    other.start()
    other.join()
    assert call(u, v) == results[0]


@pytest.mark.parametrize(
    ("word", "quota", "limit"),
    [
        *((word, 3, 3) for word in ("", "0", "-1", "abc", "3x")),
        *((word, 3, 0) for word in ("2,1", " 2 ", "1024")),
        *((word, 3, 1024) for word in ("1025", "99999999999")),
    ],
)
def test_odd_numbers_of_threads(word, quota, limit, monkeypatch):
    """libgomp passes over what is no number, and starts as many threads as it is told."""
    monkeypatch.setattr(_threads, "_cpu_quota", lambda: quota)
    monkeypatch.setenv("OMP_NUM_THREADS", word)
    assert _threads.default_limit() == limit
