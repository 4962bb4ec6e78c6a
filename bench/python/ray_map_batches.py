"""Ray Data's map_batches over image files, with a detector in each actor: the same boxes as in one process."""

import pathlib
import sys

import ray

import effdet_cpp

model, folder = sys.argv[1], pathlib.Path(sys.argv[2])


class Detect:
    def __init__(self):
        self.detector = effdet_cpp.Detector(model, threads=1, score=0.0)

    def __call__(self, batch):
        found = self.detector(list(batch["bytes"]))
        return {
            "path": batch["path"],
            "boxes": [f.xyxy.ravel().tolist() for f in found],
            "scores": [f.confidence.tolist() for f in found],
        }


ray.init(num_cpus=3,  # two actors, and one task that reads
          include_dashboard=False, log_to_driver=False, logging_level="error")
ray.data.DataContext.get_current().enable_progress_bars = False
images = ray.data.read_binary_files(str(folder), include_paths=True)
rows = images.map_batches(Detect, compute=ray.data.ActorPoolStrategy(size=2), batch_size=8).take_all()
alone = effdet_cpp.Detector(model, threads=1, score=0.0)
for row in rows:
    found = alone(row["path"])
    assert list(row["boxes"]) == found.xyxy.ravel().tolist() and list(row["scores"]) == found.confidence.tolist(), row["path"]
print(f"Ray {ray.__version__}: {len(rows)} images in 2 actors, the boxes of one process")
assert len(rows) == len([p for p in folder.iterdir() if p.suffix == ".jpg"])
