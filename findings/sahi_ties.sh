#!/bin/bash
# Boxes whose overlap is exactly the threshold: what slices of large images keep is not what suppression elsewhere keeps.
#
# Guess before it was run: SAHI merges and suppresses boxes that overlap by more than the threshold, as OpenCV's NMSBoxes
# and torchvision's nms do, so that at 0.5 of 0.5 both boxes stay.
# Seen: SAHI 0.12.8 takes a match of exactly the threshold for one, in NMS, NMM and GreedyNMM, by IOU and by IOS: one box
# of two is left. OpenCV 5.0.0 keeps both. Whole pixels make such ties common: a box in a box of twice its height.
#
# Needs Python 3.10 or newer and a package index. Exits non-zero where the behaviour is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet sahi==0.12.8 opencv-python==5.0.0.93
cat > ties.py <<'P'
import cv2
from sahi.postprocess import combine
from sahi.prediction import ObjectPrediction

PAIRS = {"IOU": ([0, 0, 100, 100], [0, 0, 100, 50]), "IOS": ([0, 0, 100, 100], [80, 0, 120, 50])}  # both exactly 0.5


def left_by_sahi(kind, metric, threshold):
    boxes = [ObjectPrediction(bbox=box, category_id=0, category_name="kite", score=score, full_shape=[200, 200],
                              shift_amount=[0, 0]) for box, score in zip(PAIRS[metric], (0.9, 0.8))]
    merge = getattr(combine, f"{kind}Postprocess")(match_threshold=threshold, match_metric=metric, class_agnostic=True)
    return len(merge(boxes))


for kind in ("NMS", "NMM", "GreedyNMM"):
    for metric in PAIRS:
        at, above = left_by_sahi(kind, metric, 0.5), left_by_sahi(kind, metric, 0.51)
        print(f"SAHI {kind} by {metric}: {at} of 2 boxes at a threshold of 0.5, {above} at 0.51")
        assert (at, above) == (1, 2)
corners = [[x, y, right - x, bottom - y] for x, y, right, bottom in PAIRS["IOU"]]
at, below = (len(cv2.dnn.NMSBoxes(corners, [0.9, 0.8], 0.0, threshold)) for threshold in (0.5, 0.49))
print(f"OpenCV NMSBoxes: {at} of 2 boxes at a threshold of 0.5, {below} at 0.49")
assert (at, below) == (2, 1)
P
venv/bin/python ties.py
