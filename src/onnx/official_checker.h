// The official ONNX checker, for tests: a process would spend as long on the addresses of its library as on reading a
// small model.
#pragma once

#include <filesystem>

namespace effdet::onnx {

/// Runs ONNX's official checker over a file. Throws Error(kBadInput) with its first line of complaint, and
/// Error(kUnsupported) for files that are newer than that checker (opset above 17, IR version above 8).
void check_onnx(const std::filesystem::path& path);

}  // namespace effdet::onnx
