"""What quantizes: each function takes a float model and returns the path of a quantized one, by the tool's own defaults
where nothing else is said."""

import os
import subprocess
import sys

import networks


class Reader:
    """Calibration images for ONNX Runtime."""

    def __init__(self, count=16, side=networks.SIDE, name="x"):
        self.images = iter([{name: image} for image in networks.images(count, 1, side)])

    def get_next(self):
        return next(self.images, None)


def input_of(path):
    import onnx

    tensor = onnx.load(path).graph.input[0]
    return tensor.name, tensor.type.tensor_type.shape.dim[-1].dim_value


def onnx_runtime(source, target, **options):
    """quantize_static: QDQ or QOperator, with its options by name."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    name, side = input_of(source)
    for key in ("activation_type", "weight_type"):
        if key in options:
            options[key] = QuantType[options[key]]
    options["quant_format"] = QuantFormat[options.get("quant_format", "QDQ")]
    quantize_static(source, target, Reader(side=side, name=name), calibrate_method=CalibrationMethod.MinMax, **options)


def onnx_runtime_dynamic(source, target, **options):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType[options.get("weight_type", "QUInt8")])


def nncf(source, target, **options):
    import nncf as tool
    import onnx

    name, side = input_of(source)
    data = tool.Dataset([{name: image} for image in networks.images(16, 1, side)])
    preset = tool.QuantizationPreset(options.get("preset", "performance"))
    onnx.save(tool.quantize(onnx.load(source), data, preset=preset, subset_size=16), target)


def modelopt(source, target, **options):
    import numpy
    from modelopt.onnx.quantization import quantize

    name, side = input_of(source)
    data = {name: numpy.concatenate(list(networks.images(16, 1, side)))}
    quantize(str(source), quantize_mode="int8", calibration_data=data, output_path=str(target),
             calibration_eps=["cpu"], high_precision_dtype="fp32", **options)


def pt2e(source, target, **options):
    """torchao's pt2e on a PyTorch module, exported by torch.onnx; `source` is not read."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (X86InductorQuantizer,
                                                                            get_default_x86_inductor_quantization_config)

    module, example = networks.torch_network(), (torch.zeros(1, 3, networks.SIDE, networks.SIDE),)
    quantizer = X86InductorQuantizer()
    quantizer.set_global(get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(torch.export.export(module, example, strict=True).module(), quantizer)
    for image in networks.images(16, 1):
        prepared(torch.from_numpy(image))
    converted = convert_pt2e(prepared)
    torch.onnx.export(converted, example, str(target), dynamo=True, input_names=["x"], opset_version=options.get("opset", 18))


def fake_quantized(source, target, **options):
    """torch.ao's quantization-aware modules, whose FakeQuantize the TorchScript exporter writes as Q and DQ."""
    import torch
    from torch import nn
    from torch.ao.quantization import FakeQuantize, MovingAverageMinMaxObserver, MovingAveragePerChannelMinMaxObserver

    weights = FakeQuantize.with_args(observer=MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127,
                                     dtype=torch.qint8, qscheme=torch.per_channel_symmetric, ch_axis=0)
    maps = FakeQuantize.with_args(observer=MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8)

    class QuantizedConv(nn.Module):
        def __init__(self, conv):
            super().__init__()
            self.conv, self.weights, self.maps = conv, weights(), maps()

        def forward(self, x):
            return self.conv._conv_forward(self.maps(x), self.weights(self.conv.weight), self.conv.bias)

    module = networks.torch_network()
    for name, child in list(module.named_modules()):
        for key, layer in list(child._modules.items()):
            if isinstance(layer, nn.Conv2d):
                child._modules[key] = QuantizedConv(layer)
    for image in networks.images(16, 1):
        module(torch.from_numpy(image))
    module.apply(lambda m: m.disable_observer() if isinstance(m, FakeQuantize) else None)
    torch.onnx.export(module.eval(), (torch.zeros(1, 3, networks.SIDE, networks.SIDE),), str(target), dynamo=False,
                      input_names=["x"], opset_version=options.get("opset", 13))


OPSETS = (11, 13, 17, 21)
# name: (function, its options, opsets, networks); networks None: all
CASES = {
    "ONNX Runtime QDQ": (onnx_runtime, {}, (13, 17, 21), None),
    "ONNX Runtime QDQ uint8": (onnx_runtime, {"activation_type": "QUInt8"}, OPSETS, None),
    "ONNX Runtime QDQ per channel": (onnx_runtime, {"per_channel": True}, (13, 21), None),
    "ONNX Runtime QDQ uint8 per channel": (onnx_runtime, {"activation_type": "QUInt8", "per_channel": True}, (13, 17, 21), None),
    "ONNX Runtime QDQ uint8 weights": (onnx_runtime, {"activation_type": "QUInt8", "weight_type": "QUInt8"}, (13,), None),
    "ONNX Runtime QDQ reduced range": (onnx_runtime, {"activation_type": "QUInt8", "per_channel": True, "reduce_range": True}, (13,), None),
    "ONNX Runtime QDQ int16": (onnx_runtime, {"activation_type": "QInt16", "weight_type": "QInt8"}, (21,), ("layers", "mbconv")),
    "ONNX Runtime QDQ uint16": (onnx_runtime, {"activation_type": "QUInt16", "weight_type": "QInt8"}, (13,), ("layers",)),
    "ONNX Runtime QOperator": (onnx_runtime, {"quant_format": "QOperator"}, (13,), None),
    "ONNX Runtime QOperator uint8": (onnx_runtime, {"quant_format": "QOperator", "activation_type": "QUInt8"}, OPSETS, None),
    "ONNX Runtime QOperator per channel": (onnx_runtime, {"quant_format": "QOperator", "activation_type": "QUInt8", "per_channel": True}, (13,), None),
    "ONNX Runtime QOperator uint8 weights": (onnx_runtime, {"quant_format": "QOperator", "activation_type": "QUInt8", "weight_type": "QUInt8"}, (13,), None),
    "ONNX Runtime dynamic": (onnx_runtime_dynamic, {}, (11, 13), None),
    "ONNX Runtime dynamic int8": (onnx_runtime_dynamic, {"weight_type": "QInt8"}, (13,), None),
    "NNCF": (nncf, {}, (13, 17, 21), None),
    "NNCF mixed": (nncf, {"preset": "mixed"}, (13,), None),
    "ModelOpt": (modelopt, {}, (13, 17, 21), None),
    "torchao pt2e": (pt2e, {"opset": 18}, (18,), ("torch",)),
    "torch.ao FakeQuantize": (fake_quantized, {"opset": 13}, (13,), ("torch",)),
}


# ModelOpt wants another onnx than the rest.
PYTHON = {modelopt: os.environ.get("MODELOPT_PYTHON", sys.executable)}


def make(name, source, target):
    """In a process of its own: the tools leave state and talk much. Raises RuntimeError with the last line on failure."""
    call = [PYTHON.get(CASES[name][0], sys.executable), __file__, name, str(source), str(target)]
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="", TQDM_DISABLE="1")
    result = subprocess.run(call, capture_output=True, text=True, check=False, env=environment)
    if result.returncode:
        raise RuntimeError((result.stderr.strip().splitlines() or ["no message"])[-1])


if __name__ == "__main__":
    function, options, _, _ = CASES[sys.argv[1]]
    function(sys.argv[2], sys.argv[3], **options)
