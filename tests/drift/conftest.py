"""Two small tables, and the command."""

from functools import partial

import pytest

from fastdiv import cli


@pytest.fixture
def tables(tmp_path):
    """A baseline and a current with one column of each sort."""
    base, cur = tmp_path / "base.csv", tmp_path / "cur.csv"
    base.write_text("still,moved,word,gone\n" + "".join(f"{i % 7},{i},{'ab'[i % 2]},1\n" for i in range(200)))
    cur.write_text(
        "still,moved,word,new\n" + "".join(f"{i % 7},{i + 900},{'abc'[i % 3]},1\n" for i in range(210))
    )
    return [str(base), str(cur)]


@pytest.fixture
def fastdiv(capsys):
    """A command: its code, what it printed, and what it said of errors."""

    def fastdiv(*argv):
        try:
            code = cli.main([*map(str, argv)])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return fastdiv


@pytest.fixture
def run(fastdiv):
    return partial(fastdiv, "compare")
