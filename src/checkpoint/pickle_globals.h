// The closed list of globals: names that a pickle may mention, and what each means to us. Nothing is ever imported.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/tensor.h"

namespace effdet::checkpoint {

/// What REDUCE, NEWOBJ or BINPERSID does with a global.
enum class GlobalRole : uint8_t {
  kDict,              ///< a new dict: OrderedDict, Counter
  kSize,              ///< torch.Size: its tuple
  kEncode,            ///< _codecs.encode: how protocol 2 spells bytes
  kInert,             ///< an object that no weights depend on; made, filled and called into an opaque value
  kRecord,            ///< the same, but its attributes are kept: they may tell of the model
  kStorageType,       ///< only as a part of a storage's persistent id
  kDType,             ///< only as an argument
  kRebuildTensor,     ///< (storage, offset, size, stride)
  kRebuildTensorV2,   ///< ... requires_grad, hooks, [metadata]
  kRebuildTensorV3,   ///< ... dtype, [metadata]
  kRebuildParameter,  ///< (tensor, requires_grad, hooks, [state])
  kRebuildFromType,   ///< (function, type, arguments, attributes): a tensor with attributes, or a subclass
  kTensorType,        ///< a class of tensors: only as an argument
  kForeign,           ///< makes a tensor that is legal in PyTorch, but not weights that we can use
};

struct Global {
  std::string_view module, name;
  GlobalRole role;
  /// Of kStorageType and kDType; none where the type has no DType here (complex, quantized, 8-bit floats).
  std::optional<DType> dtype = std::nullopt;
  /// What users call it: of kForeign, and of kStorageType without a dtype.
  std::string_view label = {};
  uint8_t element_size = 0;  ///< in bytes, of a kStorageType without a dtype
};

/// The list's entry, or nullptr.
const Global* find_global(std::string_view module, std::string_view name);

/// "float8_e4m3fn", "sparse", ...: of a global that makes a tensor foreign.
inline std::string_view foreign_type(const Global& global) { return global.label.empty() ? global.name : global.label; }

}  // namespace effdet::checkpoint
