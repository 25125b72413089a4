"""Weighted rows: as if each were there so many times, in every kind of table, and what weights must be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from command import refused
from oracle_transport import wasserstein_power

from fastdiv.drift import Baseline, TableError, compare, compare_over, profile_file
from fastdiv.drift.weights import sums


def _table(seed, n=400, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, n)
    x[rng.random(n) < 0.1] = np.nan
    return {
        "x": x,
        "few": rng.integers(0, 6, n),
        "word": rng.choice(list("abc"), n),
        "true": rng.random(n) < 0.3,
        "day": np.datetime64("2026-01-01", "us") + rng.integers(0, 10**6, n) * np.timedelta64(1, "s"),
        "w": rng.integers(0, 4, n),
    }


def _repeated(table):
    return {name: np.repeat(values, table["w"]) for name, values in table.items() if name != "w"}


def _by_name(report):
    return {c.name: c for c in report.columns}


def test_a_weight_is_so_many_rows():
    base, cur = _table(1), _table(2, shift=0.3)
    weighted, repeated = compare(base, cur, weights="w"), compare(_repeated(base), _repeated(cur))
    assert (weighted.weights, repeated.weights) == ("w", "")
    for name, c in _by_name(repeated).items():
        own = _by_name(weighted)[name]
        # how many bins there are follows from the effective number of values, 20 here as there
        assert [b[:3] for b in own.bins] == [b[:3] for b in c.bins], name
        fields = ["js", "kl", "psi", "w1", "w1_over_sd", "mean_baseline", "mean_current", "missing_baseline"]
        for field in [*fields, "missing_current", "entropy_baseline", "entropy_current"]:
            expected = getattr(c, field)
            if field in ("kl", "psi"):  # the pseudocount is added to counts of another sum
                continue
            assert _near(getattr(own, field), expected), (name, field)
        for side in (3, 4):
            counts, weights = (np.array([b[side] for b in bins], float) for bins in (c.bins, own.bins))
            np.testing.assert_allclose(weights / weights.sum(), counts / counts.sum(), rtol=1e-14)
        assert own.n_baseline == int((base["w"][~_missing(base[name])] > 0).sum())


def _near(value, expected):
    if expected is None:
        return value is None
    return value == pytest.approx(expected, rel=1e-12, abs=1e-15)


def _missing(values):
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


@pytest.mark.parametrize("level", ["base", "avx2", "avx512"], indirect=True)
def test_w1_is_exact(level):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=40), rng.normal(0.1, 1, 30)
    wx, wy = rng.lognormal(0, 3, 40), rng.lognormal(0, 3, 30)
    (c,) = compare({"x": x, "w": wx}, {"x": y, "w": wy}, weights="w").columns
    assert c.w1 == pytest.approx(float(wasserstein_power(x, y, wx, wy)), rel=1e-12)
    mean = sum(Fraction(v) * Fraction(w) for v, w in zip(x.tolist(), wx.tolist(), strict=True)) / sum(
        map(Fraction, wx.tolist())
    )
    assert c.mean_baseline == pytest.approx(float(mean), rel=1e-12)
    kish = sum(map(Fraction, wx.tolist())) ** 2 / sum(Fraction(w) ** 2 for w in wx.tolist())
    assert c.effective[0] == round(kish)


def test_sums_know_no_order():
    rng = np.random.default_rng(4)
    w = rng.lognormal(0, 8, 5000)
    places = rng.integers(0, 7, 5000)
    expected = [float(sum(map(Fraction, w[places == i].tolist()))) for i in range(7)]
    found = sums(places, w, 7)
    np.testing.assert_allclose(found, expected, rtol=3e-16)
    for _ in range(5):
        order = rng.permutation(5000)
        assert np.array_equal(sums(places[order], w[order], 7), found)


def test_neither_order_nor_unit_matters():
    base, cur = _table(5), _table(6)
    base["w"] = base["w"] * np.random.default_rng(5).random(400)
    whole = compare(base, cur, weights="w")
    order = np.random.default_rng(7).permutation(400)
    mixed = {name: values[order] for name, values in base.items()}
    assert compare(mixed, cur, weights="w").columns == whole.columns
    assert all(c.js == 0 and c.w1 in (0, None) for c in compare(mixed, base, weights="w").columns)
    assert compare(base | {"w": base["w"] * 2.0**40}, cur, weights="w").columns == whole.columns


@pytest.mark.parametrize("kind", ["arrow", "parquet", "csv", "npz", "folder", "pandas", "dictionary"])
def test_every_kind_of_table(kind, tmp_path):
    base, cur = _table(8), _table(9)
    table = pa.table(cur)
    given = tmp_path / f"cur.{kind}"
    if kind == "arrow":
        given = table
    elif kind == "pandas":
        given = pytest.importorskip("pandas").DataFrame(cur)
    elif kind == "dictionary":
        given = table.set_column(2, "word", table["word"].dictionary_encode())
    elif kind == "parquet":
        pq.write_table(table, given, row_group_size=70)
    elif kind == "csv":
        pyarrow.csv.write_csv(table, given)
    elif kind == "npz":
        np.savez(given, **cur)
    else:
        for i in range(3):
            (given / f"part={i}").mkdir(parents=True)
            pq.write_table(table[i * 150 : (i + 1) * 150], given / f"part={i}" / "a.parquet")
    expected = _by_name(compare(base, cur, weights="w"))
    for name, c in _by_name(compare(base, given, weights="w")).items():
        own = expected[name]
        assert (c.js, c.w1, c.bins, c.n_current, c.effective) == (
            own.js, own.w1, own.bins, own.n_current, own.effective,
        ), name  # fmt: skip
    small = compare(base, given, weights="w", memory="1MB")
    assert {c.name: c.js for c in small.columns} == pytest.approx(
        {name: c.js for name, c in expected.items()}
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -2.0, 1.0], "must be 0, or from 1e-100 to 1e100, not -2, as in row 1"),
        ([1.0, 1.0, np.inf], "must be 0, or from 1e-100 to 1e100, not inf, as in row 2"),
        ([1.0, np.nan, 1.0], "must be numbers, not missing, as in row 1"),
        ([1, None, 1], "must be numbers, not missing, as in row 1"),
        (["1", "one", "1"], "must be numbers, not categorical, as in row 0"),
        ([True, True, False], "must be numbers, not boolean, as in row 0"),
        ([0, 0, 0], "every weight in column 'w' is 0"),
        ([1, "a", 1], r"must be numbers, but it mixes numbers and text \(row 1: 'a'\)"),
    ],
)
@pytest.mark.parametrize("side", ["baseline", "current"])
def test_refused(weights, message, side):
    good, bad = {"x": [1, 2, 3], "w": [1, 1, 1]}, {"x": [1, 2, 3], "w": weights}
    tables = (bad, good) if side == "baseline" else (good, bad)
    with pytest.raises(TableError, match=message) as caught:
        compare(*tables, weights="w")
    assert str(caught.value).startswith(f"{side}: ")
    assert "\n" not in str(caught.value)


def test_refused_by_the_command(tmp_path, run):
    base, cur = tmp_path / "base.csv", tmp_path / "cur.csv"
    base.write_text("x,w\n" + "1,1\n2,1\n" * 20)
    cur.write_text("x,w\n" + "1,1\n2,1\n" * 20 + "3,-1\n")
    assert refused(run(base, cur, "--weights", "w"), f"{cur}: weights in column 'w' must be 0, or from")
    assert refused(run(base, cur, "--weights", "v"), f"{base}: weights: no column 'v'")
    cur.write_text("x,w\n" + "1,1\n2,\n" * 20)
    assert refused(run(base, cur, "--weights", "w"), "must be numbers, not missing, as in row 1")
    cur.write_text("x,w\n" + "1,1\n2,1\n" * 20 + "3,many\n")
    assert refused(
        run(base, cur, "--weights", "w"), "must be numbers, but it mixes numbers and text (line 42: 'many')"
    )
    cur.write_text("x,w\n" + "1,1\n2,0.5\n" * 20)
    for kind in ("table", "md", "json", "csv", "html"):
        code, out, _ = run(base, cur, "--weights", "w", "--format", kind)
        assert code == 0
        assert "effective" in out
    text = run(base, cur, "--weights", "w", "--format", "json")[1]
    assert '"n_effective_current": 36' in text  # 30^2 / 25


def test_a_baseline_keeps_its_weights(tmp_path):
    base, cur = _table(10), _table(11)
    baseline = Baseline.from_table(base, weights="w")
    expected = compare(base, cur, weights="w")
    assert baseline.score(cur).columns == expected.columns
    baseline.save(tmp_path / "b.fdp")
    again = Baseline.load(tmp_path / "b.fdp")
    assert again == baseline
    assert (again.weights, again.names) == ("w", ("x", "few", "word", "true", "day"))
    assert compare(tmp_path / "b.fdp", cur).columns == expected.columns
    parts = [Baseline.from_table({n: v[i::3] for n, v in base.items()}, weights="w") for i in range(3)]
    merged = parts[2].merge(parts[0]).merge(parts[1]).score(cur)
    for name, c in _by_name(merged).items():
        own = _by_name(expected)[name]
        assert _near(c.js, own.js), name
        assert _near(c.w1, own.w1), name
    assert merged.rows_baseline == expected.rows_baseline == baseline.rows
    long = _table(12, 3000)
    some = Baseline.from_table(long, weights="w", values=100, categories=2)
    assert some.approximate == ("word",)
    found = _by_name(some.score(cur))
    assert found["x"].w1 == _by_name(compare(long, cur, weights="w"))["x"].w1
    assert [b.label for b in found["word"].bins][-1] == "(all others)"
    some.save(tmp_path / "some.fdp")
    assert _by_name(compare(tmp_path / "some.fdp", cur)) == found


def test_weighted_against_unweighted(tmp_path):
    base, cur = _table(13), _table(14)
    plain = {name: values for name, values in cur.items() if name != "w"}
    Baseline.from_table(base).save(tmp_path / "plain.fdp")
    weighted = Baseline.from_table(base, weights="w")
    with pytest.raises(TableError, match="weights: no column 'w'"):
        weighted.score(plain)
    with pytest.raises(TableError, match="has no rows to be weighted by 'w'"):
        compare(tmp_path / "plain.fdp", cur, weights="w")
    with pytest.raises(TableError, match="is weighted by 'w', not by 'few'"):
        compare(weighted, cur, weights="few")
    with pytest.raises(TableError, match="must be a Baseline with weights='w', not with weights=None"):
        weighted.merge(Baseline.from_table(base))
    Baseline.from_table(plain).save(tmp_path / "other.fdp")
    with pytest.raises(TableError, match=r"other.fdp: has no weights, so it must not stand against a table"):
        compare(weighted, tmp_path / "other.fdp")


def test_windows_have_weights():
    base, cur = _table(15), _table(16)
    series = compare_over(base, cur, weights="w", by="few")
    for label in series.windows:
        some = {name: values[cur["few"] == int(label)] for name, values in cur.items()}
        alone = compare(base, some, weights="w")
        for c in alone.columns:
            if c.name != "few":
                cell = series.cell(c.name, label)
                assert (cell.js, cell.w1, cell.bins, cell.effective) == (c.js, c.w1, c.bins, c.effective)


def test_unchanged_columns_are_not_moved():
    """Weights that say nothing of the values: p is at most .05 in a share of about that."""
    rng = np.random.default_rng(17)
    n, m, k = 600, 300, 200
    sides = []
    for size in (n, m):
        table = {f"x{i}": rng.lognormal(size=size) for i in range(k // 2)}
        table |= {f"c{i}": rng.choice(5, size, p=[0.4, 0.3, 0.15, 0.1, 0.05]) for i in range(k // 2)}
        sides.append(table | {"w": rng.lognormal(0, 0.8, size)})
    report = compare(*sides, weights="w")
    p_bins, p_w1 = ([getattr(c.noise, field) for c in report.columns] for field in ("p_bins", "p_w1"))
    assert all(250 < c.effective[0] < 400 for c in report.columns)
    for p in (p_bins, p_w1):
        assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.1
    ratio = [c.js / c.noise.js for c in report.columns]
    assert 0.85 < np.sqrt(np.mean(np.square(ratio))) < 1.15
    assert not [c.name for c in report.columns if c.verdict.startswith("moved")]


def test_with_dask():
    dask = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    import fastdiv.dask

    base, cur = _table(18), _table(19)
    frame = dask.from_pandas(pandas.DataFrame(base), npartitions=3)
    found = fastdiv.dask.baseline(frame, weights="w", columns=["x", "word"])
    assert (found.weights, found.names) == ("w", ("x", "word"))
    expected = _by_name(compare(base, cur, weights="w"))
    for name, c in _by_name(found.score(cur)).items():
        assert _near(c.js, expected[name].js), name
        assert _near(c.w1, expected[name].w1), name


def test_profiles_by_the_command(tmp_path, run, capsys):
    from fastdiv import cli

    base, cur = _table(20), _table(21)
    paths = [tmp_path / "base.npz", tmp_path / "cur.npz", tmp_path / "base.fdp"]
    for path, table in zip(paths, (base, cur), strict=False):
        np.savez(path, **table)
    for columns in ((), ("--columns", "x,word")):
        assert cli.main(["profile", str(paths[0]), "-o", str(paths[2]), "--weights", "w", *columns]) == 0
        capsys.readouterr()
        how = ["--format", "csv", *columns]
        found = [run(paths[2], paths[1], *how)[1], run(*paths[:2], "--weights", "w", *how)[1]]
        by_profile, by_table = ([line for line in out.splitlines() if ",compared," in line] for out in found)
        assert by_profile == by_table
        assert len(by_profile) == (2 if columns else 5)
    code, out, _ = run(*paths[:2], "--weights", "w", "--by", "word")
    assert (code, "rows are weighted by w" in out) == (0, True)


@pytest.mark.parametrize(
    ("field", "wrong", "message"),
    [
        ("weights", [1.0, -2.0, 3.0], "its weights are none"),
        ("weights", [1.0, float("nan"), 3.0], "its weights are none"),
        ("weights", [1.0, 2.0], "its weights are none"),
        ("weights", [2.0, 4.0, 6.0], "do not add up"),
        ("counts", [1, 2, 1], "do not add up"),
    ],
)
def test_damaged_profiles(field, wrong, message):
    baseline = Baseline.from_table({"x": [1.0, 2.0, 3.0], "w": [1, 2, 3]}, weights="w")
    (held,) = baseline._columns
    held = replace(held, numbers=replace(held.numbers, **{field: np.array(wrong)}))
    data = profile_file.encoded("", [held], baseline._limits, "w")
    with pytest.raises(TableError, match=message):
        profile_file.decoded(data, "x.fdp")


@pytest.mark.parametrize("kind", ["mapping", "arrow", "pandas", "masked", "csv"])
def test_missing_values_and_their_weights(kind, tmp_path):
    x, w = [5, None, 3, None, 5, 4] * 4, [1, 10, 2, 20, 3, 4] * 4
    table = {"x": x, "w": w}
    if kind == "arrow":
        table = pa.table(table)
    elif kind == "pandas":
        table = pytest.importorskip("pandas").DataFrame({"x": x, "w": w}).astype({"x": "Int64"})
    elif kind == "masked":
        gone = np.array([v is None for v in x])
        table = {"x": np.ma.array([v or 0 for v in x], mask=gone), "w": np.array(w)}
    elif kind == "csv":
        table = tmp_path / "a.csv"
        table.write_text(
            "x,w\n" + "".join(f"{'NA' if a is None else a},{b}\n" for a, b in zip(x, w, strict=True))
        )
    (c,) = compare(table, table, weights="w").columns
    assert c.missing_baseline == 30 / 40
    assert c.mean_baseline == pytest.approx((5 * 4 + 3 * 2 + 4 * 4) / 10, rel=1e-15)
    assert [b.baseline for b in c.bins] == pytest.approx([16 * share / 10 for share in (2, 4, 4)])
    assert c.effective == (round(40**2 / (4 * (1 + 4 + 9 + 16))),) * 2
