"""A training with Lightning, whose own CSV logger writes the log: python lightning_csv.py RATE SEED FOLDER."""

import sys

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

rate, seed, folder = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
lightning.seed_everything(seed, verbose=False)
inputs = torch.randn(256, 20)
data = TensorDataset(inputs, inputs.sum(1, keepdim=True).sin())


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))

    def training_step(self, batch, _):
        loss = functional.mse_loss(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), rate)


trainer = lightning.Trainer(
    max_steps=60,
    accelerator="auto",
    # Every step, and at once: a divergence is seen in the row that has it.
    logger=CSVLogger(folder, name="", version="", flush_logs_every_n_steps=1),
    log_every_n_steps=1,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Model(), DataLoader(data, 32, shuffle=True))
