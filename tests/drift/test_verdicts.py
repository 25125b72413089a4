"""Noise floors, p-values and verdicts: right where nothing changed, and seen where something did."""

from math import comb, erfc, exp, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import FLIGHTS

from fastdiv.drift import Baseline, TableError, compare, render
from fastdiv.drift.bridges import spread, w1_law
from fastdiv.drift.noise import METHODS, bins_law, chi_square_tail, share_test
from fastdiv.drift.samples import Sample
from fastdiv.drift.thresholds import thresholds_of
from fastdiv.drift.verdict import adjusted
from fastdiv.transport import wasserstein_distance

RNG = np.random.default_rng(11)


def one(u, v, **options):
    (column,) = compare({"x": u}, {"x": v}, **options).columns
    return column


def from_uniform(p):
    """How far the law of p-values is from the uniform one, and what only 1 in 1000 samples of it exceed."""
    p = np.sort(p)
    n = len(p)
    apart = max(np.max(np.arange(1, n + 1) / n - p), np.max(p - np.arange(n) / n))
    return apart, 1.95 / sqrt(n)


# -- laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.0, 0.01, 1.0, 3.0, 40.0, 700.0])
def test_the_tail_of_chi_square(x):
    assert chi_square_tail(x, 2) == pytest.approx(exp(-x / 2), rel=1e-13)
    assert chi_square_tail(x, 1) == pytest.approx(erfc(sqrt(x / 2)), rel=1e-12)
    even = sum(exp(-x / 2) * (x / 2) ** k / np.prod(np.arange(1.0, k + 1)) for k in range(20))
    assert chi_square_tail(x, 40) == pytest.approx(even, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "n", "b", "m"), [(3, 20, 9, 15), (0, 30, 5, 40), (12, 12, 3, 9), (1, 300, 4, 50)]
)
def test_two_shares_by_hand(a, n, b, m):
    chances = {i: comb(n, i) * comb(m, a + b - i) for i in range(max(0, a + b - m), min(n, a + b) + 1)}
    rare = sum(chance for chance in chances.values() if chance <= chances[a])
    assert share_test(a, n, b, m) == pytest.approx(rare / sum(chances.values()), rel=1e-11)
    assert share_test(b, m, a, n) == pytest.approx(share_test(a, n, b, m), rel=1e-11)
    assert share_test(n - a, n, m - b, m) == pytest.approx(share_test(a, n, b, m), rel=1e-11)


@pytest.mark.parametrize("b", [480, 495, 520, 560])
def test_two_shares_by_the_test_that_is_named(b):
    """50 to 150 expected: the exact law up to 100, then the normal one."""
    for n, a in ((2_000, 80), (2_000, 120), (4_000, 190)):
        m = 10_000
        hits, total = a + b, n + m
        expected = n * hits / total
        chances = [comb(n, i) * comb(m, hits - i) for i in range(min(n, hits) + 1)]
        exact = sum(chance for chance in chances if chance <= chances[a]) / sum(chances)
        share = hits / total
        normal = erfc(abs(a / n - b / m) / sqrt(2 * share * (1 - share) * (1 / n + 1 / m)))
        assert share_test(a, n, b, m) == pytest.approx(exact if expected < 100 else normal, rel=1e-9)
        assert abs(exact - normal) > 1e-6 * exact  # so one is not the other
    assert METHODS["missing"] == "Fisher's exact test, or two proportions where 100 are expected"


def test_moments_of_bins_are_those_of_draws_without_replacement():
    p, q = np.array([40, 25, 9, 3, 1, 0, 1, 0]), np.array([80, 41, 30, 4, 0, 2, 0, 1])
    n, m = p.sum(), q.sum()
    draws = RNG.multivariate_hypergeometric(p + q, n, size=40_000, method="marginals")

    def js(p):
        a, b = p / n, (both_sides - p) / m
        middle = (a + b) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(a > 0, a * np.log(a / middle), 0) + np.where(b > 0, b * np.log(b / middle), 0)
        return terms.sum(axis=-1) / 2

    both_sides = p + q
    drawn = js(draws)
    law = bins_law(p, q, 0.5)
    assert law.js == pytest.approx(drawn.mean(), rel=0.02)
    assert law.p == pytest.approx(np.mean(drawn >= js(p) * (1 - 1e-9)), rel=0.15)


