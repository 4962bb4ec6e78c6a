"""EfficientDet without PyTorch: detection, models and mAP by effdet's C++ library.

    import effdet_cpp
    found = effdet_cpp.Detector("d0.om")("street.jpg")
    print(found.xyxy, found.confidence, found.labels)
"""

from . import _library
from . import log as _log  # noqa: F401: it hands what the library says to Python's logging
from .coco import COCOeval
from .detections import Detection, Detections
from .detector import Detector, Letterbox
from .errors import (
    BadInputError,
    Error,
    FileError,
    InternalError,
    MismatchError,
    OutOfMemoryError,
    UnsupportedError,
    UsageError,
)
from .evaluation import Evaluation, evaluate, validate
from .images import decode, read
from .model import Model, TensorInfo
from .toolchain import Onnx, compile, export, quantize, simplify

__version__ = _library.text(_library.read("version"))

__all__ = [
    "BadInputError",
    "COCOeval",
    "Detection",
    "Detections",
    "Detector",
    "Error",
    "Evaluation",
    "FileError",
    "InternalError",
    "Letterbox",
    "MismatchError",
    "Model",
    "Onnx",
    "OutOfMemoryError",
    "TensorInfo",
    "UnsupportedError",
    "UsageError",
    "compile",
    "decode",
    "evaluate",
    "export",
    "quantize",
    "read",
    "simplify",
    "validate",
]
