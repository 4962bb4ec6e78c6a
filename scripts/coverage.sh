#!/usr/bin/env bash
# Which lines and branches the tests reach: builds with gcov in build/coverage, runs all tests, and prints a row for each
# layer; with --list what they did not reach in files whose names match, of the last run.
# Usage: scripts/coverage.sh [--list FILE_PATTERN]   (two hours on two cores; exit code 1 where an aim is missed)
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/coverage
if [ "${1:-}" = --list ]; then
  exec python3 scripts/coverage_table.py $build "${2:?a pattern of files}"
fi
scripts/install_packages.sh
# Without inlining, as a branch within an inlined function would be counted wherever it is called. Without the module for
# GPUs, whose code gcov does not see.
cmake --preset debug -B $build -DCMAKE_CXX_FLAGS_DEBUG="--coverage -Og -fno-inline -fprofile-update=atomic" -DCMAKE_UNITY_BUILD=ON \
  -DEFFDET_BENCH=OFF -DEFFDET_CUDA=OFF -DEFFDET_INSTRUCTION_SETS="sse2;avx2" > /dev/null
cmake --build $build
find $build -name '*.gcda' -delete
# The commands and children of tests end by _Exit(), which writes no counters: an ordinary end takes its place. Some run as
# another user. gcov complains of faults that are made, so that some tests of faults fail.
printf '#include <stdlib.h>\nvoid _Exit(int code) { exit(code); }\n' | gcc -shared -fPIC -x c - -o $build/ordinary_exit.so
umask 0
# Left out: the two largest networks, which reach nothing that the others do not.
LD_PRELOAD=$PWD/$build/ordinary_exit.so ctest --test-dir $build -j "$(nproc)" --timeout 1800 --output-on-failure -E 'Parity\..*_d[67]' || echo "coverage.sh: some tests failed" >&2
python3 scripts/coverage_table.py $build
