"""What a work is done on, as Etalon's `bench WORK --save FOLDER` leaves it."""

import json
from pathlib import Path

# Set before the first is asked for.
FOLDER = Path()


def tensors(path):
    """The f32 arrays of a safetensors file by name."""
    import numpy as np

    data = Path(path).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[end:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


def problem():
    """Inputs, labels, and the parameters by PyTorch's names, as Etalon saved them."""
    samples = tensors(FOLDER / "samples")
    return samples["inputs"].copy(), samples["targets"].argmax(1), tensors(FOLDER / "weights")


def dense_problem():
    """Inputs, labels, and (weight, bias) of each layer, weights out x in."""
    inputs, labels, weights = problem()
    count = len(weights) // 2
    return inputs, labels, [[weights[f"layers.{i}.{part}"].copy() for part in ("weight", "bias")] for i in range(count)]
