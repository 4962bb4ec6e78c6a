"""Models: opened, described, run on tensors."""

import ctypes as c
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library as lib
from .errors import UnsupportedError, UsageError

_PRECISIONS = {None: 0, "fp32": 1, "bf16": 2}


def precision_code(precision: Optional[str]) -> int:
    if not isinstance(precision, (str, type(None))) or precision not in _PRECISIONS:
        raise UsageError(f"precision {precision!r}: one of 'fp32' and 'bf16'")
    return _PRECISIONS[precision]


def size_of(img_size: Union[None, int, Tuple[int, int]]) -> Tuple[int, int]:
    """Height and width of an input, from a side or a pair; zeros for None."""
    sides = tuple(img_size) if isinstance(img_size, (tuple, list)) else (img_size or 0,) * 2
    if len(sides) != 2:
        raise UsageError(f"img_size {img_size!r}: a number of pixels, or (height, width)")
    return lib.whole(sides[0], "img_size"), lib.whole(sides[1], "img_size")


def model_options(
    *,
    model: Optional[str] = None,
    num_classes: int = 0,
    img_size: Union[None, int, Tuple[int, int]] = None,
    batch: Optional[int] = None,
    class_names: Optional[Sequence[str]] = None,
    use_ema: bool = False,
    precision: Optional[str] = None,
    device: Optional[str] = None,
) -> lib.ModelOptions:
    """What a checkpoint does not tell. model: the variant, "tf_efficientdet_d0"; img_size: of the input in pixels, a side
    or (height, width); class_names: class 0 first; precision: "fp32" or "bf16"; device: "cpu", "ascend:0"."""
    height, width = size_of(img_size)
    return lib.initialised(
        lib.ModelOptions,
        "model_options",
        model=lib.encoded(model, "model") if model else None,
        num_classes=lib.whole(num_classes, "num_classes"),
        height=height,
        width=width,
        batch=0 if batch is None else lib.whole(batch, "batch", 1),
        class_names=lib.strings(class_names) if class_names else None,
        num_class_names=len(class_names or ()),
        use_ema=int(bool(use_ema)),
        precision=precision_code(precision),
        device=lib.encoded(device, "device") if device else None,
    )


class TensorInfo(NamedTuple):
    """An input or an output."""

    name: str
    dtype: str
    shape: Tuple[int, ...]


