#!/usr/bin/env bash
# Looks at the sources, builds what is missing and runs all tests: everything in Release, and the readers of files once
# more with AddressSanitizer and UndefinedBehaviorSanitizer.
# Usage: ./test.sh   (ends with CTest's summary; exit code 0 when all pass)
set -euo pipefail
cd "$(dirname "$0")"

scripts/install_packages.sh
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT
# What keeps one processor busy runs beside what could use more: a look at the sources, configuring, tests beside a build.
scripts/lint.sh & lint=$!  # reported at once, and by the exit code at the end

# Layers that read files, and what runs on their content; what fuzzers have kept.
checked="^(fuzz|$(sed -n 's/^set(EFFDET_CHECKED \(.*\))$/\1/p' cmake/layer.cmake | tr ' ' '|'))\$"
# What reads no hostile file and takes minutes with checks: whole networks of every variant, random graphs, 79 photographs.
unchecked='^(Init\.|InferVariant\.EveryVariantFits|Ambiguity\.Every|Preprocess\.TensorsAreTheReferencesForCoco|'
unchecked+='RandomGraphs\.|Fuzz/Corpus\.EndsWell/(quantized_)?graphs )'

# Built as fast as may be: undefined behaviour ends the test with SIGILL, and AddressSanitizer names functions. The preset as
# it is (cmake --preset asan) has a sentence for each, with the line.
[ -f build/asan/build.ninja ] || cmake --preset asan -DEFFDET_CHECK_READERS=ON -DEFFDET_TOOLS=OFF -DEFFDET_BENCH=OFF -DEFFDET_INSTRUCTION_SETS=sse2 \
  "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0 -fsanitize-undefined-trap-on-error"
{ [ -f build/release/build.ninja ] || cmake --preset release > "$logs/configure" 2>&1; } & configure=$!
cmake --build --preset asan --target checked_tests
ctest --test-dir build/asan -L "$checked" -E "$unchecked" --output-on-failure -j 2 --timeout 300 > "$logs/asan" 2>&1 & asan=$!
wait $configure || { cat "$logs/configure"; exit 1; }
cmake --build --preset release

echo "== readers with sanitizers"
passed=0
wait $asan || passed=$?
tail -n 15 "$logs/asan"
[ $passed = 0 ] || exit $passed
style=0
wait $lint || style=$?
echo "== everything in Release"
ctest --preset release -j 2 --timeout 300
exit $style
