"""docs/league.md, from the newest results."""

import math
import statistics

import table
from table import number
from truth import MORE, UNCERTAIN

HEAD = """# A league of learning-rate finders

Written by `bench/league/run`; every number is in `{results}`.

Each finder is given {tasks} tasks of `bench/league/tasks` and names a rate for each, from several base seeds. What a rate is
worth is known from a scan: {density} rates a decade by {seeds} seeds that no finder has seen, each a full training, over four
decades (from 0.001 to 10; with AdamW from 0.00001 to 0.1). The grid and TPE search the same; others have no range, or their
package's own. Where {seeds} seeds leave the best rate's metric uncertain by more than {uncertain:g} % of the way from chance, {more}
train the rates about it, for the best of several that chance has raised would be out of anyone's reach:
{contested}.

- **Regret** is the share of the way from chance to the best rate's metric that a suggestion loses, in %. The metric is taken
  on the held-out samples at the end of training and averaged over the scan's seeds; a training that diverges, or ends worse
  than chance, has chance's. Chance is a guess among the classes; of values, the mean of the training samples. Between two
  rates of the scan that all seeds survive, the metric is on the line through theirs; any other suggestion is trained itself.
  Beside its mean stands the standard error (±) that base seeds leave in it: the tasks are given.
- **A budget** is the gradient steps of one full training. Of curvature, a product with the Hessian counts as two gradients
  of its samples.
- **Spread** is the standard deviation of a finder's suggestions over base seeds, in decades, of the median task.
- **Failures** are runs that gave no rate, and runs whose rate diverges for half of the scan's seeds or more.

The scan's own noise: to choose the best of all {count} rates by one half of the scan's seeds loses {noise:.2f} % by the other
half, on average over tasks. Differences of that size in a single run say nothing.
"""

PEERS = """Packages: {versions}.

Optuna's sampler and pruner, the range tests' steps, and the rules by which a rate is read off are at their defaults. TPE and
the grid see the metric on all held-out samples, of which `etalon find` chooses by four fifths and tells the other. Range tests
run on PyTorch's twin of the network (`oracles/torch_twin.py`) from the weights that Etalon draws; they do not see the
schedule. 2 / lambda and the optimiser's limit, which knows momentum, are of 128 samples to 5 %; with AdamW both are its limit,
from the preconditioned Hessian.
"""


def by_task(record, method):
    """The runs of each task, in the tasks' order; of tasks on which it did not run, none."""
    runs = [[run for run in game["runs"] if run["method"] == method] for game in record["games"]]
    return [of_task for of_task in runs if of_task]


def spread(runs):
    """Deviation of log10 of the rates; none of fewer than two."""
    logs = [math.log10(run["eta"]) for run in runs if run["eta"] is not None]
    return statistics.stdev(logs) if len(logs) > 1 else None


def error(of_tasks):
    """The standard error of the mean over tasks of the means over their runs, as far as base seeds make it; none where a task
    has one run."""
    if min(map(len, of_tasks)) < 2:
        return None
    return math.hypot(*(statistics.stdev(runs) / math.sqrt(len(runs)) for runs in of_tasks)) / len(of_tasks)


def standing(record, method):
    """The row of a method."""
    tasks = by_task(record, method)
    runs = [run for of_task in tasks for run in of_task]
    regrets = [[run["regret"] for run in of_task] for of_task in tasks]
    spreads = [one for one in map(spread, tasks) if one is not None]
    silent, broken = sum(run["eta"] is None for run in runs), sum(run.get("breaks", False) for run in runs)
    return {
        "method": method,
        "regret": statistics.fmean(map(statistics.fmean, regrets)),
        "error": error(regrets),
        "medians": statistics.fmean(map(statistics.median, regrets)),
        "worst": max(map(max, regrets)),
        "budgets": statistics.fmean(run["budgets"] for run in runs),
        "spread": statistics.median(spreads) if spreads else None,
        "failures": f"{silent} + {broken}",
        "runs": len(runs),
    }


def methods_of(record):
    """Those that ran, in their order."""
    return list(dict.fromkeys(run["method"] for game in record["games"] for run in game["runs"]))


def standings(record):
    rows = [standing(record, method) for method in methods_of(record)]
    heads = ["method", "regret %", "±", "by median runs", "worst run", "budgets", "spread", "no rate + diverging", "runs"]
    two = lambda value: "-" if value is None else f"{value:.2f}"
    return table.markdown(
        heads,
        [
            [row["method"], two(row["regret"]), two(row["error"]), two(row["medians"]), f"{row['worst']:.1f}",
             number(row["budgets"]), two(row["spread"]), row["failures"], row["runs"]]
            for row in rows
        ],
    )  # fmt: skip


