// Tensors in host memory: reading, writing and comparing them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "effdet/export.h"
#include "effdet/tensor_info.h"

namespace effdet {

/// A dense, row-major, little-endian tensor. dtype and shape as in TensorInfo, without unknown dimensions.
struct HostTensor {
  std::string name;
  std::string dtype = "float32";
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

/// Reads a tensor from a file, by its extension: .npy, .pb (an ONNX TensorProto), or .bin (raw values; `like` gives
/// type and shape, of which one dimension may be -1). The name is the TensorProto's, else like.name. Throws Error(kIo),
/// Error(kBadInput) for a malformed file, Error(kUnsupported) for a type that HostTensor does not have, Error(kUsage)
/// for another extension.
EFFDET_API HostTensor read_tensor(const std::filesystem::path& path, const TensorInfo& like = {});

/// Writes a .npy file, whole or not at all. bfloat16 is written as float32, because numpy does not have it. Throws
/// Error(kUsage) for a tensor whose bytes do not match its type and shape, Error(kIo).
EFFDET_API void write_npy(const HostTensor& tensor, const std::filesystem::path& path);

/// Largest accepted difference of two values: |a - b| <= absolute + relative * |b|. The defaults are those of ONNX's
/// backend tests.
struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;
};

/// Result of compare_tensors().
struct TensorDifference {
  std::string mismatch;   ///< description of differing types or shapes; "" if they are equal
  double largest = 0;     ///< largest |a - b|; infinite if only one of the two values is NaN
  double relative = 0;    ///< `largest` divided by the largest finite |b|
  int64_t position = -1;  ///< element index of `largest`; -1 if all values are equal
  int64_t outside = 0;    ///< number of elements that exceed the tolerance
  bool same() const { return mismatch.empty() && outside == 0; }
};

/// Compares element by element, as numpy.testing.assert_allclose(a, b): two NaN count as equal, and so do two
/// infinities of the same sign. Throws Error(kUsage) for a tensor whose bytes do not match its type and shape.
EFFDET_API TensorDifference compare_tensors(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance = {});

}  // namespace effdet
