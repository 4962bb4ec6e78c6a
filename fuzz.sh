#!/usr/bin/env bash
# Fuzzes all readers, or the targets that are named, for a time in all, and says how many inputs were tried.
# Usage: ./fuzz.sh SECONDS [TARGET ...]   ./fuzz.sh --list   ./fuzz.sh --keep [TARGET ...]   ./fuzz.sh --sum
#   SECONDS  of wall time, shared among the targets; EFFDET_FUZZ_JOBS of them run at a time (default: all processors)
#   --keep   the smallest set of inputs that reaches all that was reached becomes fuzz/corpus/TARGET.tar, which CI runs
# Inputs grow in build/fuzz/corpus/TARGET; what was found lies with its log in build/fuzz/findings/TARGET-*, the exit code is 1:
# build/fuzz/bin/TARGET_fuzz FILE runs it again. --sum prints inputs and hours of a processor of all runs of this build folder.
set -euo pipefail
cd "$(dirname "$0")"
build=$PWD/build/fuzz  # absolute: command lines are tried in another folder
[ $# -gt 0 ] || { sed -n '3,7s/^# //p' "$0" >&2; exit 2; }
first=$1; shift
[[ $first =~ ^([0-9]+|--list|--keep|--sum)$ ]] || { echo "fuzz.sh: '$first' is no number of seconds" >&2; exit 2; }

all=$(grep -oh '{"[a-z_]*",' fuzz/*_targets.cc | tr -d '{",' | sort)
[ "$first" != --list ] || { echo "$all"; exit 0; }
if [ "$first" = --sum ]; then
  printf '| target | inputs | hours |\n|---|---|---|\n'
  sort $build/fuzzed.tsv | awk -F'\t' '{ inputs[$1] += $2; seconds[$1] += $3; all += $2; time += $3; order[NR] = $1 }
    END { for (i = 1; i <= NR; ++i) if (order[i] != order[i - 1]) printf "| %s | %d | %.2f |\n", order[i], inputs[order[i]], seconds[order[i]] / 3600
          printf "| all | %d | %.2f |\n", all, time / 3600 }'
  exit 0
fi
targets=${*:-$all}
for target in $targets; do
  grep -qx "$target" <<< "$all" || { echo "fuzz.sh: there is no target '$target'; ./fuzz.sh --list lists them" >&2; exit 2; }
done

scripts/install_packages.sh clang-16 libclang-rt-16-dev
[ -f $build/build.ninja ] || cmake --preset fuzz > /dev/null
cmake --build --preset fuzz --target layers_fuzz programs_fuzz

# What a target begins with: the kept corpus, small inputs of its own, and files of the tests.
seed() {  # TARGET
  local folder=$build/corpus/$1 file files=(fuzz/seeds/"$1"/*)
  mkdir -p "$folder"
  [ ! -f "fuzz/corpus/$1.tar" ] || tar -xf "fuzz/corpus/$1.tar" -C "$folder"
  case $1 in
    checkpoint) files+=(testdata/checkpoint/*) ;;
    onnx) files+=(testdata/onnx/*.onnx testdata/onnx/*/*.onnx testdata/bombs/*.onnx) ;;
    tensor_pb) files+=(testdata/onnx/*/*/*.pb) ;;
    jpeg) files+=(testdata/images/*.jpg) ;;
    png) files+=(testdata/images/*.png) ;;
    picture) files+=(testdata/images/*.{bmp,gif,p[bgp]m,webp,tif,avif}) ;;
    om) files+=(testdata/om/*.om) ;;
  esac
  for file in "${files[@]}"; do [ ! -f "$file" ] || cp "$file" "$folder/${file//\//_}"; done
}

export build options='-rss_limit_mb=3000 -malloc_limit_mb=2000 -timeout=120'
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:handle_abort=1 UBSAN_OPTIONS=print_stacktrace=1

fuzz() {  # TARGET SECONDS
  seed "$1"
  local log=$build/logs/$1 failed=0 TIMEFORMAT='%U %S'
  {
    time "$build/bin/$1_fuzz" $options -max_len=65536 -print_final_stats=1 -max_total_time="$2" \
      -artifact_prefix="$build/findings/$1-" "$build/corpus/$1" > "$log" 2>&1 || failed=1
  } 2> "$log.time"
  local inputs seconds
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  seconds=$(awk '{ printf "%.0f", $1 + $2 }' "$log.time")  # of a processor, which others may use, too
  printf '%s\t%s\t%s\n' "$1" "${inputs:-0}" "$seconds" >> $build/fuzzed.tsv
  # A later run has a log of its own, and an input alone does not always tell.
  [ $failed = 0 ] || cp "$log" "$build/findings/$1-$(date +%s).log"
  printf '%-18s %12s inputs in %s s of a processor%s\n' "$1" "${inputs:-?}" "$seconds" "$([ $failed = 0 ] || echo "  FOUND: $log")"
  return $failed
}

mkdir -p $build/findings $build/logs
if [ "$first" = --keep ]; then
  mkdir -p fuzz/corpus
  for target in $targets; do
    seed "$target"
    kept=$(mktemp -d)
    "$build/bin/${target}_fuzz" $options -merge=1 -max_len=20000 "$kept" "$build/corpus/$target" > "$build/logs/$target.keep" 2>&1
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "fuzz/corpus/$target.tar" -C "$kept" .
    printf '%-18s %6s inputs kept, %s bytes\n' "$target" "$(ls "$kept" | wc -l)" "$(stat -c %s "fuzz/corpus/$target.tar")"
    rm -rf "$kept"
  done
  exit 0
fi

jobs=${EFFDET_FUZZ_JOBS:-$(nproc)}
count=$(wc -w <<< "$targets")
each=$((first * jobs / count))
[ $each -gt 0 ] || each=1
export -f seed fuzz
printf '%s\n' $targets | xargs -P "$jobs" -I{} bash -c "set -euo pipefail; fuzz {} $each"
