#!/usr/bin/env python3
"""Write model_golden.txt: what effdet's state_dict holds for every variant, as counts and one hash.

Needs torch, timm and effdet 0.4.1, and for zylo117_* a checkout of Yet-Another-EfficientDet-Pytorch in PYTHONPATH.
Usage: make_model_golden.py NAME... > model_golden.txt; the names are the program's own table.
A line: name, tensors, elements, FNV-1a hash (64 bits) of "name:AxBxC:dtype" lines in the order of the state_dict
(zylo117_*: of the names, since that network lists its parts in another order than they run in).
With --dump NAME it prints those lines themselves.
"""
import sys

import torch

from fnv1a import fnv1a


def effdet_state(model_name):
    from effdet import EfficientDet, get_efficientdet_config

    return EfficientDet(get_efficientdet_config(model_name), pretrained_backbone=False).state_dict().items()


def zylo117_state(model_name):
    from backbone import EfficientDetBackbone

    net = EfficientDetBackbone(num_classes=90, compound_coef=int(model_name.removeprefix("zylo117_efficientdet_d")))
    return sorted(net.state_dict().items())


def lines_of(model_name):
    with torch.device("meta"):
        state = zylo117_state(model_name) if model_name.startswith("zylo117_") else effdet_state(model_name)
    for name, tensor in state:
        shape = "x".join(str(n) for n in tensor.shape) or "scalar"
        yield tensor.numel(), f"{name}:{shape}:{str(tensor.dtype).removeprefix('torch.')}\n"


if sys.argv[1:2] == ["--dump"]:
    for _, line in lines_of(sys.argv[2]):
        print(line, end="")
else:
    print("# variant tensors elements fnv1a-64, from effdet 0.4.1 and zylo117 by make_model_golden.py")
    for variant in sys.argv[1:]:
        lines = list(lines_of(variant))
        digest = fnv1a("".join(text for _, text in lines).encode())
        print(variant, len(lines), sum(count for count, _ in lines), digest, flush=True)