@pytest.mark.parametrize(("bins", "n", "m"), [(2000, 100, 20_000), (2000, 20_000, 100), (5000, 100, 100_000)])
def test_few_values_in_many_bins(bins, n, m):
    """Of the smaller side most bins hold 0 or 1: their law is skewed."""
    rng = np.random.default_rng(5)
    pool = rng.multinomial(n + m, np.full(bins, 1 / bins))
    draws = rng.multivariate_hypergeometric(pool, n, size=300, method="marginals")
    apart, most = from_uniform([bins_law(p, pool - p, 0.5).p for p in draws])
    assert apart < most
    shifted = np.repeat([1 / 40, 0.0], [40, bins - 40])
    small, large = rng.multinomial(min(n, m), shifted), rng.multinomial(max(n, m), np.full(bins, 1 / bins))
    assert bins_law(*((small, large) if n < m else (large, small)), 0.5).p < 1e-6


LAWS = {
    "normal": lambda n: RNG.normal(size=n),
    "many zeros": lambda n: np.where(RNG.random(n) < 0.6, 0.0, RNG.gamma(2, size=n)),
    "whole": lambda n: RNG.poisson(30, size=n),
    "far values": lambda n: RNG.standard_cauchy(n),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "m"), [(60, 60), (1000, 150), (150, 1000), (1000, 1000)])
def test_nothing_changed(law, n, m):
    found = [one(LAWS[law](n), LAWS[law](m)) for _ in range(250)]
    # of W1 the law is known to the end; of bins, whose ends are counted twice, p is nowhere too small
    apart, most = from_uniform([c.noise.p_w1 for c in found])
    assert apart < most
    for level in (0.01, 0.05, 0.25):
        for name in ("p_bins", "p_w1"):
            share = np.mean([getattr(c.noise, name) <= level for c in found])
            wide = 1.4 if law == "far values" else 1  # 999 draws of sums that one value makes up
            assert share <= wide * level + 4 * sqrt(level / 250) + 0.004, (name, level)
    for name in ("js", "w1_over_sd"):
        if law == "far values" and name == "w1_over_sd":
            continue  # which has no mean
        seen = (
            np.sqrt(np.mean([c.js**2 for c in found]))
            if name == "js"
            else np.mean([c.w1_over_sd for c in found])
        )
        assert np.mean([getattr(c.noise, name) for c in found]) == pytest.approx(seen, rel=0.13), name
    assert sum(c.verdict.startswith("moved") for c in found) <= 0.01 * 250 + 3.3 * sqrt(0.01 * 250)


def test_p_values_of_fixed_bins_are_uniform():
    ps = []
    for _ in range(600):
        p, q = (RNG.multinomial(n, np.full(12, 1 / 12)) for n in (700, 400))
        ps.append(bins_law(p, q, 0.5).p)
    apart, most = from_uniform(ps)
    assert apart < most


def test_beyond_the_range_is_counted_in_random_orders():
    # exactly: of 6 + 4 values in random order, how many of the 4 come before or after all of the 6
    from itertools import combinations

    outside = [min(at) + 9 - max(at) for at in combinations(range(10), 6)]
    p = np.array([0, 6, 0])
    for s in range(1, 5):
        q = np.array([s, 4 - s, 0])
        filled = (p + q) > 0
        law = bins_law(p[filled], q[filled], 0.5, (True, False))
        assert law.p == pytest.approx(np.mean(np.array(outside) >= s), rel=1e-12)


def test_far_out_the_p_value_of_w1_goes_on():
    x = np.sort(RNG.normal(size=4000))
    ps = []
    for shift in (0.0, 0.05, 0.1, 0.2, 0.4):
        y = np.sort(RNG.normal(shift, size=4000))
        places = spread(Sample(x), Sample(y))
        ps.append(w1_law(places, 4000, 4000, float(wasserstein_distance(x, y, assume_sorted=True)))[1])
    assert ps[1:] == sorted(ps[1:], reverse=True)
    assert 1e-90 < ps[-1] < 1e-60  # of a shift of 17.9 standard errors


# -- verdicts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2.0**-1074, 2.0**-1000, 1.0, 2.0**1000])
def test_a_unit_of_any_size(scale):
    """Of values some subnormals apart, too, whose distance under no change would be less than the least."""
    u, v = np.arange(300) % 3 * scale, np.arange(400) % 7 // 3 * scale
    column, unit = one(u, v), one(u / scale, v / scale)
    if scale > 5e-324:  # of which W1 is less than one
        assert column.noise.p_w1 == pytest.approx(unit.noise.p_w1, rel=1e-9)
    assert column.noise.w1 == pytest.approx(unit.noise.w1 * scale, rel=1e-12, abs=5e-324)
    assert column.verdict == unit.verdict == "moved"


