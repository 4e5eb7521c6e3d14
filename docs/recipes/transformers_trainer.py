"""A training with transformers' Trainer, a line of JSON a step by a callback: python transformers_trainer.py RATE SEED LOG."""

import json
import sys

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

rate, seed, path = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.manual_seed(seed)
inputs = torch.randn(256, 20)
data = [{"x": x, "labels": x.sum().sin()} for x in inputs]


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))

    def forward(self, x, labels):
        return {"loss": torch.nn.functional.mse_loss(self.net(x)[:, 0], labels)}


class Log(TrainerCallback):
    def on_log(self, arguments, state, control, logs=None, **_):
        with open(path, "a") as log:
            log.write(json.dumps({"step": state.global_step, **logs}) + "\n")


arguments = TrainingArguments(
    output_dir=path + ".out",
    learning_rate=rate,
    seed=seed,
    max_steps=60,
    per_device_train_batch_size=32,
    logging_steps=1,
    # Otherwise a loss that is no number is told as the last one that was.
    logging_nan_inf_filter=False,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
)
Trainer(Model(), arguments, train_dataset=data, callbacks=[Log()]).train()
