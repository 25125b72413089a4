"""The table of bad input (bad_input.py), line by line, for every array and option of every public function.

One exception, one sentence, the same from both twins; no input changes, and `out` only where a call succeeds.
"""

import inspect

import numpy as np
import pytest
from bad_input import FUNCTIONS, OPTIONS, lines, outs

import fastdiv
from fastdiv import reference


def snapshot(x):
    if isinstance(x, np.ma.MaskedArray):
        return x.data.tobytes(), x.mask.tobytes()
    return (x.dtype.str, x.shape, x.tobytes()) if isinstance(x, np.ndarray) else repr(x)


def outcome(library, function, arrays, options):
    try:
        function(library, arrays, **options)
    except Exception as error:
        return error
    return None


def wrong_with(function, arrays, options, kind, words):
    """What does not hold of a call that must fail so."""
    kept = {name: snapshot(x) for name, x in arrays.items()}
    said = {}
    for library in (fastdiv, reference) if function.has_twin else (fastdiv,):
        own = dict(options)
        if library is reference:
            own.pop("workers", None)
        got = outcome(library, function, arrays, own)
        if got is None:
            return "no error"
        said[library] = str(got)
        if type(got) is not kind:
            return repr(got)
        if words not in str(got) or "\n" in str(got):
            return f"{got!r}, not {words!r}"
        for name, before in kept.items():
            if snapshot(arrays[name]) != before:
                return f"{name} is changed"
        if len(set(said.values())) > 1:
            return f"the twin says {said[reference]!r}, not {said[fastdiv]!r}"
    return None


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.label)
def test_bad_input(function):
    result = function(fastdiv, function.good())
    wrong = []
    for name in (*function.arrays, *function.options):
        cases = of_array(function, name) if name in function.arrays else of_option(function, name, result)
        wrong += [f"{name}, {complaint}" for complaint in complaints(function, name, cases, result)]
    assert not wrong, "\n".join(wrong)


def complaints(function, name, cases, result):
    for what, arrays, options, kind, words in cases:
        single = any(getattr(x, "dtype", None) == np.float32 for x in arrays.values())
        if "out" in function.options and name != "out" and not single:
            options = options | {"out": np.full_like(result, 7.0)}
        complaint = wrong_with(function, arrays, options, kind, words)
        if "out" in options and name != "out" and not (options["out"] == 7.0).all():
            complaint = "out is written to"
        if complaint:
            yield f"{what}: {complaint}"


def of_array(function, name):
    """Bad arrays, rows along both axes where there is a choice."""
    good = function.good()
    turns = (False, True) if "axis" in function.options and function.arrays[name] != "places" else (False,)
    for what, line in lines(function, name):
        for turn in turns:
            place = [i - 1 for i in good[name].shape]
            row = f"row {place[0]}, bin {place[-1]}" if len(place) > 1 else f"bin {place[0]}"
            at = f"{name}{place[::-1] if turn else place}"
            arrays = {**good, name: line.spoil(good[name])}
            options = dict(line.options)
            if turn:
                if not all(isinstance(x, np.ndarray) and x.ndim == 2 for x in arrays.values()):
                    continue
                arrays, options = {key: x.T for key, x in arrays.items()}, {**options, "axis": 0}
            words = line.words.format(name=name, at=at, place=row)
            yield f"{what}{', axis 0' * turn}", arrays, options, line.kind, words


def of_option(function, name, result):
    cases = [*OPTIONS[function.options[name]], *(outs(result) if name == "out" else ())]
    for value, kind, words in cases:
        yield f"{value!r}", function.good(), {name: value}, kind, words


def test_nothing_public_is_left_out():
    known = {f.path for f in FUNCTIONS}
    others = {"compare", "num_threads", "set_num_threads", "show_config", "displacement_interpolation"}
    public = {n for n in fastdiv.__all__ if inspect.isfunction(getattr(fastdiv, n))} - others
    public |= {f"gan.{n}" for n in fastdiv.gan.__all__ if n.islower()} - {"gan.shared_histogram"}
    public |= {f"grad.{n}" for n in fastdiv.grad.__all__ if n.islower()} - {"grad.softmax_cross_entropy"}
    assert public - known == set()
