"""mAP: of result files, and of models."""

import ctypes as c
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library as lib
from .detector import detect_options
from .errors import UsageError
from .model import Model

STATS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large")


class CategoryAp(NamedTuple):
    """AP of a category; -1 without ground truth."""

    id: int
    name: str
    ap: float
    ap50: float
    ap75: float


class Evaluation:
    """What came out. stats: pycocotools' twelve numbers, float64; summary: the lines that it prints; images: their number;
    categories: AP of each."""

    def __init__(self, handle: lib.Handle):
        pointer = handle.pointer
        self.stats = np.array(lib.read("evaluation_stats", pointer)[:12])
        self.summary = lib.text(lib.read("evaluation_summary", pointer))
        self.images = lib.read("evaluation_images", pointer)
        self.categories: List[CategoryAp] = []
        for index in range(lib.read("evaluation_category_count", pointer)):
            found = lib.CategoryAp()
            lib.call("evaluation_category", pointer, index, c.byref(found))
            self.categories.append(CategoryAp(found.id, lib.text(found.name), found.ap, found.ap50, found.ap75))

    @property
    def map(self) -> float:
        """AP over IoU 0.5 to 0.95."""
        return float(self.stats[0])

    def as_dict(self) -> Dict[str, float]:
        return dict(zip(STATS, self.stats.tolist()))

    def __repr__(self) -> str:
        return f"Evaluation(AP {self.map:.4f}, {self.images} images)"


def evaluate(
    annotations: Any,
    results: Any,
    *,
    images: Optional[Sequence[Union[int, str]]] = None,
    categories: Optional[Sequence[Union[int, str]]] = None,
    ignore_categories: bool = False,
    iou_thresholds: Optional[Sequence[float]] = None,
    recall_thresholds: Optional[Sequence[float]] = None,
    areas: Optional[Sequence[Tuple[str, float, float]]] = None,
    max_detections: Optional[Sequence[int]] = None,
    arrays: Optional[Any] = None,
    threads: int = 0,
) -> Evaluation:
    """Evaluates a COCO results file against an annotation file, as pycocotools does. None: its defaults. images: ids;
    categories: ids or names; areas: (label, low, high) in square pixels; arrays: file for COCOeval's arrays (.npz)."""
    lists = {"images": images, "categories": categories, "iou_thresholds": iou_thresholds,
             "recall_thresholds": recall_thresholds, "areas": areas, "max_detections": max_detections}
    for name, values in lists.items():
        if values is not None and not len(values):
            raise UsageError(f"{name}: none are given; None stands for all")
    images, categories, iou_thresholds, recall_thresholds, areas, max_detections = (
        None if values is None else list(values) for values in lists.values()
    )
    doubles = lambda values: (c.c_double * len(values))(*values) if values else None
    settled = lib.initialised(
        lib.EvaluateOptions,
        "evaluate_options",
        images=lib.strings(images) if images else None,
        num_images=len(images or ()),
        categories=lib.strings(categories) if categories else None,
        num_categories=len(categories or ()),
        ignore_categories=int(ignore_categories),
        iou_thresholds=doubles(iou_thresholds),
        num_iou_thresholds=len(iou_thresholds or ()),
        recall_thresholds=doubles(recall_thresholds),
        num_recall_thresholds=len(recall_thresholds or ()),
        area_labels=lib.strings([label for label, _, _ in areas]) if areas else None,
        area_ranges=doubles([side for _, low, high in areas or () for side in (low, high)]),
        num_areas=len(areas or ()),
        max_detections=(c.c_size_t * len(max_detections))(*(lib.whole(n, "max_detections", 1) for n in max_detections)) if max_detections else None,
        num_max_detections=len(max_detections or ()),
        arrays=None if arrays is None else lib.path_bytes(arrays),
        threads=lib.whole(threads, "threads", 0, 1024),
    )
    return Evaluation(
        lib.Handle.made_by("evaluation", "evaluate", lib.path_bytes(annotations), lib.path_bytes(results), c.byref(settled))
    )


def validate(
    model: Any,
    root: Any,
    /,
    *,
    results: Optional[Any] = None,
    limit: int = 0,
    streams: int = 1,
    threads: int = 0,
    progress: Optional[Callable[[int, int], Any]] = None,
    options: Optional[Dict[str, Any]] = None,
    **detection: Any,
) -> Evaluation:
    """mAP of a model (a Model, or a file) on the data set in a folder. results: file for COCO results; limit: number of
    images, 0 for all; progress(done, total) is called after each image, and ends the run where it raises. options: those
    of model_options(), for a file; others: score, iou, max_detections, max_candidates, soft_nms."""
    opened = model if isinstance(model, Model) else Model(model, **(options or {}))
    raised: List[BaseException] = []
    seen = (0, -1)  # done and total of the last image that was told of

    @lib.OnImage
    def on_image(done: int, total: int, _: Any) -> int:
        nonlocal seen
        try:
            if progress is not None and not raised:
                progress(done, total)
            seen = (done, total)
            return int(bool(raised))
        except BaseException as error:  # it cannot pass through the library: raised again below
            raised.append(error)
            return 1

    detect = detect_options(opened.names, **detection)
    settled = lib.initialised(
        lib.ValidateOptions,
        "validate_options",
        detect=c.pointer(detect),
        results=None if results is None else lib.path_bytes(results),
        limit=lib.whole(limit, "limit", 0, 2**63 - 1),
        streams=lib.whole(streams, "streams", 1, 1024),
        threads=lib.whole(threads, "threads", 0, 1024),
        on_image=on_image,
    )
    found = lib.Handle.made_by("evaluation", "validate", opened.pointer, lib.path_bytes(root), c.byref(settled))
    if raised:
        raise raised[0]
    if seen[0] != seen[1]:  # an interrupt that came before on_image() could keep it ended the run
        raise KeyboardInterrupt
    return Evaluation(found)
