"""The TensorFlow tutorial's own loop, as published: Keras layers, `fit`, the test set as validation data.

`python -m benchmarks.keras_tutorial SEED EPOCHS` prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time

import tensorflow as tf

from engine.data import load


class Clock(tf.keras.callbacks.Callback):
    """Seconds of each epoch's training, without the validation."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self.began)


def network():
    """Return the tutorial's network, 1,198 parameters."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((28, 28, 1)),
            tf.keras.layers.Conv2D(4, 3, activation="relu"),
            tf.keras.layers.MaxPooling2D(),
            tf.keras.layers.Conv2D(4, 3, activation="relu"),
            tf.keras.layers.MaxPooling2D(),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )


def main(seed: int, epochs: int) -> dict:
    """Run the tutorial; return its training loss, test figures and seconds per epoch."""
    tf.keras.utils.set_random_seed(seed)
    data = load()
    train_images, test_images = data.train_images[..., None] / 255.0, data.test_images[..., None] / 255.0
    train_labels = tf.keras.utils.to_categorical(data.train_labels)
    test_labels = tf.keras.utils.to_categorical(data.test_labels)
    model = network()
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    clock = Clock()
    history = model.fit(
        train_images, train_labels, epochs=epochs, validation_data=(test_images, test_labels),
        callbacks=[clock], verbose=0,
    ).history  # fmt: skip
    return {
        "train_loss": history["loss"],
        "test_loss": history["val_loss"],
        "test_accuracy_by_epoch": history["val_accuracy"],
        "test_accuracy": history["val_accuracy"][-1],
        "seconds": clock.seconds,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
