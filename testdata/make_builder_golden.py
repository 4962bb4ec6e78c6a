#!/usr/bin/env python3
"""Write builder_golden.txt: outputs of effdet in float64 for weights that the tests can make themselves.

Needs numpy, torch, timm and effdet 0.4.1, and for zylo117_* a checkout of Yet-Another-EfficientDet-Pytorch in
PYTHONPATH. Usage: make_builder_golden.py > builder_golden.txt
Weights and input come from the streams of src/model/random.h, by the rules of fill() below, which
src/model/builder_golden_test.cc repeats. A line: variant, perhaps with options of its configuration behind semicolons,
height, width, output index, its largest magnitude, then the values at eight evenly spaced elements.
"""
import ast

import numpy as np
import torch

SEED = 1
CLASSES = 2
CASES = (
    ("tf_efficientdet_d0", 128, 256),  # TensorFlow padding, weighted fusion
    ("efficientdet_d0", 128, 128),  # symmetric padding, no redundant bias
    ("tf_efficientdet_lite0", 320, 320),  # odd feature sizes, no squeeze-excite, plain sums
    ("efficientdet_lite0", 128, 128),  # batch norms of the heads by level first
    ("efficientdet_d4", 128, 128),  # symmetric backbone under a TensorFlow-padded pyramid, deeper stages
    ("efficientdet_q1", 128, 256),  # quad pyramid, bilinear
    ("efficientdet_w0", 128, 128),  # expanded features
    ("efficientdet_es", 128, 128),  # edge residuals, plain convolutions, ReLU
    ("mixdet_m", 128, 128),  # mixed convolutions
    ("mobiledetv2_110d", 128, 128),  # inverted residuals without squeeze-excite
    ("mobiledetv3_large", 128, 128),  # hard swish, hard sigmoid
    ("resdet50", 128, 128),  # ResNet
    ("cspresdet50", 128, 128),  # cross stages, leaky ReLU, other activation in the heads
    ("cspresdext50pan", 128, 128),  # grouped convolutions, path aggregation
    ("cspdarkdet53m", 128, 128),  # DarkNet, quad pyramid, Mish
    ("zylo117_efficientdet_d0", 128, 256),  # zeros around the max pools, other names
    # Options that tensors do not tell, or not all of them.
    ("tf_efficientdet_d0;redundant_bias=False;fpn_name=bifpn_attn;head_act_type=relu", 128, 128),
    ("efficientdet_d0;redundant_bias=True;downsample_type=avg;upsample_type=bilinear;act_type=elu", 128, 128),
    ("tf_efficientdet_d0;apply_resample_bn=False;downsample_type=avg;norm_kwargs.eps=0.01;act_type=tanh", 128, 128),
    ("efficientdet_d0;conv_bn_relu_pattern=True;downsample_type=nearest;fpn_name=pan_sum;pad_type=same;max_level=6", 128, 128),
    ("tf_efficientdet_d0;separable_conv=False;fpn_name=qufpn_sum;pad_type=;backbone_name=efficientnet_b0;act_type=hard_sigmoid", 128, 128),
)
MASK = (1 << 64) - 1


def draw(name, count):
    """The first `count` numbers of RandomStream(SEED, name)."""
    state = SEED
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(2, count + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, shape, low, high):
    low, high = np.float32(low), np.float32(high)
    numbers = (draw(name, int(np.prod(shape))) >> np.uint64(40)).astype(np.float32)
    return (low + (high - low) * numbers * np.float32(2.0**-24)).reshape(shape)


def fill(name, shape):
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    if len(shape) == 4:
        limit = np.float32(2.0) / np.sqrt(np.float32(np.prod(shape[1:])))
        return uniform(name, shape, -limit, limit)
    if name.endswith((".weight", ".running_var", ".edge_weights", "_w1", "_w2")):
        return uniform(name, shape, 0.5, 1.5)
    return uniform(name, shape, -0.25, 0.25)


def literal(text):
    """False, 0.01 and 6 are what they look like; names are text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def effdet_net(variant, height, width):
    from effdet import EfficientDet, get_efficientdet_config

    name, *options = variant.split(";")
    config = get_efficientdet_config(name)
    config.image_size = (height, width)
    config.num_classes = CLASSES
    for option in options:
        key, value = option.split("=")
        if key == "norm_kwargs.eps":
            config.norm_kwargs.eps = literal(value)
        else:
            config[key] = literal(value)
    config.num_levels = config.max_level - config.min_level + 1
    return EfficientDet(config, pretrained_backbone=False)


def zylo117_net(variant):
    """Its network, made to give the maps that its heads flatten."""
    from backbone import EfficientDetBackbone

    def maps(head, features):
        for x, norms in zip(features, head.bn_list):
            for conv, norm in zip(head.conv_list, norms):
                x = head.swish(norm(conv(x)))
            yield head.header(x)

    net = EfficientDetBackbone(num_classes=CLASSES, compound_coef=int(variant[-1]))
    net.forward = lambda image: [
        list(maps(head, net.bifpn(tuple(net.backbone_net(image)[1:])))) for head in (net.classifier, net.regressor)
    ]
    return net


for variant, height, width in CASES:
    net = zylo117_net(variant) if variant.startswith("zylo117_") else effdet_net(variant, height, width)
    state = {name: torch.from_numpy(fill(name, tuple(t.shape))) for name, t in net.state_dict().items()}
    net.load_state_dict(state, strict=True)
    image = torch.from_numpy(uniform("image", (1, 3, height, width), -2, 2))
    with torch.no_grad():
        classes, boxes = net.eval().double()(image.double())
    for index, output in enumerate(classes + boxes):
        flat = output.flatten()
        picks = [float(flat[i * (len(flat) - 1) // 7]) for i in range(8)]
        print(variant, height, width, index, f"{float(flat.abs().max()):.8g}", *(f"{v:.8g}" for v in picks))
