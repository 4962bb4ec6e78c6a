"""Random small graphs, one kind of operator each, with NaN, infinities, -0, ties and empty tensors among the inputs.

A kind is a function of a numpy.random.Generator that returns a Graph; KINDS lists them.
"""

import dataclasses

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 0.5, 2.5, 3.0, 6.0, 1e-40, 3e38, -3e38], np.float32)
KINDS = {}


@dataclasses.dataclass
class Graph:
    """Nodes over inputs (arrays by name) and constants; the outputs are y, or y0, y1, ..."""
    nodes: list
    inputs: dict
    constants: dict = dataclasses.field(default_factory=dict)
    opset: int = 18
    outputs: int = 1
    tolerance: float = 1e-4
    note: str = ""  # what about it known.py may want to know

    def output_names(self):
        return ["y"] if self.outputs == 1 else [f"y{i}" for i in range(self.outputs)]

    def model(self):
        def port(name, array):
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        outputs = [helper.make_empty_tensor_value_info(name) for name in self.output_names()]
        constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, "g", [port(*item) for item in self.inputs.items()], outputs, constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


def kind(function):
    KINDS[function.__name__] = function
    return function


def node(op, inputs, outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), **{k: v for k, v in attributes.items() if v is not None})


def pick(rng, *values):
    return values[rng.integers(len(values))]


def maybe(rng, value, chance=0.5):
    return value if rng.random() < chance else None


def shape_of(rng, rank, largest=6, empty=0.03):
    shape = [int(rng.integers(1, largest + 1)) for _ in range(rank)]
    if rank and rng.random() < empty:
        shape[int(rng.integers(rank))] = 0
    return shape


def floats(rng, shape, special=0.3, ties=0.3):
    """Normal numbers; some tensors of few different numbers, some with special values strewn in."""
    x = rng.normal(size=shape).astype(np.float32) * 2
    if rng.random() < ties:
        x = np.round(x)
    if rng.random() < special:
        mask = rng.random(x.shape) < pick(rng, 0.05, 0.3)
        x = np.where(mask, SPECIAL[rng.integers(len(SPECIAL), size=x.shape)], x).astype(np.float32)
    return x


def integers(rng, shape, dtype, extremes=0.3):
    info = np.iinfo(dtype)
    x = rng.integers(max(info.min, -9), min(info.max, 9), size=shape, endpoint=True).astype(dtype)
    if rng.random() < extremes:
        ends = np.array([info.min, info.max, 0, 1], dtype)
        x = np.where(rng.random(x.shape) < 0.3, ends[rng.integers(4, size=x.shape)], x).astype(dtype)
    return x


@kind
def unary(rng):
    op = pick(rng, "Abs", "Ceil", "Exp", "Floor", "Log", "Neg", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sqrt",
              "Tanh", "Softplus", "Softsign", "HardSwish", "Mish", "Erf", "Identity", "Sin", "Cos", "Atan", "Gelu", "Swish")
    opset = {"Gelu": 20, "Swish": 24}.get(op, 18)
    return Graph([node(op, ["x"])], {"x": floats(rng, shape_of(rng, rng.integers(0, 5)))}, opset=opset)


