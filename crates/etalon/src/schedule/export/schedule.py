import copy
import math
import warnings

import torch


class Schedule:
    """Sets the rates of a torch.optim.SGD so that parameters whose scale does not matter learn without weight decay
    what they would learn with it. Others keep the plain rate and their weight decay:

        scaled = [p for p in model.parameters() if is_followed_by_a_normalisation(p)]
        optimizer = torch.optim.SGD(
            [{"params": scaled, "weight_decay": 0.0}, {"params": others, "weight_decay": WEIGHT_DECAY}],
            lr=1.0, momentum=MOMENTUM,
        )
        schedule = Schedule(optimizer, model, inputs, scaled=[0])  # a few samples, as in model(inputs)
        for ... in ...:
            ...
            optimizer.step()
            schedule.step()

    A layer's bias goes with its weight, or is left out (bias=False). That the outputs do not change with the scale of
    these parameters is tried on a copy of the model, and an error where they do. model(inputs), or model(*inputs) for
    a tuple, must be a tensor; where it is none, wrap the model in a module that picks one.

    The rate outgrows every float, and so do the weights. Before they do, weights are divided by c, the momentum buffer
    is multiplied by c, and the rate is divided by c^2, which changes no function; c is a power of 2, which costs no
    digits.

    Running statistics (BatchNorm) remember batches of steps when the weights were shorter. They are lengthened with the
    weights after every step, so that model.eval() too gives what it gives with weight decay; evaluate and save after
    schedule.step(), not before. `unpaired` names the layers whose running statistics are no multiple, behind a bias that
    is not scaled, and a warning does: there call torch.optim.swa_utils.update_bn(batches, model) before evaluation.

    The normalisations must have eps = 0, or an eps far below the variance of what they see: how much eps counts depends on
    the length of the weights, which is another here. PyTorch's BatchNorm refuses 0; take eps=1e-30. At the usual 1e-5 the
    two trainings part. With two hidden layers of 32, rate 0.1, momentum 0.9 and weight decay 5e-3, logits of training
    batches differ by up to 2.7e-4 in 100 steps and by 2.7 in 300, where held-out accuracy is 0.863 with weight decay and
    0.864 without; `python oracles/check_schedule_export.py ETALON` in Etalon's sources prints these numbers.

    Not covered, and refused: other optimisers (Adam, decoupled weight decay as in AdamW), Nesterov momentum, dampening.
    Not covered, and not noticed: clipped gradients, averages of weights over steps, normalisations kept in eval() while
    training, optimizer.step() without schedule.step() (as when a GradScaler skips one).
    """

    def __init__(self, optimizer, model, inputs, scaled=(0,)):
        if not isinstance(optimizer, torch.optim.SGD):
            raise ValueError(f"this schedule is for torch.optim.SGD, not {type(optimizer).__name__}")
        for group in optimizer.param_groups:
            if group["momentum"] != MOMENTUM or group["nesterov"] or group["dampening"]:
                raise ValueError(f"this schedule is for momentum={MOMENTUM}, nesterov=False, dampening=0")
        for index in scaled:
            if optimizer.param_groups[index]["weight_decay"]:
                raise ValueError(f"group {index} has weight decay; the schedule stands for it, set it to 0")
        self.optimizer, self.scaled = optimizer, list(scaled)
        self.steps_done, self.exponent = 0, 0
        powers = _powers(model, self._parameters(), inputs)
        modules = dict(model.named_modules())
        self.statistics = [(modules[name], power) for name, power in powers.items() if power]
        self.unpaired = [name for name, power in powers.items() if power is None]
        if self.unpaired:
            warnings.warn(
                f"the running statistics of {', '.join(self.unpaired)} are no multiple of those with weight decay, "
                "because of a bias that is not scaled with its weight: leave it out, put it into a scaled group, or call "
                "torch.optim.swa_utils.update_bn(batches, model) before evaluation",
                stacklevel=2,
            )
        if not any("momentum_buffer" in optimizer.state[parameter] for parameter in self._parameters()):
            self._correct()
        self._set_rates()

    @torch.no_grad()
    def step(self):
        """Call it after every optimizer.step()."""
        before = self._log_scale()
        self.steps_done += 1
        step = self._index()
        while LOG_ETA[step] - PLAIN_LOG_ETA[step] - 2 * self.exponent * math.log(2) > 4 * math.log(2):
            self._rescale(2)
        growth = self._log_scale() - before
        for norm, power in self.statistics:
            norm.running_mean.mul_(math.exp(power * growth))
            norm.running_var.mul_(math.exp(2 * power * growth))
        self._correct()
        self._set_rates()

    def state_dict(self):
        return {"steps_done": self.steps_done, "exponent": self.exponent}

    def load_state_dict(self, state):
        """Call it after the model's and the optimiser's."""
        self.steps_done, self.exponent = state["steps_done"], state["exponent"]
        self._set_rates()

    def _index(self):
        # After the last step the last rate stays.
        return min(self.steps_done, len(LOG_ETA) - 1)

    def _log_scale(self):
        """The logarithm of how many times longer the weights are than those that learn with weight decay."""
        return LOG_SCALE[min(self.steps_done, len(LOG_ETA))] - self.exponent * math.log(2)

    def _set_rates(self):
        step = self._index()
        for index, group in enumerate(self.optimizer.param_groups):
            if index in self.scaled:
                group["lr"] = math.exp(LOG_ETA[step] - 2 * self.exponent * math.log(2))
            else:
                group["lr"] = math.exp(PLAIN_LOG_ETA[step])

    def _rescale(self, exponent):
        self.exponent += exponent
        for parameter in self._parameters():
            parameter.mul_(2.0**-exponent)
            buffer = self.optimizer.state[parameter].get("momentum_buffer")
            if buffer is not None:
                buffer.mul_(2.0**exponent)

    @torch.no_grad()
    def _correct(self):
        if self.steps_done not in CORRECTIONS:
            return
        factor = CORRECTIONS[self.steps_done] * math.exp(-2 * self._log_scale())
        for parameter in self._parameters():
            state = self.optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            state["momentum_buffer"].sub_(parameter, alpha=factor)

    def _parameters(self):
        return [p for index in self.scaled for p in self.optimizer.param_groups[index]["params"]]


