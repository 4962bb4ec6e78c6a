#!/usr/bin/env python3
"""PyTorch's exports of EfficientDet, simplified by onnxsim and by ours: the table of docs/onnx.md.

    bench/onnx_table                                    # prints the table
    bench/onnx_table --rounds 5 --write docs/onnx.md    # replaces it in the document
    bench/onnx_table --only d0 --work exports           # some of the rows; exports are kept in that folder

Run it through bench/onnx_table, which installs the peers. Weights are random (effdet init); images have the size that the
variant is made for, since exporters bake it into the graph. What is measured runs in a process of its own, in turns;
seconds are those of the processors, so that others on the machine do not count, the least of --rounds. The script ends
with an error where ONNX's checker refuses what we write, where reading and writing a file changes its results in ONNX
Runtime, or where a step of a compiled graph has no fast kernel.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import measure

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
BEGIN, END = "<!-- onnx_table begin -->", "<!-- onnx_table end -->"
EFFDET = BIN / "effdet"
OURS = "effdet"  # the exporter that is no PyTorch's
EXPORTS = [  # variant, exporter, opset, dynamic batch
    ("tf_efficientdet_d0", "TorchScript", 11, False),
    ("tf_efficientdet_d0", "TorchScript", 13, False),
    ("tf_efficientdet_d0", "TorchScript", 17, False),
    ("tf_efficientdet_d0", "TorchScript", 11, True),
    ("tf_efficientdet_d0", "TorchScript", 17, True),
    ("tf_efficientdet_d0", "dynamo", 18, False),
    ("tf_efficientdet_d0", "dynamo", 18, True),
    ("tf_efficientdet_d0", "dynamo", 20, False),
    ("tf_efficientdet_d0", OURS, 11, False),
    ("efficientdet_d0", "TorchScript", 11, False),
    ("tf_efficientdet_lite0", "TorchScript", 11, False),
    ("tf_efficientdet_lite0", "TorchScript", 17, True),
    ("tf_efficientdet_lite0", "dynamo", 18, False),
    ("tf_efficientdet_lite0", OURS, 11, False),
    ("tf_efficientdet_d4", "TorchScript", 11, False),
    ("tf_efficientdet_d4", "TorchScript", 13, False),
    ("tf_efficientdet_d4", "TorchScript", 17, False),
    ("tf_efficientdet_d4", "TorchScript", 17, True),
    ("tf_efficientdet_d4", "dynamo", 18, False),
    ("tf_efficientdet_d4", OURS, 11, False),
    ("tf_efficientdet_d7", "TorchScript", 11, False),
    ("tf_efficientdet_d7", "TorchScript", 13, False),
    ("tf_efficientdet_d7", "TorchScript", 17, False),
    ("tf_efficientdet_d7", "TorchScript", 17, True),
    ("tf_efficientdet_d7", "dynamo", 18, False),
    ("tf_efficientdet_d7", OURS, 11, False),
    ("tf_efficientdet_d7x", "TorchScript", 11, False),
    ("tf_efficientdet_d7x", "TorchScript", 13, False),
    ("tf_efficientdet_d7x", "TorchScript", 17, False),
    ("tf_efficientdet_d7x", "dynamo", 18, False),
]
HEADINGS = ["model", "px", "exporter, opset", "nodes", "onnxsim", "ours", "onnxsim s", "ours s", "unchecked s", "ratio",
            "onnxsim MB", "ours MB", "of the model", "simplified", "compiled"]


def side_of(variant):
    """Of the images that the variant is made for."""
    from effdet import get_efficientdet_config

    return get_efficientdet_config(variant).image_size[0]


def export(variant, exporter, opset, dynamic, checkpoint, path):
    """Runs in a process of its own (--export): exporters leave state behind."""
    import torch
    from effdet import EfficientDet, get_efficientdet_config

    config = get_efficientdet_config(variant)
    model = EfficientDet(config, pretrained_backbone=False)
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    model.eval()
    image = torch.zeros(2 if dynamic else 1, 3, *config.image_size)
    with torch.no_grad():
        if exporter == "dynamo":
            shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if dynamic else None
            torch.onnx.export(model, (image,), path, dynamo=True, opset_version=opset, dynamic_shapes=shapes)
        else:
            torch.onnx.export(model, (image,), path, dynamo=False, opset_version=opset, input_names=["x.1"],
                              dynamic_axes={"x.1": {0: "batch"}} if dynamic else None)


def name_of(entry):
    variant, exporter, opset, dynamic = entry
    return f"{variant}_{exporter}_{opset}{'_dynamic' if dynamic else ''}"


def make_export(entry, path):
    variant, exporter, _, _ = entry
    checkpoint = path.with_suffix(".pth")
    measure.run(EFFDET, "init", variant, "--out", checkpoint)
    if exporter == OURS:
        measure.run(BIN / "pth2onnx", "--checkpoint", checkpoint, "--model", variant, "--out", path)
    else:
        subprocess.run([sys.executable, "-W", "ignore", __file__, "--export", json.dumps([*entry, str(checkpoint), str(path)])],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint.unlink()


def outputs_of(path, image):
    """What ONNX Runtime computes, by the outputs' order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})


def difference(expected, found):
    """The largest, relative to the largest magnitude of its output."""
    assert len(expected) == len(found) and all(a.shape == b.shape for a, b in zip(expected, found))
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in zip(expected, found))


def graph_of(path):
    import onnx

    return onnx.load(path, load_external_data=False).graph


