#!/usr/bin/env bash
# What takes too long for every change: the whole suite with AddressSanitizer, UndefinedBehaviorSanitizer and checked
# iterators (leaks are failures), what has threads with ThreadSanitizer, and names that clash in unity builds.
# Usage: scripts/nightly.sh [asan | tsan | unity ...]   (default: all; builds lie in build/nightly-*)
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_packages.sh
[ $# -gt 0 ] || set -- asan tsan unity

configure() {  # NAME OPTION...
  cmake --preset "$1" -B "build/nightly-$1" -DEFFDET_BENCH=OFF -DEFFDET_INSTRUCTION_SETS="sse2;avx2" "${@:2}" > /dev/null
}

asan() {
  configure asan "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_ASSERTIONS"
  cmake --build build/nightly-asan
  ASAN_OPTIONS=detect_leaks=1 ctest --test-dir build/nightly-asan -j "$(nproc)" --timeout 1800 --output-on-failure
}

tsan() {
  configure tsan -DCMAKE_UNITY_BUILD=ON
  local tests=(base_test runtime_test detection_test dataset_test api_test server_test ascendcl_test)
  cmake --build build/nightly-tsan --target "${tests[@]}"
  for test in "${tests[@]}"; do
    TSAN_OPTIONS=halt_on_error=1 "build/nightly-tsan/bin/$test" --gtest_brief=1 \
      --gtest_filter='-*EveryVariant*:Parity*:Models/Parity*:*DamagedModelsAreRefused'
  done
}

unity() { scripts/check_unity.sh; }

for part in "$@"; do
  case $part in
    asan | tsan | unity) echo "== $part"; "$part" ;;
    *) sed -n '4s/^# //p' "$0" >&2; exit 2 ;;
  esac
done
echo "passed: $*"
