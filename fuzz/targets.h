// The targets by name; each is described where it is defined.
#pragma once

#include "target.h"

namespace effdet::fuzz {

// weights.cc
void checkpoint(Bytes input);
void sharded_checkpoint(Bytes input);
// descriptions.cc
void settings(Bytes input);
void model_metadata(Bytes input);
void cann_header(Bytes input);
void class_names(Bytes input);
// onnx.cc, onnx_mutator.cc
void onnx(Bytes input);
std::vector<std::byte> mutate_onnx(Bytes input, std::mt19937& random);
void tensor_pb(Bytes input);
// compiled_model.cc
void om(Bytes input);
std::vector<std::byte> mutate_om(Bytes input, std::mt19937& random);
// pictures.cc
void jpeg(Bytes input);
void png(Bytes input);
void picture(Bytes input);
// annotations.cc
void coco_annotations(Bytes input);
void coco_results(Bytes input);
void voc(Bytes input);
void yolo_data(Bytes input);
void yolo_labels(Bytes input);
void darknet(Bytes input);
void open_images(Bytes input);
void open_images_labels(Bytes input);
// runs.cc
void journal(Bytes input);
void info_list(Bytes input);
void tar(Bytes input);
void category_map(Bytes input);
void tuning_bank(Bytes input);
// tensors.cc
void npy(Bytes input);
void aipp(Bytes input);
// differential_graphs.cc
void graphs(Bytes input);
void quantized_graphs(Bytes input);
// differential_evaluation.cc
void evaluation(Bytes input);

// requests.cc
void infer_request(Bytes input);
void grpc_request(Bytes input);
void multipart(Bytes input);
void compressed_body(Bytes input);
void request_target(Bytes input);
// http.cc
void http(Bytes input);
// command_line.cc
void command_line(Bytes input);
void calibration_config(Bytes input);

}  // namespace effdet::fuzz
