"""PyTorch and JAX on the works that Etalon is timed on.

    python peers.py WORK PEER --problem FOLDER [--repeats N] [--threads T]
    python peers.py --list

Prints one JSON line: {"work", "peer", "unit", "samples", "check"}, or
{"work", "peer", "skipped"} with the reason. README.md says what the works are.
FOLDER holds what the work is done on, as Etalon's `bench WORK --save FOLDER` leaves it.
`check` is a number that every peer must agree on up to f32 rounding, so that a
peer cannot be fast by computing something else.
"""

import argparse
import json
import os
from pathlib import Path

import jax_peers  # noqa: F401: enters its peers
import problem
import torch_peers  # noqa: F401
from peer import PEERS, Skipped

UNITS = {"w1": "ms", "w2": "s", "w3": "ms", "w4": "ms", "w7": "ms", "w11": "s", "w13": "s"}


def limit_threads(threads):
    """Before the libraries are imported: they count their threads then.

    JAX has no option of its own; XLA's pool has one thread for each core that
    the process may run on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", nargs="?", choices=UNITS)
    parser.add_argument("peer", nargs="?")
    parser.add_argument("--problem", type=Path, metavar="FOLDER", help="what `bench WORK --save FOLDER` left")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every work and peer")
    arguments = parser.parse_args()
    if arguments.list:
        for work, name in PEERS:
            print(work, name)
        return
    if (arguments.work, arguments.peer) not in PEERS:
        parser.error("give a WORK and a PEER that --list names")
    if arguments.repeats < 1 or arguments.threads < 1:
        parser.error("--repeats and --threads must be at least 1")

    if arguments.problem is None:
        parser.error("--problem: which folder holds what the work is done on?")
    problem.FOLDER = arguments.problem
    line = {"work": arguments.work, "peer": arguments.peer}
    limit_threads(arguments.threads)
    try:
        run = PEERS[arguments.work, arguments.peer]
        samples, check = run(arguments.repeats, arguments.threads)
        line |= {"unit": UNITS[arguments.work], "samples": samples, "check": check}
    except ImportError as error:
        line["skipped"] = f"{error}: pip install -r bench/requirements.txt"
    except Skipped as reason:
        line["skipped"] = str(reason)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
