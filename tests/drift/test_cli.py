"""The command: its exit codes, its formats, one line for every mistake, and manners at the terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import refused, shell

from fastdiv import cli

# -- formats -------------------------------------------------------------------------------------------------


def test_the_table(run, tables):
    code, out, err = run(*tables)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["baseline", tables[0], "200", "rows"]
    assert lines[1].split() == ["current", tables[1], "210", "rows"]
    heads = lines[3].split()
    assert heads == [
        "column",
        "type",
        "JS",
        "W1/sd",
        "KL",
        "PSI",
        "n",
        "missing",
        "mean",
        "entropy",
        "histogram",
    ]
    assert lines[4].split() == ["verdict", "p", *["noise"] * 4]
    names = [line.split()[0] for line in lines[5:11:2]]
    assert names == ["word", "still", "moved"]  # which is an identifier
    assert ["current" in line for line in lines[6:11:2]] == [True] * 3
    assert lines[6].split()[:6] == ["moved", "a", "lot", "<.001", "0.059", "-"]
    assert lines[9].split()[:4] == ["moved", "numeric", "1.000", "15.675"]
    assert lines[10].split()[0] == "identifier"
    assert "only in the baseline, not compared: gone" in lines
    assert "only in the current, not compared: new" in lines
    for promise in ("log base 2", "KL(current || baseline)", "0.5 is added to every bin", "20 quantiles"):
        assert promise in out
    assert max(map(len, lines[2:])) < 130


def test_the_legend_follows_the_options(run, tables):
    _, out, _ = run(*tables, "--bins", 7, "--pseudocount", 0)
    assert "7 quantiles" in out
    assert "nothing is added" in out
    assert "  inf  " in out


def test_json_holds_everything(run, tables):
    code, out, _ = run(*tables, "--format", "json", "--pseudocount", 0, "--fail-on", "w1>1")
    assert code == 1

    def no_token(token):
        pytest.fail(f"{token} is not JSON")

    data = json.loads(out, parse_constant=no_token)
    assert data["baseline"] == {"path": tables[0], "rows": 200}
    assert data["settings"]["kl_bits"] == "KL(current || baseline), log base 2"
    word, _, moved = data["columns"]
    assert (moved["name"], moved["js_distance"], moved["kl_bits"]) == ("moved", 1.0, "Infinity")
    assert float(moved["kl_bits"]) == np.inf
    assert sum(b["baseline"] for b in moved["bins"]) == 200
    assert (word["w1"], word["mean_baseline"]) == (None, None)
    assert [b["label"] for b in word["bins"]] == ["a", "b", "c"]
    assert (data["only_in_baseline"], data["only_in_current"]) == (["gone"], ["new"])
    assert data["drift"] == [
        {"column": "moved", "metric": "w1_over_sd", "value": moved["w1_over_sd"], "rule": "w1_over_sd>1"}
    ]


def test_json_and_csv_round_trip_to_the_report(run, tables):
    from fastdiv.drift import compare

    report = compare(*tables)
    from_json = json.loads(run(*tables, "--format", "json")[1])["columns"]
    from_csv = list(csv.DictReader(io.StringIO(run(*tables, "--format", "csv")[1])))
    assert [row["status"] for row in from_csv] == ["compared"] * 3 + ["only in baseline", "only in current"]
    for column, a, b in zip(report.columns, from_json, from_csv[:3], strict=True):
        for key, value in {
            "js_distance": column.js,
            "kl_bits": column.kl,
            "psi": column.psi,
            "w1": column.w1,
            "w1_over_sd": column.w1_over_sd,
            "entropy_baseline_bits": column.entropy_baseline,
            "missing_current": column.missing_current,
            "n_current": column.n_current,
        }.items():
            assert a[key] == value
            assert (float(b[key]) if b[key] else None) == value


def test_many_bins_are_cut_in_json_and_said_so(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("w\n" + "".join(f"v{i}\n" for i in range(150)))
    (column,) = json.loads(run(path, path, "--format", "json")[1])["columns"]
    assert (len(column["bins"]), column["bins_left_out"]) == (100, 50)
    assert column["entropy_baseline_bits"] == pytest.approx(np.log2(150))


def test_markdown_is_one_table(run, tables):
    code, out, _ = run(*tables, "--format", "md", "--fail-on", "js>=1")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert code == 1
    assert len(rows) == 2 + 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {15}
    assert "- drift: moved: js is 1 (js>=1)" in out


@pytest.mark.parametrize("kind", ["table", "json", "csv", "md"])
def test_a_file_gets_what_the_terminal_would(run, tables, tmp_path, kind):
    target = tmp_path / "report"
    target.write_text("old")
    code, out, err = run(*tables, "--format", kind, "-o", target)
    assert (code, out, err) == (0, "", "")
    assert target.read_text(encoding="utf-8") == run(*tables, "--format", kind)[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["base.csv", "cur.csv", "report"]


# -- exit codes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], 0),
        (["js>1"], 0),
        (["js>=1"], 1),
        (["js>2", "w1>1"], 1),
        (["w1 >= 15"], 1),
        (["missing>0"], 0),
        (["KL>0.001"], 1),
        (["psi>100"], 0),
    ],
)
def test_exit_codes_follow_the_rules(run, tables, rules, code):
    options = [part for rule in rules for part in ("--fail-on", rule)]
    got, out, err = run(*tables, *options)
    assert (got, err) == (code, "")
    assert ("drift: moved" in out) == (code == 1)


def test_a_rule_about_a_column_that_changed_its_type_fails(run, tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_text("x,y\n1,1\n2,2\n")
    b.write_text("x,y\n1,a\n2,b\n")
    assert run(a, b)[0] == 0
    result = run(a, b, "--fail-on", "js>0.5")
    assert refused(result, "--fail-on cannot judge 'y'")
    assert "not compared: y: numeric in the baseline, categorical in the current" in result[1]


def test_a_mixed_column_is_an_error_and_the_others_are_reported(run, tables, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("still,moved\n" + "1,2\n" * 10 + "1,oops\n")
    result = run(tables[0], bad)
    assert refused(result, "column 'moved': current: mixes numbers and text (line 12: 'oops')")
    assert "still" in result[1]
    assert run(tables[0], bad, "--columns", "still")[0] == 0
    assert run(tables[0], bad, "--categorical", "moved")[0] == 0
    assert run(tables[0], bad, "--missing", "oops")[0] == 0


def test_a_column_of_missing_values_spares_the_others(run, tables, tmp_path):
    void = tmp_path / "void.csv"
    void.write_text("still,moved\n" + "1,\n" * 10)
    code, out, err = run(tables[0], void)
    assert (code, err) == (0, "")
    assert "not compared: moved: every value is missing in the current" in out
    assert refused(
        run(tables[0], void, "--columns", "moved"), "no column could be compared: 'moved': every value"
    )


def test_a_column_that_went_missing_breaks_the_rule_about_missing(run, tables, tmp_path):
    void = tmp_path / "void.csv"
    void.write_text("still,moved\n" + "1,\n" * 10)
    for only in [], ["--columns", "moved"]:
        code, out, err = run(tables[0], void, "--fail-on", "missing>10", *only)
        assert (code, err) == (1, "")
        assert "drift: moved: missing is 100 (missing>10)" in out
        assert run(tables[0], void, "--fail-on", "missing>10", "--fail-on", "js>0.99", *only)[0] == 1
        assert run(tables[0], void, "--fail-on", "missing>100", *only)[0] == 0
    assert refused(run(tables[0], void, "--fail-on", "js>0.1"), "cannot judge 'moved'")
    data = json.loads(run(tables[0], void, "--format", "json")[1])
    assert [(s["missing_baseline"], s["missing_current"]) for s in data["not_compared"]] == [(0, 1)]
    rows = csv.DictReader(io.StringIO(run(tables[0], void, "--format", "csv")[1]))
    assert {row["name"]: row["missing_current"] for row in rows}["moved"] == "1.0"


def test_a_column_that_is_gone_breaks_no_rule_and_is_named(run, tables):
    code, out, _ = run(*tables, "--fail-on", "missing>0")
    assert code == 0
    assert "only in the baseline, not compared: gone" in out


@pytest.mark.parametrize("kind", ["table", "json", "csv", "md"])
def test_dates_of_any_year(run, tmp_path, kind):
    paths = [tmp_path / "a.csv", tmp_path / "t.parquet", tmp_path / "t.npy"]
    paths[0].write_text("x\n" + "0000-01-01\n" * 3)
    pq.write_table(pa.table({"x": pa.array([40_000_000] * 3, pa.int32()).view(pa.date32())}), paths[1])
    np.save(paths[2], np.full(3, "20000-01-01", "M8[D]"))
    for path, year in zip(paths, ["0000-01-01 00:00", "111486-", "20000-01-01 00:00"], strict=True):
        code, out, err = run(path, path, "--format", kind)
        assert (code, err) == (0, "")
        assert year in out or kind in ("json", "csv")


@pytest.mark.parametrize("kind", ["table", "json", "csv", "md"])
def test_dates_that_cannot_be_represented_are_said_so(run, tmp_path, kind):
    good, bad = tmp_path / "good.npy", tmp_path / "bad.npy"
    np.save(good, np.full(30, 0, "M8[s]"))
    np.save(bad, np.full(30, 2**62, "M8[s]"))
    result = run(good, bad, "--format", kind)
    assert refused(result, "current: its times lie beyond 292,000 years")
    assert "1970-01" not in result[1]


def test_nothing_infinite_draws_a_long_line(run, tmp_path):
    base, cur = tmp_path / "base.npy", tmp_path / "cur.npy"
    np.save(base, np.arange(600_000) ** 1.5)
    np.save(cur, np.full(9, np.inf))
    for kind in "table", "md":
        code, out, _ = run(base, cur, "--bins", 100_000, "--format", kind)
        assert code == 0
        assert max(map(len, out.splitlines())) < 250


def test_a_wrong_instruction_set_is_one_line(tables):
    done = shell("compare", *tables, env=os.environ | {"FASTDIV_ISA": "foo"})
    assert refused((done.returncode, done.stdout, done.stderr.decode()), "FASTDIV_ISA='foo' is not a level")


def test_mistakes_in_the_data(run, tables, tmp_path):
    def file(name, text):
        path = tmp_path / name
        path.write_bytes(text)
        return path

    base = tables[0]
    assert refused(run(base, tmp_path / "none.csv"), "no such file")
    assert refused(run(tmp_path / "none.csv", base), "no such file")
    assert refused(run(base, tmp_path), "cur.csv: has no column 'gone', which")
    assert refused(run(base, file("empty.csv", b"")), "the file is empty")
    assert refused(run(base, file("rows.csv", b"still,moved\n")), "no rows")
    assert refused(
        run(base, file("ragged.csv", b"still,moved\n1,2\n1\n")), "line 3 has 1 fields, the header has 2"
    )
    assert refused(run(base, file("latin.csv", b"still,moved\n1,\xe9\n")), "not UTF-8")
    assert refused(run(base, file("t.parquet", b"PAR1 no")), "cannot be read")
    assert refused(run(base, file("t.npy", b"no")), "cannot be read")
    assert refused(run(base, file("t.xlsx", b"no")), "known: .csv")
    assert refused(run(base, file("other.csv", b"a,b\n1,2\n")), "have no column in common")
    if os.geteuid():
        secret = file("secret.csv", b"still\n1\n")
        secret.chmod(0)
        assert refused(run(base, secret), "Permission denied")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "mooved"], "no column 'mooved'; did you mean 'moved'?"),
        (["--columns", "gone"], "is in "),
        (["--categorical", "still,mooved"], "no column 'mooved'; did you mean 'moved'?"),
        (["--columns", ""], "no column is named"),
        (["--fail-on", "js"], "'js' is no rule"),
        (["--fail-on", "jss>1"], "no metric 'jss'; there are js, w1_over_sd, kl, psi, missing"),
        (["--fail-on", "js>x"], "'x' is no finite number"),
        (["--bins", "1"], "'1' is no whole number from 2"),
        (["--bins", "many"], "'many' is no whole number"),
        (["--pseudocount", "-1"], "no finite number of 0 or more"),
        (["--pseudocount", "nan"], "no finite number of 0 or more"),
        (["--delimiter", "ab"], "no single character"),
        (["--format", "xml"], "invalid choice: 'xml'"),
        (["--colums", "a"], "unknown option --colums; did you mean --columns?"),
        (["-o", "/nonexistent/report"], "cannot write /nonexistent/report: No such file"),
    ],
)
def test_mistakes_in_the_options(run, tables, options, message):
    assert refused(run(*tables, *options), message)


def test_mistakes_in_the_command(capsys):
    for argv, message in [
        (["compere"], "invalid choice"),
        (["compare"], "BASELINE"),
    ]:
        with pytest.raises(SystemExit) as stop:
            cli.main(argv) and pytest.fail("should have exited")
        assert refused((stop.value.code, *capsys.readouterr()), message)


def test_a_bug_is_not_taken_for_drift(run, tables, monkeypatch):
    monkeypatch.setattr("fastdiv.drift.compare", lambda *_, **__: 1 / 0)
    code, _, err = run(*tables)
    assert code == 2
    assert "ZeroDivisionError" in err
    assert "this is a bug" in err


def test_too_little_memory_is_one_line(run, tables, monkeypatch):
    def compare(*_, **__):
        raise MemoryError

    monkeypatch.setattr("fastdiv.drift.compare", compare)
    assert refused(run(*tables), "do not fit into memory")


def test_a_narrow_terminal_gets_fewer_numbers(tables):
    from fastdiv.drift import compare, render

    def table(width):
        return render.plain(render.laid(report, [], width=width), width)

    report = compare(*tables)
    wide = render.table(report, [])
    assert max(map(len, wide.splitlines()[2:])) > 80
    for width in (80, 100):
        lines = table(width).splitlines()
        assert max(map(len, lines[2:])) <= width
        assert "Too wide for this terminal: entropy, KL" in lines[-1]
        assert lines[5].split()[0] == "word"
    assert table(200) == wide
