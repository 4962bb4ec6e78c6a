#!/usr/bin/env python3
"""Spark: the labels of the shards are piped to a program, on the nodes that Spark chooses.

Usage: spark_detect.py SHARDS LIST MODEL OUT [FLAG...]     (OUT is a folder that all nodes share)

A piped program has no shell, an empty environment unless one is given, and its exit code is looked at only where
checkCode says so; a task that fails is tried again (spark.task.maxFailures; here by local[2,4]).
"""
import os
import shlex
import subprocess
import sys

from pyspark.sql import SparkSession


def main():
    count, *rest = sys.argv[1:]
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spark_pipe.sh")
    spark = SparkSession.builder.master(os.environ.get("SPARK_MASTER", "local[2,4]")).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    labels = [f"{i}/{count}" for i in range(int(count))]
    shards = spark.sparkContext.parallelize(labels, len(labels))
    done = shards.pipe(shlex.join([program, *rest]), env=dict(os.environ), checkCode=True).collect()
    spark.stop()
    if sorted(done) != sorted(labels):
        sys.exit(f"only these shards are done: {done}")
    results = f"{rest[2]}/detections.json"
    sys.exit(subprocess.run(["effdet", "merge", results, "--results", results]).returncode)


main()
