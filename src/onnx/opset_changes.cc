// The table of operators whose meaning changed with an operator set.
#include "onnx/opset_changes.h"

#include <algorithm>

namespace effdet::onnx {
namespace {

struct Change {
  std::string_view op;
  int64_t since;
};

// From ONNX's change log, versions 7 to 28.
constexpr Change kChanges[] = {
    {"BatchNormalization", 9},   // per-activation mode ("spatial") removed
    {"BatchNormalization", 14},  // outputs of training
    {"Cast", 9},                 // of and to strings
    {"Clip", 11},                // limits became inputs
    {"DFT", 20},                 // axis became an input
    {"Dropout", 12},             // ratio became an input
    {"Gemm", 7},                 // broadcasting
    {"GridSample", 20},          // names of the modes
    {"GroupNormalization", 21},  // scale and bias for each channel
    {"Hardmax", 13},             // axis
    {"LogSoftmax", 13},          // axis
    {"Pad", 11},                 // pads became an input
    {"ReduceL1", 18},            // axes became an input, of all Reduce operators
    {"ReduceL2", 18},
    {"ReduceLogSum", 18},
    {"ReduceLogSumExp", 18},
    {"ReduceMax", 18},
    {"ReduceMean", 18},
    {"ReduceMin", 18},
    {"ReduceProd", 18},
    {"ReduceSum", 13},
    {"ReduceSumSquare", 18},
    {"Resize", 11},     // sizes, and where samples lie
    {"RoiAlign", 16},   // where samples lie
    {"Slice", 10},      // starts and ends became inputs
    {"Softmax", 13},    // axis
    {"Split", 13},      // sizes became an input
    {"Split", 18},      // number of outputs
    {"Squeeze", 13},    // axes became an input
    {"TopK", 10},       // k became an input
    {"Unsqueeze", 13},  // axes became an input
    {"Upsample", 9},    // scales became an input
    {"Upsample", 10},   // gone
};

}  // namespace

bool meaning_changes(std::string_view op, int64_t version, int64_t other) {
  const auto [low, high] = std::minmax(version, other);
  return std::ranges::any_of(
      kChanges, [&](const Change& change) { return change.op == op && low < change.since && change.since <= high; });
}

}  // namespace effdet::onnx