class Model:
    """A model that is ready to run: a compiled file (.om), an ONNX file or a PyTorch checkpoint, which are compiled.

    Options are those of model_options(). Any thread may use it. It cannot be pickled: open it in each process.
    """

    def __init__(self, path: Any, /, *, threads: int = 0, **options: Any):
        settled = model_options(**options)
        self._set(lib.Handle.made_by("model", "model_open", lib.path_bytes(path), c.byref(settled)), threads)

    @classmethod
    def of_handle(cls, handle: lib.Handle, threads: int = 0) -> "Model":
        model = cls.__new__(cls)
        model._set(handle, threads)
        return model

    @classmethod
    def from_bytes(cls, file: bytes, name: str = "model", threads: int = 0) -> "Model":
        """A compiled model in memory; name stands for it in messages."""
        view = np.frombuffer(file, np.uint8)
        if not view.size:
            raise UsageError(f"{name}: no bytes")
        return cls.of_handle(
            lib.Handle.made_by("model", "model_load", view.ctypes.data, view.size, name.encode()), threads
        )

    def _set(self, handle: lib.Handle, threads: int) -> None:
        self._handle, self._threads, self._runner = handle, lib.whole(threads, "threads", 0, 1024), None
        self.inputs, self.outputs = self._tensors("input"), self._tensors("output")

    @property
    def pointer(self) -> Optional[int]:
        return self._handle.pointer

    def _tensors(self, side: str) -> List[TensorInfo]:
        found = []
        for index in range(lib.read(f"model_{side}_count", self.pointer)):
            tensor = lib.Tensor()
            lib.call(f"model_{side}", self.pointer, index, c.byref(tensor))
            found.append(TensorInfo(lib.text(tensor.name), lib.text(tensor.dtype), tuple(tensor.shape[: tensor.rank])))
        return found

    def save(self, path: Any) -> None:
        """Writes the compiled model, whole or not at all."""
        lib.call("model_save", self.pointer, lib.path_bytes(path))

    def describe(self) -> Dict[str, Any]:
        """Variant, number of classes, height, width and batch of the input."""
        found = lib.Description()
        lib.call("model_describe", self.pointer, c.byref(found))
        return {
            "model": lib.text(found.model),
            "num_classes": found.num_classes,
            "height": found.height,
            "width": found.width,
            "batch": found.batch,
        }

    @property
    def names(self) -> List[str]:
        """Class names by index; empty for a model that is no detector."""
        found: List[str] = []
        while (name := lib.read("model_class_name", self.pointer, len(found))) is not None:
            found.append(lib.text(name))
        return found

    def metadata(self, key: str) -> Optional[str]:
        value = lib.read("model_metadata", self.pointer, lib.encoded(key, "key"))
        return None if value is None else lib.text(value)

    def run(
        self,
        feeds: Union[None, Sequence[str], Mapping[str, Any]] = None,
        inputs: Optional[Mapping[str, Any]] = None,
        *,
        out: Optional[Sequence[np.ndarray]] = None,
    ) -> List[np.ndarray]:
        """Outputs for the inputs: run({"x.1": array}), or as ONNX Runtime's sessions have it, run(names, {"x.1": array})
        with the names of the outputs that are wanted, or None for all.

        Arrays have the type and shape of self.inputs; dense ones are read where they are. out: arrays of all outputs
        that are written instead of new ones."""
        wanted, given = (feeds, inputs) if inputs is not None else (None, feeds)
        if not isinstance(given, Mapping):
            raise UsageError("inputs are given as a dictionary: {name: array}")
        sources = [self._source(tensor, given) for tensor in self.inputs]
        if unknown := [name for name in given if name not in {tensor.name for tensor in self.inputs}]:
            raise UsageError(f"there is no input {unknown[0]!r}, but {', '.join(tensor.name for tensor in self.inputs)}")
        targets = self._targets(out)
        if self._runner is None:
            self._runner = lib.Handle.made_by("runner", "runner_new", self.pointer, self._threads)
        lib.call("runner_run", self._runner.pointer, *_pointers(sources), *_pointers(targets))
        if wanted is None:
            return targets
        by_name = dict(zip((tensor.name for tensor in self.outputs), targets))
        if missing := [name for name in wanted if name not in by_name]:
            raise UsageError(f"there is no output {missing[0]!r}, but {', '.join(by_name)}")
        return [by_name[name] for name in wanted]

    def _source(self, tensor: TensorInfo, given: Mapping[str, Any]) -> np.ndarray:
        if tensor.name not in given:
            raise UsageError(f"input {tensor.name!r} is missing")
        array = np.asarray(given[tensor.name])
        _check(array, tensor)
        return np.ascontiguousarray(array)

    def _targets(self, out: Optional[Sequence[np.ndarray]]) -> List[np.ndarray]:
        if out is None:
            return [np.empty(tensor.shape, _numpy_type(tensor)) for tensor in self.outputs]
        if not isinstance(out, (list, tuple)) or not all(isinstance(array, np.ndarray) for array in out):
            raise UsageError("out: a list of NumPy arrays, one for each output")
        if len(out) != len(self.outputs):
            raise UsageError(f"{len(out)} arrays for {len(self.outputs)} outputs")
        for array, tensor in zip(out, self.outputs):
            _check(array, tensor)
            if not array.flags.c_contiguous or not array.flags.writeable:
                raise UsageError(f"output {tensor.name!r}: the array has to be dense and writeable")
        return list(out)


def _numpy_type(tensor: TensorInfo) -> np.dtype:
    try:
        return np.dtype(tensor.dtype)
    except TypeError:
        raise UnsupportedError(f"{tensor.name!r}: NumPy has no type {tensor.dtype}") from None


def _check(array: np.ndarray, tensor: TensorInfo) -> None:
    if array.dtype != _numpy_type(tensor) or array.shape != tensor.shape:
        raise UsageError(
            f"{tensor.name!r}: an array of {array.dtype} {list(array.shape)}, not {tensor.dtype} {list(tensor.shape)}"
        )


def _pointers(arrays: Sequence[np.ndarray]) -> Tuple[Any, Any, int]:
    count = len(arrays)
    addresses = (c.c_void_p * count)(*(array.ctypes.data for array in arrays))
    sizes = (c.c_size_t * count)(*(array.nbytes for array in arrays))
    return addresses, sizes, count