@kind
def activation(rng):
    op = pick(rng, "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "ThresholdedRelu", "Shrink")
    names = {"LeakyRelu": ["alpha"], "Elu": ["alpha"], "Selu": ["alpha", "gamma"], "Celu": ["alpha"],
             "HardSigmoid": ["alpha", "beta"], "ThresholdedRelu": ["alpha"], "Shrink": ["lambd", "bias"]}[op]
    attributes = {name: maybe(rng, float(np.round(rng.uniform(0.05, 2), 2))) for name in names}
    return Graph([node(op, ["x"], **attributes)], {"x": floats(rng, shape_of(rng, rng.integers(1, 5)))})


@kind
def composed_activation(rng):
    """What exporters write: swish, hard-swish, mish, and clips, alone and behind a convolution."""
    x, nodes, constants = "x", [], {}
    if rng.random() < 0.5:
        nodes.append(node("Conv", ["x", "w", "b"], ["c"]))
        constants |= {"w": floats(rng, [4, 3, 1, 1], special=0), "b": floats(rng, [4], special=0)}
        x = "c"
    form = pick(rng, "swish", "mish", "hardswish", "clip", "relu", "sigmoid", "leaky")
    if form == "swish":
        nodes += [node("Sigmoid", [x], ["s"]), node("Mul", [x, "s"])]
    elif form == "mish":
        nodes += [node("Softplus", [x], ["s"]), node("Tanh", ["s"], ["t"]), node("Mul", [x, "t"])]
    elif form == "hardswish":
        nodes += [node("HardSigmoid", [x], ["s"], alpha=1 / 6, beta=0.5), node("Mul", [x, "s"])]
    elif form == "clip":
        nodes.append(node("Clip", [x, "lo", "hi"]))
        constants |= {"lo": np.float32(pick(rng, 0, -1)), "hi": np.float32(6)}
    elif form == "relu":
        nodes.append(node("Relu", [x]))
    elif form == "sigmoid":
        nodes.append(node("Sigmoid", [x]))
    else:
        nodes.append(node("LeakyRelu", [x], alpha=pick(rng, 0.01, 0.1)))
    return Graph(nodes, {"x": floats(rng, [1, 3, *shape_of(rng, 2, empty=0)])}, constants, note=form)


@kind
def clip(rng):
    dtype = pick(rng, np.float32, np.float32, np.float32, np.int32, np.int8, np.uint8, np.int64)
    shape = shape_of(rng, rng.integers(0, 5))
    make = (lambda s: floats(rng, s)) if dtype == np.float32 else (lambda s: integers(rng, s, dtype))
    inputs, constants, names = {"x": make(shape)}, {}, ["x", "", ""]
    for i, name in enumerate(["lo", "hi"]):
        if rng.random() < 0.75:
            names[i + 1] = name
            (constants if rng.random() < 0.7 else inputs)[name] = make([])
    return Graph([node("Clip", names)], inputs, constants, opset=13)


@kind
def binary(rng):
    op = pick(rng, "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu", "Mod")
    dtype = pick(rng, np.float32, np.float32, np.int32, np.int64)
    a = shape_of(rng, rng.integers(0, 5))
    b = [1 if rng.random() < 0.3 else side for side in a[rng.integers(0, len(a) + 1):]]
    if op != "PRelu" and rng.random() < 0.5:
        a, b = b, a
    if dtype == np.float32:
        left, right = floats(rng, a), floats(rng, b)
    else:
        left, right = integers(rng, a, dtype, 0.1), integers(rng, b, dtype, 0.1)
        if op in ("Div", "Mod"):
            right[right == 0] = 3
        if op == "Pow":
            left, right = np.clip(left, -5, 5), np.clip(right, 0, 6)
    fmod = 1 if op == "Mod" and dtype == np.float32 else None
    inputs = {"a": left, "b": right}
    constants = {"b": inputs.pop("b")} if rng.random() < 0.4 else {}
    return Graph([node(op, ["a", "b"], fmod=fmod)], inputs, constants, note=op)


@kind
def variadic(rng):
    op = pick(rng, "Sum", "Max", "Min", "Mean")
    shape = shape_of(rng, rng.integers(0, 5))
    inputs = {}
    for i in range(rng.integers(1, 5)):
        inputs[f"x{i}"] = floats(rng, [1 if rng.random() < 0.2 else side for side in shape])
    return Graph([node(op, list(inputs))], inputs)


@kind
def comparison(rng):
    op = pick(rng, "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual")
    shape = shape_of(rng, rng.integers(0, 4))
    if rng.random() < 0.6:
        inputs = {"a": floats(rng, shape, 0.7, 0.7), "b": floats(rng, shape[1:], 0.7, 0.7)}
    else:
        inputs = {"a": integers(rng, shape, np.int64), "b": integers(rng, shape[1:], np.int64)}
    return Graph([node(op, ["a", "b"])], inputs)


@kind
def choice(rng):
    shape = shape_of(rng, rng.integers(1, 4))
    which = pick(rng, "Where", "IsNaN", "IsInf")
    if which == "Where":
        return Graph([node("Where", ["c", "a", "b"])],
                     {"c": rng.random(shape) < 0.5, "a": floats(rng, shape[1:]), "b": floats(rng, shape)})
    signs = {"detect_negative": pick(rng, None, 0, 1), "detect_positive": pick(rng, None, 0, 1)}
    return Graph([node(which, ["x"], **(signs if which == "IsInf" else {}))], {"x": floats(rng, shape, 1)})


@kind
def cast(rng):
    types = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE, np.float16: TensorProto.FLOAT16,
             np.int32: TensorProto.INT32, np.int64: TensorProto.INT64, np.uint8: TensorProto.UINT8,
             np.int8: TensorProto.INT8, np.bool_: TensorProto.BOOL, np.int16: TensorProto.INT16}
    source, target = pick(rng, np.float32, np.float32, np.int32, np.int64, np.uint8, np.bool_), pick(rng, *types)
    shape = shape_of(rng, 2)
    if source == np.float32:
        x = floats(rng, shape, special=0.4 if target in (np.float32, np.float64, np.float16, np.bool_) else 0)
        if target == np.uint8:
            x = np.abs(x)
    elif source == np.bool_:
        x = rng.random(shape) < 0.5
    else:
        x = integers(rng, shape, source)
    return Graph([node("Cast", ["x"], to=types[target])], {"x": x}, tolerance=1e-3)


def resize_axis(rng, size):
    return int(rng.integers(1, 2 * size + 3))