def tasks(record):
    rows = []
    for game in record["games"]:
        task, truth = game["task"], game["truth"]
        low, high = truth["flat"]
        rows.append(
            [task["name"], task["title"], task["metric"], number(truth["best"]["eta"]), number(truth["best"]["score"]),
             number(truth["chance"]), f"{number(low)} to {number(high)}", number(truth["smallest_diverging"])]
        )  # fmt: skip
    heads = ["task", "", "metric", "best rate", "metric there", "chance", "loses at most 1 %", "first to diverge"]
    return table.markdown(heads, rows)


def regrets(record):
    """The mean of each method's runs on each task."""
    methods = methods_of(record)
    rows = []
    for game in record["games"]:
        cells = []
        for method in methods:
            runs = [run["regret"] for run in game["runs"] if run["method"] == method]
            cells.append(f"{statistics.fmean(runs):.1f}" if runs else "-")
        rows.append([game["task"]["name"], *cells])
    return table.markdown(["task", *methods], rows)


def holds(run, eta):
    """Whether a rate is within the run's range, an open end of which is unbounded."""
    low, high = run["low"] or 0.0, run["high"] or math.inf
    # A rate of the scan and an end that is meant to be the same differ by rounding.
    return low * (1 - 1e-6) <= eta <= high * (1 + 1e-6)


def ranges(record):
    """How often [low, high] holds the scan's best rate, how wide it is, and how many ends are open; of methods that close
    an end."""
    lines = []
    for method in methods_of(record):
        pairs = [
            (run, game["truth"]["best"]["eta"])
            for game in record["games"]
            for run in game["runs"]
            if run["method"] == method and "low" in run
        ]
        if not any(run["low"] or run["high"] for run, _ in pairs):
            continue
        share = lambda pairs: f"{sum(holds(run, eta) for run, eta in pairs)} of {len(pairs)}"
        closed = [(run, eta) for run, eta in pairs if run["low"] and run["high"]]
        widths = [math.log2(run["high"] / run["low"]) for run, _ in closed]
        width = f"{statistics.median(widths):.1f} octaves" if widths else "-"
        open_ends = sum((run["low"] is None) + (run["high"] is None) for run, _ in pairs)
        lines.append([method, share(pairs), open_ends, share(closed), width])
    heads = ["method", "holds the best rate", "open ends", "of those with two ends", "their median width"]
    return table.markdown(heads, lines)


def told(record, method):
    """What it says of its rate on either part of the held-out samples, against the scan: the mean of the differences, and of
    their sizes, in % of the way from chance to the best."""
    sentences = []
    for part in ("validation", "test"):
        off = []
        for game in record["games"]:
            best, chance = game["truth"]["best"]["score"], game["truth"]["chance"]
            for run in game["runs"]:
                if run["method"] == method and run.get(part) is not None:
                    off.append(100 * (run[part] - chance) / (best - chance) - (100 - run["regret"]))
        if off:
            size = statistics.fmean(map(abs, off))
            sentences.append(f"on its {part} part {statistics.fmean(off):+.1f} % ({size:.1f} % in size)")
    return f"What `{method}` tells of its rate is, against the scan, {' and '.join(sentences)} on average.\n"


def fresh(record):
    lines = []
    for method in methods_of(record):
        runs = [run for of_task in by_task(record, method) for run in of_task]
        tried = [run["fresh"] for run in runs if "fresh" in run]
        if tried:
            lines.append([method, sum(one["diverged"] for one in tried), sum(one["trained"] for one in tried)])
    return table.markdown(["method", "diverged", "of so many trainings"], lines)


def write(record, results, star=None):
    """The page's text; `results` is the path of the record, `star` the section on eta*."""
    truth = record["games"][0]["truth"]
    contested = [game for game in record["games"] if max(game["truth"]["trained"]) > game["truth"]["seeds"]]
    versions = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    parts = [
        HEAD.format(
            results=results, tasks=len(record["games"]), density=record["density"], seeds=truth["seeds"],
            uncertain=UNCERTAIN, more=len(MORE), contested=", ".join(game["task"]["name"] for game in contested) or "none",
            count=len(truth["rates"]), noise=statistics.fmean(game["truth"]["noise"] for game in record["games"]),
        ),
        "## Standings\n", standings(record), PEERS.format(versions=versions),
        "## The tasks\n", tasks(record),
        "## Regret by task\n", "Means over base seeds, in %.\n", regrets(record),
    ]  # fmt: skip
    runs = [run for game in record["games"] for run in game["runs"]]
    if any(run.get("low") or run.get("high") for run in runs):
        parts += ["## The range that cannot be told from the best\n", "An open end is without bounds.\n", ranges(record)]
        parts += [told(record, method) for method in methods_of(record) if any("test" in run for run in runs if run["method"] == method)][:1]
    trained = next(run["fresh"]["trained"] for run in runs if "fresh" in run)
    parts += ["## Suggestions on fresh seeds\n", f"Each suggestion trained by {trained} more seeds.\n", fresh(record)]
    return "\n".join(parts + ([star] if star else []))
