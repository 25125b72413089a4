"""A session of `fastdiv bench`: what a case leaves to the next, and groups of which nothing can run here."""

import fastdiv
from fastdiv.bench import contestants, race, record, session, tables


def toy(name):
    runs = [contestants.Contestant(who, lambda: 1.0) for who in ("fastdiv", "another")]
    return race.Case(name, "some", runs)


def test_threads_of_a_case_are_not_those_of_the_next(monkeypatch):
    """Which asks how many there are when it is made."""

    def made(group, scale):
        return (toy(f"{fastdiv.num_threads()}") for _ in "ab")

    monkeypatch.setattr(session, "cases", made)
    fastdiv.set_num_threads(3)
    try:
        threads = fastdiv.num_threads()  # a serial build has one
        document = record.begun(False, ["rows", "matrix"])
        session.measure(document, lambda share, what: None, 0.0)
        assert {case.what for case in record.measured(document)} == {f"{threads}"}
        assert fastdiv.num_threads() == threads
    finally:
        fastdiv.set_num_threads(None)


def test_a_group_of_which_nothing_can_run_is_named(monkeypatch):
    monkeypatch.setattr(session, "cases", lambda group, scale: iter(()))
    document = record.begun(False, ["rows"])
    session.measure(document, lambda share, what: None)
    assert "Nothing of rows can be measured here." in tables.summary(document)
    assert "Nothing of rows can be measured here." in tables.markdown(document)
