"""Fuzzing guided by coverage (atheris) of the Python door, CSV files and profiles: ``make check-guided``.

    python tests/machine/guided.py door|csv|profile [SEEDS] [-max_total_time=600 ...]

What libFuzzer takes follows; what it finds interesting is kept in the folder SEEDS.

door      every function of test_by_chance.py against its twin, inputs drawn from the fuzzer's bytes
csv       a file is a table or a TableError of one line, told twice alike; what is read compares with itself
profile   the same of a profile, whose length and checksum are put right, so that what follows them is reached
"""

from __future__ import annotations

import os
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / name) for name in ("truth", "rows", "machine"))]

with atheris.instrument_imports(include=["fastdiv"]):
    import fastdiv
    from fastdiv import Baseline
    from fastdiv.drift import profile_file, tables
    from fastdiv.drift.columns import TableError

SCRATCH = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


def one_line(error: Exception) -> str:
    assert len(str(error)) > 10, repr(error)
    assert "\n" not in str(error), repr(error)
    return str(error)


# -- the door ------------------------------------------------------------------------------------------------


def of_the_door():
    import test_by_chance as tests
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    calls = []
    for test in (value for name, value in vars(tests).items() if name.startswith("test_")):
        names = [mark.args[1] for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
        calls += [(test.hypothesis.inner_test, name) for name in (names[0] if names else [None])]

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(calls), st.data(), tests.any_seed)
    def one(call, data, seed):
        test, name = call
        test(data=data, seed=seed) if name is None else test(name, data=data, seed=seed)

    return one.hypothesis.fuzz_one_input


# -- files ---------------------------------------------------------------------------------------------------


def read(path: Path, **options) -> str:
    """What is read, in words; a table must then be good for all that is done with tables."""
    try:
        table = tables.read_table(path, **options)
        columns = list(table.read(table.names))
    except TableError as error:
        return one_line(error)
    assert len({column.rows for column in columns}) <= 1
    try:
        report = fastdiv.compare(table, table)
        Baseline.from_table(table)
    except (TableError, ValueError) as error:
        return one_line(error)
    return repr(report.to_dict()) + repr([(c.kind, c.rows, c.missing, c.numbers.tobytes()) for c in columns])


def of_csv(data: bytes) -> None:
    if not data:
        return
    path = SCRATCH / ("table.csv" if data[0] & 1 else "table.tsv")
    path.write_bytes(data[1:])
    marks = {"decimal": ",", "thousands": "."} if data[0] & 2 else {}
    said = read(path, **marks)
    assert read(path, **marks) == said


def of_profile(data: bytes) -> None:
    """The bytes are the directory, as it is, and the arrays, after a zero byte."""
    directory, _, arrays = data.partition(b"\0")
    directory += b" " * (-len(directory) % 8)
    rest = directory + arrays
    head = profile_file._HEAD
    opened = head.pack(profile_file.MAGIC, 1, 0, len(directory), head.size + len(rest), b"")[: head.size - 32]
    path = SCRATCH / "table.fdp"
    path.write_bytes(opened + sha256(opened + rest).digest() + rest)
    try:
        baseline = Baseline.load(path)
    except TableError as error:
        one_line(error)
        return
    try:
        report = repr(fastdiv.compare(baseline, baseline).to_dict())
        assert repr(fastdiv.compare(baseline, Baseline.load(path)).to_dict()) == report
        merged = baseline.merge(Baseline.load(path))
    except (TableError, ValueError) as error:
        one_line(error)
        return
    assert merged.rows == 2 * baseline.rows


# -- seeds ---------------------------------------------------------------------------------------------------

CSV = [
    b"a,b,c\n1,x,2024-01-01\n2.5,y,2024-02-03T10:20:30\nNA,,\n",
    b'"a ""b""";c;d\n1.234,5;true;"line\nbreak"\n-7;false;z\n',
    b"\xef\xbb\xbfn\tm\r\n1e308\tinf\r\n9007199254740993\t0x1F\r\n",
]


def seeds(kind: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(CSV):
        if kind == "csv":
            (folder / f"seed-{i}").write_bytes(bytes([1 + 2 * (i == 1)]) + text)
            continue
        path = SCRATCH / f"{i}.csv"
        path.write_bytes(text)
        options = {"values": 2} if i == 0 else {}
        marks = {"decimal": ",", "thousands": "."} if i == 1 else {}
        raw = Baseline.from_table(tables.read_table(path, **marks), **options)._encoded()
        size = profile_file._HEAD.unpack_from(raw)[3]
        start = profile_file._HEAD.size
        (folder / f"seed-{i}").write_bytes(raw[start : start + size] + b"\0" + raw[start + size :])


def main() -> None:
    kind, *arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        if kind != "door":
            seeds(kind, Path(arguments[0]))
        Path(arguments[0]).mkdir(parents=True, exist_ok=True)
    one = {"door": of_the_door, "csv": lambda: of_csv, "profile": lambda: of_profile}[kind]()
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
