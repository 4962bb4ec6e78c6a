#!/usr/bin/env python3
"""Golden samples of raw outputs: what PyTorch effdet gives in float64 for checkpoints that `effdet init` writes.

The checkpoints are too large to commit but come out the same for the same seed, so that a test makes them again. Each line of
parity/outputs.txt: model, seed, height, width, output number, largest magnitude, PyTorch fp32's own error relative to that, then
samples at evenly spread places. Usage: make_parity_golden.py EFFDET_PROGRAM   (needs torch 2.15, effdet 0.4.1)
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from effdet import EfficientDet, get_efficientdet_config

CASES = [("tf_efficientdet_d0", 128, 256), ("efficientdet_d0", 128, 128), ("tf_efficientdet_lite0", 320, 320),
         ("efficientdet_d1", 128, 128), ("tf_efficientdet_lite2", 448, 448), ("tf_efficientdet_d6", 128, 128),
         ("tf_efficientdet_d7x", 256, 256)]
SEED, SAMPLES = 1, 32


def input_tensor(height, width):
    """Noise from a linear congruential generator, in [-1, 1): the test makes the same."""
    state, values = 1, np.empty(3 * height * width, np.float32)
    for i in range(values.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = (state >> 8) / 8388608.0 - 1.0
    return torch.from_numpy(values).reshape(1, 3, height, width)


def outputs(net, x):
    with torch.no_grad():
        classes, boxes = net(x)
    return [t.numpy().ravel() for t in classes + boxes]


lines = []
for model, height, width in CASES:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        subprocess.run([sys.argv[1], "init", model, "--out", path, "--seed", str(SEED)], check=True, stdout=subprocess.DEVNULL)
        config = get_efficientdet_config(model)
        config.image_size = (height, width)
        net = EfficientDet(config, pretrained_backbone=False).eval()
        net.load_state_dict(torch.load(path, weights_only=True))
    x = input_tensor(height, width)
    single = outputs(net, x)
    for number, truth in enumerate(outputs(net.double(), x.double())):
        largest = np.abs(truth).max()
        error = np.abs(single[number] - truth).max() / largest
        places = [(truth.size - 1) * i // (SAMPLES - 1) for i in range(SAMPLES)]
        samples = " ".join(f"{v:.9g}" for v in truth[places])
        lines.append(f"{model} {SEED} {height} {width} {number} {largest:.9g} {error:.3g} {samples}")
    print(model, "done")
target = Path(__file__).parent / "parity"
target.mkdir(exist_ok=True)
(target / "outputs.txt").write_text("\n".join(lines) + "\n")
