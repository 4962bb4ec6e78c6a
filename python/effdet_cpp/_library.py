"""The C interface (include/effdet/effdet_c.h) by ctypes: structs, prototypes, and statuses as exceptions.

ctypes releases the interpreter's lock while a function runs, so that other threads go on.
"""

import ctypes as c
import operator
import os
import pathlib
from typing import Any, Optional, Sequence

from .errors import UsageError, error_of


class ModelOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("model", c.c_char_p),
        ("num_classes", c.c_int),
        ("height", c.c_int),
        ("width", c.c_int),
        ("batch", c.c_int),
        ("class_names", c.POINTER(c.c_char_p)),
        ("num_class_names", c.c_size_t),
        ("use_ema", c.c_int),
        ("precision", c.c_int),
        ("device", c.c_char_p),
        ("on_note", c.CFUNCTYPE(None, c.c_char_p, c.c_void_p)),
        ("user", c.c_void_p),
    ]


class Tensor(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("dtype", c.c_char_p),
        ("shape", c.POINTER(c.c_int64)),
        ("rank", c.c_size_t),
        ("bytes", c.c_size_t),
    ]


class Description(c.Structure):
    _fields_ = [
        ("model", c.c_char_p),
        ("num_classes", c.c_int),
        ("height", c.c_int),
        ("width", c.c_int),
        ("batch", c.c_int),
    ]


class Image(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("data", c.c_void_p),
        ("width", c.c_int),
        ("height", c.c_int),
        ("format", c.c_int),
        ("stride", c.c_ssize_t),
        ("chroma", c.c_void_p),
        ("chroma_stride", c.c_ssize_t),
    ]


class DetectOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("score_threshold", c.c_float),
        ("iou_threshold", c.c_float),
        ("max_candidates", c.c_int),
        ("max_detections", c.c_int),
        ("soft_nms", c.c_int),
        ("soft_linear", c.c_int),
        ("agnostic", c.c_int),
        ("categories", c.POINTER(c.c_int)),
        ("num_categories", c.c_size_t),
    ]


class Timings(c.Structure):
    _fields_ = [("preprocess", c.c_double), ("inference", c.c_double), ("postprocess", c.c_double)]


class QuantizeOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("calibration", c.POINTER(c.c_char_p)),
        ("num_calibration", c.c_size_t),
        ("calibration_images", c.c_size_t),
        ("seed", c.c_uint64),
        ("weights_only", c.c_int),
        ("validation", c.c_char_p),
        ("keep", c.c_double),
        ("threads", c.c_int),
    ]


class CategoryAp(c.Structure):
    _fields_ = [
        ("id", c.c_int64),
        ("name", c.c_char_p),
        ("ap", c.c_double),
        ("ap50", c.c_double),
        ("ap75", c.c_double),
    ]


class EvaluateOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("images", c.POINTER(c.c_char_p)),
        ("num_images", c.c_size_t),
        ("categories", c.POINTER(c.c_char_p)),
        ("num_categories", c.c_size_t),
        ("ignore_categories", c.c_int),
        ("iou_thresholds", c.POINTER(c.c_double)),
        ("num_iou_thresholds", c.c_size_t),
        ("recall_thresholds", c.POINTER(c.c_double)),
        ("num_recall_thresholds", c.c_size_t),
        ("area_labels", c.POINTER(c.c_char_p)),
        ("area_ranges", c.POINTER(c.c_double)),
        ("num_areas", c.c_size_t),
        ("max_detections", c.POINTER(c.c_size_t)),
        ("num_max_detections", c.c_size_t),
        ("arrays", c.c_char_p),
        ("threads", c.c_int),
    ]


LogFunction = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)
OnImage = c.CFUNCTYPE(c.c_int, c.c_size_t, c.c_size_t, c.c_void_p)


class ValidateOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("detect", c.POINTER(DetectOptions)),
        ("results", c.c_char_p),
        ("limit", c.c_size_t),
        ("streams", c.c_int),
        ("threads", c.c_int),
        ("on_image", OnImage),
        ("user", c.c_void_p),
    ]


_P, _S, _I, _N = c.c_void_p, c.c_char_p, c.c_int, c.c_size_t
_OUT = c.POINTER(c.c_void_p)

