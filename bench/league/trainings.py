"""Trainings of a task, each done once: what was trained lies in a file under target/league."""

import csv
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


def sweep(task, rates, seed, *overrides):
    """[(row of the summary, records of the trial)] of trainings at these rates."""
    with tempfile.TemporaryDirectory() as folder:
        task.etalon.run(
            "sweep", task.path, *overrides, "grid.job=\"train\"",
            f"grid.optimizer.eta=[{', '.join(map(repr, rates))}]", f"grid.seed=[{seed}]", "--out", folder,
        )  # fmt: skip
        rows = list(csv.DictReader((Path(folder) / "summary.csv").open()))
        if len(rows) != len(rates):
            raise RuntimeError(f"{task.name}: {len(rows)} of {len(rates)} trainings came back")
        trials = [Path(folder) / "trials" / f"{row['trial']}.jsonl" for row in rows]
        return [(row, list(map(json.loads, trial.open()))) for row, trial in zip(rows, trials)]


class Kept:
    """A file of JSON lines, each the result at a rate with a seed. It is of one program's making: where the program at
    hand gives another result for the first of them, all are dropped."""

    def __init__(self, path, compute):
        """`compute` gives the results at rates with a seed, by rate."""
        self.path, self.compute = Path(path), compute
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.known = {(eta, seed): result for eta, seed, result in map(json.loads, lines)}
        if self.known:
            eta, seed = next(iter(self.known))
            if compute([eta], seed)[eta] != self.known[eta, seed]:
                self.path.unlink()
                self.known = {}

    def at(self, rates, seed):
        """The result of each rate; what is missing is computed first, and kept."""
        missing = [eta for eta in rates if (eta, seed) not in self.known]
        if missing:
            found = self.compute(missing, seed)
            self.known |= {(eta, seed): result for eta, result in found.items()}
            with self.path.open("a") as file:
                file.writelines(json.dumps([eta, seed, result]) + "\n" for eta, result in found.items())
        return [self.known[eta, seed] for eta in rates]


@dataclass
class Training:
    eta: float
    seed: int
    # Held-out metric at the end; none of a training that diverged.
    value: float | None
    # Gradient steps taken.
    steps: int
    # [step, held-out metric] at each look.
    looks: list

    @property
    def diverged(self):
        return self.value is None


class Trainings:
    """Full trainings of a task."""

    def __init__(self, task, folder):
        self.task = task
        self.kept = Kept(Path(folder) / f"{task.name}-{task.digest}.jsonl", self.train)

    def at(self, rates, seeds):
        """{(rate, seed): Training}"""
        return {
            (eta, seed): Training(**one) for seed in seeds for eta, one in zip(rates, self.kept.at(rates, seed))
        }

    def one(self, eta, seed):
        return self.at([eta], [seed])[eta, seed]

    def train(self, rates, seed):
        metric = self.task.metric
        done = {}
        for row, records in sweep(self.task, rates, seed, "train.check_test=true"):
            looks = [[record["step"], record["test"][metric]] for record in records if "test" in record]
            value = float(row[f"test_{metric}"]) if row["stop"] == "budget" else None
            # Rates come back as they were written: `float(repr(x)) == x`.
            eta = float(row["optimizer.eta"])
            done[eta] = asdict(Training(eta, seed, value, int(row["steps"]), looks))
        return done
