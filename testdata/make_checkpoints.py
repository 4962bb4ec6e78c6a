#!/usr/bin/env python3
"""Writes the checkpoints of testdata/checkpoint/ as PyTorch saves them; src/checkpoint/checkpoint_test.cc knows their content.

Usage: make_checkpoints.py [FOLDER]   (needs PyTorch >= 2.9, NumPy, safetensors and omegaconf; made with 2.15)
"""
import argparse
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "checkpoint")
folder.mkdir(parents=True, exist_ok=True)


def ramp(*shape, dtype=torch.float32):
    """(i - 3) / 4 for the i-th element: exact in every float type."""
    return ((torch.arange(int(np.prod(shape))) - 3) / 4).reshape(shape).to(dtype)


types = OrderedDict()
for name in ("float32", "float16", "bfloat16", "float64"):
    types[name] = ramp(2, 3, dtype=getattr(torch, name))
for name in ("int64", "int32", "int16", "int8", "uint8"):
    types[name] = torch.tensor([0, 1, 2, 100], dtype=getattr(torch, name))
types["bool"] = torch.tensor([True, False, True])
types["uint16"] = torch.tensor([0, 1, 2, 100], dtype=torch.uint16)
torch.save(types, folder / "types.pth")

shared = ramp(6)
torch.save(
    {
        "channels_last": ramp(2, 3, 2, 2).to(memory_format=torch.channels_last),
        "transposed": ramp(2, 3).t(),
        "step": ramp(6)[::2],
        "expanded": torch.tensor([[7.0], [8.0]]).expand(2, 3),
        "scalar": torch.tensor(5),
        "empty": torch.empty(0, 4),
        "parameter": torch.nn.Parameter(ramp(2)),
        "shared.head": shared[:2],
        "shared.tail": shared[2:],
    },
    folder / "layouts.pth",
)


def state_dict(bias):
    module = torch.nn.Linear(3, 2)
    module.bn = torch.nn.BatchNorm1d(2, affine=False, track_running_stats=True)
    torch.nn.init.constant_(module.weight, 0.5)
    torch.nn.init.constant_(module.bias, bias)
    del module.bn.running_mean, module.bn.running_var
    return torch.nn.DataParallel(module).state_dict()  # keys with the prefix "module.", and _metadata


torch.save(
    {
        "epoch": 3,
        "arch": "tf_efficientdet_d0",
        "args": argparse.Namespace(lr=0.1, sizes=[1, 2]),
        "metric": np.float64(0.5),
        "optimizer": {"state": {0: {"step": torch.tensor(4.0)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999)}]},
        "device": torch.device("cpu"),
        "seen": {1, 2},
        "big": 1 << 100,
        "state_dict": state_dict(1.0),
        "state_dict_ema": state_dict(2.0),
    },
    folder / "trainer.pth",
)

# The same weights in the two other formats; safetensors as its library writes it.
torch.save(
    {"model_state_dict": {"a": ramp(2, 3), "b": ramp(3).half(), "a.tail": ramp(6)[2:].reshape(2, 2)}},
    folder / "legacy.pth",
    _use_new_zipfile_serialization=False,
)
save_file({"a": ramp(2, 3), "b": ramp(3).half(), "flags": torch.tensor([True, False])}, folder / "small.safetensors")

# What trainers leave beside the weights that tells of the model: arguments, a configuration as effdet has them.
config = OmegaConf.create(
    {"name": "tf_efficientdet_d1", "image_size": (640, 512), "norm_kwargs": {"eps": 0.001}, "aspect_ratios": [1.0, 2.0]}
)
torch.save(
    {
        "arch": "tf_efficientdet_d0",
        "args": argparse.Namespace(model="tf_efficientdet_d0", redundant_bias=False, mean=[0.5, 0.25, 0.125], std=None),
        "config": config,
        "hyper_parameters": {"img_size": 512, "model_architecture": "tf_efficientdet_d2", "callbacks": {"a": {1, 2}}},
        "optimizer": {"lr": 0.1},
        "state_dict": {"w": ramp(2)},
    },
    folder / "hints.pth",
)
save_file(
    {"w": ramp(2)},
    folder / "hints.safetensors",
    metadata={"arch": "tf_efficientdet_d0", "config": '{"redundant_bias": false, "norm_kwargs": {"eps": 0.001}}'},
)

# Tensors of types that weights do not have, among the weights and beside them; one that only has attributes.
tagged = ramp(2)
tagged.note = "an attribute"
foreign = {
    "weights": {
        "w": ramp(2),
        "tagged": tagged,
        "sparse": torch.eye(3).to_sparse(),
        "quantized": torch.quantize_per_tensor(ramp(4), 0.1, 0, torch.qint8),
        "float8": ramp(3, dtype=torch.float8_e4m3fn),
        "complex": torch.zeros(2, dtype=torch.complex64),
        "z": ramp(3),
    },
    "meta": torch.empty(3, device="meta"),
    "scale": torch.ones(3).to(torch.float8_e8m0fnu),
    "dtype": torch.float4_e2m1fn_x2,
}
torch.save(foreign, folder / "foreign.pth")
torch.save(foreign, folder / "foreign_legacy.pth", _use_new_zipfile_serialization=False)
save_file(
    {"w": ramp(2), "complex": torch.zeros(2, dtype=torch.complex64), "float8": ramp(3, dtype=torch.float8_e5m2)},
    folder / "foreign.safetensors",
)

torch.serialization.set_crc32_options(False)
torch.save({"w": ramp(6)}, folder / "no_crc.pth")