@kind
def resize(rng):
    mode = pick(rng, "nearest", "linear", "cubic")
    coordinates = pick(rng, "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                       "tf_crop_and_resize")
    opset = pick(rng, 11, 13, 18, 19, 19, 22)
    if coordinates == "half_pixel_symmetric":
        opset = 19
    dtype = pick(rng, np.float32, np.float32, np.float32, np.uint8, np.int8, np.int32)
    shape = [int(rng.integers(1, 3)), int(rng.integers(1, 4)), *shape_of(rng, 2, 9, 0)]
    x = floats(rng, shape, special=0) if dtype == np.float32 else integers(rng, shape, dtype)
    antialias = 1 if opset >= 18 and mode != "nearest" and rng.random() < 0.4 else None
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, "antialias": antialias,
                  "nearest_mode": maybe(rng, pick(rng, "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")),
                  "exclude_outside": 1 if mode == "cubic" and rng.random() < 0.3 else None,
                  "cubic_coeff_a": maybe(rng, -0.5, 0.3) if mode == "cubic" else None,
                  "extrapolation_value": maybe(rng, 7.0, 0.3)}
    axes = [0, 1, 2, 3]
    if opset >= 18 and rng.random() < 0.5:
        axes = pick(rng, [2, 3], [3, 2], [-1, -2], [3], [2])
        attributes["axes"] = axes
    spatial = [i for i, axis in enumerate(axes) if axis % 4 >= 2]
    constants, names = {}, ["x", "", "", ""]
    if rng.random() < 0.5:
        scales = np.ones(len(axes), np.float32)
        for i in spatial:
            scales[i] = pick(rng, 0.5, 2, 0.75, 1.25, 0.6, 1.7, 3, 0.3, 1)
            if x.shape[axes[i]] * scales[i] < 1:
                scales[i] = 2
        constants["scales"], names[2] = scales, "scales"
    else:
        sizes = np.array([x.shape[axis] for axis in axes], np.int64)
        for i in spatial:
            sizes[i] = resize_axis(rng, x.shape[axes[i]])
        constants["sizes"], names[3] = sizes, "sizes"
        if opset >= 18:
            attributes["keep_aspect_ratio_policy"] = pick(rng, None, "stretch", "not_larger", "not_smaller")
            if len(axes) == 4 and attributes["keep_aspect_ratio_policy"] in ("not_larger", "not_smaller"):
                attributes["axes"], sizes = [2, 3], sizes[2:]
                constants["sizes"] = sizes
                axes = [2, 3]
    if coordinates == "tf_crop_and_resize":
        roi = np.array([0.0] * len(axes) + [1.0] * len(axes), np.float32)
        for i, axis in enumerate(axes):
            if axis % 4 >= 2:
                roi[i], roi[len(axes) + i] = pick(rng, 0, 0.1, -0.3, 0.5), pick(rng, 1, 0.8, 1.4, 0.5)
        constants["roi"], names[1] = roi, "roi"
    while not names[-1]:
        names.pop()
    if opset < 13 and len(names) < 3:
        names += [""] * (3 - len(names))
    if opset < 13 and not names[1]:
        constants["roi"], names[1] = np.zeros(0, np.float32), "roi"
    if opset < 13 and not names[2]:
        constants["scales"], names[2] = np.zeros(0, np.float32), "scales"
    return Graph([node("Resize", names, **attributes)], {"x": x}, constants, opset, tolerance=1e-4,
                 note=" ".join(str(v) for v in (mode, coordinates, attributes.get("keep_aspect_ratio_policy"),
                                                "antialias" if antialias else "")))


@kind
def old_resize(rng):
    """Resize of opset 10, Upsample of 7 to 9."""
    opset, mode = int(rng.integers(7, 11)), pick(rng, "nearest", "linear")
    x = floats(rng, [1, 2, *shape_of(rng, 2, 6, 0)], special=0.1)
    scales = [1, 1, float(pick(rng, 1, 2, 3, 1.5, 2.5)), float(pick(rng, 1, 2, 3, 1.3))]
    if opset >= 10:
        return Graph([node("Resize", ["x", "s"], mode=mode)], {"x": x}, {"s": np.array(scales, np.float32)}, opset)
    if opset == 9:
        return Graph([node("Upsample", ["x", "s"], mode=mode)], {"x": x}, {"s": np.array(scales, np.float32)}, opset)
    return Graph([node("Upsample", ["x"], mode=mode, scales=scales)], {"x": x}, {}, opset)


def window(rng, sides, dilated=0.3):
    """Attributes of a pool or a convolution over these sides that leave at least one window."""
    rank = len(sides)
    kernel = [int(rng.integers(1, 4)) for _ in sides]
    dilations = [int(rng.integers(1, 3)) for _ in sides] if rng.random() < dilated else [1] * rank
    pads = [int(rng.integers(0, kernel[i % rank])) for i in range(2 * rank)] if rng.random() < 0.6 else [0] * 2 * rank
    for i, side in enumerate(sides):
        while (kernel[i] - 1) * dilations[i] + 1 > side + pads[i] + pads[rank + i]:
            kernel[i], dilations[i], pads[i], pads[rank + i] = 1, 1, 0, 0
    strides = [int(rng.integers(1, 4)) for _ in sides]
    return {"kernel_shape": kernel, "dilations": dilations, "pads": pads, "strides": strides}


def auto_padded(rng, attributes):
    """Now and then ONNX's auto_pad in the place of pads."""
    if rng.random() < 0.15:
        attributes = {k: v for k, v in attributes.items() if k != "pads"}
        attributes["auto_pad"] = pick(rng, "SAME_UPPER", "SAME_LOWER", "VALID")
    return attributes


