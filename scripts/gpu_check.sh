#!/usr/bin/env bash
# Checks effdet on a GPU, then measures it: kernels, networks against PyTorch's float64 samples, pictures and boxes, a D7 of
# full size against the processor's, the mAP of the shipped checkpoint, errors, compute-sanitizer where it is installed,
# bench/gpu/run. Within six minutes; prints what failed, and a table.
#
#   scripts/gpu_check.sh --pack     build, and put what runs into build/gpu, for a machine with a driver and CUDA's libraries
#   scripts/gpu_check.sh [OUT]      on the machine with the GPU: checks, and writes logs and results to OUT (build/gpu/out)
#   scripts/gpu_check.sh --twin     the tests alone, on GPU kernels that run as loops on the processor: shows, without a GPU,
#                                   that what is packed starts and that the comparisons work
#
# Without build/gpu the second and third form make it first.
set -uo pipefail
cd "$(dirname "$0")/.."
pack=build/gpu

make_pack() {
  set -e
  cmake --preset release > /dev/null
  if ! grep -q '^EFFDET_NVCC:[A-Z]*=/' build/release/CMakeCache.txt; then
    echo "gpu_check: no module can be built: is nvcc of CUDA 12 or later in PATH, or in /usr/local/cuda/bin?" >&2
    exit 1
  fi
  cmake --build --preset release --target effdet_cli effdet_cuda kernels_test runtime_test detection_test gpu_bench gpu_floors
  rm -rf "$pack"
  mkdir -p "$pack/bin" "$pack/lib"
  cp -L build/release/bin/{effdet,kernels_test,runtime_test,detection_test,gpu_bench,gpu_floors} "$pack/bin"
  soname=$(objdump -p build/release/lib/libeffdet.so | awk '$1 == "SONAME" {print $2}')
  cp -L "build/release/lib/$soname" build/release/lib/libeffdet_cuda.so "$pack/lib"
  # What `effdet` itself is linked with, of this build.
  ldd build/release/bin/effdet | awk '/=> \//{print $3}' | grep /libeffdet | xargs -r cp -Lt "$pack/lib"
  # Libraries of packages that the other machine may lack; glibc's and CUDA's own are left out.
  ldd "$pack"/bin/* "$pack"/lib/libeffdet*.so.* | awk '/=> \//{print $3}' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|libcu[a-zA-Z]*|libeffdet[a-z_]*)\.so' |
    xargs -r cp -Lt "$pack/lib"
  strip "$pack"/bin/* "$pack"/lib/*.so* 2> /dev/null || true
  cp -r bench/gpu "$pack/bench"
  cp testdata/parity/devices.txt models/tf_efficientdet_d0_shapes.pth models/shapes.names "$pack"
  du -sh "$pack"
  set +e
}

if [ "${1:-}" = --pack ]; then make_pack; exit; fi
[ -d "$pack/bin" ] || make_pack
twin=
[ "${1:-}" != --twin ] || { twin=yes; shift; }
out=${1:-$pack/out}
mkdir -p "$out"
out=$(realpath "$out") pack=$(realpath "$pack")
export LD_LIBRARY_PATH="$pack/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# CUDA's libraries where the module does not find them: beside nvcc, or in PyPI's packages.
for folder in /usr/local/cuda/lib64 /usr/local/cuda/targets/x86_64-linux/lib; do
  [ ! -d "$folder" ] || LD_LIBRARY_PATH+=":$folder"
done

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

# tests SECONDS: each kernel, small networks, pictures and boxes.
tests() {
  check kernels "$1" "$pack/bin/kernels_test" --gtest_filter='Isa/*/cuda'
  check networks "$1" "$pack/bin/runtime_test" --gtest_filter='CudaTwin.RunsAWholeNetwork'
  check boxes_and_pictures "$1" "$pack/bin/detection_test" --gtest_filter='OnDevice.*:-OnDevice.Heads*'
}

# parity SECONDS: networks against float64 samples, in each precision. The next line of the log has the share.
parity() {
  local model
  for model in $("$pack/bin/runtime_test" --gtest_list_tests --gtest_filter='*CudaParity.*' | grep -oE 'tf_efficientdet_[a-z0-9]+' | sort -u); do
    check "parity_$model" "$1" "$pack/bin/runtime_test" --gtest_filter="*CudaParity.*/$model"
    grep 'of the largest value' "$out/parity_$model.log" | sed 's/^/        /'
  done
}

