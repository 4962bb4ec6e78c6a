#!/usr/bin/env python3
"""ONNX Runtime's memory and time with and without its memory pattern, on one model, in turns.

By default a session plans one block of memory for all tensors in its first run, and takes it in the second, beside what
the first one took. enable_mem_pattern=False leaves that out.

    build/peers/bin/python bench/onnx_runtime_memory.py d7.onnx --rounds 3    # bench/compare makes build/peers
"""
import argparse
import statistics
import sys
import time

import measure


def infer(path, threads, pattern, runs):
    """Prints the seconds of each run but the first."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = pattern
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    info = session.get_inputs()[0]
    x = np.random.default_rng(0).standard_normal(info.shape, dtype=np.float32)
    for run in range(runs):
        start = time.perf_counter()
        session.run(None, {info.name: x})
        if run > 0:
            print(time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="an ONNX file whose only input is float32 of a fixed shape")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3, help="inferences of each process")
    parser.add_argument("--rounds", type=int, default=2, help="turns")
    parser.add_argument("--pattern", choices=["0", "1"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pattern:
        return infer(arguments.model, arguments.threads, arguments.pattern == "1", arguments.runs)
    seconds, memory = {"1": [], "0": []}, {"1": 0, "0": 0}
    for _ in range(arguments.rounds):
        for pattern in memory:
            out, _, used = measure.run(sys.executable, __file__, arguments.model, "--threads", arguments.threads, "--runs",
                                       arguments.runs, "--pattern", pattern)
            seconds[pattern].append([float(line) for line in out.split()])
            memory[pattern] = max(memory[pattern], used)
    for pattern, name in ("1", "default"), ("0", "enable_mem_pattern=False"):
        print(f"{name}: {memory[pattern] / 1e6:.0f} MB, {statistics.median(sum(seconds[pattern], [])):.3f} s")
    ratios = [statistics.median(without) / statistics.median(default)
              for default, without in zip(seconds["1"], seconds["0"])]
    print(f"time without the pattern, of the default's: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
