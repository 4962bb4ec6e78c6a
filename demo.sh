#!/usr/bin/env bash
# Builds in Release and runs the main job on what the repository ships: synthetic scenes through the eight steps of the pipeline,
# from the PyTorch checkpoint to COCO mAP and annotated images. Usage: ./demo.sh   (results in demo_out/)
set -euo pipefail
cd "$(dirname "$0")"

scripts/install_packages.sh
[ -f build/release/build.ninja ] || cmake --preset release
cmake --build --preset release --target effdet_cli

bin=$PWD/build/release/bin
checkpoint=$PWD/models/tf_efficientdet_d0_shapes.pth
names=$PWD/models/shapes.names
size=256
rm -rf demo_out
mkdir -p demo_out/model
cd demo_out
PATH=$bin:$PATH

step() { printf '\n== %s\n' "$*"; }

step "A data set of synthetic scenes in COCO layout"
effdet scenes --out coco_data --images 48 --seed 2026

step "1. pth2onnx: PyTorch checkpoint to ONNX"
pth2onnx --batch_size=1 --checkpoint="$checkpoint" --class-names="$names" --out=./model/d0_bs1.onnx --img-size "$size"
step "2. onnxsim: simplify, checked by running both graphs"
onnxsim --input-shape="1,3,$size,$size" --dynamic-input-shape ./model/d0_bs1.onnx ./model/d0_bs1_sim.onnx
step "3. modify_onnx: -inf padding to 0"
modify_onnx --model=./model/d0_bs1_sim.onnx --out=./model/d0_bs1_modify.onnx
step "4. atc: compile for this processor"
atc --framework=5 --model=./model/d0_bs1_modify.onnx --output=./model/d0_bs1 --input_format=NCHW \
  --input_shape="x.1:1,3,$size,$size" --log=error --soc_version=native
step "5. preprocess: images to tensors"
preprocess --root=coco_data --bin-save=bin_save --model=tf_efficientdet_d0 --img-size "$size"
step "6. get_info: list of the tensors"
get_info bin ./bin_save ./d0_bin.info "$size" "$size"
step "7. benchmark: inference on the data, then the network alone"
benchmark.x86_64 -model_type=vision -batch_size=1 -device_id=0 -om_path=./model/d0_bs1.om -input_text_path=d0_bin.info \
  -input_width="$size" -input_height="$size" -output_binary=True -useDvpp=False
benchmark.x86_64 -round=20 -batch_size=1 -device_id=0 -om_path=./model/d0_bs1.om
step "8. postprocess: detections and COCO mAP"
postprocess --root=./coco_data --omfile=./result/dumpOutput_device0 --model=tf_efficientdet_d0 --img-size "$size"

step "The same in one command, from images to mAP, with annotated images"
validate ./coco_data --model=tf_efficientdet_d0 --checkpoint="$checkpoint" --img-size "$size"
effdet detect coco_data/val2017 --model-file model/d0_bs1.om --out pictures --contact-sheet contact_sheet.jpg --score 0.5 | tail -n 3

printf '\nLook at demo_out/contact_sheet.jpg; single images are in demo_out/pictures.\n'
