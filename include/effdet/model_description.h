// Descriptions of compiled models.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace effdet {

/// What a detector needs to know about a model besides its tensors, from the exporter's metadata.
struct ModelDescription {
  std::string model;  ///< variant, one of model_names()
  int num_classes = 0;
  int height = 0, width = 0;             ///< of the network's input, in pixels
  int batch = 1;                         ///< images in one batch
  int min_level = 3, max_level = 7;      ///< of the feature pyramid; level L has stride 2^L
  std::array<float, 3> mean{}, std{};    ///< RGB, for values in 0..1: input = (value - mean) / std
  std::array<uint8_t, 3> fill{};         ///< RGB colour of the letterbox's border
  std::vector<std::string> class_names;  ///< may be empty
};

/// Preprocessing inside a compiled model (AIPP).
struct AippDescription {
  std::string format;              ///< RGB888_U8, XRGB8888_U8, YUV420SP_U8 or YUV400_U8
  int height = 0, width = 0;       ///< of the images that the model takes, in pixels
  std::vector<std::string> steps;  ///< what is done with an image, in words and in execution order
};

/// One step of a compiled model: a node and the kernel that runs it on this machine.
struct StepInfo {
  std::string name, op;
  std::string implementation;         ///< name of the kernel
  std::string type;                   ///< of the operands: "float32" or "bfloat16"
  std::vector<int64_t> output_shape;  ///< of the first output, for one micro-batch
  std::vector<std::string> refusals;  ///< preferred kernels, each with the reason why it cannot run this step
  int64_t flops = 0;                  ///< multiplications and additions, for the whole batch
  int64_t bytes = 0;                  ///< size of inputs, weights and outputs, for the whole batch
};

}  // namespace effdet
