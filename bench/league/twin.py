"""A task's network in PyTorch: oracles/torch_twin.py with the weights and samples that Etalon draws, as safetensors."""

import sys
import tempfile
from pathlib import Path

from task import ROOT

sys.path.append(str(ROOT / "oracles"))

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

import torch_twin  # noqa: E402
from check_with_torch import loss_of  # noqa: E402

# The twin compares in f64; here everyone trains as users do.
torch.set_default_dtype(torch.float32)


class Bench:
    """A task in PyTorch, with the weights that Etalon draws for a seed."""

    def __init__(self, task, seed):
        self.task, self.seed = task, seed
        with tempfile.TemporaryDirectory() as folder:
            weights, samples = Path(folder) / "weights.safetensors", Path(folder) / "samples.safetensors"
            task.etalon.run(
                "measure", task.path, "--seed", seed, f"measure.samples={task.spec['data']['train']}",
                "measure.iterations=1", "--save-weights", weights, "--save-batch", samples, negative=True,
            )  # fmt: skip
            loaded, self.weights = load_file(samples), load_file(weights)
        self.inputs, self.targets = loaded["inputs"].float(), loaded["targets"].float()
        from fastai.torch_core import set_seed

        # Of Python, NumPy and PyTorch: all of them shuffle here.
        set_seed(seed)

    def network(self):
        return torch_twin.network_of(self.task.spec, self.inputs[0].numel(), self.targets.shape[1], self.weights)

    def loss(self, outputs, targets):
        return loss_of(self.task.spec["loss"], outputs, targets)

    def samples(self):
        return torch.utils.data.TensorDataset(self.inputs, self.targets)

    def loader(self):
        return torch.utils.data.DataLoader(self.samples(), self.task.batch, shuffle=True, drop_last=True)

    def optimizer(self):
        """The class and its settings but the rate."""
        keys = self.task.spec["optimizer"]
        if self.task.optimizer == "adamw":
            betas = (keys["beta1"], keys["beta2"])
            return torch.optim.AdamW, {"betas": betas, "eps": keys["epsilon"], "weight_decay": keys["weight_decay"]}
        return torch.optim.SGD, {key: keys[key] for key in ("momentum", "nesterov", "weight_decay")}
