// What the compiler must know of the device that it compiles for: plain data, so that it depends on no kernels.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "base/tensor.h"
#include "ir/layout.h"

namespace effdet::ops {

struct Target {
  std::string_view name;  ///< Program::target
  /// Whether convolutions and matrix products become fused operators, whose weights lie in panels of kPanelChannels
  /// output channels. Otherwise they stay ONNX's, with weights as ONNX has them.
  bool packs_weights = false;
  /// How the maps lie that fused operators read and make; the caller's and those of ONNX's operators are kPlain.
  ir::Layout map_layout = ir::Layout::kPlain;
  /// What maps may be computed in. Other types than float32 go with ir::Layout::kNhwc.
  std::span<const DType> types;
  /// Whether the maps of all images of a batch should be together: its memory is fast whatever their size.
  bool keeps_batch = false;
  /// Whether a pair of a pointwise and a depthwise layer is always one step, whatever the sizes.
  bool joins_pairs = false;

  bool computes_in(DType type) const { return std::ranges::find(types, type) != types.end(); }
};

inline constexpr DType kCpuTypes[] = {DType::kF32, DType::kBF16};
/// The processor that this code runs on: what is compiled for where nothing else is said.
inline constexpr Target kCpuTarget{
    .name = "cpu", .packs_weights = true, .map_layout = ir::Layout::kNhwc, .types = kCpuTypes};

}  // namespace effdet::ops
