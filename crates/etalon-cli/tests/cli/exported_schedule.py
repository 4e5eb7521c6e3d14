"""Trains a small network in PyTorch twice, with weight decay and under the exported schedule (the first argument),
and prints the largest difference of the losses and of the outputs, and the exponent that was taken out. Exits with 3
where there is no torch."""

import importlib.util
import math
import sys

try:
    import torch
except ImportError:
    sys.exit(3)

spec = importlib.util.spec_from_file_location("exported", sys.argv[1])
exported = importlib.util.module_from_spec(spec)
spec.loader.exec_module(exported)

torch.manual_seed(0)
# Small products: threads would only wait for one another.
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
x = torch.randn(256, 8)
y = (x[:, 0] * x[:, 1] > 0).long()


def network():
    torch.manual_seed(1)
    norm = lambda: torch.nn.LayerNorm(16, eps=0, elementwise_affine=False)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 16, bias=False), norm(), torch.nn.Tanh(),
        torch.nn.Linear(16, 16, bias=False), norm(), torch.nn.Tanh(),
        torch.nn.Linear(16, 2),
    )


def train(schedule):
    model = network()
    scaled, others = [model[0].weight, model[3].weight], list(model[6].parameters())
    decays = (0.0 if schedule else exported.WEIGHT_DECAY, exported.WEIGHT_DECAY)
    groups = [{"params": p, "weight_decay": d} for p, d in zip((scaled, others), decays)]
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=exported.MOMENTUM)
    scheduler = exported.Schedule(optimizer) if schedule else None
    losses = []
    for step in range(len(exported.LOG_ETA)):
        batch = torch.arange(32 * step, 32 * step + 32) % 256
        if not schedule:
            for group in optimizer.param_groups:
                group["lr"] = math.exp(exported.PLAIN_LOG_ETA[step])
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        if schedule:
            scheduler.step()
            if step == len(exported.LOG_ETA) // 2:
                state = scheduler.state_dict()
                scheduler = exported.Schedule(optimizer)
                scheduler.load_state_dict(state)
        losses.append(loss.item())
    return torch.tensor(losses), model(x).detach(), scheduler


plain, outputs, _ = train(False)
grown, same_outputs, schedule = train(True)
print((plain - grown).abs().max().item(), (outputs - same_outputs).abs().max().item(), schedule.exponent)