@kind
def max_pool(rng):
    sides = shape_of(rng, pick(rng, 1, 2, 2, 2, 3), 8, 0)
    attributes = auto_padded(rng, window(rng, sides))
    x = floats(rng, [int(rng.integers(1, 3)), int(rng.integers(1, 4)), *sides], special=0.5)
    indices = rng.random() < 0.3
    return Graph([node("MaxPool", ["x"], ["y0", "y1"] if indices else ["y"], ceil_mode=pick(rng, None, 0, 1),
                       storage_order=maybe(rng, 1, 0.1), **attributes)], {"x": x}, outputs=2 if indices else 1,
                 opset=pick(rng, 11, 12, 18, 22))


@kind
def average_pool(rng):
    sides = shape_of(rng, pick(rng, 1, 2, 2, 2, 3), 8, 0)
    opset = pick(rng, 11, 18, 19, 22)
    attributes = auto_padded(rng, window(rng, sides, dilated=0.4 if opset >= 19 else 0))
    if opset < 19:
        del attributes["dilations"]
    x = floats(rng, [int(rng.integers(1, 3)), int(rng.integers(1, 4)), *sides])
    return Graph([node("AveragePool", ["x"], ceil_mode=pick(rng, None, 0, 1), count_include_pad=pick(rng, None, 0, 1),
                       **attributes)], {"x": x}, opset=opset)


@kind
def lp_pool(rng):
    sides = shape_of(rng, 2, 8, 0)
    attributes = auto_padded(rng, window(rng, sides))
    x = floats(rng, [1, 2, *sides], special=0)
    return Graph([node("LpPool", ["x"], p=pick(rng, None, 1, 2, 3), ceil_mode=pick(rng, None, 1), **attributes)],
                 {"x": x})


