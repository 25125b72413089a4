"""Baselines of parts, on Dask's own scheduler: the bits of one table; what cannot be added up is refused."""

import numpy as np
import pytest

import fastdiv
from fastdiv.drift import TableError

dask = pytest.importorskip("dask")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe")
import fastdiv.dask  # noqa: E402

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def whole():
    rng = np.random.default_rng(6)
    n = 3000
    return pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "k": rng.integers(-5, 6, n),
            "c": rng.choice(["a", "b", None], n),
            "day": pd.date_range("2026-01-01", periods=n, freq="h"),
            "ok": rng.random(n) < 0.5,
        }
    )


@pytest.mark.parametrize("values", [65_536, 500, None])
def test_the_same_as_one_table(whole, values):
    expected = fastdiv.Baseline.from_table(whole, values=values)
    for parts in (1, 5, 30):
        assert fastdiv.dask.baseline(dd.from_pandas(whole, npartitions=parts), values=values) == expected


def test_partitions_without_rows(whole):
    frame = dd.from_pandas(whole, npartitions=6)
    some = frame[frame.day < "2026-01-20"]
    assert fastdiv.dask.baseline(some) == fastdiv.Baseline.from_table(whole[whole.day < "2026-01-20"])
    with pytest.raises(TableError, match="baseline: the table has no rows"):
        fastdiv.dask.baseline(frame[frame.k > 99])


def test_a_report_is_that_of_two_profiles(whole):
    frame = dd.from_pandas(whole, npartitions=4)
    options = {"columns": ["x", "k"], "bins": 5}
    report = fastdiv.dask.compare(frame, frame[frame.k > 0], **options)
    expected = fastdiv.compare(whole, whole[whole.k > 0], **options)
    assert report == expected


def test_categories_are_chosen_when_all_are_counted():
    """In every part another of the rare ones is ahead; that of the whole is kept, with its count."""
    rows = [x for i in range(6) for x in [f"rare {i}"] * 3 + ["often", "seldom"] * 2]
    frame = dd.from_pandas(pd.DataFrame({"c": rows}), npartitions=6, sort=False)
    found = fastdiv.dask.baseline(frame, categories=2)
    (column,) = found.score(pd.DataFrame({"c": ["often", "seldom"]})).columns
    held = {b.label: b.baseline for b in column.bins}
    assert held["often"] == held["seldom"] == 12


def test_files_and_profiles_of_parts(whole, tmp_path):
    for i in range(3):
        whole[i::3].to_parquet(tmp_path / f"{i}.parquet")
    fastdiv.Baseline.from_table(tmp_path / "2.parquet").save(tmp_path / "2.fdp")
    expected = fastdiv.Baseline.from_table(whole)
    assert fastdiv.dask.baseline(str(tmp_path / "[012].parquet*")) == expected
    assert (
        fastdiv.dask.baseline([tmp_path / "0.parquet", tmp_path / "1.parquet", tmp_path / "2.fdp"])
        == expected
    )
    with pytest.raises(TableError, match="holds both tables and profiles"):
        fastdiv.dask.baseline(tmp_path)
    with pytest.raises(TableError, match=r"2.fdp: was made with other values or categories"):
        fastdiv.dask.baseline([tmp_path / "0.parquet", tmp_path / "2.fdp"], values=100)
    with pytest.raises(TableError, match=r"\*.csv: no file matches"):
        fastdiv.dask.baseline(str(tmp_path / "*.csv"))


def test_what_is_refused(whole):
    frame = dd.from_pandas(whole, npartitions=2)
    with pytest.raises(TableError, match="no column 'y'"):
        fastdiv.dask.baseline(frame, columns=["y"])
    with pytest.raises(TableError, match="no column 'kk'; did you mean 'k'"):
        fastdiv.dask.baseline(frame, categorical=["kk"])
    with pytest.raises(TypeError, match=r"not Series; pass its to_frame\(\)"):
        fastdiv.dask.baseline(frame.x)
    with pytest.raises(TypeError, match="data must be a Dask DataFrame or paths, not int"):
        fastdiv.dask.baseline(3)
    with pytest.raises(TypeError, match=r"compute\(\) returns, or fastdiv.dask.baseline of it"):
        fastdiv.compare(frame, whole)


def test_a_column_that_changes_its_type(whole, tmp_path):
    """It is said to be mixed, as of one machine, and the others are compared."""
    whole[:9].to_parquet(tmp_path / "a.parquet")
    whole[9:].assign(k=whole.k.astype(str)).to_parquet(tmp_path / "b.parquet")
    (skipped,) = fastdiv.dask.compare(tmp_path, tmp_path).skipped
    assert skipped.name == "k"
    assert "some of its parts are" in skipped.reason
    whole[9:].drop(columns="x").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(TableError, match="x"):
        fastdiv.dask.baseline(tmp_path)


def test_folders_that_name_a_column(whole, tmp_path):
    """Where one value is no number the others are text as well, whichever task reads them."""
    for i, month in enumerate(["1", "2", "none"]):
        (tmp_path / f"month={month}").mkdir()
        whole[i::3].to_parquet(tmp_path / f"month={month}" / "a.parquet")
    whole[:0].to_parquet(tmp_path / "month=2" / "empty.parquet")
    found = fastdiv.dask.baseline(tmp_path)
    assert found == fastdiv.Baseline.from_table(tmp_path)
    assert found.names[-1] == "month"
    (column,) = fastdiv.dask.compare(tmp_path, found, columns=["month"]).columns
    assert column.kind == "categorical"
