#!/bin/bash
# Six operators of PyTorch that become other numbers in ncnn, without a word from its converter.
#
# Guess before it was run: what pnnx converts for ncnn gives PyTorch's numbers within 1e-3, or the converter or the loader names
# what is missing, as they do for argmax, topk, slices with a step, and padding_mode="circular" of a Conv2d.
# Seen: pnnx and ncnn of 2026-10-20 (float32, a CPU with AVX): x ** 3 is 2.4e38 below 0 (x ** 2 is right); x % 2 is
# the rest to the nearest multiple, -0.5 in place of 1.5; div with rounding_mode="trunc" rounds down, -2 in place of -1;
# LayerNorm over channels, rows and columns takes each channel by itself; F.pad with mode="circular" pads with zeros;
# AvgPool2d(2, 2, ceil_mode=True), as RT-DETR's backbone has it, gives half of the mean at the last row and column of an odd
# map. Each of them is converted and loaded without a message. x // 2, torch.fmod, GroupNorm of one group, reflect and the same
# pool with count_include_pad=False are right. Versions of May 2025 say of % and div "not supported yet"; the rest is the same.
#
# Needs Python 3.10 or newer, x86-64, and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pnnx==20261020 ncnn==1.0.20261020 torch==2.15.0 numpy==2.4.6
cat > operators.py <<'P'
import os
import subprocess
import sys

import ncnn
import numpy as np
import torch
import torch.nn.functional as F


class Model(torch.nn.Module):
    """The function behind a convolution that changes nothing, by which pnnx knows the batch's dimension."""

    def __init__(self, function, channels):
        super().__init__()
        self.conv, self.function = torch.nn.Conv2d(channels, channels, 1, bias=False), function
        self.conv.weight.data = torch.eye(channels)[:, :, None, None]

    def forward(self, x):
        return self.function(self.conv(x))


def both(function, x):
    """What PyTorch and ncnn give, and what the converter says of things that it leaves out."""
    model = Model(function, x.shape[1]).eval()
    torch.jit.trace(model, x, check_trace=False).save("model.pt")
    command = [os.path.join(sys.prefix, "bin", "pnnx"), "model.pt", f"inputshape={list(x.shape)}f32".replace(" ", ""), "fp16=0"]
    told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
    told = [line for line in told.splitlines() if "support" in line or "ignore" in line]
    net, values = ncnn.Net(), x[0].numpy().copy()
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_vulkan_compute"):
        setattr(net.opt, option, False)
    assert net.load_param("model.ncnn.param") == 0 and net.load_model("model.ncnn.bin") == 0
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(values))
    result = extractor.extract("out0")[1]
    return model(x)[0].detach().numpy(), np.array(result).copy(), told


line = torch.tensor([-3.0, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.0]).repeat(1, 4, 2, 1)
noise, ones = torch.from_numpy(np.random.RandomState(0).randn(1, 4, 8, 8).astype(np.float32)), torch.ones(1, 4, 7, 7)
layer = torch.nn.LayerNorm([4, 8, 8])
WRONG = {"x ** 3": (lambda x: x ** 3, line), "x % 2": (lambda x: x % 2, line),
         "trunc(x / 2)": (lambda x: torch.div(x, 2.0, rounding_mode="trunc"), line), "LayerNorm": (layer, noise),
         "circular": (lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"), noise),
         "AvgPool2d": (torch.nn.AvgPool2d(2, 2, ceil_mode=True), ones)}
RIGHT = {"x ** 2": (lambda x: x ** 2, line), "x // 2": (lambda x: x // 2, line), "fmod": (lambda x: torch.fmod(x, 2), line),
         "GroupNorm": (torch.nn.GroupNorm(1, 4), noise), "reflect": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), noise),
         "inner": (torch.nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), ones)}
seen, as_seen = {}, True
for name, case in (WRONG | RIGHT).items():
    meant, seen[name], told = both(*case)
    rows = [" ".join(f"{value:.3g}" for value in y[0, -1]) for y in (meant, seen[name])]
    print(f"{name}: PyTorch {rows[0]}, ncnn {rows[1]}{''.join(told)}")
    as_seen = as_seen and not told and np.allclose(meant, seen[name], atol=1e-3) == (name in RIGHT)
as_seen = as_seen and np.allclose(seen["LayerNorm"], F.layer_norm(noise, [8, 8])[0].numpy(), atol=1e-3)
as_seen = as_seen and np.allclose(seen["circular"], F.pad(noise, (1, 1, 1, 1))[0].numpy())
raise SystemExit(0 if as_seen else 1)
P
venv/bin/python operators.py 2> log || { tail -3 log; exit 1; }
