import math

import torch


class Schedule:
    """Sets the rates of a torch.optim.SGD so that parameters whose scale does not matter learn without weight decay
    what they would learn with it. Others keep the plain rate and their weight decay:

        scaled = [p for p in model.parameters() if is_followed_by_a_normalisation(p)]  # without its own bias
        optimizer = torch.optim.SGD(
            [{"params": scaled, "weight_decay": 0.0}, {"params": others, "weight_decay": WEIGHT_DECAY}],
            lr=1.0, momentum=MOMENTUM,
        )
        schedule = Schedule(optimizer, scaled=[0])
        for ... in ...:
            ...
            optimizer.step()
            schedule.step()

    The rate outgrows every float, and so do the weights. Before they do, weights are divided by c, the momentum buffer
    is multiplied by c, and the rate is divided by c^2, which changes no function; c is a power of 2, which costs no
    digits. The normalisations must have eps = 0, or an eps far below the variance of what they see.
    """

    def __init__(self, optimizer, scaled=(0,)):
        for group in optimizer.param_groups:
            if group["momentum"] != MOMENTUM or group["nesterov"] or group["dampening"]:
                raise ValueError(f"this schedule is for momentum={MOMENTUM}, nesterov=False, dampening=0")
        for index in scaled:
            if optimizer.param_groups[index]["weight_decay"]:
                raise ValueError(f"group {index} has weight decay; the schedule stands for it, set it to 0")
        self.optimizer, self.scaled = optimizer, list(scaled)
        self.steps_done, self.exponent = 0, 0
        if not any("momentum_buffer" in optimizer.state[parameter] for parameter in self._parameters()):
            self._correct()
        self._set_rates()

    def step(self):
        """Call it after every optimizer.step()."""
        self.steps_done += 1
        step = self._index()
        while LOG_ETA[step] - PLAIN_LOG_ETA[step] - 2 * self.exponent * math.log(2) > 4 * math.log(2):
            self._rescale(2)
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

    def _set_rates(self):
        step = self._index()
        for index, group in enumerate(self.optimizer.param_groups):
            if index in self.scaled:
                group["lr"] = math.exp(LOG_ETA[step] - 2 * self.exponent * math.log(2))
            else:
                group["lr"] = math.exp(PLAIN_LOG_ETA[step])

    @torch.no_grad()
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
        per_weight, log_scale = CORRECTIONS[self.steps_done]
        factor = per_weight * math.exp(-2 * (log_scale - self.exponent * math.log(2)))
        for parameter in self._parameters():
            state = self.optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            state["momentum_buffer"].sub_(parameter, alpha=factor)

    def _parameters(self):
        return [p for index in self.scaled for p in self.optimizer.param_groups[index]["params"]]
