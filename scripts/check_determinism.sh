#!/usr/bin/env bash
# What must not depend on threads, batches, streams, order, folder or processor: bytes of compiled models, detections. Between
# instruction sets sums are rounded differently: the largest difference of scores and boxes is printed.
# Usage: scripts/check_determinism.sh [CHECKPOINT [FOLDER_OF_IMAGES]]   (default: random weights, 24 synthetic scenes; exit
# code 1 where bytes differ that must not)
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
effdet=$root/build/release/bin/effdet
[ -x "$effdet" ] || { echo "build first: cmake --build --preset release" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checkpoint=$(realpath "${1:-models/tf_efficientdet_d0_shapes.pth}")
images=${2:+$(realpath "$2")}
cd "$work"
[ -n "$images" ] || { "$effdet" scenes --out scenes --images 24 -q > log; images=$work/scenes/val2017; }
compile() { "$effdet" atc --framework=5 --soc_version=native --model="$1" --output="$2" > log; }  # ONNX OUT
sets=
for set in sse2 avx2 avx_vnni avx512 avx512_vnni avx512_bf16 amx_bf16; do
  if EFFDET_ISA=$set compile "$root/testdata/onnx/functions/model.onnx" probe 2> log; then sets+=" $set"; fi
done
failed=0

same() {  # WHAT FILE FILE
  if cmp -s "$2" "$3"; then echo "same   $1"; else echo "DIFFERS $1"; failed=1; fi
}

"$effdet" pth2onnx --checkpoint "$checkpoint" --out m.onnx -q > log
compile m.onnx base
for threads in 1 2 3 16; do EFFDET_NUM_THREADS=$threads compile m.onnx again; same "compiled with $threads threads" base.om again.om; done
mkdir -p a/folder; cp m.onnx a/folder/other.onnx; compile a/folder/other.onnx a/folder/m; same "compiled in another folder, from another name" base.om a/folder/m.om
for set in $sets; do EFFDET_ISA=$set compile m.onnx again; same "compiled on a processor with $set" base.om again.om; done

find_in() { "$effdet" detect "$images" --model-file "$1" --no-pictures --format jsonl --out "$2" -q "${@:3}" > log; }  # MODEL OUT FLAG...
find_in base.om first --threads 1
for threads in 2 3 4 8 16; do find_in base.om again --threads $threads; same "detections with $threads threads" first/detections.jsonl again/detections.jsonl; done
for batch in 2 4 8; do
  "$effdet" pth2onnx --checkpoint "$checkpoint" --batch_size=$batch --out b.onnx -q > log
  compile b.onnx b
  find_in b.om again; same "detections in batches of $batch" first/detections.jsonl again/detections.jsonl
done
find "$images" -name '*.jpg' -o -name '*.png' | sort -R --random-source=m.onnx > list
"$effdet" detect --list list --model-file base.om --no-pictures --format jsonl --out again -q > log
same "detections in another order" <(sort first/detections.jsonl) <(sort again/detections.jsonl)

for set in $sets; do
  EFFDET_ISA=$set find_in base.om again
  python3 - first/detections.jsonl again/detections.jsonl "$set" <<'P'
import json
import sys
first, other = ([json.loads(line) for line in open(name)] for name in sys.argv[1:3])
worst_score = worst_box = 0.0
pairs = lost = 0
for a, b in zip(first, other):
    for x in a["detections"]:
        near = [y for y in b["detections"] if y["category_id"] == x["category_id"] and max(abs(p - q) for p, q in zip(x["bbox"], y["bbox"])) < 1]
        if not near:
            lost += 1
            continue
        y = min(near, key=lambda y: abs(y["score"] - x["score"]))
        pairs += 1
        worst_score = max(worst_score, abs(x["score"] - y["score"]))
        worst_box = max(worst_box, max(abs(p - q) for p, q in zip(x["bbox"], y["bbox"])))
print(f"set    {sys.argv[3]}: {pairs} detections, scores differ by at most {worst_score:.1e}, boxes by {worst_box:.1e} pixels; {lost} without a partner")
P
done
exit $failed
