"""Columns are counted by several threads at once: the report, its order and its errors are those of one."""

import threading

import numpy as np
import pytest

import fastdiv
from fastdiv import _core
from fastdiv.drift import compare
from fastdiv.drift.columns import Column, Table, TableError
from fastdiv.drift.together import side_by_side


@pytest.fixture
def threads():
    yield fastdiv.set_num_threads
    fastdiv.set_num_threads(None)


def tables(n=20_000, columns=9):
    rng = np.random.default_rng(11)
    kinds = [rng.normal(size=n), rng.integers(0, 50, n), rng.choice(["a", "b"], n), rng.normal(size=n) > 0]
    made = {f"c{i}": kinds[i % len(kinds)] for i in range(columns)}
    return made, {name: values[: n // 2] for name, values in made.items()}


def test_any_number_of_threads_gives_the_same_report(threads):
    reports = []
    for n in (1, 2, 5):
        threads(n)
        reports.append(compare(*tables()))
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0].columns) == 9


def column(name, n=20_000):
    return Column(name, "numeric", n, 0, np.arange(n, dtype=float))


@pytest.mark.skipif(not _core.openmp(), reason="a serial build has one thread")
def test_results_come_in_order_though_work_ends_out_of_order(threads):
    threads(3)
    last = threading.Event()

    def work(u, v):
        if u.name == "0":
            assert last.wait(30)
        if u.name == "2":
            last.set()
        return u.name

    names = [str(i) for i in range(7)]
    assert list(side_by_side(work, ((column(name), column(name)) for name in names))) == names


def test_no_more_pairs_are_read_than_threads_can_take(threads):
    threads(2)
    read, counted = [], []

    def pairs():
        for i in range(9):
            read.append(i)
            assert len(read) - len(counted) <= 2 + 1
            yield column(str(i)), column(str(i))

    for name in side_by_side(lambda u, v: u.name, pairs()):
        counted.append(name)
    assert len(counted) == 9


def test_an_error_of_any_column_or_of_reading_is_raised_and_ends_the_threads(threads):
    threads(2)

    def work(u, v):
        if u.name == "3":
            raise TableError("column '3' is odd")
        return u.name

    with pytest.raises(TableError, match="column '3' is odd"):
        list(side_by_side(work, ((column(str(i)), column(str(i))) for i in range(6))))

    def read(names):
        yield column(names[0])
        raise TableError("t: column 'b' cannot be read")

    table = Table("t", ("a", "b"), read)
    with pytest.raises(TableError, match="column 'b' cannot be read"):
        compare(table, table)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastdiv")]


def test_one_thread_starts_none(threads, monkeypatch):
    threads(1)

    def refuse(self):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert len(compare(*tables()).columns) == 9
