#!/usr/bin/env bash
# Builds the commit twice, in two folders of different names and at different times, without a compiler cache, and compares
# every program and library byte by byte, but for libeffdet_cuda.so: nvcc 13.0 names internal functions after a hash of the
# folder; then the compiled model that each makes of one network.
# Usage: scripts/check_reproducible.sh   (takes as long as two builds; exit code 1 where something differs)
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$(git rev-parse HEAD)  # by the second build there may be another one
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CCACHE_DISABLE=1

build() {  # NAME
  git clone -q --no-checkout . "$folder/$1"
  git -C "$folder/$1" checkout -q --detach "$commit"
  (cd "$folder/$1" && cmake --preset release -DEFFDET_TESTS=OFF -DEFFDET_BENCH=OFF > /dev/null && cmake --build --preset release > "$folder/log" 2>&1) ||
    { tail -n 20 "$folder/log" >&2; exit 1; }
  (cd "$folder/$1/build/release" && find bin lib share -type f ! -name libeffdet_cuda.so -exec sha256sum {} + | sort -k2) > "$folder/$1.sums"
  local model=$folder/$1/testdata/onnx/functions/model.onnx
  (cd "$folder/$1" && EFFDET_NUM_THREADS=$2 build/release/bin/effdet atc --framework=5 --soc_version=native --model="$model" --output=m > /dev/null && sha256sum m.om) >> "$folder/$1.sums"
}

build a 1
build a_much_longer_name_of_a_folder 2
if ! diff "$folder/a.sums" "$folder/a_much_longer_name_of_a_folder.sums"; then
  echo "the builds differ" >&2
  exit 1
fi
echo "passed: $(wc -l < "$folder/a.sums") files of two builds are the same"