@torch.no_grad()
def _powers(model, scaled, inputs):
    """For each module with running statistics, the power of the scale of the `scaled` parameters that its batch's mean
    has; None where the mean is no multiple. Found on a copy in f64, without eps and with weights that hide nothing by
    being zero: it runs twice, the second time with parameters twice as long, which rounds nothing."""
    names = {name for name, parameter in model.named_parameters() if any(parameter is p for p in scaled)}
    if len(names) != len(scaled):
        raise ValueError("the scaled groups of the optimiser hold parameters that are not the model's")
    probe = copy.deepcopy(model).cpu().double().train()
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    inputs = [x.detach().cpu().double() if x.is_floating_point() else x.cpu() for x in inputs]
    norms = {name: m for name, m in probe.named_modules() if getattr(m, "running_mean", None) is not None}
    for module in probe.modules():
        if hasattr(module, "eps"):
            module.eps = 1e-60
    for norm in norms.values():
        norm.momentum = 1.0  # the statistics of the last batch alone

    def run():
        torch.default_generator.manual_seed(1)  # the same masks of dropout
        outputs = probe(*inputs)
        return outputs, {name: (norm.running_mean.clone(), norm.running_var.clone()) for name, norm in norms.items()}

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        for parameter in probe.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
        outputs, statistics = run()
        for name, parameter in probe.named_parameters():
            if name in names:
                parameter.mul_(2.0)
        same_outputs, grown = run()
    change = ((same_outputs - outputs).norm() / outputs.norm()).item()
    if not change < 1e-6:
        raise ValueError(
            f"the outputs change by {change:.1e} of themselves when the scaled parameters are doubled; keep only those "
            "that a normalisation follows, each with its bias"
        )
    powers = {}
    for name, (mean, var) in statistics.items():
        grown_mean, grown_var = grown[name]
        total, grown_total = var.sum().item(), grown_var.sum().item()
        power = round(math.log2(grown_total / total) / 2) if total > 0 and grown_total > 0 else 0
        apart = (grown_mean - 2.0**power * mean).norm() + (grown_var - 4.0**power * var).sum().abs().sqrt()
        size = grown_mean.norm() + math.sqrt(grown_total)
        powers[name] = power if apart < 1e-6 * size else None
    return powers
