#!/bin/bash
# Resized after export from TensorFlow, a map of one channel, such as a mask, fails to run, or a batch has more pictures.
#
# Guess before it was run: the comparison that first showed it expected TensorFlow's numbers, or an error from the exporter.
# For this script: where a batch of open size does not fail, it has another number of pictures, 5 of 7 x 4 for 4 of 7 x 5.
# Seen: tf2onnx 1.17.0 with TensorFlow 2.21.0 writes a resize as factors of float32 and takes the map to be as large as their
# product, rounded down: 223 where 640 become 224. ONNX Runtime 1.32.0 gives 224. With three channels only the declared
# shape is wrong, [1, 223, 223, 3]; with one channel the size is that of a Reshape, and the model fails when it runs, for 9 of
# 24 pairs of sizes here, 320 to 224 and to 416 among them. With a batch of open size it fails, too, but from 8 x 12 to 7 x 5
# 4 pictures become 5 of 7 x 4. All that is said is a warning of ONNX Runtime at loading, of shapes that do not merge. Public
# is that the standard's formula for Resize rounds down where ONNX Runtime rounds to the nearest number.
#
# Needs Python 3.11 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > maps.py <<'P'
import logging

import numpy as np
import onnxruntime
import tensorflow as tf
import tf2onnx
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

logging.disable(logging.CRITICAL)
onnxruntime.set_default_logger_severity(4)


def session(function, shape):
    model, _ = tf2onnx.convert.from_function(tf.function(function), [tf.TensorSpec(shape, tf.float32)], opset=18)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def seen(run, function, x):
    """Whether the exported model gives TensorFlow's numbers, or the shape that it gives, or that it fails."""
    try:
        y = run.run(None, {run.get_inputs()[0].name: x})[0]
    except Fail:
        return "fails"
    meant = function(x).numpy()
    return "right" if y.shape == meant.shape and abs(y - meant).max() < 1e-3 else list(y.shape)


def maps(*shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def resize(*size):
    return lambda x: tf.image.resize(x, size)


as_seen, failed = True, []
for before in (96, 256, 320, 480, 512, 640):
    for after in (112, 224, 320, 416):
        rounded = int(before * float(np.float32(after) / np.float32(before)))
        one, three = (session(resize(after, after), (1, before, before, channels)) for channels in (1, 3))
        as_seen = as_seen and three.get_outputs()[0].shape == [1, rounded, rounded, 3]
        as_seen = as_seen and seen(three, resize(after, after), maps(1, before, before, 3)) == "right"
        found = seen(one, resize(after, after), maps(1, before, before, 1))
        as_seen = as_seen and found == ("fails" if rounded < after else "right")
        failed += [(before, after)] if found == "fails" else []
print(f"SEEN one channel fails for {len(failed)} of 24 pairs of sizes: {failed}")
small = session(resize(7, 5), (None, 8, 12, 1))
batches = {pictures: seen(small, resize(7, 5), maps(pictures, 8, 12, 1)) for pictures in (1, 2, 3, 4, 5)}
print(f"SEEN batches from 8 x 12 to 7 x 5: {batches}")
as_seen = as_seen and len(failed) == 9 and batches == {1: "fails", 2: "fails", 3: "fails", 4: [5, 7, 4, 1], 5: "fails"}
raise SystemExit(0 if as_seen else 1)
P
venv/bin/python maps.py 2> log | sed -n 's/^SEEN //p' || { tail -3 log; exit 1; }
