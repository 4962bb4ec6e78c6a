#!/bin/bash
# Exported from TensorFlow, // and % of whole numbers below 0 are other numbers, and an area's mean is one of its pixels.
#
# Guess before it was run: the comparison that first showed it expected TensorFlow's numbers, or an error from the exporter.
# For this script: all types of whole numbers are wrong, those of float32 right; an area's mean is wrong for factors of 2, too.
# Seen: tf2onnx 1.17.0 with TensorFlow 2.21.0 writes // of int8, int16, int32 and int64 as Div, which ONNX Runtime 1.32.0 rounds
# towards 0, and % by means of it: -7 // 3 is -2 in place of -3, and -1 % 3 is -1 in place of 2. float32 is right.
# image.resize(method="area") becomes the nearest pixel, the first of each area, where a map shrinks, also by 2: of white and
# black columns in turn only white ones are left, where TensorFlow gives grey. No warning of either. That // is wrong is a
# public report of 2023, and comments to the change that brought "area" say that its numbers are "way off"; of % no report
# was found.
#
# Needs Python 3.11 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > floor.py <<'P'
import logging

import numpy as np
import onnxruntime
import tensorflow as tf
import tf2onnx

logging.disable(logging.CRITICAL)


def both(function, x):
    """What TensorFlow and the exported model give."""
    model, _ = tf2onnx.convert.from_function(tf.function(function), [tf.TensorSpec(x.shape, x.dtype)], opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return function(tf.constant(x)).numpy(), session.run(None, {session.get_inputs()[0].name: x})[0]


as_seen = True
FUNCTIONS = {"x // 3": (lambda x: x // 3, [-2, -2, -1, 0, 0, 2]), "x % 3": (lambda x: x % 3, [-1, 0, -1, -1, 1, 1]),
             "x // -3": (lambda x: x // -3, [2, 2, 1, 0, 0, -2]), "x % -3": (lambda x: x % -3, [-1, 0, -1, -1, 1, 1])}
for name, (function, towards_0) in FUNCTIONS.items():
    for number in ("int8", "int16", "int32", "int64", "float32"):
        x = np.array([-7, -6, -4, -1, 1, 7], number)
        meant, y = both(function, x)
        as_seen = as_seen and y.tolist() == (meant.tolist() if number == "float32" else towards_0)
        if number in ("int32", "float32"):
            print(f"SEEN {name}, {number}, for {x.tolist()}: TensorFlow {meant.tolist()}, the model {y.tolist()}")
stripes = np.tile(np.float32([1, 0]), 6).reshape(1, 1, 12, 1).repeat(8, 1).repeat(3, 3)
noise = np.random.default_rng(0).random((1, 8, 12, 3), dtype=np.float32)
for height, width in ((4, 6), (2, 3), (3, 6), (16, 24)):
    def resize(x):
        return tf.image.resize(x, (height, width), "area")
    meant, y = both(resize, stripes)
    print(f"SEEN area, stripes of 8 x 12 to {height} x {width}: mean {meant.mean():.2f} by TensorFlow, {y.mean():.2f} by the model")
    first = noise[:, np.arange(height) * 8 // height][:, :, np.arange(width) * 12 // width]
    meant, y = both(resize, noise)
    as_seen = as_seen and (y == first).all() and ((meant == y).all() if height == 16 else abs(meant - y).max() > 0.4)
raise SystemExit(0 if as_seen else 1)
P
venv/bin/python floor.py 2> log | sed -n 's/^SEEN //p' || { tail -3 log; exit 1; }
