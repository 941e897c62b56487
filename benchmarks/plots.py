"""Plots, as SVG: small, sharp, and the same from run to run but for the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report import Part

OURS = ("hero_async", "hero_sync", "hero")


def draw(parts: dict[str, Part], folder: Path) -> None:
    """One file a bar chart and one a curve."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hero"
    mpl.rcParams["font.size"] = 9
    for name, part in parts.items():
        if part.bars:
            _bars(part.bars, folder / f"{name}.svg")
        for number, curve in enumerate(part.curves):
            _curve(curve, folder / f"{name}-{number + 1}.svg")


def _colour(label: str) -> str:
    return "#0b6e4f" if label.startswith(OURS) else "#9aa5b1"


def _bars(bars: dict[str, Any], path: Path) -> None:
    from matplotlib import pyplot

    values: dict[str, float] = bars["values"]
    labels = list(values)[::-1]
    figure, axes = pyplot.subplots(figsize=(7, 0.34 * len(labels) + 1.1))
    drawn = axes.barh(labels, [values[label] for label in labels], color=[_colour(label) for label in labels])
    axes.bar_label(drawn, fmt="{:,.3g}", padding=3)
    axes.set_title(bars["title"], loc="left")
    axes.set_xlabel(bars["unit"])
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _curve(curve: dict[str, Any], path: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.4))
    for label, points in curve["lines"].items():
        mine = {"color": "#0b6e4f", "linewidth": 2.2} if label.startswith(OURS) else {"linewidth": 1.2}
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", markersize=3, label=label, **mine)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_title(curve["title"], loc="left")
    axes.set_xlabel(curve["x"])
    axes.set_ylabel(curve["y"])
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
