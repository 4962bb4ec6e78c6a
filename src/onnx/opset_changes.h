// Which of ONNX's operators changed their meaning, and when.
#pragma once

#include <cstdint>
#include <string_view>

namespace effdet::onnx {

/// Whether a node of that operator, written for one version of ONNX's operator set, may mean something else, or be
/// wrong, in the other: an attribute became an input, a default changed. Further types and optional attributes do not
/// count.
bool meaning_changes(std::string_view op, int64_t version, int64_t other);

}  // namespace effdet::onnx
