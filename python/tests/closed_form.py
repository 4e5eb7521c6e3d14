"""A training with a closed form in sums, products and comparisons alone, which have the same bits in every language."""

import etalon


def train(eta, seed):
    """Too slow below 0.01; trains up to a rate that depends on the seed; a metric that is best near 0.1."""
    u = eta / 0.1
    metric = 0.2 + (u - 1.0) * (u - 1.0) / (1.0 + u * u) + 0.003 * seed
    if eta > 0.37 * (1.0 + seed / 16.0):
        return etalon.Trial(False, "the loss grew", 10)
    return etalon.Trial(eta >= 0.01, None, 100, metric)
