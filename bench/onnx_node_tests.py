#!/usr/bin/env python3
"""Counts how many of ONNX's own backend node tests the reference kernels pass, by operator.

    bench/onnx_node_tests.py                       # installs onnx 1.23.2 into build/peers, runs all, prints the table
    bench/onnx_node_tests.py --write docs/onnx.md  # replaces the table in the document
    bench/onnx_node_tests.py --data node_folder    # takes a folder of such tests as it is (until 1.22 a wheel has one)

Ends with 1 where a test fails that KNOWN does not name. Needs Python 3.10, venv and pip.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

VERSION = "1.23.2"
ROOT = pathlib.Path(__file__).resolve().parent.parent

#: Tests that fail, and why that is meant so.
KNOWN = {
    "test_resize_downsample_scales_cubic_align_corners": "takes the size before rounding, unlike PyTorch's exports",
    "test_resize_downsample_scales_linear_align_corners": "takes the size before rounding, unlike PyTorch's exports",
} | {
    f"test_attention_4d_{name}": "the last bit of 16-bit numbers: expected are those of another order of rounding"
    for name in ("attn_mask_causal_bf16_expanded", "causal_bf16", "causal_bf16_expanded", "causal_fp16_expanded",
                 "causal_padded_kv_bf16", "causal_padded_kv_bf16_expanded", "padded_kv_bf16_expanded")
}

#: Writes the tests, which onnx has as code, in ONNX's layout: NAME/model.onnx, NAME/test_data_set_N/input_N.pb.
WRITE = '''
import pathlib, sys
from onnx import numpy_helper
from onnx.backend.test.loader import load_node_model_tests

def write(folder, kind, values):
    for i, value in enumerate(values):
        proto = value if hasattr(value, "SerializeToString") else numpy_helper.from_array(value)
        (folder / f"{kind}_{i}.pb").write_bytes(proto.SerializeToString())

left_out = 0
for case in load_node_model_tests():
    if not all(port.type.HasField("tensor_type") for port in [*case.model.graph.input, *case.model.graph.output]):
        left_out += 1
        continue
    folder = pathlib.Path(sys.argv[1]) / case.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{i}"
        data.mkdir(exist_ok=True)
        write(data, "input", inputs)
        write(data, "output", outputs)
print(f"{left_out} tests on sequences, optionals and maps are left out", file=sys.stderr)
'''
BEGIN, END = "<!-- onnx_node_tests begin -->", "<!-- onnx_node_tests end -->"


def make(folder):
    """Writes onnx's node tests into the folder; returns it."""
    python = ROOT / "build/peers/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ROOT / "build/peers"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"onnx=={VERSION}", "pillow"], check=True)
    subprocess.run([python, "-c", WRITE, folder], check=True)
    return folder


def run(effdet, data):
    """All folders' results, as effdet run --json gives them."""
    process = subprocess.run([effdet, "run", "--test-root", str(data), "--json"], stdout=subprocess.PIPE, check=False)
    if process.returncode not in (0, 6):  # 6: some folder failed
        sys.exit(f"effdet run ended with {process.returncode}")
    return json.loads(process.stdout)["folders"]


def operator_of(folder, by_name):
    """The operator that a test is about: a model of several nodes is the expansion of one."""
    if len(folder["operators"]) == 1:
        return folder["operators"][0]
    base = re.sub(r"_expanded.*", "", folder["name"])
    if base != folder["name"] and base in by_name:
        return operator_of(by_name[base], {})
    refused = re.search(r"unsupported operator (\w+)", folder["reason"])
    if refused:
        return refused.group(1)
    return "several" if folder["operators"] else "not read"


def reason_of(folder):
    """A refusal without names of files, nodes and values."""
    text = re.sub(r"^\S*?/(model\.onnx|\w+\.pb): ", "", folder["reason"])
    text = re.sub(r", node '.*'$|^(node|input|value|output) '.*?'( \(\w+\))?:? ?", "", text)
    return re.sub(r"attribute '\w+': ", "", text)


def report(folders):
    by_name = {folder["name"]: folder for folder in folders}
    counts = collections.defaultdict(collections.Counter)
    reasons = collections.Counter()
    for folder in folders:
        counts[operator_of(folder, by_name)][folder["result"]] += 1
        if folder["result"] != "pass":
            reasons[reason_of(folder)] += 1
    total = collections.Counter(folder["result"] for folder in folders)
    lines = [f"Of {len(folders)} tests of onnx {VERSION}, {total['pass']} pass, {total['refused']} are refused with a "
             f"reason and {total['fail']} fail.", "",
             "Why a test fails on purpose stands in `KNOWN` of the script. Tests on sequences, optionals and maps are "
             "left out.", "", "| operator | tests | pass | refused | fail |",
             "|---|---|---|---|---|"]
    for name, count in sorted(counts.items()):
        lines.append(f"| {name} | {sum(count.values())} | {count['pass']} | {count['refused']} | {count['fail']} |")
    lines += ["", "| why not | tests |", "|---|---|"]
    lines += [f"| {reason.replace('|', '/')} | {count} |" for reason, count in reasons.most_common()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effdet", default=str(ROOT / "build/release/bin/effdet"), help="the program")
    parser.add_argument("--data", type=pathlib.Path, help="folder of the tests; default: made by onnx")
    parser.add_argument("--write", type=pathlib.Path, help="document whose table is replaced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folders = run(options.effdet, options.data or make(folder))
    text = report(folders)
    print(text)
    if options.write:
        document = options.write.read_text()
        before, _, rest = document.partition(BEGIN)
        _, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
    failed = [folder["name"] for folder in folders if folder["result"] == "fail"]
    for name in failed:
        print(f"{name} failed: {KNOWN.get(name, 'a fault')}", file=sys.stderr)
    sys.exit(0 if set(failed) <= set(KNOWN) else 1)


if __name__ == "__main__":
    main()
