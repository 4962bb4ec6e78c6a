#!/usr/bin/env bash
# Which lines and branches the tests reach: builds with gcov in build/coverage, runs everything but what takes minutes, and
# prints a line for each layer, and with --list the lines that are not reached.
# Usage: scripts/coverage.sh [--list FILE_PATTERN]   (half an hour on two cores; needs gcovr, Debian)
set -euo pipefail
cd "$(dirname "$0")/.."
command -v gcovr > /dev/null || { echo "coverage.sh: install gcovr (Debian)" >&2; exit 2; }
build=build/coverage
if [ "${1:-}" = --list ]; then
  exec gcovr --root . --filter "${2:?a pattern of files}" --txt-metric line --exclude-throw-branches $build
fi
scripts/install_packages.sh
cmake --preset debug -B $build -DCMAKE_CXX_FLAGS="--coverage -O0 -g0 -fprofile-update=atomic" -DCMAKE_UNITY_BUILD=OFF -DEFFDET_BENCH=OFF \
  -DEFFDET_INSTRUCTION_SETS="sse2;avx2" > /dev/null
cmake --build $build
find $build -name '*.gcda' -delete
ctest --test-dir $build -j "$(nproc)" --timeout 1800 --output-on-failure || echo "coverage.sh: some tests failed" >&2
gcovr --root . --filter 'src/' --filter 'tools/' --exclude '.*_test(_util)?\.(cc|h)' --exclude-throw-branches --json-summary $build/coverage.json $build > /dev/null
python3 - $build/coverage.json <<'P'
import collections
import json
import sys
sums = collections.defaultdict(lambda: [0, 0, 0, 0])
for file in json.load(open(sys.argv[1]))["files"]:
    layer = "/".join(file["filename"].split("/")[:2])
    for key in (layer, "all"):
        for i, name in enumerate(("line_covered", "line_total", "branch_covered", "branch_total")):
            sums[key][i] += file[name]
print("| layer | lines | branches |\n|---|---|---|")
for layer, (lines, all_lines, branches, all_branches) in sorted(sums.items()):
    print(f"| {layer} | {100 * lines / max(all_lines, 1):.1f} % of {all_lines} | {100 * branches / max(all_branches, 1):.1f} % of {all_branches} |")
P
