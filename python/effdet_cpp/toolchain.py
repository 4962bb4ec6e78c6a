"""From a PyTorch checkpoint to ONNX and compiled models."""

import ctypes as c
import os
import pathlib
from typing import Any, Optional, Sequence, Union

from . import _library as lib
from .detector import detect_options
from .model import Model, model_options, precision_code


class Onnx:
    """An ONNX model: a file, or a PyTorch checkpoint that is exported. Options are those of model_options()."""

    def __init__(self, path: Any, /, **options: Any):
        settled = model_options(**options)
        self._handle = lib.Handle.made_by("onnx", "onnx_open", lib.path_bytes(path), c.byref(settled))

    def simplify(self) -> "Onnx":
        """Makes the graph simpler without changing what it computes."""
        lib.call("onnx_simplify", self._handle.pointer)
        return self

    def raise_opset(self, opset: int) -> "Onnx":
        """Writes the nodes as a later version of the operator set has them, 11 to 22."""
        lib.call("onnx_raise_opset", self._handle.pointer, lib.whole(opset, "opset"))
        return self

    def append_nms(self, **options: Any) -> "Onnx":
        """Appends decoding and suppression to an export. options: score, iou, max_detections, max_candidates."""
        lib.call("onnx_append_nms", self._handle.pointer, c.byref(detect_options(**options)))
        return self

    def quantize(
        self,
        calibration: Sequence[Any] = (),
        *,
        calibration_images: int = 300,
        seed: int = 0,
        weights_only: bool = False,
        validation: Optional[Any] = None,
        keep: float = 0.99,
        threads: int = 0,
    ) -> "Onnx":
        """Makes an 8-bit model. calibration: image files or folders of them; validation: root of a data set on which
        `keep` of float32's mAP has to remain, or MismatchError is raised and the model stays as it was."""
        files = [lib.path_bytes(path) for path in _image_files(calibration)]
        settled = lib.initialised(
            lib.QuantizeOptions,
            "quantize_options",
            calibration=lib.strings(files) if files else None,
            num_calibration=len(files),
            calibration_images=lib.whole(calibration_images, "calibration_images", 1, 2**63 - 1),
            seed=lib.whole(seed, "seed", 0, 2**64 - 1),
            weights_only=int(weights_only),
            validation=None if validation is None else lib.path_bytes(validation),
            keep=keep,
            threads=lib.whole(threads, "threads", 0, 1024),
        )
        lib.call("onnx_quantize", self._handle.pointer, c.byref(settled))
        return self

    def compile(self, precision: Optional[str] = None, threads: int = 0) -> Model:
        """A model for this processor. precision: "fp32" or "bf16"."""
        return Model.of_handle(
            lib.Handle.made_by("model", "onnx_compile", self._handle.pointer, precision_code(precision)), threads
        )

    def write(self, path: Any) -> None:
        lib.call("onnx_write", self._handle.pointer, lib.path_bytes(path))


def _is_input(path: pathlib.Path) -> bool:
    return path.suffix == ".bin" or bool(lib.read("is_picture_name", lib.path_bytes(path)))


def _image_files(given: Union[Any, Sequence[Any]]) -> Sequence[Any]:
    """Files as they are given, and those in folders."""
    found = []
    for path in given if isinstance(given, (list, tuple)) else [given]:
        path = pathlib.Path(os.fsdecode(lib.path_bytes(path)))
        found += [one for one in sorted(path.iterdir()) if _is_input(one)] if path.is_dir() else [path]
    return found


def export(checkpoint: Any, out: Any, /, *, opset: int = 11, simplified: bool = False, **options: Any) -> None:
    """Exports a PyTorch checkpoint to an ONNX file."""
    onnx = Onnx(checkpoint, **options)
    if simplified:
        onnx.simplify()
    if opset != 11:
        onnx.raise_opset(opset)
    onnx.write(out)


def simplify(onnx: Any, out: Any) -> None:
    """Writes a simpler ONNX file that computes the same."""
    Onnx(onnx).simplify().write(out)


def compile(file: Any, /, out: Optional[Any] = None, *, precision: Optional[str] = None, **options: Any) -> Model:
    """Compiles an ONNX file or a checkpoint for this processor; out: the file (.om) to write, too."""
    compiled = Model(file, precision=precision, **options)
    if out is not None:
        compiled.save(out)
    return compiled


def quantize(model: Any, out: Any, calibration: Sequence[Any] = (), *, options: Optional[dict] = None, **quantization: Any) -> None:
    """Writes an 8-bit ONNX model of a float32 one. options: those of model_options(); others as Onnx.quantize()."""
    Onnx(model, **(options or {})).quantize(calibration, **quantization).write(out)