# Functions that return a status, with their parameters.
_CALLS = {
    "set_log": [LogFunction, _P],
    "model_open": [_S, c.POINTER(ModelOptions), _OUT],
    "model_load": [_P, _N, _S, _OUT],
    "model_save": [_P, _S],
    "model_input": [_P, _N, c.POINTER(Tensor)],
    "model_output": [_P, _N, c.POINTER(Tensor)],
    "model_describe": [_P, c.POINTER(Description)],
    "runner_new": [_P, _I, _OUT],
    "runner_run": [_P, c.POINTER(_P), c.POINTER(_N), _N, c.POINTER(_P), c.POINTER(_N), _N],
    "picture_read": [_S, _OUT],
    "picture_decode": [_P, _N, _S, _OUT],
    "picture_write": [_P, _S],
    "detector_new": [_P, _I, c.POINTER(DetectOptions), _OUT],
    "detector_detect": [_P, c.POINTER(Image), c.POINTER(DetectOptions), _OUT],
    "detector_detect_file": [_P, _S, c.POINTER(DetectOptions), _OUT],
    "detector_detect_batch": [_P, c.POINTER(Image), _N, c.POINTER(DetectOptions), _OUT],
    "detector_timings": [_P, c.POINTER(Timings)],
    "detector_letterbox": [_P, _I, _I, c.POINTER(c.c_double), c.POINTER(_I), c.POINTER(_I)],
    "annotate": [c.POINTER(Image), _P, _N, c.POINTER(_S), _N, _OUT],
    "onnx_open": [_S, c.POINTER(ModelOptions), _OUT],
    "onnx_write": [_P, _S],
    "onnx_simplify": [_P],
    "onnx_raise_opset": [_P, _I],
    "onnx_append_nms": [_P, c.POINTER(DetectOptions)],
    "onnx_quantize": [_P, c.POINTER(QuantizeOptions)],
    "onnx_compile": [_P, _I, _OUT],
    "evaluation_category": [_P, _N, c.POINTER(CategoryAp)],
    "evaluate": [_S, _S, c.POINTER(EvaluateOptions), _OUT],
    "validate": [_P, _S, c.POINTER(ValidateOptions), _OUT],
}
# Functions that cannot fail, with what they return.
_READS = {
    "last_error": ([], _S),
    "version": ([], _S),
    "model_options_init": ([c.POINTER(ModelOptions)], None),
    "model_input_count": ([_P], _N),
    "model_output_count": ([_P], _N),
    "model_class_name": ([_P, _I], _S),
    "model_metadata": ([_P, _S], _S),
    "image_init": ([c.POINTER(Image)], None),
    "is_picture_name": ([_S], _I),
    "picture_width": ([_P], _I),
    "picture_height": ([_P], _I),
    "picture_pixels": ([_P], _P),
    "detect_options_init": ([c.POINTER(DetectOptions)], None),
    "detections_count": ([_P], _N),
    "detections_data": ([_P], _P),
    "quantize_options_init": ([c.POINTER(QuantizeOptions)], None),
    "evaluation_stats": ([_P], c.POINTER(c.c_double)),
    "evaluation_summary": ([_P], _S),
    "evaluation_images": ([_P], _N),
    "evaluation_category_count": ([_P], _N),
    "evaluate_options_init": ([c.POINTER(EvaluateOptions)], None),
    "validate_options_init": ([c.POINTER(ValidateOptions)], None),
    **{f"{kind}_free": ([_P], None) for kind in ("model", "runner", "picture", "detector", "detections", "onnx", "evaluation")},
}


def _load() -> c.CDLL:
    """The library beside this file, or the one that EFFDET_LIBRARY names."""
    beside = pathlib.Path(__file__).with_name("libeffdet.so")
    path = os.environ.get("EFFDET_LIBRARY") or str(beside)
    try:
        return c.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"{error}; install the wheel (pip install .), or set EFFDET_LIBRARY to a libeffdet.so that was built"
        ) from None


_library = _load()
for _name, _parameters in _CALLS.items():
    _function = getattr(_library, f"effdet_{_name}")
    _function.argtypes, _function.restype = _parameters, _I
for _name, (_parameters, _result) in _READS.items():
    _function = getattr(_library, f"effdet_{_name}")
    _function.argtypes, _function.restype = _parameters, _result


def read(name: str, *arguments: Any) -> Any:
    """Calls a function that cannot fail."""
    return getattr(_library, f"effdet_{name}")(*arguments)


def call(name: str, *arguments: Any) -> None:
    """Calls a function; raises what its status says."""
    try:
        status = getattr(_library, f"effdet_{name}")(*arguments)
    except c.ArgumentError as error:
        raise UsageError(f"{name}: an argument has another type: {error}") from None
    if status:
        raise error_of(status, text(read("last_error")))


class Handle:
    """An object of the library, freed with its last reference."""

    def __init__(self, kind: str, pointer: Optional[int]):
        self._kind, self.pointer = kind, pointer
        self._free = getattr(_library, f"effdet_{kind}_free")

    @classmethod
    def made_by(cls, kind: str, name: str, *arguments: Any) -> "Handle":
        """Calls a function whose last parameter is where the object goes."""
        pointer = c.c_void_p()
        call(name, *arguments, c.byref(pointer))
        return cls(kind, pointer.value)

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)
            self.pointer = None

    def __reduce__(self) -> Any:
        raise TypeError(f"a {self._kind} cannot be pickled: open the model in each process instead")


def initialised(kind: type, name: str, **members: Any) -> Any:
    """A struct of options with its defaults, and the members that are not None."""
    options = kind()
    read(f"{name}_init", c.byref(options))
    for member, value in members.items():
        if value is not None:
            setattr(options, member, value)
    return options


def whole(value: Any, name: str, low: int = 0, high: int = 2**31 - 1) -> int:
    """A whole number within bounds, NumPy's too. Raises UsageError: C would take what is left of its lower bits."""
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{name}: {value!r} is no whole number") from None
    if not low <= number <= high:
        raise UsageError(f"{name}: {number} is not between {low} and {high}")
    return number


def encoded(value: Any, name: str) -> bytes:
    """A text for C. Raises UsageError."""
    try:
        result = value.encode()
    except (AttributeError, UnicodeEncodeError):
        raise UsageError(f"{name}: {value!r} is no text") from None
    if b"\0" in result:
        raise UsageError(f"{name}: a text with a zero byte")
    return result


def text(value: Optional[bytes]) -> str:
    return (value or b"").decode("utf-8", "replace")


def path_bytes(path: Any) -> bytes:
    """A path as the system has it. Raises UsageError for a zero in it, and for what is no path."""
    try:
        name = os.fsencode(path)
    except (TypeError, UnicodeEncodeError):
        raise UsageError(f"{path!r} is no path") from None
    if b"\0" in name:
        raise UsageError("a path with a zero byte")
    return name


def strings(values: Sequence[Any]) -> Any:
    """An array of strings."""
    return (c.c_char_p * len(values))(*(v if isinstance(v, bytes) else encoded(str(v), "a name") for v in values))
