"""Loss and accuracy over the training, as a picture."""

from pathlib import Path
from typing import Any

_WINDOW = 20


def draw(metrics: list[dict[str, Any]], file: Path) -> None:
    """Draw the metrics of a training (see `metrics.jsonl`) into `file`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    steps = [entry for entry in metrics if "loss" in entry]
    tested = [entry for entry in metrics if "validation" in entry]
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(9, 8), sharex=True)
    above.plot(_millions(steps), _smooth([e["loss"] for e in steps]), label="training loss")
    above.plot(_millions(tested), [e["validation"]["loss"] for e in tested], label="held-out loss")
    for name in ("wanted", "values", "needed"):
        if probed := [entry for entry in steps if name in entry]:
            values = _smooth([entry[name] for entry in probed])
            above.plot(_millions(probed), values, ":", label=f"probe: {name}")
    above.set_yscale("log")
    for name in ("decision", "calls", "texts", "copying"):
        below.plot(_millions(tested), [e["validation"].get(name) for e in tested], label=name)
    below.set_xlabel("million tokens")
    below.set_ylabel("share right, held-out words")
    for axes in (above, below):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    pyplot.close(figure)


def _millions(entries: list[dict[str, Any]]) -> list[float]:
    return [entry["tokens"] / 1e6 for entry in entries]


def _smooth(values: list[float]) -> list[float]:
    windows = (values[max(0, i - _WINDOW + 1) : i + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]
