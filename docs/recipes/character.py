"""A small transformer that learns to guess the next character of a text, with AdamW.

    python character.py --lr 0.001 --seed 0 --log log.jsonl --text some.txt

A line of the log is a step: its loss, and every tenth step the loss on the last tenth of the text.
"""

import argparse
import json

import torch
from torch import nn
from torch.nn import functional

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--log", required=True)
parser.add_argument("--text", required=True)
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--width", type=int, default=64)
parser.add_argument("--context", type=int, default=64)
parser.add_argument("--batch", type=int, default=32)
options = parser.parse_args()

torch.manual_seed(options.seed)
# Several trainings side by side must not fight for the same cores.
torch.set_num_threads(1)

text = open(options.text, encoding="utf-8").read()
letters = sorted(set(text))
data = torch.tensor([letters.index(letter) for letter in text])
cut = len(data) * 9 // 10


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.letter = nn.Embedding(len(letters), options.width)
        self.place = nn.Embedding(options.context, options.width)
        block = nn.TransformerEncoderLayer(
            options.width, 4, 4 * options.width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.guess = nn.Linear(options.width, len(letters))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(options.context))

    def forward(self, letters):
        places = torch.arange(letters.shape[1])
        return self.guess(self.blocks(self.letter(letters) + self.place(places), self.mask, is_causal=True))


def loss(model, starts):
    windows = torch.stack([data[start : start + options.context + 1] for start in starts])
    return functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())


model = Transformer()
optimizer = torch.optim.AdamW(model.parameters(), options.lr)
held_out = torch.linspace(cut, len(data) - options.context - 1, options.batch).long()
with open(options.log, "w", buffering=1) as log:
    for step in range(options.steps + 1):
        batch = loss(model, torch.randint(cut - options.context, (options.batch,)))
        row = {"step": step, "loss": batch.item()}
        if step % 10 == 0:
            with torch.no_grad():
                row["val_loss"] = loss(model, held_out).item()
        log.write(json.dumps(row) + "\n")
        optimizer.zero_grad()
        batch.backward()
        optimizer.step()
