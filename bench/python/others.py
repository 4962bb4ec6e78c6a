"""Images of other packages: the same detections from Pillow's, OpenCV's and PyTorch's; and supervision's Detections."""

import pathlib
import sys

import cv2
import numpy as np
import PIL.Image
import supervision
import torch

import effdet_cpp
from effdet_cpp import images

detector = effdet_cpp.Detector(sys.argv[1], threads=1, score=0.0)
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.jpg"))[:5]:
    expected = detector(path)
    pillow = PIL.Image.open(path)
    tensor = torch.from_numpy(np.asarray(pillow.convert("RGB")).copy())
    for name, found in {
        "Pillow": detector(pillow),
        "PyTorch": detector(tensor),
        "OpenCV": detector(cv2.cvtColor(np.asarray(pillow.convert("RGB")), cv2.COLOR_RGB2BGR), bgr=True),
    }.items():
        assert np.array_equal(found.xyxy, expected.xyxy), (path, name)
    assert images.view_of(tensor).image.data == tensor.data_ptr(), "a tensor was copied"
    theirs = expected[:20].to_supervision()
    annotated = supervision.BoxAnnotator().annotate(np.asarray(pillow.convert("RGB")).copy(), theirs)
    assert len(theirs) == 20 and annotated.shape == effdet_cpp.read(path).shape
print(f"Pillow {PIL.__version__}, OpenCV {cv2.__version__}, PyTorch {torch.__version__}, supervision {supervision.__version__}: the same")
