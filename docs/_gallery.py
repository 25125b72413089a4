"""How the gallery's pictures look: set before each script."""

from typing import Any


def reset(config: dict[str, Any], script: str) -> None:
    from matplotlib import pyplot as plt

    plt.rcdefaults()
    plt.rcParams.update(
        {
            "figure.figsize": (7, 4),
            "figure.constrained_layout.use": True,
            "font.size": 11.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 12,
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )
