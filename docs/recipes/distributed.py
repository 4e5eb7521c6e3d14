"""A training on several processes, of which the first writes the log: torchrun --nproc-per-node 2 distributed.py RATE SEED LOG."""

import json
import sys

import torch
import torch.distributed as dist
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

rate, seed, path = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
torch.manual_seed(seed)
torch.set_num_threads(1)
inputs = torch.randn(256, 20)
targets = inputs.sum(1, keepdim=True).sin()
# Each has its part of the samples; the gradient is the mean over all.
mine = slice(dist.get_rank(), None, dist.get_world_size())
model = DistributedDataParallel(
    torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
)
optimizer = torch.optim.AdamW(model.parameters(), rate)
log = open(path, "w", buffering=1) if dist.get_rank() == 0 else None
for step in range(61):
    loss = functional.mse_loss(model(inputs[mine]), targets[mine])
    told = loss.detach().clone()
    dist.all_reduce(told)
    if log:
        log.write(json.dumps({"step": step, "loss": told.item() / dist.get_world_size()}) + "\n")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
dist.destroy_process_group()
