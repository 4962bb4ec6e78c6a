#include "checkpoint/pickle_globals.h"

namespace effdet {
namespace {

using enum GlobalRole;

// As _get_allowed_globals() of torch/_weights_only_unpickler.py (torch 2.15), less what a dict of weights never
// mentions, and the inert types that trainers leave beside the weights (timm allows Namespace, too).
// "__builtin__" is how protocol 2 spells "builtins".
constexpr Global kGlobals[] = {
    {"torch._utils", "_rebuild_tensor_v2", kRebuildTensorV2},
    {"torch._utils", "_rebuild_parameter", kRebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", kRebuildParameter},
    {"torch._utils", "_rebuild_tensor", kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v3", kRebuildTensorV3},
    {"torch._utils", "_rebuild_qtensor", kUnsupported},
    {"torch._utils", "_rebuild_sparse_tensor", kUnsupported},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", kUnsupported},
    {"torch._utils", "_rebuild_wrapper_subclass", kUnsupported},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", kUnsupported},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", kUnsupported},
    {"torch._tensor", "_rebuild_from_type_v2", kUnsupported},
    {"torch", "Tensor", kUnsupported},
    {"torch.nn.parameter", "Parameter", kUnsupported},

    {"torch", "FloatStorage", kStorageType, DType::kF32},
    {"torch", "HalfStorage", kStorageType, DType::kF16},
    {"torch", "BFloat16Storage", kStorageType, DType::kBF16},
    {"torch", "DoubleStorage", kStorageType, DType::kF64},
    {"torch", "LongStorage", kStorageType, DType::kI64},
    {"torch", "IntStorage", kStorageType, DType::kI32},
    {"torch", "ShortStorage", kStorageType, DType::kI16},
    {"torch", "CharStorage", kStorageType, DType::kI8},
    {"torch", "ByteStorage", kStorageType, DType::kU8},
    {"torch", "BoolStorage", kStorageType, DType::kBool},
    {"torch.storage", "UntypedStorage", kStorageType, DType::kU8},
    {"torch", "ComplexFloatStorage", kStorageType},
    {"torch", "ComplexDoubleStorage", kStorageType},
    {"torch", "QInt8Storage", kStorageType},
    {"torch", "QUInt8Storage", kStorageType},
    {"torch", "QInt32Storage", kStorageType},
    {"torch", "QUInt4x2Storage", kStorageType},
    {"torch", "QUInt2x4Storage", kStorageType},

    {"torch", "float32", kDType, DType::kF32},
    {"torch", "float16", kDType, DType::kF16},
    {"torch", "bfloat16", kDType, DType::kBF16},
    {"torch", "float64", kDType, DType::kF64},
    {"torch", "int64", kDType, DType::kI64},
    {"torch", "int32", kDType, DType::kI32},
    {"torch", "int16", kDType, DType::kI16},
    {"torch", "int8", kDType, DType::kI8},
    {"torch", "uint8", kDType, DType::kU8},
    {"torch", "uint16", kDType, DType::kU16},
    {"torch", "uint32", kDType, DType::kU32},
    {"torch", "uint64", kDType, DType::kU64},
    {"torch", "bool", kDType, DType::kBool},
    {"torch", "complex32", kDType},
    {"torch", "complex64", kDType},
    {"torch", "complex128", kDType},
    {"torch", "qint8", kDType},
    {"torch", "quint8", kDType},
    {"torch", "qint32", kDType},
    {"torch", "quint4x2", kDType},
    {"torch", "quint2x4", kDType},
    {"torch", "float8_e4m3fn", kDType},
    {"torch", "float8_e4m3fnuz", kDType},
    {"torch", "float8_e5m2", kDType},
    {"torch", "float8_e5m2fnuz", kDType},
    {"torch", "per_tensor_affine", kDType},
    {"torch", "per_tensor_symmetric", kDType},
    {"torch", "per_channel_affine", kDType},
    {"torch", "per_channel_symmetric", kDType},
    {"torch", "per_channel_affine_float_qparams", kDType},

    {"collections", "OrderedDict", kDict},
    {"collections", "Counter", kDict},
    {"torch", "Size", kSize},
    {"_codecs", "encode", kEncode},
    {"torch", "device", kInert},
    {"torch.serialization", "_get_layout", kInert},
    {"builtins", "set", kInert},
    {"builtins", "bytearray", kInert},
    {"builtins", "complex", kInert},
    {"__builtin__", "set", kInert},
    {"__builtin__", "bytearray", kInert},
    {"__builtin__", "complex", kInert},
    {"builtins", "int", kInert},
    {"builtins", "float", kInert},
    {"builtins", "str", kInert},
    {"builtins", "list", kInert},
    {"builtins", "dict", kInert},
    {"__builtin__", "int", kInert},
    {"__builtin__", "float", kInert},
    {"__builtin__", "str", kInert},
    {"__builtin__", "list", kInert},
    {"__builtin__", "dict", kInert},
    {"collections", "defaultdict", kInert},
    {"types", "SimpleNamespace", kInert},
    {"datetime", "datetime", kInert},
    {"pathlib", "Path", kInert},
    {"pathlib", "PosixPath", kInert},
    {"pathlib._local", "PosixPath", kInert},
    {"argparse", "Namespace", kInert},
    {"pytorch_lightning.utilities.parsing", "AttributeDict", kInert},
    {"lightning_fabric.utilities.data", "AttributeDict", kInert},
    {"lightning.fabric.utilities.data", "AttributeDict", kInert},
    {"numpy", "dtype", kInert},
    {"numpy", "ndarray", kInert},
    {"numpy.core.multiarray", "_reconstruct", kInert},
    {"numpy._core.multiarray", "_reconstruct", kInert},
    {"numpy.core.multiarray", "scalar", kInert},
    {"numpy._core.multiarray", "scalar", kInert},
};

}  // namespace

const Global* find_global(std::string_view module, std::string_view name) {
  for (const Global& global : kGlobals)
    if (global.name == name && global.module == module) return &global;
  return nullptr;
}

}  // namespace effdet
