#!/usr/bin/env python3
"""Golden samples of raw outputs: what PyTorch effdet gives in float64 for checkpoints that `effdet init` writes.

The checkpoints are too large to commit but come out the same for the same seed, so that a test makes them again.
parity/outputs.txt has small inputs, parity/devices.txt the published models on larger ones, for devices that run them in a moment. Each line: model, seed, height, width, output number, largest magnitude, PyTorch fp32's own error relative to that, then
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
DEVICES = [(f"tf_efficientdet_d{n}", side, side) for n, side in enumerate((512, 640, 768, 896, 512, 512, 512, 512))]
SEED = 1


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


def write_golden(name, cases, samples):
    folder = Path(__file__).parent / "parity"
    folder.mkdir(exist_ok=True)
    with open(folder / name, "w") as file:
        for model, height, width in cases:
            print("\n".join(lines_of(model, height, width, samples)), file=file, flush=True)
            print(model, "done", flush=True)


def lines_of(model, height, width, samples):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        subprocess.run([sys.argv[1], "init", model, "--out", path, "--seed", str(SEED)], check=True, stdout=subprocess.DEVNULL)
        config = get_efficientdet_config(model)
        config.image_size = (height, width)
        net = EfficientDet(config, pretrained_backbone=False).eval()
        net.load_state_dict(torch.load(path, weights_only=True))
    x = input_tensor(height, width)
    single = outputs(net, x)
    lines = []
    for number, truth in enumerate(outputs(net.double(), x.double())):
        largest = np.abs(truth).max()
        error = np.abs(single[number] - truth).max() / largest
        places = [(truth.size - 1) * i // (samples - 1) for i in range(samples)]
        values = " ".join(f"{v:.9g}" for v in truth[places])
        lines.append(f"{model} {SEED} {height} {width} {number} {largest:.9g} {error:.3g} {values}")
    return lines


write_golden("outputs.txt", CASES, 32)
write_golden("devices.txt", DEVICES, 16)