def test_benjamini_and_hochberg_by_hand():
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([0.5, 0.9]) == pytest.approx([0.9, 0.9])
    assert adjusted([]) == []


def test_real_tables_split_at_random():
    tables = [pq.read_table(path) for path in FLIGHTS]
    moved = called = 0
    for i in range(200):
        table = tables[i % 2]
        rows = RNG.permutation(table.num_rows)[:1200]
        a, b = (table.take(pa.array(np.sort(part))) for part in np.split(rows, [[400, 600, 800][i % 3]]))
        report = compare(a, b)
        moved += sum(c.verdict.startswith("moved") for c in report.columns)
        called += len(report.columns)
    assert called >= 1900
    # a split has a mover at a rate of alpha at most; say all movers of 200 splits are 2 on average
    assert moved <= 2 + 3.3 * sqrt(2)


def test_a_shift_of_a_tenth_is_seen_in_5000():
    # a shift of 5 standard errors: of 2.8 and more is needed, which 98 of 100 are seen to have
    found = [one(RNG.normal(size=5000), RNG.normal(shift, size=5000)) for shift in [0.1, -0.1] * 25]
    moved = [c for c in found if c.verdict == "moved"]
    assert len(moved) >= 45
    assert all("w1_over_sd" in c.because and c.noise.p_adjusted <= 0.01 for c in moved)


def test_500_of_one_law_are_noise():
    report = compare(*({f"x{i}": RNG.normal(size=500) for i in range(20)} for _ in range(2)))
    assert {c.verdict for c in report.columns} == {"noise"}
    assert all(0.08 < c.noise.js < 0.13 for c in report.columns)


def test_too_few_rows_are_said_to_be_so():
    column = one(np.arange(9.0), np.arange(1000.0) + 50)
    assert column.verdict == "too few rows"
    assert one(np.arange(1000.0), np.arange(9.0) + 0.5).verdict == "too few rows"


def test_a_lost_share_is_a_mover():
    x = RNG.normal(size=4000)
    gone, more = x.copy(), RNG.normal(size=4000)
    gone[RNG.random(4000) < 0.30] = np.nan
    more[RNG.random(4000) < 0.36] = np.nan
    report = compare({"a": x, "b": gone}, {"a": RNG.normal(size=4000), "b": more})
    assert [(c.name, c.verdict, c.because) for c in report.columns] == [
        ("b", "moved", ("missing",)),
        ("a", report.columns[1].verdict, ()),
    ]
    assert report.columns[1].verdict in ("none", "noise")
    told, report = report, compare({"a": x, "b": gone}, {"a": x, "b": np.full(4000, np.nan)})
    assert "moved: b: by its missing values" in render.table(told, [])
    assert [(s.verdict, s.because) for s in report.skipped] == [("moved a lot", ("missing",))]


def test_columns_are_called_what_they_are():
    n = 600
    days = np.datetime64("2026-01-01") + np.arange(n).astype("timedelta64[h]")
    words = np.array(["lorem", "ipsum", "dolor", "sit", "amet"])

    def table(start, mean):
        return {
            "number": np.arange(n) + start,
            "some numbers": np.sort(RNG.choice(5 * n, n, replace=False)) + start,
            "with gaps": np.where(np.arange(n) % 9 == 0, np.nan, np.arange(n) + start),
            "word": [f"id{i + start:x}" for i in range(n)],
            "said": [" ".join(RNG.choice(words, 12)) for _ in range(n)],
            "hash": [f"{i + start:040d}"[::-1] for i in range(n)],
            "same": np.full(n, 7.0),
            "alike": ["x"] * n,
            "when": days + np.timedelta64(start, "h"),
            "born": RNG.permutation(days),
            "x": RNG.normal(mean, size=n),
            "cents": RNG.integers(0, 3000, n),
        }

    u, v = table(0, 0), table(10 * n, 1)
    report = compare(u, v)
    assert {c.name: c.verdict for c in report.columns} == {
        "number": "identifier",
        "some numbers": "identifier",
        "with gaps": "identifier",
        "word": "identifier",
        "said": "text",
        "hash": "identifier",
        "same": "constant",
        "alike": "constant",
        "when": "stamp",
        "born": "none",
        "x": "moved a lot",
        "cents": "noise",
    }
    assert report.columns[0].name == "x"
    assert {c.verdict for c in report.columns[3:]} == {"identifier", "text", "constant", "stamp"}
    assert Baseline.from_table(u).score(v) == report


