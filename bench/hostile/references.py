"""How people read each kind of file; each reader says what it read in a few words."""
import math
import re


def described(tensors):
    """The first names, types and shapes, as a table can show them."""
    parts = [f"{name} {str(value.dtype).removeprefix('torch.')}{list(value.shape)}" if hasattr(value, "dtype") else
             f"{name} {type(value).__name__}" for name, value in list(tensors.items())[:2]]
    more = f" and {len(tensors) - 2} more" if len(tensors) > 2 else ""
    return re.sub(r"1(, 1){9,}", "1, ...", ", ".join(parts)) + more


def torch_reader():
    import torch

    def read(path):
        value = torch.load(path, map_location="cpu", weights_only=True)
        return described(value) if isinstance(value, dict) else type(value).__name__
    return read


def safetensors_reader():
    from safetensors.numpy import load_file
    return lambda path: described(load_file(path))


def onnx_reader():
    import onnx

    def read(path):
        onnx.checker.check_model(path)  # by path, as it checks where external data lie
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        return f"{len(model.graph.node)} nodes"
    return read


def onnxruntime_reader():
    import numpy
    import onnxruntime

    def read(path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        types = {"tensor(bool)": numpy.bool_, "tensor(float)": numpy.float32, "tensor(int32)": numpy.int32,
                 "tensor(int64)": numpy.int64}
        feeds = {value.name: numpy.ones(value.shape, types[value.type]) for value in session.get_inputs()}
        return "ran: " + ", ".join(f"{output.dtype}{list(output.shape)}" for output in session.run(None, feeds))
    return read


def pillow_reader():
    from PIL import Image

    def read(path):
        with Image.open(path) as image:
            image.convert("RGB")
            return f"{image.format} {image.mode} {image.width} x {image.height}"
    return read


def pycocotools_reader():
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def read(path):
        truth = COCO("annotations.json")
        evaluation = COCOeval(truth, truth.loadRes("results.json"), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return "AP " + ("nan" if math.isnan(evaluation.stats[0]) else f"{evaluation.stats[0]:.3f}")
    return read


def numpy_reader():
    import numpy

    def read(path):
        value = numpy.load(path)
        return f"{value.dtype}{list(value.shape)}"
    return read


READERS = {"torch": torch_reader, "safetensors": safetensors_reader, "onnx": onnx_reader,
           "onnxruntime": onnxruntime_reader, "pillow": pillow_reader, "pycocotools": pycocotools_reader,
           "numpy": numpy_reader}


def reader(name):
    """Imports the package and returns its function from a path to what was read."""
    return READERS[name]()
