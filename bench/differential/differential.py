"""Random small graphs in ONNX Runtime, in onnx's reference, and here: by the reference kernels and compiled.

  run                       2,000 graphs; prints each that differs from both peers or from the one that counts
  run --kind resize --seeds 0:500
  run --kind resize --seeds 17:18 --show        the model, its inputs and all outputs

ONNX Runtime counts where the peers part, but for what known.py lists with a reason. Ends with 1 where a graph differs
otherwise, from the peers or between this project's two engines.
"""

import argparse
import collections
import pathlib
import sys
import zlib

import numpy as np
from onnx import helper

import engines
import graphs
import known


def graph_of(kind, seed):
    return graphs.KINDS[kind](np.random.default_rng([zlib.crc32(kind.encode()), seed]))


def compare(a, b, tolerance):
    """Why two engines' results differ, or None."""
    for index, (x, y) in enumerate(zip(a, b)):
        reason = engines.difference(x, y, tolerance)
        if reason:
            return reason if len(a) == 1 else f"output {index}: {reason}"
    return None if len(a) == len(b) else "another number of outputs"


def without_filling(ours, compiled):
    """The compiled model's outputs without the zeros that fill them up where the content decides how large they are."""
    cut = []
    for x, y in zip(ours, compiled):
        inside = tuple(slice(0, size) for size in x.shape)
        rest = y.copy()
        if x.ndim == y.ndim and all(size <= most for size, most in zip(x.shape, y.shape)):
            rest[inside] = 0
            y = y if rest.any() else y[inside]
        cut.append(y)
    return cut + compiled[len(cut):]


def judge(kind, graph, results):
    """A word and an explanation: same, alone (no peer runs it), refused, known, or differs."""
    ours, compiled = results["reference"], results["compiled"]
    dynamic = isinstance(compiled, engines.Refused) and known.may_refuse(str(compiled))
    if isinstance(ours, engines.Refused):
        peers = [name for name in ("ort", "onnx") if not isinstance(results[name], engines.Refused)]
        if not peers:
            return "refused", "by all"
        return ("refused" if known.may_refuse(str(ours)) else "differs"), f"{ours} ({' and '.join(peers)} run it)"
    verdicts = {"compiled": None}
    if not isinstance(compiled, engines.Refused):
        verdicts["compiled"] = compare(ours, without_filling(ours, compiled), graph.tolerance)
    elif not dynamic:
        return "differs", f"compiled: {compiled}"
    for name in ("ort", "onnx"):
        peer = results[name]
        verdicts[name] = f"refuses: {peer}" if isinstance(peer, engines.Refused) else compare(peer, ours, graph.tolerance)
    if not verdicts["compiled"]:
        if verdicts["ort"] is None or (isinstance(results["ort"], engines.Refused) and verdicts["onnx"] is None):
            return "same", None
        if all(isinstance(results[name], engines.Refused) for name in ("ort", "onnx")):
            return "alone", None
    text = "; ".join(f"{name}: {str(verdict)[:150]}" for name, verdict in verdicts.items() if verdict)
    entry = known.find(kind, graph, results, verdicts)
    return ("known", entry) if entry else ("differs", text)


def show(graph, results):
    print(helper.printable_graph(graph.model().graph))
    for name, value in {**graph.inputs, **graph.constants}.items():
        print(f"{name} = {value!r}")
    for name, result in results.items():
        print(f"--- {name}")
        print(result if isinstance(result, engines.Refused) else "\n".join(repr(output) for output in result))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    parser.add_argument("--effdet", default=str(root / "build/release/bin/effdet"), help="the program")
    parser.add_argument("--kind", choices=sorted(graphs.KINDS), action="append", help="default: all")
    parser.add_argument("--seeds", default="", help="FIRST:END; default: as many as make 2,000 graphs")
    parser.add_argument("--show", action="store_true", help="print models and results too")
    options = parser.parse_args()
    program = str(pathlib.Path(options.effdet).resolve())
    kinds = options.kind or list(graphs.KINDS)
    first, end = map(int, options.seeds.split(":")) if options.seeds else (0, -(-2000 // len(kinds)))
    words, entries, refusals = collections.Counter(), collections.Counter(), collections.Counter()
    for kind in kinds:
        for seed in range(first, end):
            graph = graph_of(kind, seed)
            results = engines.run_all(program, graph.model(), graph.inputs)
            word, text = judge(kind, graph, results)
            words[word] += 1
            if word == "known":
                entries[text] += 1
            if word == "refused":
                refusals[f"{kind}: {text[:110]}"] += 1
            if word == "differs":
                print(f"{kind} {seed} ({graph.note}): {text}", flush=True)
            if options.show:
                show(graph, results)
    print(", ".join(f"{count} {word}" for word, count in words.most_common()))
    for text, count in entries.most_common():
        print(f"  known, {count}: {text}")
    for text, count in refusals.most_common(20):
        print(f"  refused, {count}: {text}")
    sys.exit(1 if words["differs"] else 0)


if __name__ == "__main__":
    main()
