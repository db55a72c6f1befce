"""The two networks in Keras: fit(), as in the notebook. $KERAS_BACKEND chooses what it stands on; TensorFlow by default."""
import os
import time

import common

options = common.flags(__doc__)
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = str(options.threads)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

keras.utils.set_random_seed(options.seed)
convolves = options.model == "cnn"
shape = (28, 28, 1) if convolves else (784,)
train, validation, test = [(x, keras.utils.to_categorical(y, 10)) for x, y in common.training_data(shape)]
if convolves:
    hidden = [layer for filters in options.filters for layer in (layers.Conv2D(filters, 3, activation="sigmoid"), layers.MaxPooling2D())]
    hidden.append(layers.Flatten())
else:
    hidden = [layers.Dense(units, activation="sigmoid") for units in options.hidden]
network = keras.Sequential([keras.Input(shape), *hidden, layers.Dense(10, activation="softmax")])
network.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])


class Watch(keras.callbacks.Callback):
    """Times an epoch's training batches: validation is not among them."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begin, self.seconds = time.perf_counter(), None

    def on_test_begin(self, logs=None):
        if self.seconds is None:
            self.seconds = time.perf_counter() - self.begin

    def on_epoch_end(self, epoch, logs=None):
        common.say(epoch=epoch + 1, seconds=self.seconds, **{key: float(value) for key, value in logs.items()})


network.fit(*train, batch_size=options.batch_size, epochs=options.epochs, validation_data=validation, callbacks=[Watch()], verbose=0)
common.say(peer="keras", model=options.model, threads=options.threads, test_accuracy=network.evaluate(*test, verbose=0)[1])