@kind
def global_pool(rng):
    op = pick(rng, "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
    x = floats(rng, [int(rng.integers(1, 3)), int(rng.integers(1, 4)), *shape_of(rng, pick(rng, 1, 2, 2, 3), 6, 0)])
    return Graph([node(op, ["x"])], {"x": x})


@kind
def conv(rng):
    rank = pick(rng, 1, 2, 2, 2, 3)
    sides = shape_of(rng, rank, 8, 0)
    group = pick(rng, 1, 1, 1, 2, 4)
    depth = int(rng.integers(1, 4)) if rng.random() < 0.7 else 1
    outs = group * int(rng.integers(1, 4))
    attributes = auto_padded(rng, window(rng, sides))
    w = floats(rng, [outs, depth, *attributes["kernel_shape"]], special=0)
    names, constants = ["x", "w"], {"w": w}
    if rng.random() < 0.5:
        names.append("b")
        constants["b"] = floats(rng, [outs], special=0)
    x = floats(rng, [int(rng.integers(1, 3)), group * depth, *sides], special=0.2)
    if rng.random() < 0.2:
        return Graph([node("Conv", names, group=group, **attributes)], {"x": x, **constants})
    return Graph([node("Conv", names, group=group, **attributes)], {"x": x}, constants, opset=pick(rng, 11, 18, 22))


@kind
def conv_transpose(rng):
    rank = pick(rng, 1, 2, 2, 3)
    sides = shape_of(rng, rank, 5, 0)
    group, depth, outs = pick(rng, 1, 1, 2), int(rng.integers(1, 3)), int(rng.integers(1, 3))
    kernel = [int(rng.integers(1, 4)) for _ in sides]
    strides = [int(rng.integers(1, 4)) for _ in sides]
    dilations = [int(rng.integers(1, 3)) for _ in sides]
    attributes = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
    whole = [(side - 1) * s + (k - 1) * d + 1 for side, s, k, d in zip(sides, strides, kernel, dilations)]
    style = pick(rng, "pads", "pads", "output_padding", "output_shape", "auto_pad")
    if style in ("pads", "output_padding"):
        pads = [int(rng.integers(0, 2)) for _ in range(2 * rank)]
        attributes["pads"] = [p if whole[i % rank] > 2 else 0 for i, p in enumerate(pads)]
    if style == "output_padding":
        attributes["output_padding"] = [int(rng.integers(0, max(s, d))) for s, d in zip(strides, dilations)]
    if style == "output_shape":
        attributes["output_shape"] = [int(rng.integers(max(1, size - 2), size + 1)) for size in whole]
    if style == "auto_pad":
        attributes["auto_pad"] = pick(rng, "SAME_UPPER", "SAME_LOWER", "VALID")
    names, constants = ["x", "w"], {"w": floats(rng, [group * depth, outs, *kernel], special=0)}
    if rng.random() < 0.5:
        names.append("b")
        constants["b"] = floats(rng, [group * outs], special=0)
    return Graph([node("ConvTranspose", names, group=group, **attributes)],
                 {"x": floats(rng, [1, group * depth, *sides], special=0.2)}, constants, note=style)


@kind
def batch_norm(rng):
    channels = int(rng.integers(1, 5))
    constants = {name: floats(rng, [channels], special=0) for name in ("scale", "bias", "mean")}
    constants["var"] = np.abs(floats(rng, [channels], special=0))
    x = floats(rng, [1, channels, *shape_of(rng, pick(rng, 0, 1, 2), 5, 0)])
    return Graph([node("BatchNormalization", ["x", *constants], epsilon=maybe(rng, 1e-3))], {"x": x}, constants)


@kind
def normalization(rng):
    op = pick(rng, "LayerNormalization", "InstanceNormalization", "GroupNormalization", "LpNormalization", "RMSNormalization",
              "MeanVarianceNormalization", "LRN")
    shape = [2, 4, *shape_of(rng, 2, 5, 0)]
    x = floats(rng, shape, special=0.1)
    if op == "LayerNormalization":
        axis = int(rng.integers(-4, 4))
        tail = shape[axis:] if axis >= 0 else shape[axis:]
        constants = {"s": floats(rng, tail, special=0), "b": floats(rng, tail, special=0)}
        names = ["x", "s"] + (["b"] if rng.random() < 0.5 else [])
        return Graph([node(op, names, axis=axis)], {"x": x}, {n: constants[n] for n in names[1:]})
    if op == "RMSNormalization":
        axis = int(rng.integers(-4, 4))
        return Graph([node(op, ["x", "s"], axis=axis)], {"x": x}, {"s": floats(rng, shape[axis:], special=0)}, opset=23)
    if op == "InstanceNormalization":
        return Graph([node(op, ["x", "s", "b"])], {"x": x},
                     {"s": floats(rng, [4], special=0), "b": floats(rng, [4], special=0)})
    if op == "GroupNormalization":
        return Graph([node(op, ["x", "s", "b"], num_groups=pick(rng, 1, 2, 4))], {"x": x},
                     {"s": floats(rng, [4], special=0), "b": floats(rng, [4], special=0)}, opset=21)
    if op == "LpNormalization":
        return Graph([node(op, ["x"], axis=int(rng.integers(-4, 4)), p=pick(rng, 1, 2))], {"x": x})
    if op == "LRN":
        return Graph([node(op, ["x"], size=pick(rng, 1, 2, 3, 5), alpha=0.1, beta=0.75, bias=1.0)], {"x": x})
    return Graph([node(op, ["x"], axes=pick(rng, None, [0, 2, 3], [1]))], {"x": x})


@kind
def reduction(rng):
    op = pick(rng, "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
              "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")
    rank = int(rng.integers(1, 5))
    shape = shape_of(rng, rank, 5, 0.08)
    integer = rng.random() < 0.15 and op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")
    x = integers(rng, shape, pick(rng, np.int32, np.int64), 0) if integer else floats(rng, shape)
    axes = sorted(int(a) for a in rng.choice(rank, size=rng.integers(0, rank + 1), replace=False))
    axes = [a - rank if rng.random() < 0.3 else a for a in axes]
    keepdims = pick(rng, None, 0, 1)
    if op != "ReduceSum" and rng.random() < 0.3:
        return Graph([node(op, ["x"], axes=axes or None, keepdims=keepdims)], {"x": x}, opset=13, note=op)
    noop = pick(rng, None, 0, 1)
    names = ["x", "axes"] if axes or rng.random() < 0.5 else ["x"]
    constants = {"axes": np.array(axes, np.int64)} if len(names) > 1 else {}
    return Graph([node(op, names, keepdims=keepdims, noop_with_empty_axes=noop)], {"x": x}, constants, note=op)


@kind
def arg(rng):
    op = pick(rng, "ArgMax", "ArgMin")
    rank = int(rng.integers(1, 4))
    x = floats(rng, shape_of(rng, rank, 6, 0), special=0.2, ties=0.8)
    return Graph([node(op, ["x"], axis=int(rng.integers(-rank, rank)), keepdims=pick(rng, None, 0, 1),
                       select_last_index=pick(rng, None, 0, 1))], {"x": x},
                 note="nan" if np.isnan(x).any() else "")


@kind
def top_k(rng):
    rank = int(rng.integers(1, 4))
    x = floats(rng, shape_of(rng, rank, 7, 0), special=0.2, ties=0.7)
    axis = int(rng.integers(-rank, rank))
    k = int(rng.integers(0 if rng.random() < 0.1 else 1, x.shape[axis] + 1))
    return Graph([node("TopK", ["x", "k"], ["y0", "y1"], axis=axis, largest=pick(rng, None, 0, 1), sorted=pick(rng, None, 1))],
                 {"x": x}, {"k": np.array([k], np.int64)}, outputs=2, note="nan" if np.isnan(x).any() else "")


@kind
def soft_max(rng):
    op = pick(rng, "Softmax", "LogSoftmax", "Hardmax")
    rank = int(rng.integers(1, 5))
    opset = pick(rng, 11, 13)
    x = floats(rng, shape_of(rng, rank, 5, 0), special=0.3)
    return Graph([node(op, ["x"], axis=maybe(rng, int(rng.integers(-rank, rank))) if opset == 13 or rank > 1 else 0)],
                 {"x": x}, opset=opset, note="nan" if not np.isfinite(x).all() else "")


@kind
def pad(rng):
    rank = int(rng.integers(1, 5))
    shape = shape_of(rng, rank, 5, 0)
    mode = pick(rng, "constant", "edge", "reflect", "wrap")
    opset = 19 if mode == "wrap" else pick(rng, 11, 13, 18, 21)
    x = floats(rng, shape) if rng.random() < 0.7 else integers(rng, shape, np.int64)
    axes = list(range(rank))
    names, constants = ["x", "pads"], {}
    if opset >= 18 and rng.random() < 0.4:
        axes = sorted(int(a) for a in rng.choice(rank, size=rng.integers(1, rank + 1), replace=False))
        constants["axes"] = np.array(axes, np.int64)
    pads = []
    for _ in range(2):
        for axis in axes:
            limit = shape[axis] - 1 if mode == "reflect" else 3
            pads.append(int(rng.integers(0, limit + 1)))
    if mode == "constant" and rng.random() < 0.3:
        for i, axis in enumerate(axes):
            if shape[axis] > 1 and pads[i] == 0:
                pads[i] = -1
    constants["pads"] = np.array(pads, np.int64)
    value = mode == "constant" and rng.random() < 0.5
    if value:
        constants["value"] = np.array(pick(rng, 7, 0, -1), x.dtype)
    if "axes" in constants:
        names += ["value" if value else "", "axes"]
    elif value:
        names.append("value")
    return Graph([node("Pad", names, mode=maybe(rng, mode) if mode == "constant" else mode)], {"x": x}, constants, opset,
                 note=mode)


@kind
def roi_align(rng):
    x = floats(rng, [int(rng.integers(1, 3)), 2, *shape_of(rng, 2, 9, 0)], special=0.1)
    count = int(rng.integers(1, 5))
    corner, size = rng.uniform(-2, 8, [count, 2]), rng.uniform(0, 8, [count, 2])
    rois = np.concatenate([corner, corner + size], 1).astype(np.float32)
    if rng.random() < 0.2:
        rois[0, 2:] = rois[0, :2]
    batch = rng.integers(0, x.shape[0], count)
    opset = pick(rng, 10, 16)
    attributes = {"mode": pick(rng, None, "avg", "max"), "output_height": pick(rng, None, 2, 3),
                  "output_width": pick(rng, None, 1, 4), "sampling_ratio": pick(rng, None, 0, 1, 2, 3),
                  "spatial_scale": pick(rng, None, 1.0, 0.5)}
    if opset >= 16:
        attributes["coordinate_transformation_mode"] = pick(rng, None, "half_pixel", "output_half_pixel")
    return Graph([node("RoiAlign", ["x", "rois", "batch"], **attributes)], {"x": x, "rois": rois, "batch": batch},
                 opset=opset, note=attributes["mode"] or "avg")


@kind
def nms(rng):
    batch, classes, boxes = int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 12))
    corner, size = np.round(rng.uniform(0, 5, [batch, boxes, 2])), np.round(rng.uniform(0, 4, [batch, boxes, 2]))
    center = rng.random() < 0.3
    b = np.concatenate([corner, size if center else corner + size], 2).astype(np.float32)
    if not center and rng.random() < 0.3:
        b = b[:, :, [2, 3, 0, 1]]  # corners the other way round
    scores = np.round(rng.uniform(0, 1, [batch, classes, boxes]), pick(rng, 1, 3)).astype(np.float32)
    names = ["boxes", "scores"]
    constants = {}
    for name, value in (("max", np.array([rng.integers(0, 6)], np.int64)),
                        ("iou", np.array([pick(rng, 0, 0.25, 0.5, 1)], np.float32)),
                        ("least", np.array([pick(rng, 0, 0.3, 0.5)], np.float32))):
        if rng.random() < 0.85:
            constants[name] = value
            names.append(name)
        else:
            names.append("")
    while not names[-1]:
        names.pop()
    return Graph([node("NonMaxSuppression", names, center_point_box=1 if center else None)],
                 {"boxes": b, "scores": scores}, constants)


