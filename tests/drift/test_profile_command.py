"""Files of baselines, and the command that makes them: what is in them is told or refused in one line."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import FLIGHTS, refused, shell
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdiv import Baseline
from fastdiv.drift import TableError, compare
from fastdiv.drift.profile_file import decoded

RNG = np.random.default_rng(21)
TABLE = {
    "x": RNG.normal(size=400),
    "few": RNG.integers(0, 9, 400),
    "word": RNG.choice(list("abc"), 400),
    "gone": np.full(400, np.nan),
}


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "a.fdp"
    Baseline.from_table(TABLE, values=64, categories=2).save(path)
    return path


# -- files ---------------------------------------------------------------------------------------------------


def test_the_same_content_is_the_same_file(profile, tmp_path):
    Baseline.load(profile).save(tmp_path / "b.fdp")
    a, b = Baseline.load(profile), Baseline.load(tmp_path / "b.fdp")
    assert a == b == Baseline.from_table(TABLE, values=64, categories=2)
    assert (a.label, b.label) == (str(profile), str(tmp_path / "b.fdp"))
    assert a.approximate == ("x", "word")
    a.update(TABLE)  # what is read can be added to
    assert (a.rows, b.rows) == (800, 400)


def test_every_length_but_the_whole_is_refused(profile):
    data = profile.read_bytes()
    for n in [*range(100), *range(100, len(data), 97), len(data) - 1]:
        profile.write_bytes(data[:n])
        with pytest.raises(TableError) as error:
            Baseline.load(profile)
        assert str(error.value).startswith(f"{profile}: is ")
        assert any(why in str(error.value) for why in ("no profile", "cut off"))
    profile.write_bytes(data + b"\0")
    with pytest.raises(TableError, match="is damaged: its bytes are not those that were written"):
        Baseline.load(profile)


def test_any_byte_that_changes_is_seen(profile):
    data = profile.read_bytes()
    for i in [*range(80), *RNG.integers(80, len(data), 200)]:
        changed = bytearray(data)
        changed[i] ^= 1 << RNG.integers(8)
        with pytest.raises(TableError, match=r"is no profile|is a profile of version|is damaged|is cut off"):
            decoded(bytes(changed), "a.fdp")


def test_another_version_and_other_files_are_told(profile, tmp_path):
    data = bytearray(profile.read_bytes())
    data[16] = 2
    profile.write_bytes(data)
    with pytest.raises(TableError, match="version 2, of which this fastdiv knows only 1; make it anew"):
        compare(str(profile), TABLE)
    (tmp_path / "b.fdp").write_text("x,y\n1,2\n")
    with pytest.raises(TableError, match=r"b.fdp: is no profile of fastdiv$"):
        Baseline.load(tmp_path / "b.fdp")
    with pytest.raises(TableError, match=r"none.fdp: No such file"):
        Baseline.load(tmp_path / "none.fdp")
    (tmp_path / "c.fdp").mkdir()
    with pytest.raises(TableError, match=r"c.fdp: Is a directory"):
        Baseline.load(tmp_path / "c.fdp")


def sealed(directory, arrays):
    """A file with a right checksum, whatever is in it."""
    text = json.dumps(directory).encode()
    text += b" " * (-len(text) % 8)
    head = struct.pack("<16sIIQQ", b"fastdiv profile\n", 1, 0, len(text), 72 + len(text) + len(arrays))
    return head + sha256(head + text + arrays).digest() + text + arrays


def understood(data):
    """What is in a file, or why not."""
    try:
        return Baseline._of(*decoded(data, "a")), ""
    except TableError as error:
        return None, str(error)


def opened(path):
    data = path.read_bytes()
    size = int.from_bytes(data[24:32], "little")
    return json.loads(data[72 : 72 + size]), data[72 + size :]


def paths(value, at=()):
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*at, key))


def test_a_directory_that_makes_no_sense_is_refused_checksum_or_not(profile):
    directory, arrays = opened(profile)
    assert decoded(sealed(directory, arrays), "a")[1]
    strange = [
        float("inf"),
        float("nan"),
        1e300,
        None,
        -1,
        2**63,
        2**70,
        0.5,
        "x",
        [],
        {},
        True,
        [[]],
        "<f8",
        [0, "<f8", 2**60],
        [8, "O", 1],
    ]
    for at in [*paths(directory)][1:]:
        for value in strange:
            changed = json.loads(json.dumps(directory))
            inner = changed
            for key in at[:-1]:
                inner = inner[key]
            inner[at[-1]] = value
            baseline, told = understood(sealed(changed, arrays))
            if (
                baseline
            ):  # it may make sense: then it can be used, if it has a column in common with the other
                with suppress(TableError):
                    baseline.score(TABLE)
                assert baseline._encoded()
            else:
                assert told.startswith("a: is damaged: ")
                assert "\n" not in told


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_arrays_that_make_no_sense_are_refused_checksum_or_not(data):
    whole = Baseline.from_table({"x": np.arange(99) ** 3 / 7, "y": np.arange(99) % 7}, values=8)._encoded()
    size = int.from_bytes(whole[24:32], "little")
    directory, arrays = json.loads(whole[72 : 72 + size]), bytearray(whole[72 + size :])
    for _ in range(data.draw(st.integers(1, 3))):
        arrays[data.draw(st.integers(0, len(arrays) - 1))] = data.draw(st.integers(0, 255))
    baseline, told = understood(sealed(directory, bytes(arrays)))
    if baseline:
        assert baseline.score({"x": [1.0], "y": [2]}).rows_baseline == 99
    else:
        assert told.startswith("a: is damaged: ")


def test_a_file_is_replaced_as_a_whole_or_not_at_all(profile, monkeypatch):
    before = profile.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Baseline.from_table({"x": [1.0]}).save(profile)
    assert profile.read_bytes() == before
    assert os.listdir(profile.parent) == [profile.name]


def test_nothing_in_a_file_is_run(profile):
    """No pickle: that module is taken away first."""
    code = (
        "import sys; from fastdiv import Baseline; import fastdiv.drift.profile_file, pickle; "
        "pickle.loads = pickle.load = pickle.Unpickler = None; Baseline.load(sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", code, str(profile)], check=False).returncode == 0


# -- the command ---------------------------------------------------------------------------------------------


def test_compare_takes_profiles_on_either_side(fastdiv, tmp_path):
    winter, summer = tmp_path / "winter.fdp", tmp_path / "summer.fdp"
    for table, out in zip(FLIGHTS, (winter, summer), strict=True):
        code, text, err = fastdiv("profile", table, "-o", out)
        assert (code, err) == (0, "")
        assert text.startswith(f"{out}: 8")
        assert text.count("\n") == 1
    _, expected, _ = fastdiv("compare", *FLIGHTS, "--format", "csv")
    for pair in [(winter, summer), (winter, FLIGHTS[1]), (FLIGHTS[0], summer)]:
        code, text, err = fastdiv("compare", *pair, "--format", "csv")
        assert (code, text, err) == (0, expected, "")
    code, _, _ = fastdiv("compare", winter, summer, "--fail-on", "js>0.9")
    assert code == 1


def test_parts_and_profiles_of_parts_make_the_profile_of_the_whole(fastdiv, tmp_path):
    table = pa.table({"x": RNG.normal(size=900), "y": RNG.choice(list("abc"), 900)})
    parts = []
    for i in range(3):
        pq.write_table(table.slice(300 * i, 300), tmp_path / f"{i}.parquet")
        parts.append(tmp_path / f"{i}.parquet")
    pq.write_table(table, tmp_path / "all.parquet")
    for name, tables in {"all": [tmp_path / "all.parquet"], "parts": parts, "one": parts[:1]}.items():
        assert fastdiv("profile", *tables, "-o", tmp_path / f"{name}.fdp", "--values", 400)[0] == 0
    code, out, _ = fastdiv(
        "profile", parts[2], tmp_path / "one.fdp", parts[1], "-o", tmp_path / "one.fdp", "--values", 400
    )
    assert code == 0
    assert "\nnot all values kept, W1 within a bound, rare categories as one (--exact keeps all): x\n" in out
    whole, pieces, more = (Baseline.load(tmp_path / f"{name}.fdp") for name in ("all", "parts", "one"))
    assert whole == pieces == more
    code, out, _ = fastdiv("compare", tmp_path / "all.fdp", tmp_path / "0.parquet")
    assert code == 0
    assert " +/- " in out
    assert "+/- what it may be off by" in out
    _, out, _ = fastdiv("compare", tmp_path / "all.fdp", tmp_path / "0.parquet", "--format", "json")
    bounds = {c["name"]: c["w1_bound"] for c in json.loads(out)["columns"]}
    assert bounds["x"] > 0
    assert bounds["y"] is None


def test_everything_is_kept_on_request(fastdiv, tmp_path):
    np.savez(tmp_path / "a.npz", x=RNG.normal(size=70_000))
    assert "in cells" not in fastdiv("profile", tmp_path / "a.npz", "-o", tmp_path / "a.fdp", "--exact")[1]
    assert Baseline.load(tmp_path / "a.fdp").approximate == ()
    fastdiv("profile", tmp_path / "a.npz", "-o", tmp_path / "b.fdp")
    assert Baseline.load(tmp_path / "b.fdp").approximate == ("x",)
    both = fastdiv("profile", tmp_path / "a.fdp", tmp_path / "b.fdp", "-o", tmp_path / "c.fdp", "--exact")
    assert refused(both, "b.fdp: was made with other --values, --categories or --exact")


def test_what_the_command_refuses(fastdiv, tmp_path, profile):
    csv, other = tmp_path / "a.csv", tmp_path / "b.csv"
    csv.write_text("x,y\n1,a\n2,b\n")
    other.write_text("x,z\n1,a\n2,b\n")
    out = tmp_path / "out.fdp"
    assert refused(fastdiv("profile", csv, "-o", tmp_path / "out.csv"), "OUTPUT must end in .fdp, not be")
    assert refused(fastdiv("profile", csv, other, "-o", out), "b.csv: has no column 'y', which")
    assert refused(fastdiv("profile", csv, "-o", out, "--categorical", "q"), "no column 'q'")
    assert refused(fastdiv("profile", csv, "-o", out, "--values", "0"), "'0' is no whole number")
    assert refused(fastdiv("profile", tmp_path / "none.csv", "-o", out), "none.csv: no such file")
    assert refused(fastdiv("profile", csv), "the following arguments are required: -o/--output")
    assert refused(fastdiv("profile", csv, "-o", tmp_path / "no" / "out.fdp"), "cannot write")
    assert not out.exists()
    assert refused(fastdiv("compare", profile, csv, "--categorical", "x"), "holds 'x' as numeric; to have")
    profile.write_bytes(profile.read_bytes()[:-9])
    assert refused(fastdiv("compare", profile, csv), "is cut off after")
    assert refused(fastdiv("profile", profile, "-o", profile), "is cut off after")
    assert refused(fastdiv("compare", csv, csv, "-o", csv), "is one of the tables")
    shutil.copy(csv, tmp_path / "link.fdp")
    assert refused(fastdiv("profile", csv, tmp_path / "link.fdp", "-o", out), "link.fdp: is no profile")


def test_a_column_that_changes_its_type_is_told(fastdiv, tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_text("x,y\n1,1\n2,2\n3,3\n")
    b.write_text("x,y\n1,one\n2,two\n3,three\n")
    refusal = fastdiv("profile", a, b, "-o", tmp_path / "c.fdp")
    assert refused(refusal, "b.csv: column 'y' is categorical, but numeric in")
    assert refused(refusal, "--categorical y takes both as text")
    for one in (a, b):
        assert fastdiv("profile", one, "-o", one.with_suffix(".fdp"))[0] == 0
    assert fastdiv("profile", *tmp_path.glob("*.fdp"), "-o", tmp_path / "c.fdp")[0] == 0
    code, _, err = fastdiv("compare", tmp_path / "c.fdp", a)
    assert code == 2
    assert "column 'y': baseline: some of its parts are categorical, others numeric" in err
    assert fastdiv("profile", a, b, "-o", tmp_path / "c.fdp", "--categorical", "y")[0] == 0
    assert fastdiv("compare", tmp_path / "c.fdp", b)[0] == 0


def test_a_profile_is_small(tmp_path):
    out = tmp_path / "w.fdp"
    assert shell("profile", FLIGHTS[0], "-o", out).returncode == 0
    assert Path(out).stat().st_size < 20_000


def test_only_some_columns(fastdiv, tmp_path):
    out = tmp_path / "w.fdp"
    assert fastdiv("profile", FLIGHTS[0], "-o", out, "--columns", "hour,origin")[0] == 0
    expected = Baseline.from_table(FLIGHTS[0], columns=["origin", "hour"])
    assert Baseline.load(out) == expected
    assert expected.names == ("origin", "hour")
    message = f"{FLIGHTS[0]}: no column 'hours'; did you mean 'hour'?"
    assert refused(fastdiv("profile", FLIGHTS[0], "-o", out, "--columns", "hours"), message)
    with pytest.raises(TypeError, match="columns must be a sequence of names, not 'hour': pass"):
        Baseline.from_table(FLIGHTS[0], columns="hour")


def test_a_folder_is_one_table(fastdiv, tmp_path):
    whole = pa.table({"x": RNG.normal(size=90)})
    for i in range(3):
        folder = tmp_path / "days" / f"day={i}"
        folder.mkdir(parents=True)
        pq.write_table(whole.slice(30 * i, 30), folder / "part-0.parquet")
        (folder / "_SUCCESS").touch()
        (folder / ".part-0.parquet.crc").touch()
    (tmp_path / "days" / "notes.txt").write_text("no table")
    out = tmp_path / "days" / "out.fdp"
    for _ in range(2):  # and what the first run wrote is no part of it
        assert fastdiv("profile", tmp_path / "days", "-o", out)[0] == 0
        assert Baseline.load(out) == Baseline.from_table(whole.append_column("day", [np.arange(90) // 30]))
    other = fastdiv("profile", tmp_path / "days", "-o", tmp_path / "other.fdp")
    assert refused(other, "days: holds both tables and profiles; name those that are meant")
    (tmp_path / "none").mkdir()
    assert refused(fastdiv("profile", tmp_path / "none", "-o", out), "none: the folder has no table in it")
