"""What was found in an image."""

import ctypes as c
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library as lib
from . import images
from .errors import UnsupportedError

_FIELDS = np.dtype([("xyxy", np.float32, 4), ("confidence", np.float32), ("category", np.int32)])


class Detection(NamedTuple):
    """One of them."""

    xyxy: Tuple[float, float, float, float]
    confidence: float
    class_id: int
    name: str


class Detections:
    """Boxes by falling score, as arrays.

    xyxy: float32 [n, 4], left, top, right and bottom in pixels of the image; confidence: float32 [n], 0 to 1;
    class_id: int32 [n], from 0; names: the model's class names, by class_id. They can be sliced and chosen from as an
    array can: found[:10], found[found.confidence > 0.5], found[found.class_id == 0].
    """

    def __init__(self, boxes: np.ndarray, names: Sequence[str]):
        self._boxes, self.names = boxes, names

    @classmethod
    def of_handle(cls, handle: lib.Handle, names: Sequence[str]) -> "Detections":
        """Arrays in the library's memory."""
        count = lib.read("detections_count", handle.pointer)
        if not count:
            return cls(np.empty(0, _FIELDS), names)
        memory = (c.c_ubyte * (_FIELDS.itemsize * count)).from_address(lib.read("detections_data", handle.pointer))
        memory.owner = handle  # the arrays keep it
        return cls(np.frombuffer(memory, _FIELDS), names)

    @property
    def xyxy(self) -> np.ndarray:
        return self._boxes["xyxy"]

    @property
    def confidence(self) -> np.ndarray:
        return self._boxes["confidence"]

    @property
    def category_id(self) -> np.ndarray:
        """class_id + 1: COCO's category for models with its 90 classes."""
        return self._boxes["category"]

    @property
    def class_id(self) -> np.ndarray:
        return self._boxes["category"] - 1

    @property
    def labels(self) -> List[str]:
        """The class name of each detection."""
        return [self._name(int(k)) for k in self.class_id]

    def _name(self, class_id: int) -> str:
        return self.names[class_id] if 0 <= class_id < len(self.names) else f"class {class_id + 1}"

    def __len__(self) -> int:
        return len(self._boxes)

    def __getitem__(self, index: Union[int, slice, np.ndarray, Sequence[int]]) -> "Detections":
        chosen = self._boxes[index]
        return Detections(chosen.reshape(1) if chosen.ndim == 0 else chosen, self.names)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, class_id, name in zip(self.xyxy.tolist(), self.confidence.tolist(), self.class_id.tolist(), self.labels):
            yield Detection(tuple(box), score, class_id, name)

    def __repr__(self) -> str:
        counts: Dict[str, int] = {}
        for name in self.labels:
            counts[name] = counts.get(name, 0) + 1
        return f"Detections({', '.join(f'{count} {name}' for name, count in counts.items()) or 'none'})"

    def __reduce__(self) -> Any:
        return Detections, (self._boxes.copy(), list(self.names))

    def to_coco(self, image_id: Union[int, str] = 0) -> List[Dict[str, Any]]:
        """As COCO results have them: a list of dictionaries, for json.dump()."""
        return [
            {"image_id": image_id, "category_id": int(category), "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
            for (x1, y1, x2, y2), category, score in zip(
                self.xyxy.astype(float).tolist(), self.category_id, self.confidence.astype(float).tolist()
            )
        ]

    def to_supervision(self) -> Any:
        """As supervision's Detections (pip install supervision)."""
        try:
            import supervision
        except ImportError:
            raise UnsupportedError("to_supervision() needs the package supervision: pip install supervision") from None
        return supervision.Detections(
            xyxy=self.xyxy.copy(),
            confidence=self.confidence.copy(),
            class_id=self.class_id.astype(int),
            data={"class_name": np.array(self.labels)},
        )

    def plot(self, image: Any, bgr: bool = False, path: Optional[Any] = None) -> np.ndarray:
        """The image with boxes, class names and scores: uint8 [height, width, 3], RGB. path: where to write it, too."""
        view, boxes = images.view_of(image, bgr), np.ascontiguousarray(self._boxes)
        names = lib.strings(self.names)
        drawn = images.Picture(
            lib.Handle.made_by(
                "picture", "annotate", c.byref(view.image), boxes.ctypes.data, len(boxes), names, len(self.names)
            )
        )
        if path is not None:
            drawn.save(path)
        return drawn.array
