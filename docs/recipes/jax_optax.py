"""A training with JAX and optax: python jax_optax.py RATE SEED LOG."""

import json
import sys

import jax
import jax.numpy as jnp
import optax

rate, seed, path = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
keys = jax.random.split(jax.random.key(seed), 3)
inputs = jax.random.normal(keys[0], (256, 20))
targets = jnp.sin(inputs.sum(1))
weights = (jax.random.normal(keys[1], (20, 64)) / 20**0.5, jax.random.normal(keys[2], (64,)) / 64**0.5)
optimizer = optax.adamw(rate)


def loss(weights):
    hidden, output = weights
    return jnp.mean((jnp.tanh(inputs @ hidden) @ output - targets) ** 2)


@jax.jit
def step(weights, state):
    value, gradient = jax.value_and_grad(loss)(weights)
    updates, state = optimizer.update(gradient, state, weights)
    return optax.apply_updates(weights, updates), state, value


state = optimizer.init(weights)
with open(path, "w", buffering=1) as log:
    for count in range(61):
        weights, state, value = step(weights, state)
        log.write(json.dumps({"step": count, "loss": float(value)}) + "\n")
