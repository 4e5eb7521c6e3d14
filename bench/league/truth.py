"""How good each rate of a task is, from seeds that no finder has seen, and what a suggestion loses."""

import bisect
import math
import statistics
from functools import cached_property

# Finders begin at 0, 100, ... and take some seeds from there on.
SEEDS = range(1000, 1010)
FRESH = range(2000, 2010)
# Where SEEDS leave the best rate's score uncertain by more than so much of the way from chance to it, in %, the rates that lose
# less than NEAR are trained by MORE: the best of several that chance has raised would be too good to be reached.
UNCERTAIN, NEAR = 1.0, 8.0
MORE = range(1000, 1040)


class Truth:
    """A scan over the task's rates by SEEDS, and where that leaves the best open by MORE.

    A score is a metric, of which more is better for an accuracy and less for a loss."""

    def __init__(self, task, trainings):
        self.task, self.trainings = task, trainings
        self.rates = task.rates()
        trainings.at(self.rates, SEEDS)

    @property
    def chance(self):
        return self.task.chance

    @property
    def sign(self):
        return 1 if self.task.has_classes else -1

    def values(self, trainings):
        """Their metrics; what diverged, or ended worse than chance, has chance's."""
        bound = max if self.sign > 0 else min
        return [self.chance if one.diverged else bound(one.value, self.chance) for one in trainings]

    def score(self, trainings):
        """The mean metric."""
        return statistics.fmean(self.values(trainings))

    @cached_property
    def contested(self):
        """The rates that MORE seeds train."""
        first = {eta: self.values(self.trainings.at([eta], SEEDS).values()) for eta in self.rates}
        scores = {eta: statistics.fmean(values) for eta, values in first.items()}
        best = max(scores, key=lambda eta: self.sign * scores[eta])
        way = 100 / abs(scores[best] - self.chance)
        if way * statistics.stdev(first[best]) / math.sqrt(len(SEEDS)) <= UNCERTAIN:
            return set()
        return {eta for eta in self.rates if way * abs(scores[best] - scores[eta]) < NEAR}

    def of(self, eta):
        """The trainings at this rate by all its seeds."""
        return list(self.trainings.at([eta], MORE if eta in self.contested else SEEDS).values())

    @cached_property
    def scores(self):
        return [self.score(self.of(eta)) for eta in self.rates]

    @cached_property
    def safe(self):
        """Of each rate of the scan, whether all seeds survived it."""
        return [not any(one.diverged for one in self.of(eta)) for eta in self.rates]

    @property
    def best(self):
        """The best rate of the scan and its score."""
        index = max(range(len(self.rates)), key=lambda index: self.sign * self.scores[index])
        return self.rates[index], self.scores[index]

    def at(self, eta):
        """The score at a rate: between two rates of the scan that all seeds survived on the line through theirs, else
        from trainings at this very rate."""
        index = bisect.bisect_left(self.rates, eta)
        if index < len(self.rates) and math.isclose(self.rates[index], eta, rel_tol=1e-9):
            return self.scores[index]
        if 0 < index < len(self.rates) and self.safe[index - 1] and self.safe[index]:
            low, high = self.rates[index - 1], self.rates[index]
            share = math.log(eta / low) / math.log(high / low)
            return (1 - share) * self.scores[index - 1] + share * self.scores[index]
        return self.score(self.of(eta))

    def lost(self, score):
        """In % of the way from chance to the best."""
        return 100 * (self.best[1] - score) / (self.best[1] - self.chance)

    def regret(self, eta):
        """What a suggestion loses; all of it where there is none."""
        return 100.0 if eta is None else self.lost(self.at(eta))

    def breaks(self, eta):
        """Whether half of the seeds or more diverge; between two rates that all survived none is taken to."""
        index = bisect.bisect_left(self.rates, eta)
        if 0 < index < len(self.rates) and self.safe[index - 1] and self.safe[index]:
            return False
        return 2 * self.diverging(eta, SEEDS) >= len(SEEDS)

    def diverging(self, eta, seeds=FRESH):
        """How many of so many trainings at this rate diverge."""
        return sum(one.diverged for one in self.trainings.at([eta], seeds).values())

    def noise(self):
        """What choosing the best rate by half of the seeds loses by the other half, in %; the mean of both ways."""
        halves = [[self.sign * self.score(self.of(eta)[start::2]) for eta in self.rates] for start in (0, 1)]
        lost = []
        for chosen_by, judged_by in (halves, halves[::-1]):
            best = max(judged_by)
            taken = judged_by[max(range(len(chosen_by)), key=chosen_by.__getitem__)]
            lost.append(100 * (best - taken) / (best - self.sign * self.chance))
        return statistics.fmean(lost)

    def summary(self):
        """What a page tells of a task."""
        flat = [eta for eta, score in zip(self.rates, self.scores) if self.lost(score) <= 1]
        diverging = [eta for eta, safe in zip(self.rates, self.safe) if not safe]
        return {
            "rates": self.rates,
            "scores": self.scores,
            "diverged": [sum(one.diverged for one in self.of(eta)) for eta in self.rates],
            "seeds": len(SEEDS),
            "trained": [len(self.of(eta)) for eta in self.rates],
            "noise": self.noise(),
            "chance": self.chance,
            "best": {"eta": self.best[0], "score": self.best[1]},
            "flat": [min(flat), max(flat)],
            "smallest_diverging": min(diverging, default=None),
        }
