#!/usr/bin/env python3
"""Counts how many of ONNX's own backend node tests the reference kernels pass, by operator.

    bench/onnx_node_tests.py                       # fetches onnx 1.17.0 with pip, runs all, prints the table
    bench/onnx_node_tests.py --write docs/onnx.md  # replaces the table in the document
    bench/onnx_node_tests.py --data node_folder    # takes the folder onnx/backend/test/data/node as it is

Needs Python 3.9 and pip; the wheel is only unpacked, not installed.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.17.0"
NODE_TESTS = "onnx/backend/test/data/node/"
BEGIN, END = "<!-- onnx_node_tests begin -->", "<!-- onnx_node_tests end -->"


def fetch(folder):
    """Downloads the wheel and unpacks the node tests; returns their folder."""
    subprocess.run([sys.executable, "-m", "pip", "download", f"onnx=={VERSION}", "--no-deps", "--only-binary=:all:",
                    "--quiet", "--dest", folder], check=True)
    wheel = next(pathlib.Path(folder).glob("onnx-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(NODE_TESTS)])
    return pathlib.Path(folder) / NODE_TESTS


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
    text = re.sub(r"^.*?model\.onnx: ", "", folder["reason"])
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
             f"reason and {total['fail']} fail.", "", "| operator | tests | pass | refused | fail |",
             "|---|---|---|---|---|"]
    for name, count in sorted(counts.items()):
        lines.append(f"| {name} | {sum(count.values())} | {count['pass']} | {count['refused']} | {count['fail']} |")
    lines += ["", "| why not | tests |", "|---|---|"]
    lines += [f"| {reason.replace('|', '/')} | {count} |" for reason, count in reasons.most_common()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--effdet", default=str(root / "build/release/bin/effdet"), help="the program")
    parser.add_argument("--data", type=pathlib.Path, help="folder of the tests; default: from PyPI")
    parser.add_argument("--write", type=pathlib.Path, help="document whose table is replaced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = report(run(options.effdet, options.data or fetch(folder)))
    print(text)
    if options.write:
        document = options.write.read_text()
        before, _, rest = document.partition(BEGIN)
        _, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
