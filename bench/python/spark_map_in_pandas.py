"""Spark's mapInPandas over image files, with a detector in each Python worker: the same boxes as in one process."""

import os
import pathlib
import sys

import pyspark
from pyspark.sql import SparkSession

import effdet_cpp

model, folder = sys.argv[1], pathlib.Path(sys.argv[2])


def detect(frames):
    import pandas

    detector = effdet_cpp.Detector(model, threads=1, score=0.0)
    for frame in frames:
        found = detector([bytes(content) for content in frame["content"]])
        yield pandas.DataFrame(
            {"path": frame["path"], "boxes": [f.xyxy.astype(float).ravel().tolist() for f in found]}
        )


os.environ["PYSPARK_PYTHON"] = sys.executable
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
files = spark.read.format("binaryFile").load(str(folder)).select("path", "content").repartition(4)
rows = files.mapInPandas(detect, "path string, boxes array<double>").collect()
alone = effdet_cpp.Detector(model, threads=1, score=0.0)
for row in rows:
    assert row.boxes == alone(row.path.removeprefix("file:")).xyxy.astype(float).ravel().tolist(), row.path
print(f"Spark {pyspark.__version__}: {len(rows)} images in 2 workers, the boxes of one process")
assert len(rows) == len([p for p in folder.iterdir() if p.suffix == ".jpg"])
