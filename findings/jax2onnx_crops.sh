#!/bin/bash
# Exported from JAX, a crop at the border of a picture is smaller than its declared size, and halves are rounded otherwise.
#
# Guess before it was run: what jax2onnx exports gives JAX's numbers within 1e-4 in ONNX Runtime, or it refuses the function, as
# it does for resizing with antialias: also for halves, for classes out of range, and where an index lies outside.
# Seen: jax2onnx 0.17.1 with JAX 0.10.2 and ONNX Runtime 1.32.0. lax.dynamic_slice, by which a crop of fixed size is taken at a
# place that a detector found, moves a crop that would reach over the border back into the picture. In the file it is a Slice,
# which ends there: 50 x 50 pixels where [64, 64] is declared, and none for a place outside. Its mean is 5514.2 in place of
# 8187.5, without a word; a layer that takes all its pixels fails when it runs. lax.round, which takes halves away from zero,
# becomes Round, which takes them to the even neighbour; and class -1, for which jax.nn.one_hot has a row of zeros, becomes the
# last class. JAX's exporter to TensorFlow once had the first slip, jax-ml/jax#3621; of jax2onnx no report was found.
#
# Needs Python 3.11 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet jax2onnx==0.17.1 jax==0.10.2 onnxruntime==1.32.0 numpy==2.4.6
cat > crops.py <<'P'
import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
from jax import lax
from jax2onnx import to_onnx

picture = np.arange(100 * 120, dtype=np.float32).reshape(100, 120)
LAYER = jnp.ones((64 * 64, 2)) / 64**2


def crop(picture, row, column):
    return lax.dynamic_slice(picture, (row, column), (64, 64))


def mean(picture, row, column):
    return crop(picture, row, column).mean()


def layer(picture, row, column):
    return crop(picture, row, column).reshape(1, -1) @ LAYER


def classes(labels):
    return jax.nn.one_hot(labels, 3)


def exported(function, *inputs):
    model = to_onnx(function, [jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype) for x in inputs], model_name="model")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    try:
        result = session.run(None, {given.name: np.asarray(x) for given, x in zip(session.get_inputs(), inputs)})[0]
    except Exception as error:
        return session.get_outputs()[0].shape, error.__class__.__name__
    return session.get_outputs()[0].shape, result


def short(result):
    return result if isinstance(result, str) else np.round(result.astype(float), 1).tolist() if 0 < result.size < 20 \
        else (result.shape, result.ravel()[:1].tolist())


inside, border, outside = ((picture, np.int32(row), np.int32(column)) for row, column in ((10, 20), (50, 70), (200, 200)))
whole, one_hot = ((64, 64), [4376.0]), [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]]
same = True
for name, function, inputs, right, wrong in (
        ("crop inside", crop, inside, ((64, 64), [1220.0]), ((64, 64), [1220.0])),
        ("crop at the border", crop, border, whole, ((50, 50), [6070.0])), ("crop outside", crop, outside, whole, ((0, 0), [])),
        ("mean at the border", mean, border, 8187.5, 5514.2), ("layer at the border", layer, border, [[8187.3] * 2], "Fail"),
        ("round", lax.round, (np.float32([-0.5, 0.5, 1.5, 2.5]),), [-1, 1, 2, 3], [0, 0, 2, 2]),
        ("one_hot", classes, (np.int32([0, -1, 2, 3]),), one_hot, [one_hot[0], one_hot[2], one_hot[2], one_hot[3]])):
    shape, result = exported(function, *inputs)
    by_jax, by_runtime = short(np.asarray(function(*map(jnp.asarray, inputs)))), short(result)
    print(f"{name}: JAX {by_jax}; declared {shape}, ONNX Runtime {by_runtime}")
    same = same and (by_jax, by_runtime) == (right, wrong)
raise SystemExit(0 if same else 1)
P
venv/bin/python crops.py 2> log || { tail -3 log; exit 1; }
