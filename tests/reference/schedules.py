"""Learning rates of Keras's schedules and of PyTorch's OneCycleLR, and what Keras's EarlyStopping and ReduceLROnPlateau decide on series of
losses; writes their .inc files beside this script.

Made with Keras 3.15 and PyTorch 2.13. One environment need not have both: `python schedules.py keras` writes what needs
the one, `python schedules.py torch` what needs the other. On TensorFlow Keras computes rates in f32. tests/test_schedule.c and tests/test_callbacks.c
compare the library with them.
"""
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).parent
RATE, STEPS = 0.05, (0, 1, 2, 3, 7, 29, 30, 31, 55, 98, 99, 100, 101, 149, 150, 250)


def schedule_line(kind, warmup, decay_steps, decay_rate, alpha, rates):
    values = ", ".join("%.9g" % rate for rate in rates)
    return "{{TG_SCHEDULE_%s, %g, %d, %g, %g, %d}, {%s}}," % (kind, RATE, decay_steps, decay_rate, alpha, warmup, values)


def keras_schedules(schedules):
    def rates(schedule):
        return [float(schedule(step)) for step in STEPS]
    yield schedule_line("EXPONENTIAL", 0, 30, 0.9, 0, rates(schedules.ExponentialDecay(RATE, 30, 0.9)))
    yield schedule_line("STEP", 0, 30, 0.5, 0, rates(schedules.ExponentialDecay(RATE, 30, 0.5, staircase=True)))
    yield schedule_line("COSINE", 0, 100, 0, 0, rates(schedules.CosineDecay(RATE, 100)))
    yield schedule_line("COSINE", 0, 150, 0, 0.1, rates(schedules.CosineDecay(RATE, 150, alpha=0.1)))
    yield schedule_line("COSINE", 30, 100, 0, 0.01, rates(schedules.CosineDecay(0.0, 100, alpha=0.01, warmup_target=RATE, warmup_steps=30)))


def callback_lines(keras):
    """patience, start, min_delta, losses; EarlyStopping's last epoch and best epoch; ReduceLROnPlateau's rates after each epoch."""
    class Model:
        metrics = ()
        stop_training = False

        def get_weights(self):
            return []
    chance = random.Random(3)
    for case in range(12):
        patience, start, delta, cooldown = chance.choice((0, 1, 2, 3)), chance.choice((0, 0, 4)), chance.choice((0, 0.02)), chance.choice((0, 2))
        losses = [round(1 / (1 + 0.4 * min(epoch, 6)) + chance.uniform(0, 0.1), 5) for epoch in range(16)]
        stopping = keras.callbacks.EarlyStopping(patience=patience, min_delta=delta, start_from_epoch=start, restore_best_weights=False)
        stopping.set_model(Model())
        stopping.on_train_begin()
        last = len(losses)
        for epoch, loss in enumerate(losses):
            stopping.on_epoch_end(epoch, {"val_loss": loss})
            if stopping.model.stop_training:
                last = epoch + 1
                break
        plateau = keras.callbacks.ReduceLROnPlateau(patience=patience, min_delta=delta, factor=0.5, cooldown=cooldown, min_lr=0.004)
        plateau.set_model(Model())
        plateau.model.optimizer = keras.optimizers.SGD(RATE)
        plateau.on_train_begin()
        rates = []
        for epoch, loss in enumerate(losses):
            plateau.on_epoch_end(epoch, {"val_loss": loss})
            rates.append(float(plateau.model.optimizer.learning_rate.numpy()))
        yield "{%d, %d, %g, %d, {%s}, %d, %d, {%s}}," % (
            patience, start, delta, cooldown, ", ".join("%.6g" % loss for loss in losses), last, stopping.best_epoch + 1,
            ", ".join("%.9g" % rate for rate in rates))


def from_keras():
    import keras
    keras.backend.set_floatx("float64")
    (HERE / "schedules_keras.inc").write_text("\n".join(["/* Written by schedules.py. */", *keras_schedules(keras.optimizers.schedules), ""]))
    (HERE / "callbacks.inc").write_text("\n".join(["/* Written by schedules.py. */", *callback_lines(keras), ""]))


def from_torch():
    import torch
    lines = ["/* Written by schedules.py. */"]
    for total in (100, 251):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=total, cycle_momentum=False)
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < total:
                schedule.step()
        lines.append(schedule_line("ONE_CYCLE", 0, total, 0, 0, [rates[min(step, total - 1)] for step in STEPS]))
    (HERE / "schedules_torch.inc").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    {"keras": from_keras, "torch": from_torch}[sys.argv[1]]()
