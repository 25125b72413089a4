"""pairwise and nearest: one line that names the file, and no result left behind."""

import os

import numpy as np
import pytest

from fastdiv import cli

GOOD = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 6.0], [1.0, 1.0, 1.0], [2.0, 1.0, 5.0]])


def spoiled(value):
    a = GOOD.copy()
    a[2, 1] = value
    return a


NO_ARRAY = "{} is no .npy file: numpy.save(file, array) writes one"
ARRAYS = {
    "negative.npy": (spoiled(-1.0), "{0} has a negative mass: {0}[2, 1] = -1.0 (row 2, bin 1)"),
    "infinite.npy": (spoiled(np.inf), "{0} has an infinite mass: {0}[2, 1] = inf (row 2, bin 1)"),
    "flat.npy": (GOOD[0], "{} must hold a two-dimensional array, one distribution a row, not 1-d"),
    "words.npy": (
        np.array([["a", "b", "c"]]),
        "{} has dtype <U1, but real numbers are needed (bool, integer or float)",
    ),
    "complex.npy": (
        GOOD.astype(complex),
        "{} has dtype complex128, but real numbers are needed (bool, integer or float)",
    ),
}
TEXTS = {
    "table.csv": "a,b,c\n1,2,3\n4,5,6\n",
    "empty.npy": "",
    "table.parquet": "PAR1",
    "renamed.npy": "a,b,c\n1,2,3\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("good.npy", GOOD)
    np.savez("several.npz", GOOD)
    for name, (array, _) in ARRAYS.items():
        np.save(name, array)
    for name, text in TEXTS.items():
        with open(name, "w") as file:
            file.write(text)


@pytest.mark.parametrize("place", ["A", "B", "alone"])
@pytest.mark.parametrize("command", ["pairwise -o D.npy", "nearest -k 1 -o D.npz"])
@pytest.mark.parametrize("name", [*ARRAYS, *TEXTS, "several.npz"])
def test_the_file_is_named(name, command, place, capsys):
    sentence = (ARRAYS[name][1] if name in ARRAYS else NO_ARRAY).format(name)
    before = sorted(os.listdir())
    files = {"A": [name, "good.npy"], "B": ["good.npy", name], "alone": [name]}[place]
    name_of_command, *options = command.split()
    assert cli.main([name_of_command, *files, *options]) == 2
    assert capsys.readouterr().err == f"fastdiv: error: {sentence}\n"
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("order", [1, -1])
def test_files_of_other_widths(order, capsys):
    np.save("wide.npy", np.ones((2, 5)))
    files = ["good.npy", "wide.npy"][::order]
    bins = [3, 5][::order]
    assert cli.main(["pairwise", *files, "-o", "D.npy"]) == 2
    error = capsys.readouterr().err
    assert error == f"fastdiv: error: {files[0]} has {bins[0]} bins but {files[1]} has {bins[1]}\n"
    assert cli.main(["pairwise", *files, "--metric", "wasserstein", "--samples", "-o", "D.npy"]) == 0
