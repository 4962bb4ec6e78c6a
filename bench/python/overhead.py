"""What a call from Python takes beside the library's own work: medians over many calls of D0 on one image."""

import statistics
import sys
import time

import numpy as np

import effdet_cpp

model = effdet_cpp.Model(sys.argv[1])
detector = effdet_cpp.Detector(model)
image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
calls, stages = [], []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    found = detector(image)
    found.xyxy, found.confidence, found.class_id
    calls.append(time.perf_counter() - begin)
    stages.append(sum(detector.timings.values()))
beside = [call - stage for call, stage in zip(calls, stages)]
print(
    f"a call {1e3 * statistics.median(calls):.3f} ms, of it the library's stages {1e3 * statistics.median(stages):.3f} ms, "
    f"beside them {1e3 * statistics.median(beside):.3f} ms (median of {len(calls)})"
)
