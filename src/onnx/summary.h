// What `effdet info` says about an ONNX file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace effdet::onnx {

struct OnnxSummary {
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  ///< by domain; ONNX's own is "ai.onnx"
  std::string producer, producer_version, graph_name;
  struct Port {
    std::string name, type;  ///< type: "float32", or "?" for what is no tensor
    Shape shape;             ///< -1: any
  };
  std::vector<Port> inputs, outputs;
  size_t node_count = 0;
  std::map<std::string, size_t> nodes_by_op;
  size_t initializer_count = 0;
  uint64_t initializer_bytes = 0;
  std::map<std::string, std::string> metadata;
};

/// Reads the header and counts; does not look into weights. Throws as read_onnx does for files that are not ONNX.
OnnxSummary summarize_onnx(const std::filesystem::path& path);

}  // namespace effdet::onnx
