"""Writes numbers.json: what Evidently says of the tables. Needs Evidently 0.7, pandas below 3 and PyArrow.

``python tests/compat/evidently_numbers/make.py``, in an environment of its own: nothing else needs Evidently.
"""

import json
import warnings
from pathlib import Path

import evidently
import numpy
import pandas as pd
import scipy
from drifted import METHODS, TABLES
from evidently import Report
from evidently.presets import DataDriftPreset

NAMES = {
    "Wasserstein distance (normed)": "wasserstein",
    "Jensen-Shannon distance": "jensenshannon",
    "PSI": "psi",
    "Kullback-Leibler divergence": "kl_div",
    "K-S p_value": "ks",
    "chi-square p_value": "chisquare",
    "Z-test p_value": "z",
}


def frame(table):
    return table.to_pandas(ignore_metadata=True) if hasattr(table, "to_pandas") else pd.DataFrame(table)


def drift(reference, current, **options):
    found = {}
    for metric in Report([DataDriftPreset(**options)]).run(current, reference).dict()["metrics"]:
        config = metric["config"]
        if "column" in config:
            name = config["method"]
            entry = [NAMES.get(name, name), float(metric["value"]), config["threshold"]]
            found[config["column"]] = entry
        else:
            found[""] = metric["value"]
    return found


def main():
    warnings.filterwarnings("ignore")
    tables = {}
    for label, make in TABLES.items():
        reference, current = map(frame, make())
        tables[label] = {"default": drift(reference, current)}
        for method in METHODS:
            how = {"num_method": method}
            if method not in ("ks", "wasserstein"):
                how["cat_method"] = method
            tables[label][method] = drift(reference, current, **how)
    versions = {"evidently": evidently.__version__} | {
        module.__name__: module.__version__ for module in (numpy, scipy, pd)
    }
    path = Path(__file__).with_name("numbers.json")
    path.write_text(json.dumps({"versions": versions, "tables": tables}, indent=1) + "\n")


if __name__ == "__main__":
    main()
