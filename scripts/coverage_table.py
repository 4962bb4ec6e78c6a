#!/usr/bin/env python3
"""Sums what gcov counted below a build folder: a row for each layer, or each line with something that was not reached.

Usage: coverage_table.py BUILD [FILE_PATTERN]     (called by coverage.sh; exit code 1 where an aim is missed)

A template's or header's lines and branches are reached where any of their copies was. Branches are those of the sources:
not the edges along which exceptions leave a call, not the other edge of such a call, and not what the compiler makes of lines
without a decision.
"""
import collections
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# Layers that read files and requests of strangers: 95 % of lines and 90 % of branches. All together: 90 % of lines.
READERS = {"src/" + name for name in ("aipp", "artifact", "base", "checkpoint", "dataset", "eval", "onnx", "server", "vision")}
DECISION = re.compile(r"\b(if|for|while|do|switch|case|default|catch)\b|\?|&&|\|\|")
TESTS = re.compile(r"_test\.cc$|_test_util\.(cc|h)$|/test_\w+\.(cc|h)$|/emulated\w*\.(cc|h)$")


def counted_by(gcda):
    """What gcov says of one object file: its lines, each with the branches that begin there."""
    out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", gcda], capture_output=True)
    if out.returncode == 0:
        return json.loads(out.stdout)
    print(f"coverage_table.py: {gcda}: left out: {out.stderr.decode().splitlines()[0]}", file=sys.stderr)
    return {"files": []}


def decisions(branches):
    """Counts of the branches that the source makes: a call that may throw has an edge of its own and one behind it."""
    kept = []
    for branch in branches:
        if not branch["throw"]:
            kept.append(branch["count"])
        elif kept:
            kept.pop()
    return kept


def branches_of_one(line, count, functions):
    """How many of a line's branches belong to one copy of its function: gcov lists those of all copies in a row."""
    spans = collections.Counter((f["start_line"], f["start_column"], f["end_line"], f["end_column"]) for f in functions)
    for start, column, end, end_column in sorted(spans, reverse=True):  # the innermost first
        is_generic_lambda = (start, column) == (end, end_column)  # gcov does not know where it ends
        copies = spans[start, column, end, end_column]
        if start <= line and (line <= end or is_generic_lambda) and count % copies == 0:
            return count // copies
    return count


def sums(build):
    """{file: ({line: count}, {(line, place): count})}, of the sources of layers and commands; and their texts."""
    root, sources = os.getcwd(), {}
    gcdas = [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names if name.endswith(".gcda")]
    files = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for counted in pool.map(counted_by, gcdas):
            for file in counted["files"]:
                path = os.path.relpath(os.path.join(counted["current_working_directory"], file["file"]), root)
                if not path.startswith(("src/", "tools/")) or TESTS.search(path):
                    continue
                if path not in sources:
                    with open(path, encoding="utf-8") as source:
                        sources[path] = source.read().split("\n")
                lines, branches = files[path]
                for line in file["lines"]:
                    number, text = line["line_number"], sources[path][line["line_number"] - 1]
                    if not re.search(r"\w", text):  # a brace alone: destructors
                        continue
                    # What is no decision of the source is a loop that the compiler makes, for a list in braces for instance.
                    counts = decisions(line["branches"]) if DECISION.search(text) else []
                    lines[number] += line["count"]
                    each = branches_of_one(number, len(counts), file["functions"]) if counts else 1
                    for place, count in enumerate(counts):
                        branches[number, place % each] += count
    return files, sources


def print_table(files):
    total = collections.defaultdict(lambda: [0, 0, 0, 0])
    for path, (lines, branches) in files.items():
        for row in ("/".join(path.split("/")[:2]), "all"):
            for i, counts in enumerate((lines, branches)):
                total[row][2 * i] += sum(count > 0 for count in counts.values())
                total[row][2 * i + 1] += len(counts)
    missed = False
    print("| layer | lines | branches |\n|---|---|---|")
    for row, (lines, all_lines, branches, all_branches) in sorted(total.items()):
        shares = 100 * lines / max(all_lines, 1), 100 * branches / max(all_branches, 1)
        missed |= row in READERS and (shares[0] < 95 or shares[1] < 90) or row == "all" and shares[0] < 90
        print(f"| {row}{' (reads files)' if row in READERS else ''} | {shares[0]:.1f} % of {all_lines} | {shares[1]:.1f} % of {all_branches} |")
    return missed


def print_rest(files, sources, pattern):
    for path, (lines, branches) in sorted(files.items()):
        if not re.search(pattern, path):
            continue
        open_branches = collections.Counter(line for (line, _), count in branches.items() if count == 0)
        for line in sorted(lines):
            what = "never" if lines[line] == 0 else f"{open_branches[line]} branches" if open_branches[line] else None
            if what:
                print(f"{path}:{line}: {what}: {sources[path][line - 1].strip()}")


reached, texts = sums(sys.argv[1])
if len(sys.argv) > 2:
    print_rest(reached, texts, sys.argv[2])
elif print_table(reached):
    sys.exit("an aim is missed")
