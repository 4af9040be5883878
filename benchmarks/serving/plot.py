"""The figures as bars."""

from pathlib import Path

from matplotlib import pyplot

from benchmarks.serving.figures import Results


def draw(results: Results, file: Path) -> None:
    """Milliseconds to the end of an answer (the median), for each workload and server, with a row
    for each number of conversations at once."""
    at_once = sorted({concurrency for _, concurrency in results})
    servers = list(dict.fromkeys(name for samples in results.values() for name in samples))
    figure, rows = pyplot.subplots(
        len(at_once), figsize=(9, 2.6 * len(at_once)), sharex=True, squeeze=False
    )
    for (row,), concurrency in zip(rows, at_once, strict=True):
        chosen = {name: found for (name, count), found in results.items() if count == concurrency}
        for place, server in enumerate(servers):
            known = [
                (at, samples[server].figures()["end p50"])
                for at, samples in enumerate(chosen.values())
                if server in samples and samples[server].turns
            ]
            width = 0.8 / len(servers)
            left = [at + (place - (len(servers) - 1) / 2) * width for at, _ in known]
            row.bar(left, [value for _, value in known], width, label=server)
        row.set_yscale("log")
        row.set_ylabel(f"ms, {concurrency} at once")
        row.set_xticks(range(len(chosen)), chosen, rotation=20, ha="right", fontsize=8)
    rows[0][0].legend()
    figure.tight_layout()
    figure.savefig(file, dpi=120)
