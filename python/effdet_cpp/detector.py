"""Detection: images in, boxes out."""

import ctypes as c
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple, Union

import numpy as np

from . import _library as lib
from . import images
from .detections import Detections
from .errors import UsageError
from .model import Model


# Options of detection, and the members of the C interface's struct for those that are one.
_OPTIONS = {
    "score": "score_threshold",
    "iou": "iou_threshold",
    "max_detections": "max_detections",
    "max_candidates": "max_candidates",
    "soft_nms": None,
    "agnostic": "agnostic",
    "classes": None,
}


def _categories(classes: Any, names: Sequence[str]) -> List[int]:
    """Categories of classes that are given by name or by index, one or several."""
    found = []
    for one in classes if isinstance(classes, (list, tuple, set, np.ndarray)) else [classes]:
        if isinstance(one, str):
            if one not in names:
                raise UsageError(f"classes: the model has no class {one!r}")
            one = list(names).index(one)
        found.append(lib.whole(one, "classes", 0, max(len(names) - 1, 0)) + 1)
    return found


def detect_options(names: Sequence[str] = (), **members: Any) -> lib.DetectOptions:
    """score, iou, max_detections, max_candidates, soft_nms, agnostic, classes; None for the default. names: of the classes."""
    if unknown := [name for name in members if name not in _OPTIONS]:
        raise TypeError(f"there is no option {unknown[0]!r}, but {', '.join(_OPTIONS)}")
    values = {_OPTIONS[name]: value for name, value in members.items() if _OPTIONS[name] and value is not None}
    for name in ("max_detections", "max_candidates"):
        if name in values:
            values[name] = lib.whole(values[name], name, 1)
    soft, classes = members.get("soft_nms"), members.get("classes")
    if not isinstance(soft, (str, bool, type(None))) or soft not in (None, False, True, "gaussian", "linear"):
        raise UsageError(f"soft_nms {soft!r}: one of True, 'gaussian' and 'linear'")
    values.update(soft_nms=int(bool(soft)), soft_linear=int(soft == "linear"))
    if classes is not None:
        chosen = _categories(classes, names)
        if not chosen:
            raise UsageError("classes: none are given")
        values.update(categories=(c.c_int * len(chosen))(*chosen), num_categories=len(chosen))
    try:
        return lib.initialised(lib.DetectOptions, "detect_options", **values)
    except (TypeError, OverflowError) as error:
        raise UsageError(f"an option of detection has another type: {error}") from None


class Letterbox(NamedTuple):
    """Where an image lies in the model's input: a point (x, y) is at (scale * x, scale * y)."""

    scale: float
    width: int
    height: int


class Detector:
    """Finds objects in images.

    model: a compiled file (.om), an ONNX file, a PyTorch checkpoint, or a Model. threads: 0 for all cores. score: detections
    with less are left out. iou: a box that overlaps a better one of its class by more is left out; 1 keeps all candidates.
    max_detections, of an image; max_candidates, before suppression; soft_nms: lower scores instead of leaving boxes out,
    "gaussian" (True) or "linear"; agnostic: boxes of other classes are suppressed, too; classes: only these, by name or
    index.
    Further options are those of model_options(). Any thread may use it, one at a time; after fork() make one in the child.
    """

    def __init__(
        self,
        model: Any,
        /,
        *,
        threads: int = 0,
        score: float = 0.3,
        iou: float = 0.5,
        max_detections: int = 100,
        max_candidates: int = 5000,
        soft_nms: Union[bool, str] = False,
        agnostic: bool = False,
        classes: Any = None,
        **options: Any,
    ):
        if isinstance(model, Model) and options:
            raise UsageError(f"{next(iter(options))}: the model is open already")
        self.model = model if isinstance(model, Model) else Model(model, **options)
        self.names = self.model.names
        self._defaults = {
            "score": score,
            "iou": iou,
            "max_detections": max_detections,
            "max_candidates": max_candidates,
            "soft_nms": soft_nms,
            "agnostic": agnostic,
            "classes": classes,
        }
        settled = detect_options(self.names, **self._defaults)
        self._handle = lib.Handle.made_by(
            "detector", "detector_new", self.model.pointer, lib.whole(threads, "threads", 0, 1024), c.byref(settled)
        )

    def __call__(self, image: Any, *, bgr: bool = False, **options: Any) -> Union[Detections, List[Detections]]:
        """Detections in an image: a path, the bytes of a file, an array uint8 [height, width, 3 or 4] or [height, width], a
        PIL image, or a tensor in the processor's memory (DLPack). Of a list, or an array [n, height, width, 3], a list of
        Detections, with as many images at a time as the model's batch has. bgr: arrays have OpenCV's order of channels.
        options: score, iou, max_detections, max_candidates, soft_nms, agnostic, classes of this call."""
        given = {name: value for name, value in options.items() if value is not None}
        settled = detect_options(self.names, **{**self._defaults, **given})
        if images.is_batch(image):
            return self._batch([images.view_of(one, bgr) for one in image], settled)
        if images.is_path(image):
            handle = lib.Handle.made_by(
                "detections", "detector_detect_file", self._handle.pointer, lib.path_bytes(image), c.byref(settled)
            )
        else:
            view = images.view_of(image, bgr)
            handle = lib.Handle.made_by(
                "detections", "detector_detect", self._handle.pointer, c.byref(view.image), c.byref(settled)
            )
        return Detections.of_handle(handle, self.names)

    def _batch(self, views: List[images.View], options: lib.DetectOptions) -> List[Detections]:
        count = len(views)
        found = (c.c_void_p * count)()
        given = (lib.Image * count)(*(view.image for view in views))
        lib.call("detector_detect_batch", self._handle.pointer, given, count, c.byref(options), found)
        return [Detections.of_handle(lib.Handle("detections", pointer), self.names) for pointer in found]

    @property
    def timings(self) -> Dict[str, float]:
        """Seconds of the last call's stages: preprocess, inference, postprocess."""
        last = lib.Timings()
        lib.call("detector_timings", self._handle.pointer, c.byref(last))
        return {"preprocess": last.preprocess, "inference": last.inference, "postprocess": last.postprocess}

    def letterbox(self, width: int, height: int) -> Letterbox:
        """How an image of that size, in pixels, lies in the model's input."""
        scale, scaled_width, scaled_height = c.c_double(), c.c_int(), c.c_int()
        lib.call(
            "detector_letterbox",
            self._handle.pointer,
            lib.whole(width, "width", 1),
            lib.whole(height, "height", 1),
            c.byref(scale),
            c.byref(scaled_width),
            c.byref(scaled_height),
        )
        return Letterbox(scale.value, scaled_width.value, scaled_height.value)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Detector cannot be pickled: make one in each process instead")