@kind
def grid_sample(rng):
    opset = pick(rng, 16, 20, 22)
    mode = pick(rng, "nearest", *(("bilinear", "bicubic") if opset == 16 else ("linear", "cubic")))
    axes = 2 if opset == 16 or mode == "cubic" else int(rng.integers(2, 4))
    batch = int(rng.integers(1, 3))
    sizes, points = rng.integers(1, 6, axes), rng.integers(1, 5, axes)
    x = rng.standard_normal([batch, rng.integers(1, 4), *sizes]).astype(np.float32)
    grid = (rng.standard_normal([batch, *points, axes]) * pick(rng, 0.5, 1, 3)).astype(np.float32)
    attributes = {"mode": pick(rng, None, mode) if "linear" in mode else mode,
                  "padding_mode": pick(rng, None, "zeros", "border", "reflection"),
                  "align_corners": pick(rng, None, 0, 1)}
    return Graph([node("GridSample", ["x", "grid"], **attributes)], {"x": x, "grid": grid}, opset=opset, note=mode)


@kind
def gather(rng):
    op = pick(rng, "Gather", "GatherElements", "GatherND")
    shape = shape_of(rng, 3, 5, 0)
    x = floats(rng, shape)
    axis = int(rng.integers(-3, 3))
    if op == "Gather":
        index = rng.integers(-shape[axis], shape[axis], size=shape_of(rng, rng.integers(0, 3), 3))
        return Graph([node(op, ["x", "i"], axis=axis)], {"x": x, "i": index})
    if op == "GatherElements":
        index = rng.integers(-shape[axis], shape[axis], size=[int(rng.integers(1, side + 1)) for side in shape])
        return Graph([node(op, ["x", "i"], axis=axis)], {"x": x, "i": index})
    depth = int(rng.integers(1, 4))
    index = np.stack([rng.integers(0, side, size=[2, 3]) for side in shape[:depth]], -1)
    return Graph([node(op, ["x", "i"])], {"x": x, "i": index})