if [ -n "$twin" ]; then
  tests 600
  parity 600
  echo "The rest needs a GPU: parity of D1 to D7, a D7 of full size, mAP, errors, compute-sanitizer, bench/gpu/run"
  exit $failed
fi

export EFFDET_TEST_GPU=1 EFFDET_PARITY_GOLDEN="$pack/devices.txt"
if ! "$pack/bin/gpu_bench" > "$out/ceilings.json"; then
  echo "gpu_check: no GPU runs anything here: nothing was checked (scripts/gpu_check.sh --twin needs none)" >&2
  exit 1
fi
nvidia-smi --query-gpu=name,driver_version,memory.total,mig.mode.current --format=csv | tee "$out/gpu.txt"
tests 90
parity 60

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export pack work

# The largest network at its own size against the processor's.
large() {
  local d7="$work/d7"
  "$pack/bin/effdet" init tf_efficientdet_d7 --out "$d7.pth" &&
    "$pack/bin/effdet" pth2onnx --checkpoint "$d7.pth" --model tf_efficientdet_d7 --out "$d7.onnx" &&
    "$pack/bin/effdet" atc --framework=5 --model="$d7.onnx" --output="$d7" --soc_version=native --log=error &&
    "$pack/bin/effdet" atc --framework=5 --model="$d7.onnx" --output="${d7}_cuda" --soc_version=cuda --log=error &&
    "$pack/bin/effdet" compare "$d7.om" "${d7}_cuda.om" --input testdata/images/type2_8bit.png --tolerance 1e-4
}
export -f large
check large 60 bash -c large

# The shipped checkpoint finds in synthetic scenes what it finds on the processor: 99.8 % of its mAP at least.
map_of() {
  "$pack/bin/effdet" validate "$work/scenes" -c "$pack/tf_efficientdet_d0_shapes.pth" --json "$@" |
    "${EFFDET_PYTHON:-python3}" -c 'import json, sys; print(json.load(sys.stdin)["stats"]["AP"])'
}
map() {
  "$pack/bin/effdet" scenes --out "$work/scenes" --images 64 --seed 7 || return
  local cpu gpu half
  cpu=$(map_of) && gpu=$(map_of --device cuda) && half=$(map_of --device cuda --precision fp16) || return
  echo "mAP: processor $cpu, GPU float32 $gpu, float16 $half"
  awk -v cpu="$cpu" -v gpu="$gpu" -v half="$half" 'BEGIN { exit !(cpu > 0.1 && gpu >= 0.998 * cpu && half >= 0.998 * cpu) }'
}
export -f map map_of
check mAP 60 bash -c map
grep '^mAP' "$out/mAP.log" | sed 's/^/        /'

# What users run into: a number that no GPU has, and two processes on one GPU.
no_such_gpu() {
  "$pack/bin/effdet" bench "$pack/tf_efficientdet_d0_shapes.pth" --device cuda:63 2>&1 | tee /dev/stderr | grep -q 'there is no GPU 63'
}
two_processes() {
  "$pack/bin/runtime_test" --gtest_filter='CudaTwin.RunsAWholeNetwork' &
  "$pack/bin/runtime_test" --gtest_filter='CudaTwin.RunsAWholeNetwork' && wait $!
}
export -f no_such_gpu two_processes
check no_such_gpu 20 bash -c no_such_gpu
check two_processes 40 bash -c two_processes

if command -v compute-sanitizer > /dev/null; then
  small='Isa/Kernels.SqueezeExcite/cuda:Isa/Kernels.AveragePool/cuda:Isa/Kernels.ConvWindowsFromNchw/cuda'
  for tool in memcheck racecheck; do
    check "$tool" 30 compute-sanitizer --tool "$tool" --error-exitcode 9 "$pack/bin/kernels_test" --gtest_filter="$small"
    check "${tool}_boxes" 30 compute-sanitizer --tool "$tool" --error-exitcode 9 "$pack/bin/detection_test" --gtest_filter='OnDevice.ADetector*'
  done
else
  echo "left out: compute-sanitizer is not installed"
fi

EFFDET_GPU_PACK=$pack "$pack/bench/run" "$out" || failed=1
exit $failed
