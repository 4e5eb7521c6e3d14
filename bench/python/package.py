"""The environment of the benchmarks of the Python package, with the package of what the tree holds now."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "python-bench"
ENVIRONMENT = FOLDER / "environment"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
# Of libraries that count them when they are imported.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def enter(threads=1):
    """Goes on in the environment's Python."""
    import environment

    os.environ.update({name: str(threads) for name in THREADS})
    environment.enter(ENVIRONMENT, REQUIREMENTS)


def build():
    """Builds the package and installs it, for whoever runs in the environment."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation"]
    # maturin lies beside Python.
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*pip, "--no-deps", "--force-reinstall", ROOT], check=True, env=dict(os.environ, PATH=path))


def load(path):
    """The functions of a command without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(f"{path.parent.name}_{path.name}", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