@kind
def scatter(rng):
    op = pick(rng, "ScatterElements", "ScatterND")
    reduction_name = pick(rng, None, "none", "add", "mul", "max", "min")
    shape = shape_of(rng, 2, 5, 0)
    x = floats(rng, shape, special=0.1)
    if op == "ScatterND":
        rows = rng.permutation(shape[0])[:int(rng.integers(1, shape[0] + 1))].reshape(-1, 1)
        return Graph([node(op, ["x", "i", "u"], reduction=reduction_name)],
                     {"x": x, "i": rows.astype(np.int64), "u": floats(rng, [len(rows), shape[1]], special=0.1)})
    axis = int(rng.integers(-2, 2))
    index = np.argsort(rng.random(shape), axis=axis)
    return Graph([node(op, ["x", "i", "u"], axis=axis, reduction=reduction_name)],
                 {"x": x, "i": index.astype(np.int64), "u": floats(rng, shape, special=0.1)})


@kind
def move(rng):
    """Operators that only move values."""
    op = pick(rng, "Transpose", "Concat", "Split", "Slice", "Tile", "Expand", "DepthToSpace", "SpaceToDepth", "Flatten",
              "Trilu", "Reshape", "CumSum", "ReverseSequence")
    shape = shape_of(rng, 3, 4)
    x = floats(rng, shape)
    if op == "Transpose":
        return Graph([node(op, ["x"], perm=maybe(rng, [int(i) for i in rng.permutation(3)]))], {"x": x})
    if op == "Concat":
        axis = int(rng.integers(-3, 3))
        other = list(shape)
        other[axis] = int(rng.integers(0, 4))
        return Graph([node(op, ["x", "z", "x"], axis=axis)], {"x": x, "z": floats(rng, other)})
    if op == "Split":
        axis = int(rng.integers(-3, 3))
        first = int(rng.integers(0, shape[axis] + 1))
        return Graph([node(op, ["x", "s"], ["y0", "y1"], axis=axis)], {"x": x},
                     {"s": np.array([first, shape[axis] - first], np.int64)}, outputs=2)
    if op == "Slice":
        axes = sorted(int(a) for a in rng.choice(3, size=rng.integers(1, 4), replace=False))
        ends = np.array([pick(rng, -1, 1, 3, 2**63 - 1, -(2**63)) for _ in axes], np.int64)
        return Graph([node(op, ["x", "b", "e", "a", "t"])], {"x": x},
                     {"b": rng.integers(-5, 5, len(axes)), "e": ends, "a": np.array(axes),
                      "t": np.array([pick(rng, 1, 2, -1, -2) for _ in axes])})
    if op == "Tile":
        return Graph([node(op, ["x", "n"])], {"x": x}, {"n": rng.integers(0, 3, 3)})
    if op == "Expand":
        return Graph([node(op, ["x", "n"])], {"x": x}, {"n": np.array([2, *[1 if rng.random() < .5 else s for s in shape]])})
    if op in ("DepthToSpace", "SpaceToDepth"):
        return Graph([node(op, ["x"], blocksize=2, mode=pick(rng, None, "CRD", "DCR") if op[0] == "D" else None)],
                     {"x": floats(rng, [1, 8, 4, 2])})
    if op == "Flatten":
        return Graph([node(op, ["x"], axis=int(rng.integers(-3, 4)))], {"x": x})
    if op == "Trilu":
        return Graph([node(op, ["x", "k"], upper=pick(rng, None, 0, 1))], {"x": x}, {"k": np.array(rng.integers(-3, 4))})
    if op == "Reshape":
        return Graph([node(op, ["x", "s"])], {"x": floats(rng, [2, 3, 4])},
                     {"s": np.array(pick(rng, [-1], [0, -1], [4, -1, 2], [3, 8], [0, 0, 2, 2]))})
    if op == "CumSum":
        return Graph([node(op, ["x", "a"], exclusive=pick(rng, None, 1), reverse=pick(rng, None, 1))], {"x": x},
                     {"a": np.array(rng.integers(-3, 3))})
    x = floats(rng, [4, 3, 2])
    return Graph([node(op, ["x", "l"], batch_axis=1, time_axis=0)], {"x": x}, {"l": rng.integers(1, 5, 3)})


