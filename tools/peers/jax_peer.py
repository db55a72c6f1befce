"""The two networks in JAX: a whole epoch is one jitted scan, so that no Python is in the loop."""
import os
import time

import common

options = common.flags(__doc__)
if options.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import optax
from flax import linen

convolves = options.model == "cnn"


class Network(linen.Module):
    @linen.compact
    def __call__(self, x):
        glorot = linen.initializers.glorot_uniform()
        if convolves:
            for filters in options.filters:
                x = linen.sigmoid(linen.Conv(filters, (3, 3), padding="VALID", kernel_init=glorot)(x))
                x = linen.max_pool(x, (2, 2), (2, 2))
            x = x.reshape(len(x), -1)
        else:
            for units in options.hidden:
                x = linen.sigmoid(linen.Dense(units, kernel_init=glorot)(x))
        return linen.Dense(10, kernel_init=glorot)(x)


network, adam = Network(), optax.adam(common.LEARNING_RATE, eps=common.EPSILON)
train, validation, test = [(jnp.asarray(x), jnp.asarray(y, jnp.int32)) for x, y in common.training_data((28, 28, 1) if convolves else (784,))]
count, batch = len(train[1]), options.batch_size


def loss_of(weights, x, y):
    logits = network.apply(weights, x)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), (logits.argmax(1) == y).sum()


def step(state, indices):
    weights, moments = state
    (loss, hits), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, train[0][indices], train[1][indices])
    updates, moments = adam.update(gradients, moments)
    return (optax.apply_updates(weights, updates), moments), (loss * len(indices), hits)


@jax.jit
def run_epoch(state, key):
    order = jax.random.permutation(key, count)
    whole = count // batch * batch
    state, (losses, hits) = jax.lax.scan(step, state, order[:whole].reshape(-1, batch))
    loss, hit = losses.sum(), hits.sum()
    if whole < count:
        state, (last_loss, last_hits) = step(state, order[whole:])
        loss, hit = loss + last_loss, hit + last_hits
    return state, loss / count, hit / count


@jax.jit
def evaluate(weights, x, y):
    loss, hits = loss_of(weights, x, y)
    return loss, hits / len(y)


key = jax.random.key(options.seed)
weights = network.init(key, train[0][:1])
state = weights, adam.init(weights)
for epoch in range(1, options.epochs + 1):
    key, shuffle = jax.random.split(key)
    begin = time.perf_counter()
    state, loss, accuracy = jax.block_until_ready(run_epoch(state, shuffle))
    seconds = time.perf_counter() - begin
    val_loss, val_accuracy = evaluate(state[0], *validation)
    common.say(epoch=epoch, seconds=seconds, loss=float(loss), accuracy=float(accuracy), val_loss=float(val_loss), val_accuracy=float(val_accuracy))
common.say(peer="jax", model=options.model, threads=options.threads, test_accuracy=float(evaluate(state[0], *test)[1]))