def test_baselines_give_the_same_verdicts():
    u = {"x": RNG.normal(size=3000), "y": RNG.integers(0, 9, 3000), "z": RNG.choice(list("abc"), 3000)}
    v = {"x": RNG.normal(0.2, size=3000), "y": RNG.integers(0, 9, 3000), "z": RNG.choice(list("ab"), 3000)}
    exact = compare(u, v)
    assert Baseline.from_table(u).score(v) == exact
    near = Baseline.from_table(u, values=500).score(v)
    assert [(c.name, c.verdict) for c in near.columns] == [(c.name, c.verdict) for c in exact.columns]
    for a, b in zip(near.columns, exact.columns, strict=True):
        assert a.noise.js == pytest.approx(b.noise.js, rel=0.02)
        if a.w1 is not None:
            assert a.noise.w1 == pytest.approx(b.noise.w1, rel=0.02)
    both = compare(Baseline.from_table(u, values=500), Baseline.from_table(v, values=500))
    assert [(c.name, c.verdict) for c in both.columns] == [(c.name, c.verdict) for c in exact.columns]


def test_running_numbers_in_cells():
    u, v = {"x": np.arange(5000)}, {"x": np.arange(5000) + 5000}
    assert Baseline.from_table(u, values=400).score(v).columns[0].verdict == "identifier"
    u["x"] = RNG.integers(0, 5000, 5000)
    assert Baseline.from_table(u, values=400).score(v).columns[0].verdict == "moved a lot"


# -- thresholds ----------------------------------------------------------------------------------------------


def test_thresholds_are_settable(tmp_path):
    u = {"x": RNG.normal(size=4000), "y": RNG.normal(size=4000)}
    v = {"x": u["x"] + 0.3, "y": u["y"] + 0.3}

    def told(thresholds):
        return {c.name: c.verdict for c in compare(u, v, thresholds=thresholds).columns}

    assert told(None) == {"x": "moved", "y": "moved"}
    assert told({"moved_a_lot": {"js": 0.1}}) == {"x": "moved a lot", "y": "moved a lot"}
    own = {
        "columns": {"x": {"moved": {"js": 0.9, "w1_over_sd": 0.9}, "moved_a_lot": {"js": 1, "w1_over_sd": 1}}}
    }
    assert told(own) == {"x": "none", "y": "moved"}
    path = tmp_path / "t.toml"
    path.write_text(
        "[columns.x]\nmoved.js = 0.9\nmoved.w1_over_sd = 0.9\nmoved_a_lot = {js = 1, w1_over_sd = 1}\n"
    )
    assert told(str(path)) == told(path) == {"x": "none", "y": "moved"}
    assert told({"alpha": 1e-300}) == {"x": "noise", "y": "noise"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha = 2", "alpha of thresholds must be a number between 0 and 1, not 2"),
        ("alfa = 0.1", "thresholds must hold alpha, moved, moved_a_lot or columns, not 'alfa'"),
        ("moved = 1", "moved of thresholds must be a table of thresholds, not 1"),
        ("moved.jsd = 1", "moved of thresholds must name js, w1_over_sd, missing, not 'jsd'"),
        ("moved.js = 'a'", "js in moved of thresholds must be a number of 0 or more, not 'a'"),
        ("moved.js = nan", "js in moved of thresholds must be a number of 0 or more, not nan"),
        ("moved.js = 0.5", "js in moved_a_lot of thresholds must be at least that in moved, 0.5, not 0.2"),
        ("columns = 1", "columns of thresholds must be a table of columns, not 1"),
        ("columns.x = 1", "columns.x of thresholds must be a table of thresholds, not 1"),
        ("columns.x.alpha = 0", "alpha of column 'x' must be a number between 0 and 1, not 0"),
        (
            "columns.x.columns = {}",
            "column 'x' must hold alpha, moved, moved_a_lot, bins, continuous or edges, not 'columns'",
        ),
        ("columns.word2.alpha = 0.1", "thresholds: no column 'word2'; did you mean 'word'?"),
        ("alpha =", "is no TOML: Invalid value"),
    ],
)
def test_thresholds_that_are_none(run, tables, tmp_path, text, message):
    path = tmp_path / "t.toml"
    path.write_text(text)
    code, _, err = run(*tables, "--thresholds", path)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
    with pytest.raises(TableError):
        compare(*tables, thresholds=path)


