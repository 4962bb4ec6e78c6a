"""Small float networks with the layers of detectors, as ONNX and as PyTorch modules, with random weights."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32  # of the input image
IR_VERSION = {11: 7, 13: 7, 17: 8, 21: 10}


class Builder:
    """Appends nodes; each method returns the name of what it makes."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []
        self.channels = {"x": 3}

    def constant(self, array):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, channels=None, **attributes):
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        self.channels[name] = self.channels[inputs[0]] if channels is None else channels
        return name

    def conv(self, x, out, kernel=1, stride=1, group=1):
        fan = self.channels[x] // group * kernel * kernel
        weights = self.random.normal(0, fan**-0.5, (out, self.channels[x] // group, kernel, kernel)).astype("f4")
        weights *= self.random.uniform(0.2, 2, (out, 1, 1, 1)).astype("f4")  # channels of different sizes
        bias = self.random.normal(0, 0.2, out).astype("f4")
        return self.node("Conv", [x, self.constant(weights), self.constant(bias)], out, group=group, strides=[stride] * 2,
                         pads=[kernel // 2] * 4, kernel_shape=[kernel] * 2)

    def swish(self, x):
        return self.node("Mul", [x, self.node("Sigmoid", [x])])

    def resize(self, x):
        scales = self.constant(np.array([1, 1, 2, 2], "f4"))
        return self.node("Resize", [x, self.constant(np.zeros(0, "f4")), scales], mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def model(self, outputs, opset):
        declared = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        graph = helper.make_graph(self.nodes, "network", [x], declared, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION[opset])
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model, full_check=True)
        return model


def layers(opset):
    """Convolutions behind which the usual activations stand."""
    b = Builder(1)
    stem = b.node("Relu", [b.conv("x", 16, 3, 2)])
    clipped = b.node("Clip", [b.conv(stem, 24), b.constant(np.float32(0)), b.constant(np.float32(6))])
    leaky = b.node("LeakyRelu", [b.conv(clipped, 16, 3, group=8)], alpha=0.1)
    return b.model([b.conv(b.node("HardSigmoid", [leaky]), 8)], opset)


def mbconv(opset):
    """Expansion, depthwise layer, squeeze-and-excite, projection, residual."""
    b = Builder(2)
    start = b.swish(b.conv("x", 16, 3, 2))
    expanded = b.swish(b.conv(start, 48))
    depthwise = b.swish(b.conv(expanded, 48, 3, group=48))
    squeezed = b.swish(b.conv(b.node("GlobalAveragePool", [depthwise]), 8))
    gate = b.node("Sigmoid", [b.conv(squeezed, 48)])
    total = b.node("Add", [b.conv(b.node("Mul", [depthwise, gate]), 16), start])
    return b.model([b.conv(total, 12, 3)], opset)


def pyramid(opset):
    """Pools, a resize, weighted sums and a concatenation."""
    b = Builder(3)
    fine = b.swish(b.conv("x", 16, 3, 2))
    coarse = b.node("MaxPool", [fine], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    coarse = b.swish(b.conv(coarse, 16))
    weighted = b.node("Mul", [b.resize(coarse), b.constant(np.float32(0.4))])
    total = b.swish(b.node("Add", [b.node("Mul", [fine, b.constant(np.float32(0.6))]), weighted]))
    smooth = b.node("AveragePool", [total], kernel_shape=[3, 3], pads=[1] * 4)
    joined = b.node("Concat", [b.swish(b.conv(total, 16, 3)), smooth], 32, axis=1)
    return b.model([b.conv(joined, 9, 3), b.conv(coarse, 9, 3)], opset)


def classifier(opset):
    """Means, and matrix products of both kinds."""
    b = Builder(4)
    features = b.node("Relu", [b.conv("x", 32, 3, 2)])
    flat = b.node("Flatten", [b.node("GlobalAveragePool", [features])])
    weights = b.random.normal(0, 0.2, (24, 32)).astype("f4")
    hidden = b.node("Gemm", [flat, b.constant(weights), b.constant(b.random.normal(0, 0.1, 24).astype("f4"))], transB=1)
    last = b.node("MatMul", [b.node("Relu", [hidden]), b.constant(b.random.normal(0, 0.2, (24, 10)).astype("f4"))])
    return b.model([b.node("Softmax", [last], axis=1)], opset)


NETWORKS = {"layers": layers, "mbconv": mbconv, "pyramid": pyramid, "classifier": classifier}


def images(count, seed, side=SIDE):
    """Inputs like normalised pictures: smooth, with a few outliers."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        coarse = random.normal(0, 1, (1, 3, side // 4, side // 4))
        yield (np.kron(coarse, np.ones((1, 1, 4, 4))) + random.normal(0, 0.2, (1, 3, side, side))).astype("f4")


def torch_network():
    """mbconv as a PyTorch module with batch norms, for PyTorch's own quantization."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
            self.expand = nn.Sequential(nn.Conv2d(16, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
            self.depthwise = nn.Sequential(nn.Conv2d(48, 48, 3, 1, 1, groups=48, bias=False), nn.BatchNorm2d(48), nn.ReLU())
            self.project = nn.Sequential(nn.Conv2d(48, 16, 1, bias=False), nn.BatchNorm2d(16))
            self.pool = nn.MaxPool2d(2)
            self.head = nn.Linear(16, 10)

        def forward(self, x):
            x = self.stem(x)
            x = self.pool(x + self.project(self.depthwise(self.expand(x))))
            return self.head(x.mean((2, 3)))

    torch.manual_seed(5)
    network = Network()
    for image in images(8, 9):  # statistics for the batch norms
        network(torch.from_numpy(image))
    return network.eval()