@kind
def product(rng):
    op = pick(rng, "MatMul", "Gemm", "Einsum")
    m, k, n = (int(rng.integers(1, 6)) for _ in range(3))
    if op == "MatMul":
        a, b = pick(rng, ([m, k], [k, n]), ([2, m, k], [k, n]), ([k], [k, n]), ([m, k], [k]), ([2, 1, m, k], [3, k, n]))
        return Graph([node(op, ["a", "b"])], {"a": floats(rng, a, 0.2), "b": floats(rng, b, 0.2)})
    if op == "Gemm":
        ta, tb = pick(rng, 0, 1), pick(rng, 0, 1)
        inputs = {"a": floats(rng, [k, m] if ta else [m, k], 0.2), "b": floats(rng, [n, k] if tb else [k, n], 0)}
        names = ["a", "b"]
        if rng.random() < 0.6:
            inputs["c"] = floats(rng, pick(rng, [n], [m, 1], [1], [m, n], []), 0)
            names.append("c")
        return Graph([node(op, names, transA=ta, transB=tb, alpha=pick(rng, None, 0.5), beta=pick(rng, None, 2.0, 0.0))],
                     inputs)
    equation, a, b = pick(rng, ("ij,jk->ik", [m, k], [k, n]), ("bij,bjk->bik", [2, m, k], [2, k, n]),
                          ("ij,kj->ik", [m, k], [n, k]), ("i,j->ij", [m], [n]))
    return Graph([node(op, ["a", "b"], equation=equation)], {"a": floats(rng, a, 0), "b": floats(rng, b, 0)})


@kind
def quantize(rng):
    axis_wise = rng.random() < 0.4
    dtype = pick(rng, np.int8, np.uint8)
    channels = 3
    scale = np.abs(rng.normal(size=[channels] if axis_wise else []) * 0.1).astype(np.float32) + 0.01
    zero = integers(rng, scale.shape, dtype, 0)
    if rng.random() < 0.5:
        x = floats(rng, [2, channels, 4], special=0)
        return Graph([node("QuantizeLinear", ["x", "s", "z"], axis=1 if axis_wise else None)], {"x": x},
                     {"s": scale, "z": zero}, opset=pick(rng, 13, 19, 21))
    x = integers(rng, [2, channels, 4], dtype)
    return Graph([node("DequantizeLinear", ["x", "s", "z"], axis=1 if axis_wise else None)], {"x": x},
                 {"s": scale, "z": zero}, opset=pick(rng, 19, 21))


@kind
def block(rng):
    """A piece of a detector, so that fused kernels run: convolutions, squeeze-excite, sums of resized maps."""
    channels, side = pick(rng, 4, 16, 24), pick(rng, 4, 6, 8)
    x = floats(rng, [1, channels, side, side], special=0.25)
    nodes, constants = [], {}

    def layer(name, source, outs, ins, kernel, group=1):
        constants[name + ".w"] = floats(rng, [outs, ins // group, kernel, kernel], 0, 0) / 4
        constants[name + ".b"] = floats(rng, [outs], 0, 0)
        nodes.append(node("Conv", [source, name + ".w", name + ".b"], [name], group=group, pads=[kernel // 2] * 4))
        return name

    def swish(source):
        nodes.extend([node("Sigmoid", [source], [source + ".s"]), node("Mul", [source, source + ".s"], [source + ".a"])])
        return source + ".a"

    form = pick(rng, "mbconv", "residual", "mix", "separable", "dense")
    if form == "mbconv":
        wide = 2 * channels
        deep = swish(layer("dw", swish(layer("expand", "x", wide, channels, 1)), wide, wide, 3, wide))
        nodes.append(node("GlobalAveragePool", [deep], ["mean"]))
        gate = layer("up", swish(layer("down", "mean", 4, wide, 1)), wide, 4, 1)
        nodes.extend([node("Sigmoid", [gate], ["gate"]), node("Mul", [deep, "gate"], ["gated"])])
        last = layer("project", "gated", channels, wide, 1)
        nodes.append(node("Add", [last, "x"]))
    elif form == "residual":
        nodes.append(node("Add", [layer("c", "x", channels, channels, 3), "x"], ["sum"]))
        nodes.append(node("Relu", ["sum"]))
    elif form == "mix":
        nodes.append(node("MaxPool", ["x"], ["small"], kernel_shape=[2, 2], strides=[2, 2]))
        constants |= {"scales": np.array([1, 1, 2, 2], np.float32), "f": np.float32(0.3), "g": np.float32(0.7)}
        nodes.append(node("Resize", ["small", "", "scales"], ["large"], mode="nearest", nearest_mode="floor",
                          coordinate_transformation_mode="asymmetric"))
        nodes.extend([node("Mul", ["x", "f"], ["xf"]), node("Mul", ["large", "g"], ["lg"]), node("Add", ["xf", "lg"], ["sum"])])
        nodes.append(node("Sigmoid", ["sum"], ["s"]))
        nodes.append(node("Mul", ["sum", "s"]))
    elif form == "separable":
        last = layer("pw", layer("dw", "x", channels, channels, 3, channels), 16, channels, 1)
        nodes.append(node("Clip", [last, "lo", "hi"]))
        constants |= {"lo": np.float32(0), "hi": np.float32(6)}
    else:
        last = layer("c2", swish(layer("c1", "x", 16, channels, 3)), 8, 16, 3)
        nodes.append(node("Identity", [last]))
    return Graph(nodes, {"x": x}, constants, opset=13, note=form)
