// The targets that read files, or compare two ways to compute.
#include "targets.h"

namespace effdet::fuzz {
namespace {

constexpr Target kAll[] = {
    {"checkpoint", checkpoint},
    {"sharded_checkpoint", sharded_checkpoint},
    {"settings", settings},
    {"model_metadata", model_metadata},
    {"cann_header", cann_header},
    {"class_names", class_names},
    {"onnx", onnx, mutate_onnx},
    {"tensor_pb", tensor_pb},
    {"om", om, mutate_om},
    {"jpeg", jpeg},
    {"png", png},
    {"picture", picture},
    {"coco_annotations", coco_annotations},
    {"coco_results", coco_results},
    {"voc", voc},
    {"yolo_data", yolo_data},
    {"yolo_labels", yolo_labels},
    {"darknet", darknet},
    {"open_images", open_images},
    {"open_images_labels", open_images_labels},
    {"journal", journal},
    {"info_list", info_list},
    {"tar", tar},
    {"category_map", category_map},
    {"tuning_bank", tuning_bank},
    {"npy", npy},
    {"aipp", aipp},
    {"graphs", graphs},
    {"quantized_graphs", quantized_graphs},
    {"evaluation", evaluation},
};

}  // namespace

const std::span<const Target> kTargets = kAll;

}  // namespace effdet::fuzz
