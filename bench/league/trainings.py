"""Full trainings of a task, each done once: what was trained lies in a file under target/league."""

import csv
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Training:
    eta: float
    seed: int
    # Held-out metric at the end; none of a training that diverged.
    value: float | None
    # Gradient steps taken.
    steps: int
    # (step, held-out metric) at each look.
    looks: list

    @property
    def diverged(self):
        return self.value is None


class Trainings:
    """What is known of a task, and how to learn more: `etalon sweep` over rates and seeds."""

    def __init__(self, task, folder):
        self.task = task
        self.path = Path(folder) / f"{task.name}-{task.digest}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.known = {}
        for line in lines:
            self.remember(Training(**json.loads(line)))

    def remember(self, training):
        self.known[training.eta, training.seed] = training

    def at(self, rates, seeds):
        """{(rate, seed): Training}; what is missing is trained first, and kept."""
        for seed in seeds:
            missing = [eta for eta in rates if (eta, seed) not in self.known]
            if missing:
                self.train(missing, [seed])
        return {(eta, seed): self.known[eta, seed] for eta in rates for seed in seeds}

    def one(self, eta, seed):
        return self.at([eta], [seed])[eta, seed]

    def train(self, rates, seeds):
        metric = f"test_{self.task.metric}"
        with tempfile.TemporaryDirectory() as folder:
            self.task.etalon.run(
                "sweep", self.task.path, "grid.job=\"train\"",
                f"grid.optimizer.eta=[{', '.join(map(repr, rates))}]", f"grid.seed={list(seeds)}",
                "train.check_test=true", "--out", folder,
            )  # fmt: skip
            rows = list(csv.DictReader((Path(folder) / "summary.csv").open()))
            # Rates come back as they were written: `float(repr(x)) == x`.
            done = [self.read(row, metric, Path(folder)) for row in rows]
        if len(done) != len(rates) * len(seeds):
            raise RuntimeError(f"{self.task.name}: {len(done)} of {len(rates) * len(seeds)} trainings came back")
        with self.path.open("a") as file:
            for training in done:
                self.remember(training)
                file.write(json.dumps(asdict(training)) + "\n")

    def read(self, row, metric, folder):
        records = [json.loads(line) for line in (folder / "trials" / f"{row['trial']}.jsonl").open()]
        looks = [(record["step"], record["test"][self.task.metric]) for record in records if "test" in record]
        value = float(row[metric]) if row["stop"] == "budget" else None
        return Training(float(row["optimizer.eta"]), int(row["seed"]), value, int(row["steps"]), looks)
