#!/usr/bin/env bash
# What takes too long for every change: the whole suite with AddressSanitizer, UndefinedBehaviorSanitizer and checked
# iterators (leaks are failures), what has threads with ThreadSanitizer, kernels under valgrind, which finds values that were
# never written, and names that clash in unity builds.
# Usage: scripts/nightly.sh [asan | tsan | valgrind | unity ...]   (default: all; builds lie in build/nightly-*)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- asan tsan valgrind unity
packages=()
[[ " $* " != *" valgrind "* ]] || packages+=(valgrind)
scripts/install_packages.sh "${packages[@]}"

configure() {  # NAME OPTION...
  cmake --preset "$1" -B "build/nightly-$1" -DEFFDET_BENCH=OFF -DEFFDET_INSTRUCTION_SETS="sse2;avx2" "${@:2}" > /dev/null
}

# The build itself leaves out what no sanitizer lives with (tests/CMakeLists.txt): faults, which put an allocator of their own
# before the C library's, and what ordinary programs and Python do with the library.
asan() {
  configure asan "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_ASSERTIONS"
  cmake --build build/nightly-asan
  # Left out: onnxsim leaves its check out where the process takes too much memory, and AddressSanitizer's own counts; and
  # AddressSanitizer ends a process that asks for too much, before it can say so.
  local unfit='Cli\.Simplify(TakesTheOriginalsArguments|ChecksALargeImageByParts|TakesOnnxsimsFlags)|Cli\.UnknownOperatorsStayWhatTheyAre'
  ASAN_OPTIONS=detect_leaks=1 ctest --test-dir build/nightly-asan -j "$(nproc)" --timeout 1800 --output-on-failure \
    -E "^($unfit|Signals\.(MemoryThatRunsOutIsAnErrorWhereverItIs|ErrorsEndAProcessThatIgnoresSignals))\$"
}

# Without whole networks beside their references: the same threads as in smaller tests, for hours.
tsan() {
  configure tsan -DCMAKE_UNITY_BUILD=ON
  local tests=(base_test runtime_test detection_test dataset_test api_test server_test ascendcl_test)
  cmake --build build/nightly-tsan --target "${tests[@]}"
  for test in "${tests[@]}"; do
    TSAN_OPTIONS=halt_on_error=1 "build/nightly-tsan/bin/$test" --gtest_brief=1 \
      --gtest_filter='-*EveryVariant*:*EveryInstructionSet*:*Parity*:*DamagedModelsAreRefused'
  done
}

# As fast code as users run, where it may use more than it wrote: padding of panels, ends of rows, scratch. Instruction sets
# that valgrind does not know are skipped, as on a processor without them. One process for each processor: it runs one thread.
valgrind() {
  configure release -DEFFDET_CUDA=OFF "-DCMAKE_CXX_FLAGS=-g1 -DEFFDET_VALGRIND"
  cmake --build build/nightly-release --target kernels_test
  local shards=() shard failed=0
  for ((shard = 0; shard < $(nproc); ++shard)); do
    GTEST_TOTAL_SHARDS=$(nproc) GTEST_SHARD_INDEX=$shard command valgrind -q --error-exitcode=1 --fair-sched=try \
      build/nightly-release/bin/kernels_test --gtest_brief=1 &
    shards+=($!)
  done
  for shard in "${shards[@]}"; do wait "$shard" || failed=1; done
  return $failed
}

unity() { scripts/check_unity.sh; }

for part in "$@"; do
  case $part in
    asan | tsan | valgrind | unity) echo "== $part"; "$part" ;;
    *) sed -n '5s/^# //p' "$0" >&2; exit 2 ;;
  esac
done
echo "passed: $*"
