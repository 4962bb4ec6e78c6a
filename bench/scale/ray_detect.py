#!/usr/bin/env python3
"""Ray: a task for each shard, which is tried again where its process or its node is lost.

Usage: ray_detect.py SHARDS LIST MODEL OUT [FLAG...]     (OUT is a folder that all nodes share)
"""
import subprocess
import sys

import ray

# What may succeed when it is tried again: docs/scale.md#exit-codes-for-schedulers. 3: images could not be used.
AGAIN = {4, 7, -9, 137}


@ray.remote(num_cpus=1, max_retries=3, retry_exceptions=[ChildProcessError])
def run_shard(shard, images, model, out, flags):
    code = subprocess.run(["effdet", "detect", "--list", images, "--model-file", model, "--out", out,
                           "--shard", shard, "--resume", *flags], stdout=subprocess.DEVNULL).returncode
    if code in AGAIN:
        raise ChildProcessError(f"shard {shard}: exit code {code}")
    return code


def main():
    count, images, model, out, *flags = sys.argv[1:]
    ray.init(logging_level="error")
    codes = ray.get([run_shard.remote(f"{i}/{count}", images, model, out, flags) for i in range(int(count))])
    if any(code not in (0, 3) for code in codes):
        sys.exit(f"exit codes of the shards: {codes}")
    results = f"{out}/detections.json"
    sys.exit(subprocess.run(["effdet", "merge", results, "--results", results]).returncode)


main()