def test_thresholds_that_cannot_be_read(run, tables, tmp_path):
    code, _, err = run(*tables, "--thresholds", tmp_path / "no.toml")
    assert (code, err) == (2, f"fastdiv: error: {tmp_path / 'no.toml'}: No such file or directory\n")
    with pytest.raises(TypeError, match="thresholds must be a mapping or the path of a TOML file, not int"):
        thresholds_of(3)


@pytest.mark.parametrize(
    ("rule", "code"),
    [("moved", 1), ("moved a lot", 1), ("Moved_a_lot", 1), ("schema", 1), ("js>0.9", 1), ("psi>1e9", 0)],
)
def test_rules_that_are_words(run, tables, rule, code):
    got, out, err = run(*tables, "--fail-on", rule)
    assert (got, err) == (code, "")
    told = {
        "moved": "drift: word: moved a lot (moved)",
        "moved a lot": "drift: word: moved a lot (moved a lot)",
        "schema": "drift: gone: only in the baseline (schema)",
    }.get(rule, "")
    assert told in out
    if rule == "schema":
        assert "drift: new: only in the current (schema)" in out
    if rule == "moved":
        assert "drift: moved:" not in out  # an identifier


def test_a_column_of_another_type_breaks_the_rule_for_schema(run, tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_text("x,y\n" + "1,2\n" * 30)
    b.write_text("x,y\n" + "1,two\n" * 30)
    code, out, _ = run(a, b, "--fail-on", "schema")
    assert code == 1
    assert "drift: y: numeric in the baseline, categorical in the current (schema)" in out
    assert run(a, a, "--fail-on", "schema", "--fail-on", "moved")[0] == 0


@pytest.mark.parametrize("steep", [0.0, 0.5, 1.0])
def test_the_categories_that_were_kept_are_no_drift(steep):
    # those that happened to occur most often will not occur so often again
    weights = np.arange(1.0, 501) ** -steep
    draws = [RNG.choice(500, size=(40, n), p=weights / weights.sum()).astype(str) for n in (4000, 3000)]
    found = [
        Baseline.from_table({"x": u}, categories=80).score({"x": v}).columns[0]
        for u, v in zip(*draws, strict=True)
    ]
    assert sum(c.verdict.startswith("moved") for c in found) <= 3  # of 40, one in a hundred of which may be
    if steep:
        apart, most = from_uniform([c.noise.p_bins for c in found])
        assert apart < most
        moved = Baseline.from_table({"x": draws[0][0]}, categories=80).score({"x": ["new"] * 50 + ["1"] * 50})
        assert moved.columns[0].verdict == "moved a lot"


def test_a_gate_does_not_pass_what_it_cannot_judge(run, tmp_path):
    few, many = tmp_path / "few.csv", tmp_path / "many.csv"
    few.write_text("x,y\n" + "1,2\n" * 9)
    many.write_text("x,y\n" + "".join(f"{i % 7},{'' if i % 900 else 5}\n" for i in range(3000)))
    for pair in ([few, many], [many, few]):
        code, _, err = run(*pair, "--fail-on", "moved a lot", "--columns", "x")
        assert (code, err) == (2, "fastdiv: error: --fail-on cannot judge 'x': see the report\n")
    code, out, _ = run(many, many, "--fail-on", "moved")
    assert code == 0  # where but one column has few values
    assert "too few rows" in out


@pytest.mark.parametrize("rows", [(30, 300), (30, 3000)])
@pytest.mark.parametrize("law", ["rounded", "zeros", "geometric"])
def test_bins_between_the_baselines_values_are_no_evidence(law, rows):
    """Their counts in the baseline are 0 because they are cut around its values."""
    r = np.random.default_rng(5)
    draw = {
        "rounded": lambda n: np.round(r.normal(size=n), 1),
        "zeros": lambda n: np.where(r.random(n) < 0.95, 0, r.pareto(1.5, n)),
        "geometric": lambda n: r.geometric(0.05, n),
    }[law]
    report = compare(*({f"c{i}": draw(n) for i in range(200)} for n in rows))
    p = np.array([1.0 if c.noise.p_bins is None else c.noise.p_bins for c in report.columns])
    assert np.mean(p <= 0.05) <= 0.08
    assert np.mean(p <= 0.001) <= 0.01
    assert not any("js" in c.because for c in report.columns)


def test_values_between_the_baselines_are_evidence_where_all_of_those_recur():
    r = np.random.default_rng(6)
    x = r.normal(size=2000)
    (column,) = compare({"x": np.round(x, 0)}, {"x": np.round(r.normal(size=2000), 1)}).columns
    assert column.noise.p_bins < 1e-6
    assert column.verdict == "moved a lot"
