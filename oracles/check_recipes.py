"""Runs the recipes of docs/trainers.md: a training at a rate that trains, and where it starts fast one at a rate that does not.

    python check_recipes.py PATH_OF_ETALON

Their logs must be read, with the first loss and the number of steps that they have, and judged. nanoGPT is a program that
prints its lines; the transformer is searched: its eta*, the curve below it, and the page, which Chromium opens.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "docs" / "recipes"
PYTHON = f"'{sys.executable}'"
# A stand-in for nanoGPT's train.py, with its flags and its words.
NANOGPT = """
import sys
flags = dict(word[2:].split("=") for word in sys.argv[2:])
x, rate = 1.0, float(flags["learning_rate"])
print("number of parameters: 0.00M")
for step in range(61):
    if step % int(flags["eval_interval"]) == 0:
        print(f"step {step}: train loss {x * x:.4f}, val loss {x * x + 0.1:.4f}")
    print(f"iter {step}: loss {x * x:.4f}, time 12.00ms, mfu -100.00%")
    x -= rate * x if abs(x) < 1e100 else float("nan")
"""


def run(*command, folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def once(etalon, name, trainer, folder, steps=60, rates=(0.01, 1e6), keys=()):
    """Trains at a rate that trains, then at one that does not."""
    told = []
    for rate, expected in zip(rates, (("lazy", "catapult"), ("divergent", "stuck"))):
        report = json.loads(run(etalon, "train", *trainer, f"optimizer.eta={rate}", *keys, "--json", "-q", folder=folder))
        told.append(f"eta {rate:g}: {report['phase']}")
        if report["phase"] not in expected:
            sys.exit(f"{name} at {rate}: {report}")
        if rate == rates[0] and report["steps"] != steps:
            sys.exit(f"{name}: {report['steps']} steps")
    print(f"{name:13} {'; '.join(told)}", flush=True)


def opened(page, folder):
    """A page as Chromium has it when its scripts have run, and the words of its console."""
    flags = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --enable-logging=stderr --dump-dom"
    command = ["chromium", *flags.split(), f"--user-data-dir={folder / 'browser'}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def transformer(etalon, folder):
    small = "--steps 40 --width 32 --context 32 --batch 8"
    trainer = (
        f"{PYTHON} '{RECIPES}/character.py' --lr {{eta}} --seed {{seed}} --log {{log}} --text '{ROOT}/docs/concepts.md' {small}"
    )
    search = "search.seeds=1 search.trainings=1 search.tolerance=1 search.factor=4 search.range=[0.003,0.5] search.phase=false"
    goal = ["--goal", "val_loss < 3.6", "--start", "0.01", "--slots", "2"]
    text = run(etalon, "find", "--trainer", trainer, *goal, *search.split(), "--json", "-q", "--out", "run", folder=folder)
    found = json.loads(text)
    star = found["eta_star"]["median"]
    curve = [(point["eta"], point["validation"]) for point in found["recommended"]["curve"] if point["role"] != "short"]
    run(etalon, "report", "run", folder=folder)
    page = (folder / "run" / "report.html").read_text()
    print(f"transformer   eta* {star:.3g}; use {found['recommended']['eta']:.3g}; " + ", ".join(f"val_loss {value:.3f} at {eta:.3g}" for eta, value in curve))
    if not (0.01 < star < 0.3 and 0.003 < found["recommended"]["eta"] <= star and all(value < 3.6 for _, value in curve)):
        sys.exit(text)
    if "val_loss" not in page or len(curve) < 2:
        sys.exit("the page or the curve is not whole")
    shown, console = opened(folder / "run" / "report.html", folder)
    drawn = shown.count('<figure class="plot')
    if console or not drawn:
        sys.exit(f"the page has {drawn} figures in Chromium, and its console {console}")
    # What a broken page would have said.
    (folder / "broken.html").write_text("<script>null.x</script>")
    if not opened(folder / "broken.html", folder)[1]:
        sys.exit("Chromium tells no error of a broken page")
    print(f"the page      {drawn} figures, no word in the console")


def main():
    (etalon,) = sys.argv[1:] or sys.exit(__doc__)
    etalon = Path(etalon).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        python = lambda name, log="{log}": ["--trainer", f"{PYTHON} '{RECIPES}/{name}' {{eta}} {{seed}} {log}"]
        once(etalon, "JAX", python("jax_optax.py"), folder)
        once(etalon, "Lightning", python("lightning_csv.py", "{out}"), folder, 59, (0.01,), ['trainer.log="{out}/metrics.csv"'])
        once(etalon, "transformers", python("transformers_trainer.py"), folder)
        torchrun = f"{PYTHON} -m torch.distributed.run --standalone --nproc-per-node 2 '{RECIPES}/distributed.py'"
        once(etalon, "torchrun", ["--trainer", torchrun + " {eta} {seed} {log}"], folder, rates=(0.01,))
        run("rustc", "-O", RECIPES / "regression.rs", "-o", "regression", folder=folder)
        once(etalon, "Rust", ["--trainer", "./regression {eta} {seed} {log}"], folder, rates=(0.5, 50))
        (folder / "train.py").write_text(NANOGPT)
        once(etalon, "nanoGPT", [RECIPES / "nanogpt.toml"], folder, rates=(0.5, 5))
        transformer(etalon, folder)


if __name__ == "__main__":
    main()