def node_count(path):
    """Operators, without Constants; ends the program at one that is not ONNX's own."""
    nodes = [node for node in graph_of(path).node if node.op_type != "Constant"]
    foreign = {node.domain for node in nodes} - {"", "ai.onnx"}
    if foreign:
        sys.exit(f"{path}: operators of {', '.join(sorted(foreign))}")
    return len(nodes)


def model_bytes(path):
    """With the files that its weights lie in."""
    files = {entry.value for tensor in graph_of(path).initializer for entry in tensor.external_data if entry.key == "location"}
    return path.stat().st_size + sum((path.parent / name).stat().st_size for name in files)


def round_trip(exported, expected, image, folder):
    """Reads and writes the file, nothing else."""
    import onnx

    again = folder / "again.onnx"
    measure.run(EFFDET, "edit", exported, "--out", again)
    onnx.checker.check_model(str(again), full_check=True)
    if not all(np.array_equal(a, b) for a, b in zip(expected, outputs_of(again, image), strict=True)):
        sys.exit(f"{exported}: reading and writing it changed the results")


def compiled_outputs(simplified, image, dynamic, folder):
    """What our compiled model computes, by the outputs' order."""
    graph = graph_of(simplified)
    command = [BIN / "atc", "--framework=5", f"--model={simplified}", f"--output={folder / 'compiled'}", "--soc_version=native"]
    if dynamic:
        command.append(f"--input_shape={graph.input[0].name}:{','.join(map(str, image.shape))}")
    measure.run(*command)
    info = json.loads(measure.run(EFFDET, "info", "--json", folder / "compiled.om")[0])
    slow = {step["op"] for step in info["steps"] if step["implementation"] == "reference"}
    if slow:
        sys.exit(f"{simplified}: compiled, {', '.join(sorted(slow))} have no fast kernel")
    np.save(folder / "image.npy", image)
    report = json.loads(measure.run(EFFDET, "run", folder / "compiled.om", "--json", "--input", folder / "image.npy",
                                    "--out", folder / "out")[0])
    files = {output["name"]: output["file"] for output in report["outputs"]}
    return [np.load(files[output.name]) for output in graph.output]


def measured(commands, rounds):
    """Least processor seconds and largest bytes of each command; they take turns."""
    results = [(float("inf"), 0)] * len(commands)
    for _ in range(rounds):
        for i, command in enumerate(commands):
            _, _, seconds, memory = measure.run_counted(*command)
            results[i] = min(results[i][0], seconds), max(results[i][1], memory)
    return results


def row_of(entry, work, folder, rounds, compare):
    import onnx

    variant, exporter, opset, dynamic = entry
    exported = work / f"{name_of(entry)}.onnx"
    theirs, ours = folder / "theirs.onnx", folder / "ours.onnx"
    if not exported.exists():
        make_export(entry, exported)
    (their_s, their_bytes), (our_s, our_bytes), (unchecked_s, _) = measured(
        [[sys.executable, "-m", "onnxsim", exported, theirs], [BIN / "onnxsim", exported, ours],
         [BIN / "onnxsim", exported, ours, "--no-check"]], rounds)
    side = side_of(variant)
    row = [variant, side, f"{exporter} {opset}{', any batch' if dynamic else ''}", node_count(exported), node_count(theirs),
           node_count(ours), f"{their_s:.2f}", f"{our_s:.2f}", f"{unchecked_s:.2f}", f"{their_s / our_s:.1f}",
           f"{their_bytes / 1e6:.0f}", f"{our_bytes / 1e6:.0f}", f"{our_bytes / model_bytes(exported):.1f}"]
    if not compare:
        return [*row, "", ""]
    image = np.random.default_rng(0).standard_normal((2 if dynamic else 1, 3, side, side)).astype(np.float32)
    expected = outputs_of(exported, image)
    onnx.checker.check_model(str(ours), full_check=True)
    round_trip(exported, expected, image, folder)
    compiled = compiled_outputs(ours, image, dynamic, folder)
    return [*row, f"{difference(expected, outputs_of(ours, image)):.1e}", f"{difference(expected, compiled):.1e}"]


def write(path, table):
    """Replaces the table between the document's marks."""
    text = path.read_text()
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"{path}: no {BEGIN} ... {END}")
    path.write_text(pattern.sub(lambda _: "\n".join([BEGIN, *table, END]), text))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for the exports, which are kept there")
    parser.add_argument("--rounds", type=int, default=3, help="turns of what is timed")
    parser.add_argument("--times", action="store_true", help="leave out what the graphs compute, the last two columns")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="rows whose file's name holds one of these")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the document whose table is replaced")
    parser.add_argument("--export", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.export:
        return export(*json.loads(arguments.export))
    table = ["| " + " | ".join(HEADINGS) + " |", "|---|--:|---|" + "--:|" * (len(HEADINGS) - 3)]
    print("\n".join(table), flush=True)
    with tempfile.TemporaryDirectory() as name:
        work = (arguments.work or Path(name)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for entry in EXPORTS:
            if any(text in name_of(entry) for text in arguments.only):
                row = row_of(entry, work, Path(name), arguments.rounds, not arguments.times)
                table.append("| " + " | ".join(map(str, row)) + " |")
                print(table[-1], flush=True)
                for file in [] if arguments.work else work.glob(f"{name_of(entry)}.onnx*"):
                    file.unlink()
    if arguments.write:
        write(arguments.write, table)


if __name__ == "__main__":
    main()
