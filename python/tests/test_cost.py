"""What calls cost on ten million parameters: products, passes, and numbers that are held at once."""

import etalon.torch as et
import models
import torch
from etalon.torch import critical, hessian
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Held(TorchDispatchMode):
    """The bytes of tensors that are made while it is entered, those that are there and the most that were."""

    def __init__(self):
        super().__init__()
        self.storages, self.most = {}, 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        answer = function(*arguments, **(keywords or {}))
        for tensor in tree_leaves(answer):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self.storages[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self.most = max(self.most, self.bytes())
        return answer

    def bytes(self):
        self.storages = {key: one for key, one in self.storages.items() if not one[0].expired()}
        return sum(size for _, size in self.storages.values())


def network():
    torch.manual_seed(0)
    sizes = [1024, 2048, 2048, 2048]
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(2048, 10))
    assert sum(p.numel() for p in model.parameters()) > 1e7
    return model, models.cross_entropy, models.samples(64, 1024, classes=10, dtype=torch.float32)


def test_sharpness_takes_few_products_and_4_vectors_beyond_the_graph(monkeypatch):
    model, loss, batch = network()
    begun, build = [], hessian.Hessian.__init__

    def watched(*arguments):
        build(*arguments)
        begun.append(held.bytes())
        held.most = 0

    monkeypatch.setattr(hessian.Hessian, "__init__", watched)
    with Held() as held:
        found = et.sharpness(model, loss, batch)
    # Half of them are there to see that nothing larger was overlooked: at its start, a network's spectrum has no gap.
    assert found.converged and found.products <= 25, found
    vector = 4 * found.parameters
    # There is something to count: the graph has the gradient, and Lanczos three vectors.
    assert begun[0] >= vector and held.most - begun[0] >= 3 * vector
    assert held.most - begun[0] <= 4 * vector, (held.most - begun[0]) / vector


def test_critical_lr_takes_12_passes_and_one_copy(monkeypatch):
    model, loss, batch = network()
    begun, build = [], critical._Line.__init__

    def watched(*arguments):
        begun.append(held.bytes())
        held.most = 0
        build(*arguments)

    monkeypatch.setattr(critical._Line, "__init__", watched)
    with Held() as held:
        found = et.critical_lr(model, loss, batch)
    assert found.converged and found.passes <= 12, found
    vector = 4 * found.parameters
    assert vector <= held.most - begun[0] <= 1.1 * vector, (held.most - begun[0]) / vector
