"""A task of the league: a spec of Etalon's, what is asked of it, and the program that reads it."""

import hashlib
import json
import math
import subprocess
import tomllib
from functools import cached_property
from pathlib import Path

LEAGUE = Path(__file__).resolve().parent
ROOT = LEAGUE.parent.parent
SPECS = LEAGUE / "tasks"
# Where everyone searches; on AdamW's scale a hundredth of that.
RANGE = {"sgd": (1e-3, 10.0), "adamw": (1e-5, 0.1)}
# Rates a decade of the scan.
DENSITY = 6


def grid(ends, density):
    """So many rates a decade, both ends included."""
    low, high = ends
    count = round(density * math.log10(high / low))
    return [low * (high / low) ** (index / count) for index in range(count + 1)]


class ProgramFailed(Exception):
    """The program ended with an error; its last words."""


class Etalon:
    """The program, on one thread: the league runs its tasks beside one another."""

    def __init__(self, program):
        self.program = str(program)

    def run(self, verb, *arguments, negative=False):
        """What it prints. A negative verdict (exit 1) is an error unless `negative`."""
        command = [self.program, verb, *map(str, arguments), "--quiet", "--threads", "1"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0 and not (negative and done.returncode == 1):
            raise ProgramFailed(f"{' '.join(command)}\n{done.stderr.strip()}")
        return done.stdout

    @cached_property
    def digest(self):
        """Of the program itself: a finder that has changed is asked again."""
        return hashlib.sha256(Path(self.program).read_bytes()).hexdigest()[:16]


class Task:
    def __init__(self, name, etalon):
        self.name, self.etalon = name, etalon
        self.path = SPECS / f"{name}.toml"
        self.spec = tomllib.loads(etalon.run("spec", self.path))

    @property
    def title(self):
        """The comment at the file's head."""
        return self.path.read_text().splitlines()[0].lstrip("# ")

    @cached_property
    def digest(self):
        """Of what training depends on, so that what was trained under other keys is not taken for this."""
        kept = {key: value for key, value in self.spec.items() if key not in ("measure", "search", "boundaries")}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def steps(self):
        """Gradient steps of one full training: the unit of budgets."""
        return self.spec["train"]["steps"]

    @property
    def batch(self):
        batch = self.spec["train"]["batch"]
        return self.spec["data"]["train"] if batch == "full" else batch

    @property
    def optimizer(self):
        return self.spec["optimizer"].get("kind", "sgd")

    @property
    def range(self):
        return RANGE[self.optimizer]

    def rates(self):
        """The grid of the scan, over the whole range."""
        return grid(self.range, DENSITY)

    @property
    def has_classes(self):
        return self.spec["data"]["name"] != "teacher"

    @property
    def classes(self):
        data = self.spec["data"]
        return len(data["classes"]) or {"two-gaussians": 2}.get(data["name"], 10)

    @property
    def metric(self):
        return "accuracy" if self.has_classes else "loss"

    @cached_property
    def chance(self):
        """The metric of a constant prediction: a guess among the classes, or the mean of the training samples."""
        if self.has_classes:
            return 1 / self.classes
        told = self.etalon.run("train", self.path, "train.steps=1", "--json", negative=True)
        return json.loads(told)["evidence"]["constant_loss"]

    def bench(self, seed):
        """The task in PyTorch, which not all finders need."""
        from twin import Bench

        return Bench(self, seed)


def names():
    return sorted(path.stem for path in SPECS.glob("*.toml"))
