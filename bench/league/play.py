"""One task of the league: its truth, and what every method loses on it."""

import contextlib
import hashlib
import inspect
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

from finders import Suggestion
from methods import METHODS
from task import LEAGUE, ROOT, Etalon, Task
from trainings import Trainings
from truth import FRESH, Truth


def digest_of(method):
    """Of what its suggestions follow from beside the task: versions of the packages, how they are called and where they
    search, and the networks of range tests."""
    twin = [ROOT / "oracles" / name for name in ("torch_twin.py", "check_with_torch.py")]
    own = [LEAGUE / name for name in ("requirements.txt", "task.py", "twin.py")]
    files = [*own, inspect.getsourcefile(method.find), *twin]
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:16]


class Suggestions:
    """What methods have said of a task, in a file under target/league."""

    def __init__(self, task, folder):
        self.task = task
        self.path = Path(folder) / f"{task.name}-{task.digest}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}

    def of(self, method, trainings, seed):
        # Which reads all of the spec, not only what training depends on.
        spec = hashlib.sha256(self.task.path.read_bytes()).hexdigest()[:16]
        program = f", program {self.task.etalon.digest} of {spec}" if method.own else ""
        key = f"{method.name}, seed {seed}, {digest_of(method)}{program}"
        if key not in self.known:
            self.known[key] = asdict(silently(method.find, self.task, trainings, seed))
            self.path.write_text(json.dumps(self.known, indent=1))
        return Suggestion(**self.known[key])


def silently(find, *arguments):
    """What a finder says; packages print what they do."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return find(*arguments)


def play(name, program, methods, folder, starts=None):
    """{"task", "truth", "runs"} of a task; `methods` are names, each from `starts` base seeds (none: its own number), and
    results that took time are kept in `folder`."""
    task = Task(name, Etalon(program))
    trainings = Trainings(task, Path(folder) / "trainings")
    suggestions = Suggestions(task, Path(folder) / "suggestions")
    chosen = [replace(method, starts=starts or method.starts) for method in METHODS if method.name in methods]
    return game(task, Truth(task, trainings), chosen, suggestions.of)


def game(task, truth, methods, suggest):
    """What each method loses; `suggest(method, trainings, seed)` is its Suggestion."""
    runs = []
    for method in methods:
        for seed in method.seeds:
            said = suggest(method, truth.trainings, seed)
            run = {"method": method.name, "seed": seed, "eta": said.eta, "budgets": said.budgets, **said.more}
            run["regret"] = truth.regret(said.eta)
            if said.eta is not None:
                run["breaks"] = truth.breaks(said.eta)
                if method.checked:
                    run["fresh"] = {"diverged": truth.diverging(said.eta), "trained": len(FRESH)}
            runs.append(run)
    facts = {"title": task.title, "metric": task.metric, "steps": task.steps, "digest": task.digest}
    return {"task": {"name": task.name, **facts}, "truth": truth.summary(), "runs": runs}
