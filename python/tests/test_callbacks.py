"""Callbacks of trainers say what a watch says that is fed the same numbers, and what is said of the log that they leave."""

import csv
import warnings

import etalon
import etalon.hf
import etalon.lightning
import etalon.torch as et
import lightning.pytorch as lightning
import models
import pytest
import torch
import transformers
from torch import nn

MOMENTUM = 0.9


def mean_square(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


class Line(lightning.LightningModule):
    """Linear regression of 8 samples whose Hessian is diag(1, 0.09)."""

    def __init__(self, lr, make=None, batch_size=8):
        super().__init__()
        torch.manual_seed(0)
        self.line, self.lr, self.losses, self.make = nn.Linear(2, 1, bias=False).double(), lr, [], make
        self.batch_size = batch_size

    def forward(self, x):
        return self.line(x)

    def training_step(self, batch, index):
        loss = mean_square(self, batch)
        self.losses.append(loss.item())
        self.log("loss", loss)
        self.log("lr", self.optimizers().param_groups[0]["lr"])
        return loss

    def configure_optimizers(self):
        return (self.make or (lambda p: torch.optim.SGD(p, self.lr, momentum=MOMENTUM)))(self.parameters())

    def train_dataloader(self):
        inputs = torch.tensor([[1.0, 0.0], [0.0, 0.3]] * 4, dtype=torch.float64)
        dataset = torch.utils.data.TensorDataset(inputs, inputs @ torch.tensor([[3.0], [1.0]]).double())
        return torch.utils.data.DataLoader(dataset, batch_size=self.batch_size)


def fit(model, callback, steps, folder, **settings):
    trainer = lightning.Trainer(
        max_steps=steps,
        max_epochs=steps,
        callbacks=[callback],
        logger=lightning.loggers.CSVLogger(folder),
        log_every_n_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(model)
    return trainer, folder / "lightning_logs" / "version_0" / "metrics.csv"


# Of momentum, at a curvature of 1.
LIMIT = 2 + 2 * MOMENTUM


def test_lightning_is_judged_as_its_losses_and_its_log(tmp_path, capsys):
    model = Line(0.5 * LIMIT)
    callback = etalon.lightning.Watch(sharpness_every=10, loss=mean_square)
    trainer, log = fit(model, callback, 60, tmp_path)
    by_hand = etalon.Watch(momentum=MOMENTUM)
    for step, loss in enumerate(model.losses):
        by_hand.push(step, loss, model.lr, et.sharpness(model, mean_square, next(iter(model.train_dataloader()))).value)
    found = callback.finding()
    assert found.rows == len(model.losses) == 60
    assert found.over_limit == pytest.approx(0.5, rel=1e-6)
    # Every row of the log holds single precision.
    logged = etalon.Watch(momentum=MOMENTUM).read(log)
    for other in (by_hand.finding(), logged):
        assert (other.state, other.rises, other.step) == (found.state, found.rises, found.step)
        assert other.why.split()[0:5] == found.why.split()[0:5]
        assert other.over_limit == pytest.approx(found.over_limit, rel=1e-6)
        assert other.loss == pytest.approx(found.loss, rel=1e-5)
    sharpnesses = [float(row["sharpness"]) for row in csv.DictReader(log.open()) if row["sharpness"]]
    assert len(sharpnesses) == 6 and sharpnesses == pytest.approx([1.0] * 6, rel=1e-5)
    assert "step 2: lazy: the loss is 0.873 of the first" in capsys.readouterr().out


def test_lightning_stops_a_run_that_diverges(tmp_path, capsys):
    model = Line(3 * LIMIT)
    callback = etalon.lightning.Watch(stop_on="diverging")
    trainer, log = fit(model, callback, 500, tmp_path)
    assert callback.finding().state == "diverging" and trainer.global_step < 100
    assert etalon.Watch(momentum=MOMENTUM).read(log).state == "diverging"
    assert "diverging: the loss" in capsys.readouterr().out


def test_lightning_with_accumulated_gradients_and_adam(tmp_path):
    model = Line(0.1, make=lambda p: torch.optim.AdamW(p, 0.1, betas=(0.8, 0.99)), batch_size=4)
    callback = etalon.lightning.Watch(verbose=False)
    fit(model, callback, 8, tmp_path, accumulate_grad_batches=2)
    by_hand = etalon.Watch(adam=0.8)
    for step, losses in enumerate(zip(model.losses[::2], model.losses[1::2])):
        by_hand.push(step, sum(losses) / 2, model.lr)
    assert by_hand.finding().rows == 8
    assert callback.finding() == by_hand.finding()


class Tiny(nn.Module):
    """A classifier as transformers calls it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(6, 3)

    def forward(self, inputs, labels):
        logits = self.line(inputs)
        return transformers.modeling_outputs.SequenceClassifierOutput(nn.functional.cross_entropy(logits, labels), logits)


def train(callback, folder, rate, steps=40, optimizer=None):
    inputs, labels = models.samples(16, 6, dtype=torch.float32)
    rows = [dict(inputs=x, labels=y) for x, y in zip(inputs, labels)]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=rate,
        per_device_train_batch_size=16,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        max_grad_norm=0.0,
    )
    model = Tiny()
    chosen = optimizer(model.parameters()) if optimizer else None
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, callbacks=[callback], optimizers=(chosen, None))
    trainer.train()
    return trainer, dict(inputs=inputs, labels=labels)


def test_transformers_is_judged_as_its_log(tmp_path, capsys):
    batch = dict(zip(("inputs", "labels"), models.samples(16, 6, dtype=torch.float32)))
    callback = etalon.hf.Watch(sharpness_every=10, batch=batch)
    trainer, _ = train(callback, tmp_path, 0.2, optimizer=lambda p: torch.optim.SGD(p, 0.2, momentum=MOMENTUM))
    by_hand, found = etalon.Watch(momentum=MOMENTUM), callback.finding()
    for row in trainer.state.log_history:
        if "loss" in row:
            by_hand.push(row["step"], row["loss"], row["learning_rate"])
    expected = by_hand.finding()
    assert found.rows == 40 and (found.state, found.why, found.noise) == (expected.state, expected.why, expected.noise)
    assert found.over_limit > 0 and expected.over_limit is None
    assert "lazy: the loss is" in capsys.readouterr().out


def test_transformers_stops_a_run_that_diverges(tmp_path):
    callback = etalon.hf.Watch(stop_on=["diverging", "stuck"], verbose=False)
    trainer, _ = train(callback, tmp_path, 1e30, steps=300, optimizer=lambda p: torch.optim.SGD(p, 1e30))
    assert callback.finding().state == "diverging" and trainer.state.global_step < 20


def test_transformers_default_optimiser_is_read(tmp_path):
    callback = etalon.hf.Watch(verbose=False)
    trainer, _ = train(callback, tmp_path, 1e-3, steps=5)
    by_hand = etalon.Watch(adam=0.9)
    for row in trainer.state.log_history[:-1]:
        by_hand.push(row["step"], row["loss"], row["learning_rate"])
    assert callback.finding() == by_hand.finding()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: etalon.hf.Watch(stop_on="divergent"), "stop_on = 'divergent': it must be among"),
        (lambda: etalon.lightning.Watch(sharpness_every=0, loss=mean_square), "sharpness_every = 0"),
        (lambda: etalon.lightning.Watch(sharpness_every=5), "needs loss="),
        (lambda: etalon.hf.Watch(sharpness_every=5), "needs batch="),
    ],
)
def test_what_is_wrong_is_said(make, says):
    with pytest.raises(etalon.Error, match=says):
        make()
