"""Makes values/schedules.json: learning rates of PyTorch's schedulers, step by step.

    python schedules.py           write the values
    python schedules.py --check   compute them again and compare

The base rate is 0.1 everywhere. `rates[t]` is the rate with which step t updates.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler as ls

VALUES = Path(__file__).parent / "values" / "schedules.json"
ETA = 0.1


def warmup(optimizer, steps):
    return ls.LinearLR(optimizer, start_factor=1 / (steps + 1), total_iters=steps)


def after_warmup(steps, then):
    """`then` begins when the warm-up ends."""
    return lambda o: ls.SequentialLR(o, [warmup(o, steps), then(o)], milestones=[steps])


def with_warmup(steps, beside):
    """`beside` counts its steps from the start."""
    return lambda o: ls.ChainedScheduler([warmup(o, steps), beside(o)])


# name: (steps, keys of the spec's [schedule], scheduler)
CASES = {
    "constant": (10, {"kind": "constant"}, lambda o: ls.ConstantLR(o, factor=1.0)),
    "multi_step": (
        20,
        {"kind": "step", "milestones": [5, 6, 15], "factor": 0.3},
        lambda o: ls.MultiStepLR(o, [5, 6, 15], gamma=0.3),
    ),
    "cosine": (
        37,
        {"kind": "cosine", "end": 0.02},
        lambda o: ls.CosineAnnealingLR(o, T_max=37, eta_min=0.02 * ETA),
    ),
    "linear": (
        37,
        {"kind": "linear", "end": 0.25},
        lambda o: ls.LinearLR(o, start_factor=1.0, end_factor=0.25, total_iters=37),
    ),
    "decaying": (50, {"kind": "exponential", "growth": 0.9}, lambda o: ls.ExponentialLR(o, 0.9)),
    "growing": (50, {"kind": "exponential", "growth": 1.5}, lambda o: ls.ExponentialLR(o, 1.5)),
    "warmup": (20, {"kind": "constant", "warmup": 7}, lambda o: warmup(o, 7)),
    "warmup_cosine": (
        40,
        {"kind": "cosine", "end": 0.0, "warmup": 8},
        after_warmup(8, lambda o: ls.CosineAnnealingLR(o, T_max=32)),
    ),
    "warmup_linear": (
        40,
        {"kind": "linear", "end": 0.0, "warmup": 8},
        after_warmup(8, lambda o: ls.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=32)),
    ),
    "warmup_multi_step": (
        20,
        {"kind": "step", "milestones": [3, 12], "factor": 0.1, "warmup": 5},
        with_warmup(5, lambda o: ls.MultiStepLR(o, [3, 12], gamma=0.1)),
    ),
    "warmup_growing": (
        20,
        {"kind": "exponential", "growth": 1.1, "warmup": 5},
        with_warmup(5, lambda o: ls.ExponentialLR(o, 1.1)),
    ),
    "one_cycle": (
        40,
        {"kind": "one_cycle"},
        lambda o: ls.OneCycleLR(o, max_lr=ETA, total_steps=40, cycle_momentum=False),
    ),
    "one_cycle_of_its_own": (
        33,
        {"kind": "one_cycle", "rise": 0.4, "divisor": 10.0, "final_divisor": 100.0},
        lambda o: ls.OneCycleLR(
            o, ETA, total_steps=33, pct_start=0.4, div_factor=10.0, final_div_factor=100.0, cycle_momentum=False
        ),
    ),
    "stable_decay": (
        30,
        {"kind": "wsd", "warmup": 5, "decay": 10, "end": 0.1},
        lambda o: ls.SequentialLR(
            o,
            [
                warmup(o, 5),
                ls.ConstantLR(o, factor=1.0),
                ls.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=10),
            ],
            milestones=[5, 20],
        ),
    ),
    "piecewise": (
        20,
        {"kind": "piecewise", "milestones": [0, 4, 11], "factors": [0.5, 1.0, 0.05]},
        lambda o: ls.LambdaLR(o, lambda t: 0.5 if t < 4 else 1.0 if t < 11 else 0.05),
    ),
}


def rates(steps, scheduler):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=ETA)
    schedule = scheduler(optimizer)
    result = []
    for _ in range(steps):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return result


def main():
    # SequentialLR's own use of a deprecated argument.
    warnings.filterwarnings("ignore", category=UserWarning)
    cases = [
        {"name": name, "steps": steps, "schedule": keys, "rates": rates(steps, scheduler)}
        for name, (steps, keys, scheduler) in CASES.items()
    ]
    text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
    if "--check" in sys.argv[1:]:
        stored = json.loads(VALUES.read_text())
        assert [case["name"] for case in stored] == [case["name"] for case in cases]
        worst = max(
            abs(a - b) / max(abs(b), 1e-300)
            for old, new in zip(stored, cases)
            for a, b in zip(old["rates"], new["rates"], strict=True)
        )
        print(f"{len(cases)} schedules, largest relative difference {worst:.1e}")
        sys.exit(worst > 1e-12)
    VALUES.write_text(text)
    print(f"wrote {len(cases)} schedules to {VALUES}")


if __name__ == "__main__":
    main()
