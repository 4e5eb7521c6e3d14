"""JAX on the works that Etalon is timed on."""

from peer import LEARNING_RATES, SWEEP_STEPS, largest, peer, timed
from problem import dense_problem, problem


def jax_problem():
    import jax
    import jax.numpy as jnp

    inputs, labels, layers = dense_problem()
    # JAX's users keep weights in x out.
    params = [(jnp.asarray(weight.T), jnp.asarray(bias)) for weight, bias in layers]
    return jax, jnp.asarray(inputs), jnp.asarray(labels), params


def jax_loss(params, inputs, labels):
    import jax
    import jax.numpy as jnp

    h = inputs
    for weight, bias in params[:-1]:
        h = jax.nn.relu(h @ weight + bias)
    weight, bias = params[-1]
    log_p = jax.nn.log_softmax(h @ weight + bias)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))


@peer("w1", "jax-jit")
def _(repeats, threads):
    jax, inputs, labels, params = jax_problem()

    def descend(params, inputs, labels):
        loss, slope = jax.value_and_grad(jax_loss)(params, inputs, labels)
        return jax.tree.map(lambda p, g: p - 0.01 * g, params, slope), loss

    compiled = jax.jit(descend, donate_argnums=0)
    state = [params, None]

    def step():
        state[:] = jax.block_until_ready(compiled(state[0], inputs, labels))

    samples = timed(step, repeats, warm_up=5, scale=1e3)
    return samples, float(state[1])


@peer("w2", "jax-vmap")
def _(repeats, threads):
    jax, inputs, labels, params = jax_problem()

    def trial(rate, params, inputs, labels):
        def step(params, _):
            slope = jax.grad(jax_loss)(params, inputs, labels)
            return jax.tree.map(lambda p, g: p - rate * g, params, slope), None

        return jax.lax.scan(step, params, length=SWEEP_STEPS)[0]

    rates = jax.numpy.asarray(LEARNING_RATES)
    over_rates = jax.jit(jax.vmap(trial, in_axes=(0, None, None, None)))
    # Compiled outside the clock.
    compiled = over_rates.lower(rates, params, inputs, labels).compile()
    final = []

    def sweep():
        final[:] = jax.block_until_ready(compiled(rates, params, inputs, labels))

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    first = jax.tree.map(lambda tensor: tensor[0], final)
    return samples, float(jax_loss(first, inputs, labels))


def jax_products(repeats, linearized, problem, loss):
    jax, inputs, labels, params = problem
    direction = jax.tree.map(jax.numpy.ones_like, params)
    slope = lambda inputs, labels: jax.grad(lambda p: loss(p, inputs, labels))

    if linearized:
        # The linear map leaves jit with the activations as its arguments, so that
        # they are computed once and are no constants of the second compilation.
        held = jax.jit(lambda p, x, y: jax.linearize(slope(x, y), p)[1])(params, inputs, labels)
        apply = jax.jit(lambda held, v: held(v))
        call = lambda: apply(held, direction)
    else:
        jvp = jax.jit(lambda p, x, y, v: jax.jvp(slope(x, y), (p,), (v,))[1])
        call = lambda: jvp(params, inputs, labels, direction)

    samples = timed(lambda: jax.block_until_ready(call()), repeats, warm_up=3, scale=1e3)
    square = sum(float((entry**2).sum()) for entry in jax.tree.leaves(call()))
    return samples, square**0.5


@peer("w4", "jax-jvp-of-grad")
def _(repeats, threads):
    return jax_products(repeats, False, jax_problem(), jax_loss)


@peer("w4", "jax-linearize")
def _(repeats, threads):
    return jax_products(repeats, True, jax_problem(), jax_loss)


def jax_preresnet20(weights, x):
    """The logits; normalisation by the batch's statistics. Convolutions are height x width x inputs x outputs."""
    import jax
    from jax import numpy as jnp

    def conv(x, name, stride=1):
        numbers = ("NHWC", "HWIO", "NHWC")
        # PyTorch's padding: one pixel on each side, whatever the stride.
        return jax.lax.conv_general_dilated(
            x, weights[name + ".weight"], (stride, stride), ((1, 1), (1, 1)), dimension_numbers=numbers
        )

    def normalized(x, name):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        x = (x - mean) * jax.lax.rsqrt(variance + 1e-5)
        return jax.nn.relu(x * weights[name + ".weight"] + weights[name + ".bias"])

    x = conv(x, "conv1")
    for stage in (1, 2, 3):
        for block in range(3):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = conv(normalized(x, name + ".bn1"), name + ".conv1", stride)
            y = conv(normalized(y, name + ".bn2"), name + ".conv2")
            x = x[:, ::stride, ::stride]
            x = y + jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, y.shape[3] - x.shape[3])))
    return normalized(x, "bn").mean((1, 2)) @ weights["fc.weight"].T + weights["fc.bias"]


def jax_images():
    import jax
    from jax import numpy as jnp

    inputs, labels, weights = problem()
    named = {name: jnp.asarray(a.transpose(2, 3, 1, 0) if a.ndim == 4 else a) for name, a in weights.items()}

    def loss(weights, inputs, labels):
        log_p = jax.nn.log_softmax(jax_preresnet20(weights, inputs))
        return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))

    return named, loss, jnp.asarray(inputs.reshape(-1, 32, 32, 3)), jnp.asarray(labels)


def jax_sharpness(repeats, params, loss, inputs, labels):
    """The gradient linearised and SciPy's eigsh, anew each time, compiled before."""
    import jax
    from jax.flatten_util import ravel_pytree

    flat, unflatten = ravel_pytree(params)
    slope = lambda x, y: jax.grad(lambda p: loss(unflatten(p), x, y))
    held = jax.jit(lambda p, x, y: jax.linearize(slope(x, y), p)[1])
    apply = jax.jit(lambda held, v: held(v))
    # Compiled outside the clock.
    jax.block_until_ready(apply(held(flat, inputs, labels), flat))
    values = []

    def find():
        at = held(flat, inputs, labels)
        values.append(largest(flat.size, lambda v: apply(at, v)))

    return timed(find, repeats, warm_up=0, scale=1.0), values[-1]


@peer("w11", "jax-eigsh")
def _(repeats, threads):
    _, inputs, labels, params = jax_problem()
    return jax_sharpness(repeats, params, jax_loss, inputs, labels)


@peer("w13", "jax-eigsh")
def _(repeats, threads):
    params, loss, inputs, labels = jax_images()
    return jax_sharpness(repeats, params, loss, inputs, labels)


def jax_image_products(repeats, linearized):
    import jax

    params, loss, inputs, labels = jax_images()
    return jax_products(repeats, linearized, (jax, inputs, labels, params), loss)


@peer("w7", "jax-linearize")
def _(repeats, threads):
    return jax_image_products(repeats, linearized=True)
