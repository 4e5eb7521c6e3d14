"""Makes values/adamw.json: parameters and averages of torch.optim.AdamW in f64, over hundreds of steps.

    python adamw.py           write the values
    python adamw.py --check   compute them again and compare

The gradient of parameter i is curvature_i w_i + s slope_i, with s = 1 at even steps (counted from 0) and -1/2 at odd ones.
"""

import json
import sys
from pathlib import Path

import torch

VALUES = Path(__file__).parent / "values" / "adamw.json"
STEPS = [1, 2, 3, 10, 100, 400]
# Steep, flat, negative and none; gradients far above and below epsilon, and one that is always zero.
CURVATURE = [20.0, 1.0, -0.5, 1e-3, 0.0, 0.0, 2.0]
SLOPE = [0.0, 0.3, 0.1, 1e-10, 1e-9, 0.0, -7.0]
START = [1.0, -2.0, 0.25, 3.0, 1.5, -1.0, 1e-3]

# name: (eta, beta1, beta2, epsilon, weight decay)
CASES = {
    "defaults": (1e-3, 0.9, 0.999, 1e-8, 1e-2),
    "no_decay": (0.05, 0.9, 0.99, 1e-8, 0.0),
    "no_mean": (1e-2, 0.0, 0.9, 1e-6, 0.1),
    "slow": (3e-3, 0.99, 0.9999, 1e-10, 0.5),
    "large_epsilon": (0.02, 0.5, 0.5, 0.1, 0.3),
}


def run(eta, beta1, beta2, epsilon, weight_decay):
    curvature, slope = (torch.tensor(x, dtype=torch.float64) for x in (CURVATURE, SLOPE))
    w = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    rule = torch.optim.AdamW(
        [w], lr=eta, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay, foreach=False
    )
    states = []
    for step in range(STEPS[-1]):
        w.grad = curvature * w.detach() + (1.0 if step % 2 == 0 else -0.5) * slope
        rule.step()
        if step + 1 in STEPS:
            state = rule.state[w]
            numbers = {"parameters": w.detach(), "mean": state["exp_avg"], "square": state["exp_avg_sq"]}
            states.append({"step": step + 1, **{name: list(x.tolist()) for name, x in numbers.items()}})
    return states


def main():
    cases = [
        {
            "name": name,
            **dict(zip(("eta", "beta1", "beta2", "epsilon", "weight_decay"), constants)),
            "curvature": CURVATURE,
            "slope": SLOPE,
            "start": START,
            "states": run(*constants),
        }
        for name, constants in CASES.items()
    ]
    text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
    if "--check" in sys.argv[1:]:
        stored = json.loads(VALUES.read_text())
        assert [case["name"] for case in stored] == [case["name"] for case in cases]
        worst = max(
            abs(a - b) / max(abs(b), 1e-300)
            for old, new in zip(stored, cases)
            for before, after in zip(old["states"], new["states"], strict=True)
            for name in ("parameters", "mean", "square")
            for a, b in zip(before[name], after[name], strict=True)
        )
        print(f"{len(cases)} runs, largest relative difference {worst:.1e}")
        sys.exit(worst > 1e-12)
    VALUES.write_text(text)
    print(f"wrote {len(cases)} runs to {VALUES}")


if __name__ == "__main__":
    main()
