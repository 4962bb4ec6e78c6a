#!/usr/bin/env bash
# Checks effdet on a GPU, then measures it: kernels and networks against the CPU, compute-sanitizer where it is installed,
# bench/gpu/run. Within six minutes; prints what failed, and a table.
#
#   scripts/gpu_check.sh --pack     build, and put what runs into build/gpu, for a machine with a driver and CUDA's libraries
#   scripts/gpu_check.sh [OUT]      on the machine with the GPU: checks, and writes logs and results to OUT (build/gpu/out)
#
# Without build/gpu the second form makes it first.
set -uo pipefail
cd "$(dirname "$0")/.."
pack=build/gpu

make_pack() {
  set -e
  cmake --preset release > /dev/null
  cmake --build --preset release --target effdet_cli effdet_cuda kernels_test runtime_test gpu_bench gpu_floors
  [ -e build/release/lib/libeffdet_cuda.so ] || { echo "gpu_check: no module was built: is nvcc of CUDA 12 or later in PATH?" >&2; exit 1; }
  rm -rf "$pack"
  mkdir -p "$pack/bin" "$pack/lib"
  cp -L build/release/bin/{effdet,kernels_test,runtime_test,gpu_bench,gpu_floors} "$pack/bin"
  soname=$(objdump -p build/release/lib/libeffdet.so | awk '$1 == "SONAME" {print $2}')
  cp -L "build/release/lib/$soname" build/release/lib/libeffdet_cuda.so "$pack/lib"
  # Libraries of packages that the other machine may lack; glibc's and CUDA's own are left out.
  ldd "$pack"/bin/* "$pack/lib/$soname" | awk '/=> \//{print $3}' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|libcu[a-zA-Z]*|libeffdet[a-z_]*)\.so' |
    xargs -r cp -Lt "$pack/lib"
  strip "$pack"/bin/* "$pack"/lib/*.so* 2> /dev/null || true
  cp -r bench/gpu "$pack/bench"
  du -sh "$pack"
  set +e
}

if [ "${1:-}" = --pack ]; then make_pack; exit; fi
[ -d "$pack/bin" ] || make_pack
out=${1:-$pack/out}
mkdir -p "$out"
out=$(realpath "$out") pack=$(realpath "$pack")
export LD_LIBRARY_PATH="$pack/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" EFFDET_TEST_GPU=1
# CUDA's libraries where the module does not find them: beside nvcc, or in PyPI's packages.
for folder in /usr/local/cuda/lib64 /usr/local/cuda/targets/x86_64-linux/lib; do
  [ ! -d "$folder" ] || LD_LIBRARY_PATH+=":$folder"
done

if ! "$pack/bin/gpu_bench" > "$out/ceilings.json"; then
  echo "gpu_check: no GPU runs anything here: nothing was checked" >&2
  exit 1
fi
nvidia-smi --query-gpu=name,driver_version,memory.total,mig.mode.current --format=csv | tee "$out/gpu.txt"
failed=0
# check NAME SECONDS COMMAND...
check() {
  local name=$1 seconds=$2 start=$SECONDS
  shift 2
  if timeout "$seconds" "$@" > "$out/$name.log" 2>&1; then
    echo "passed  $name ($((SECONDS - start)) s)"
  else
    echo "FAILED  $name ($((SECONDS - start)) s, see $name.log)"
    grep -E 'Failure|FAILED|error' "$out/$name.log" | head -5
    failed=1
  fi
}

check kernels 90 "$pack/bin/kernels_test" --gtest_filter='Isa/*/cuda'
check networks 60 "$pack/bin/runtime_test" --gtest_filter='CudaTwin.RunsAWholeNetwork'

# Every network, in float16 and float32, against the CPU's float32 program. Random weights in the range of trained ones.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
network() {
  local variant=$1
  "$pack/bin/effdet" init "tf_efficientdet_$variant" --out "$work/$variant.pth" &&
    "$pack/bin/effdet" pth2onnx --checkpoint "$work/$variant.pth" --model "tf_efficientdet_$variant" --out "$work/$variant.onnx" &&
    "$pack/bin/effdet" atc --framework=5 --model="$work/$variant.onnx" --output="$work/$variant" --soc_version=native --log=error &&
    "$pack/bin/effdet" atc --framework=5 --model="$work/$variant.onnx" --output="$work/${variant}_fp32" --soc_version=cuda --log=error &&
    "$pack/bin/effdet" atc --framework=5 --model="$work/$variant.onnx" --output="$work/${variant}_fp16" --soc_version=cuda \
      --precision_mode=force_fp16 --log=error &&
    "$pack/bin/effdet" compare "$work/$variant.om" "$work/${variant}_fp32.om" --input testdata/images/type2_8bit.png --tolerance 1e-4 &&
    "$pack/bin/effdet" compare "$work/$variant.om" "$work/${variant}_fp16.om" --input testdata/images/type2_8bit.png --tolerance 2e-2
}
export -f network
export pack work
for variant in d0 d1 d2 d3 d4 d5 d6 d7; do check "$variant" 40 bash -c "network $variant"; done

if command -v compute-sanitizer > /dev/null; then
  small='Isa/Kernels.SqueezeExcite/cuda:Isa/Kernels.AveragePool/cuda:Isa/Kernels.ConvWindowsFromNchw/cuda'
  for tool in memcheck racecheck; do
    check "$tool" 30 compute-sanitizer --tool "$tool" --error-exitcode 9 "$pack/bin/kernels_test" --gtest_filter="$small"
  done
else
  echo "left out: compute-sanitizer is not installed"
fi

EFFDET_GPU_PACK=$pack "$pack/bench/run" "$out" || failed=1
exit $failed
