"""eta* of `etalon find` against dense scans.

The scan follows the definition on many more rates: a rate trains with a seed if the metric reaches the threshold at some
look before the budget ends or training diverges; from the lowest rate that trains up to the first that does not.
Scanned are the search's own seeds, which show what its brackets miss, and others, whose median its interval should hold.
"""

import json
import math
import statistics
from pathlib import Path

import table
from table import number
from task import Etalon, Task
from trainings import Kept, sweep

# A scan has so many rates an octave, two octaves below the search's median and one above.
DENSITY = 20
BELOW, ABOVE = 2, 1
BASES = (0, 100, 200)
OTHERS = range(1000, 1005)
FLAGS = ["--eta-star", "only"]
# eta* is a constant rate.
CONSTANT = ["schedule.kind=constant", "schedule.warmup=0", "schedule.milestones=[]"]


def search(task, base):
    """What `find` says, with the seeds it took and what it counted as trained."""
    told = task.etalon.run("find", task.path, "--json", "--seed", base, *FLAGS, negative=True)
    found = json.loads(told)
    star = found["eta_star"]
    if star is None:
        # Nothing was learnt.
        return {"base": base, "median": None}
    threshold = star["threshold"]
    return {
        "base": base,
        "median": star["median"],
        "low": star["low"],
        "high": star["high"],
        "coverage": star["coverage"],
        "zone": star["zone"],
        "seeds": [one["seed"] for one in found["search"]["seeds"]],
        "threshold": threshold["value"],
        "metric": threshold["metric"],
        "budgets": star["budgets"],
    }


def scan_of(task, metric, folder):
    """The best look of trainings at a constant rate; none where there was no look."""
    part, kind = metric.split("_")
    better = min if kind == "loss" else max

    def best(rates, seed):
        looks = {}
        for row, records in sweep(task, rates, seed, *CONSTANT, f"train.check_test={str(part == 'test').lower()}"):
            # The look at which a training was found divergent is none.
            last = math.inf if row["stop"] == "budget" else int(row["steps"])
            seen = [one[part][kind] for one in records if part in one and one["step"] < last]
            looks[float(row["optimizer.eta"])] = better(seen, default=None)
        return looks

    return Kept(Path(folder) / "scans" / f"{task.name}-{task.digest}-{metric}.jsonl", best)


def boundary(rates, looks, metric, threshold):
    """{"eta", "islands"} of one seed by the definition: the middle between the last success and the first failure, none
    where nothing in the window trained or nothing failed; and how many rates above it trained."""
    reached = (lambda x: x <= threshold) if metric.endswith("loss") else (lambda x: x >= threshold)
    trained = [look is not None and reached(look) for look in looks]
    if True not in trained:
        return {"eta": None, "islands": 0}
    end = trained.index(True)
    while end < len(trained) and trained[end]:
        end += 1
    if end == len(trained):
        return {"eta": None, "islands": 0}
    return {"eta": math.sqrt(rates[end - 1] * rates[end]), "islands": sum(trained[end:])}


def median(values):
    """The median of the logarithms; none where a seed's is not known."""
    return None if None in values else math.exp(statistics.median(map(math.log, values)))


def window(middle):
    """Rates of one lattice, whatever lies in the middle, so that a search which has changed finds them trained."""
    index = round(DENSITY * math.log2(middle))
    return [2 ** (at / DENSITY) for at in range(index - BELOW * DENSITY, index + ABOVE * DENSITY)]


def play(name, program, folder):
    task = Task(name, Etalon(program))
    searches = [search(task, base) for base in BASES]
    known = [one["median"] for one in searches if one["median"] is not None]
    game = {"task": {"name": name, "title": task.title, "steps": task.steps}, "searches": searches}
    if not known:
        return game
    rates = window(median(known))
    scans = {}
    for one in searches:
        if one["median"] is None:
            continue
        # The bias of one search is dear enough; coverage takes the same scan for all.
        scanned = {"others": OTHERS} | ({"own": one["seeds"]} if one["base"] == BASES[0] else {})
        for whom, seeds in scanned.items():
            if one["metric"] not in scans:
                scans[one["metric"]] = scan_of(task, one["metric"], folder)
            scan = scans[one["metric"]]
            found = [boundary(rates, scan.at(rates, seed), one["metric"], one["threshold"]) for seed in seeds]
            one[whom] = {
                "seeds": len(found),
                "etas": [seed["eta"] for seed in found],
                "median": median([seed["eta"] for seed in found]),
                "with_islands": sum(seed["islands"] > 0 for seed in found),
            }
    return game | {"rates": [rates[0], rates[-1], len(rates)]}


def held_by_chance(own, others):
    """How often the interval from the lowest to the highest of `own` seeds holds the median of `others`, an odd number, where all
    are drawn alike: not where the median and all the others above it are above every one, or the same below."""
    half = (others + 1) // 2
    return 1 - 2 * math.comb(others, half) / math.comb(others + own, half)


def percent(ratio):
    return "-" if ratio is None else f"{100 * (ratio - 1):+.1f} %"


def section(record, path):
    """The page's section on eta*."""
    rows, ratios, held, expected = [], [], [], []
    for game in record["games"]:
        name = game["task"]["name"]
        for one in game["searches"]:
            own, others = (one.get(whom, {}).get("median") for whom in ("own", "others"))
            ratio = one["median"] / own if own and one["median"] else None
            if ratio is not None:
                ratios.append(ratio)
            holds = None
            if others is not None and one.get("low") is not None and one.get("high") is not None:
                holds = one["low"] <= others <= one["high"]
                held.append(holds)
                expected.append(one["coverage"])
            trained = f"{one['metric']} {number(one['threshold'])}" if "metric" in one else "-"
            rows.append(
                [name, one["base"], trained, number(one["median"]),
                 f"{number(one.get('low'))} to {number(one.get('high'))}", number(own), percent(ratio), number(others),
                 {None: "-", True: "yes", False: "no"}[holds], one.get("own", {}).get("with_islands", "-"),
                 number(one.get("budgets"))]
            )  # fmt: skip
    heads = ["task", "seed", "trained", "eta*", "its interval", "scan, same seeds", "bias", "scan, other seeds",
             "interval holds it", "seeds with islands", "budgets"]  # fmt: skip
    bias = statistics.median(ratios) if ratios else None
    size = statistics.median(abs(math.log(ratio)) for ratio in ratios) if ratios else None
    told = [f"Median bias {percent(bias)}"]
    if size is not None:
        told.append(f"median size of the deviations {100 * size:.1f} %")
    if held:
        told.append(f"the interval holds the other seeds' median in {sum(held)} of {len(held)} searches "
                    f"({100 * sum(held) / len(held):.0f} %; stated: {100 * statistics.fmean(expected):.0f} % for the median of all seeds)")  # fmt: skip
    return "\n".join([
        "## eta*\n",
        f"`etalon find --eta-star only` against scans of {DENSITY * (BELOW + ABOVE)} rates by five seeds, the search's own "
        f"and others, {DENSITY} an octave; every number is in `{path}`. The median of five other "
        "seeds has an error of its own: an interval from the lowest to the highest of five seeds, without any error of a search, "
        f"holds it in {100 * held_by_chance(5, len(OTHERS)):.0f} %.\n",
        "; ".join(told) + ".\n",
        table.markdown(heads, rows),
    ])  # fmt: skip
