"""COCOeval with pycocotools' interface, for boxes: programs written for that one can use it unchanged."""

import datetime
import json
import math
import pathlib
import tempfile
from typing import Any, Dict, List, Optional

import numpy as np

from .errors import UnsupportedError, UsageError
from .evaluation import evaluate

_AREAS = {"all": [0, 1e10], "small": [0, 32**2], "medium": [32**2, 96**2], "large": [96**2, 1e10]}


class Params:
    """pycocotools' parameters, with its defaults."""

    def __init__(self, iouType: str = "bbox"):
        if iouType != "bbox":
            raise UnsupportedError(f"iouType {iouType!r}: only boxes are evaluated ('bbox')")
        self.imgIds: List[Any] = []
        self.catIds: List[Any] = []
        self.iouThrs = np.linspace(0.5, 0.95, int(np.round((0.95 - 0.5) / 0.05)) + 1, endpoint=True)
        self.recThrs = np.linspace(0.0, 1.00, int(np.round((1.00 - 0.0) / 0.01)) + 1, endpoint=True)
        self.maxDets = [1, 10, 100]
        self.areaRngLbl = list(_AREAS)
        self.areaRng = [list(_AREAS[label]) for label in self.areaRngLbl]
        self.useCats = 1
        self.iouType = iouType


class COCOeval:
    """cocoGt, cocoDt: pycocotools' COCO objects, or any with a `dataset` as COCO's files have it.

    The numbers are pycocotools' to the bit. evaluate() computes; accumulate() has nothing left to do; eval has precision,
    recall and scores; evalImgs stays empty, since matches are not kept."""

    def __init__(self, cocoGt: Any = None, cocoDt: Any = None, iouType: str = "segm"):
        self.cocoGt, self.cocoDt = cocoGt, cocoDt
        self.params = Params(iouType)
        self.evalImgs: List[Any] = []
        self.eval: Dict[str, Any] = {}
        self.stats: np.ndarray = np.array([])
        self._evaluated: Optional[Dict[str, Any]] = None
        if cocoGt is not None:
            self.params.imgIds = sorted({image["id"] for image in cocoGt.dataset["images"]})
            self.params.catIds = sorted({category["id"] for category in cocoGt.dataset["categories"]})

    def evaluate(self) -> None:
        """Matches detections with ground truth."""
        if self.cocoGt is None or self.cocoDt is None:
            raise UsageError("COCOeval needs ground truth and detections")
        params = self.params
        params.imgIds = list(np.unique(params.imgIds).tolist())
        if params.useCats:
            params.catIds = list(np.unique(params.catIds).tolist())
        params.maxDets = sorted(params.maxDets)
        if not params.imgIds or not params.catIds:  # nothing counts
            kinds = len(params.catIds) if params.useCats else 1
            shape = (len(params.iouThrs), len(params.recThrs), kinds, len(params.areaRng), len(params.maxDets))
            nothing = -np.ones(shape)
            self._evaluated = {"precision": nothing, "recall": nothing[:, 0].copy(), "scores": nothing.copy()}
            return
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "annotations.json").write_text(json.dumps(self.cocoGt.dataset, default=_plain))
            (folder / "results.json").write_text(json.dumps(_results(self.cocoDt), default=_plain))
            evaluate(
                folder / "annotations.json",
                folder / "results.json",
                images=params.imgIds,
                categories=params.catIds,
                ignore_categories=not params.useCats,
                iou_thresholds=[float(t) for t in params.iouThrs],
                recall_thresholds=[float(t) for t in params.recThrs],
                areas=[(label, float(low), float(high)) for label, (low, high) in zip(params.areaRngLbl, params.areaRng)],
                max_detections=[int(count) for count in params.maxDets],
                arrays=folder / "arrays.npz",
            )
            with np.load(folder / "arrays.npz") as arrays:
                self._evaluated = {key: arrays[key] for key in ("precision", "recall", "scores")}
            scores = self._evaluated["scores"]
            scores[np.isneginf(scores)] = np.nan  # as _results() found them

    def accumulate(self, p: Optional[Params] = None) -> None:
        """Fills in `eval`."""
        if self._evaluated is None:
            print("Please run evaluate() first")
            return
        precision = self._evaluated["precision"]
        self.eval = {
            "params": p or self.params,
            "counts": list(precision.shape),
            "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
            **self._evaluated,
        }

    def summarize(self) -> None:
        """Prints pycocotools' lines and fills in `stats`."""
        if not self.eval:
            raise Exception("Please run accumulate() first")
        last = self.params.maxDets[2]
        self.stats = np.array(
            [self._mean("precision", most=100)]
            + [self._mean("precision", iou=iou, most=last) for iou in (0.5, 0.75)]
            + [self._mean("precision", area=area, most=last) for area in ("small", "medium", "large")]
            + [self._mean("recall", most=most) for most in self.params.maxDets[:3]]
            + [self._mean("recall", area=area, most=last) for area in ("small", "medium", "large")]
        )

    def _mean(self, kind: str, iou: Optional[float] = None, area: str = "all", most: int = 100) -> float:
        """One number of the twelve, which is printed; -1 where nothing counts, as with other parameters than asked for."""
        params = self.params
        values = self.eval[kind]  # precision [T, R, K, A, M], recall [T, K, A, M]
        if iou is not None:
            values = values[np.where(params.iouThrs == iou)[0]]
        areas = [i for i, label in enumerate(params.areaRngLbl) if label == area]
        counts = [i for i, count in enumerate(params.maxDets) if count == most]
        values = values[..., areas, :][..., counts]
        values = values[values > -1]
        mean = float(np.mean(values)) if values.size else -1.0
        title, short = ("Average Precision", "(AP)") if kind == "precision" else ("Average Recall", "(AR)")
        range_ = f"{iou:0.2f}" if iou is not None else f"{params.iouThrs[0]:0.2f}:{params.iouThrs[-1]:0.2f}"
        print(f" {title:<18} {short} @[ IoU={range_:<9} | area={area:>6s} | maxDets={most:>3d} ] = {mean:0.3f}")
        return mean

    def __str__(self) -> str:
        self.summarize()
        return ""


def _results(detections: Any) -> List[Dict[str, Any]]:
    """The list of a results file, from what loadRes() made of it."""
    keys = ("image_id", "category_id", "bbox", "score")
    results = [{key: one[key] for key in keys} for one in detections.dataset.get("annotations", [])]
    for one in results:
        if one["score"] != one["score"]:
            one["score"] = -math.inf  # NumPy's sort, which pycocotools uses, has NaN at the end
    return results


def _plain(value: Any) -> Any:
    """NumPy's numbers as JSON has them."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no value of a COCO file")
