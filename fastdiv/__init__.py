"""fastdiv: compare probability distributions, fast and right to the last digits.

Nothing is imported until it is used: ``import fastdiv`` costs well under a millisecond, and NumPy is
loaded with the first function that needs it.
"""

# Where each public name lives. `__init__.pyi` tells type checkers the same; a test holds the two together.
_HOME = {
    name: module
    for module, names in {
        "fastdiv._version": ("__version__",),
        "fastdiv._entropies": ("surprisal", "entropy", "binary_entropy", "cross_entropy"),
        "fastdiv._divergences": (
            "kl_divergence",
            "jeffreys_divergence",
            "js_divergence",
            "chi_square",
            "renyi_divergence",
        ),
        "fastdiv._distances": (
            "js_distance",
            "total_variation",
            "hellinger_distance",
            "triangular_discrimination",
            "bhattacharyya_distance",
        ),
        "fastdiv.transport": (
            "wasserstein_distance",
            "energy_distance",
            "cramer_distance",
            "ks_distance",
            "sliced_wasserstein",
            "CountsAsSamplesWarning",
        ),
        "fastdiv.histogram": ("wasserstein_hist",),
        "fastdiv.circle": ("wasserstein_circle",),
        "fastdiv.plan": ("transport_plan", "TransportPlan"),
        "fastdiv.barycenter": ("displacement_interpolation", "wasserstein_barycenter"),
        "fastdiv.matrix": ("Index", "cdist", "knn", "pdist"),
        "fastdiv.drift.baseline": ("Baseline",),
        "fastdiv.drift.comparison": ("compare",),
        "fastdiv._threads": ("num_threads", "set_num_threads", "show_config"),
    }.items()
    for name in names
}
_MODULES = ("gan", "grad", "reference")
_EXTRAS = ("compat", "dask", "sklearn", "testing", "torch")  # of some alone: not in import *

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES or name in _EXTRAS:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
