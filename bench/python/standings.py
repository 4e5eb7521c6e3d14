"""docs/python-league.md, from the newest results."""

import statistics

import page
import table

HEAD = """# The league in PyTorch

Written by `bench/python/league`; every number is in `{results}`.

{tasks} small tasks in plain PyTorch (`bench/python/problems.py`), each finder from several base seeds. As in [the large
league](league.md), what a rate is worth is known from a scan: {density} rates a decade by {seeds} seeds that no finder has seen,
over four decades (from 0.001 to 10; with AdamW from 0.00001 to 0.1), each a full training. **Regret** is the share of the way
from chance to the best rate's held-out metric that a suggestion loses, in %; a **budget** the gradient steps of one full
training; **spread** the standard deviation of suggestions over base seeds, in decades, of the median task; **failures** are runs
without a rate, and runs whose rate diverges for half of the scan's seeds or more.

The scan's own noise: to choose the best of all {count} rates by one half of the scan's seeds loses {noise:.2f} % by the other
half, on average over tasks. Differences of that size in a single run say nothing.
"""

METHODS = """Packages: {versions}.

- `etalon.find` is called with `seeds=5`, as everyone would, from the suggestion of `etalon.torch.range_test`, whose cost is in its
  budgets: it searches for eta\\* by all five seeds first, which is what most of its trainings are for, and then chooses the rate to
  use; `eta_star=False` does the second alone. Both are told chance, and at which held-out metric a training counts as one (`goal` in
  `problems.py`), which TPE and the grid are not. TPE and `etalon.find` have the same range, and see the metric on
  the samples by which they are judged, of other seeds' trainings.
- `critical_lr` is the longest step along the optimiser's first update that does not raise the loss of {samples} samples, taken as a
  rate; it is no sharpness, and not meant to be one. 2 / lambda and the optimiser's limit are `etalon.torch.sharpness` of {samples}
  samples to 5 %; with AdamW both are its limit, before any step of it.
- A product with the Hessian counts as two gradients of its samples, a forward pass as a third of one.
- Two faults were found by this league, on these tasks, and mended: `range_test` suggested the rate at which the loss was lowest where
  it had risen below the limit of the start (32 % of regret, which the networks of ReLU made), and `eta_star=False` climbed from rates at
  which nothing is learnt by the noise of the metric (6.9 %). The figures above of both, and of
  `find`, which begins at that suggestion, are of the same tasks, and flattered by that.
- The range tests of other packages, and the rules by which a rate is read off, are at their defaults; nobody sees the schedule.
"""


def write(record, results):
    """The page's text; `results` is the path of the record."""
    truth = record["games"][0]["truth"]
    versions = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    noise = statistics.fmean(game["truth"]["noise"] for game in record["games"])
    head = HEAD.format(
        results=results, tasks=len(record["games"]), density=record["density"], seeds=truth["seeds"],
        count=len(truth["rates"]), noise=noise,
    )  # fmt: skip
    return "\n".join([
        head,
        "## Standings\n", page.standings(record), METHODS.format(versions=versions, samples=record["samples"]),
        "## The tasks\n", page.tasks(record),
        "## Regret by task\n", "Means over base seeds, in %.\n", page.regrets(record),
        "## Budgets by task\n", "Means over base seeds.\n", budgets(record),
    ])  # fmt: skip


def budgets(record):
    methods = page.methods_of(record)
    rows = []
    for game in record["games"]:
        runs = lambda method: [run["budgets"] for run in game["runs"] if run["method"] == method]
        cells = [f"{statistics.fmean(runs(method)):.3g}" if runs(method) else "-" for method in methods]
        rows.append([game["task"]["name"], *cells])
    return table.markdown(["task", *methods], rows)
