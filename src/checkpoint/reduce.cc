// Builds tensors, parameters and containers from the arguments that a pickle calls their constructors with.
#include "checkpoint/reduce.h"

#include <algorithm>

#include "base/checked.h"

namespace effdet::checkpoint {
namespace {

constexpr size_t kMostDimensions = 64;  // PyTorch's own limit

template <typename... Args>
[[noreturn]] void fail_at(const PickleSite& site, fmt::format_string<Args...> format, Args&&... args) {
  site.source.fail_at(site.offset, format, std::forward<Args>(args)...);
}

bool is_kind(std::span<const Value> args, size_t index, ValueKind kind) {
  return index < args.size() && args[index].kind == kind;
}

/// A tuple of int64 >= 0, appended to dims.
void append_dims(Value tuple, const char* field, const PickleSite& site, const ValueStore& store,
                 std::vector<int64_t>& dims) {
  const auto items = store.items(tuple);
  if (items.size() > kMostDimensions)
    fail_at(site, "a tensor's {} has {} dimensions; {} are the most", field, items.size(), kMostDimensions);
  for (const Value& item : items) {
    if (item.kind != ValueKind::kInt) fail_at(site, "a tensor's {} holds {}", field, kind_name(item.kind));
    if (item.integer < 0) fail_at(site, "a tensor's {} holds {}", field, item.integer);
    dims.push_back(item.integer);
  }
}

/// One more than the largest element index that the view touches; nothing where it wraps or the tensor is too large.
std::optional<uint64_t> window_end(uint64_t offset, std::span<const int64_t> sizes, std::span<const int64_t> strides,
                                   size_t element_size) {
  const auto numel = checked_numel(sizes);
  if (!numel || !checked_mul(*numel, element_size)) return std::nullopt;
  if (*numel == 0) return 0;  // touches nothing, wherever it is
  std::optional<uint64_t> end = checked_add(offset, 1);
  for (size_t i = 0; end && i < sizes.size(); ++i) {
    const auto reach = checked_mul(static_cast<uint64_t>(sizes[i] - 1), static_cast<uint64_t>(strides[i]));
    end = reach ? checked_add(*end, *reach) : std::nullopt;
  }
  return end;
}

/// (storage, offset, size, stride, ...)
Value rebuild_tensor(std::span<const Value> args, std::optional<DType> dtype, const PickleSite& site,
                     ValueStore& store) {
  const bool well_formed = is_kind(args, 0, ValueKind::kStorage) && is_kind(args, 1, ValueKind::kInt) &&
                           is_kind(args, 2, ValueKind::kTuple) && is_kind(args, 3, ValueKind::kTuple);
  if (!well_formed) fail_at(site, "a tensor's arguments are not (storage, offset, size, stride, ...)");
  const StorageRef& storage = store.storage(args[0].index);
  if (storage.foreign != nullptr) return store.add_foreign(*storage.foreign);
  TensorSpec spec;
  spec.storage = args[0].index;
  spec.dtype = dtype.value_or(storage.dtype);
  append_dims(args[2], "size", site, store, spec.dims);
  const size_t rank = spec.dims.size();
  append_dims(args[3], "stride", site, store, spec.dims);
  if (spec.dims.size() != 2 * rank)
    fail_at(site, "a tensor has {} sizes but {} strides", rank, spec.dims.size() - rank);
  if (args[1].integer < 0) fail_at(site, "a tensor has the storage offset {}", args[1].integer);

  const size_t element_size = dtype_size(spec.dtype);
  const auto offset = static_cast<uint64_t>(args[1].integer);
  const auto end = window_end(offset, spec.sizes(), spec.strides(), element_size);
  const auto storage_bytes = checked_mul(storage.numel, dtype_size(storage.dtype));
  if (!end || !storage_bytes || *end > *storage_bytes / element_size) {
    fail_at(site, "a tensor of shape {} at storage offset {} reaches past its storage of {} elements",
            shape_text(spec.sizes()), offset, storage.numel);
  }
  spec.byte_offset = *end == 0 ? 0 : offset * element_size;  // offset < end, which fits in the storage
  return store.add(std::move(spec));
}

/// Metadata carries the conjugate and negative bits of tensors, which real weights do not have.
bool has_metadata(std::span<const Value> args, size_t index, const PickleSite& site, const ValueStore& store) {
  if (index >= args.size() || args[index].kind == ValueKind::kNone) return false;
  if (args[index].kind != ValueKind::kDict) fail_at(site, "a tensor's metadata is {}", kind_name(args[index].kind));
  return !store.items(args[index]).empty();
}

Value with_metadata(ValueStore& store) {
  static constexpr Global kType{"torch", "Tensor", GlobalRole::kForeign, {}, "conjugated or negated"};
  return store.add_foreign(kType);
}

void check_count(std::span<const Value> args, size_t least, size_t most, const Global& global, const PickleSite& site) {
  if (args.size() >= least && args.size() <= most) return;
  fail_at(site, "{}.{} is called with {} arguments instead of {} to {}", global.module, global.name, args.size(), least,
          most);
}

Value rebuild_tensor_v3(std::span<const Value> args, const PickleSite& site, ValueStore& store) {
  if (!is_kind(args, 6, ValueKind::kGlobal) || args[6].global->role != GlobalRole::kDType)
    fail_at(site, "a tensor's type is not a torch.dtype");
  const Global& type = *args[6].global;
  if (!type.dtype) return store.add_foreign(type);
  if (has_metadata(args, 7, site, store)) return with_metadata(store);
  return rebuild_tensor(args, type.dtype, site, store);
}

/// An argument that becomes the result: from now on the result and args refer to it.
Value pass_through(Value& argument) {
  argument.shared = true;
  return argument;
}

Value make_dict(std::span<Value> args, const PickleSite& site, ValueStore& store) {
  if (args.empty()) return store.make(ValueKind::kDict);
  if (args.size() != 1 || args[0].kind != ValueKind::kDict)
    fail_at(site, "a dict is made from {} instead of nothing or a dict", kind_name(args[0].kind));
  return pass_through(args[0]);
}

Value call(const Global& global, std::span<Value> args, const PickleSite& site, ValueStore& store);

/// A tensor that somebody gave attributes is pickled as its own function around the usual one; so are subclasses.
Value rebuild_from_type(std::span<Value> args, const PickleSite& site, ValueStore& store) {
  static constexpr Global kSubclass{"torch._tensor", "", GlobalRole::kForeign, {}, "of a subclass"};
  const bool well_formed = is_kind(args, 0, ValueKind::kGlobal) && is_kind(args, 1, ValueKind::kGlobal) &&
                           is_kind(args, 2, ValueKind::kTuple);
  if (!well_formed) fail_at(site, "a tensor's arguments are not (function, type, arguments, attributes)");
  if (args[0].global->role == GlobalRole::kRebuildFromType) fail_at(site, "a tensor of a type within another");
  if (args[1].global->role != GlobalRole::kTensorType) return store.add_foreign(kSubclass);
  return call(*args[0].global, store.items(args[2]), site, store);
}

Value call(const Global& global, std::span<Value> args, const PickleSite& site, ValueStore& store) {
  switch (global.role) {
    case GlobalRole::kDict:
      return make_dict(args, site, store);
    case GlobalRole::kSize:
      check_count(args, 1, 1, global, site);
      if (args[0].kind != ValueKind::kTuple) fail_at(site, "torch.Size is made from {}", kind_name(args[0].kind));
      return pass_through(args[0]);
    case GlobalRole::kEncode:
      if (args.size() != 2 || !is_kind(args, 0, ValueKind::kText) || !is_kind(args, 1, ValueKind::kText))
        fail_at(site, "_codecs.encode is not called with two strings");
      return {ValueKind::kOpaque};
    case GlobalRole::kInert:
      return {ValueKind::kOpaque};
    case GlobalRole::kRecord:
      return store.make(ValueKind::kRecord);
    case GlobalRole::kRebuildTensor:
      check_count(args, 4, 4, global, site);
      return rebuild_tensor(args, std::nullopt, site, store);
    case GlobalRole::kRebuildTensorV2:
      check_count(args, 6, 7, global, site);
      if (has_metadata(args, 6, site, store)) return with_metadata(store);
      return rebuild_tensor(args, std::nullopt, site, store);
    case GlobalRole::kRebuildTensorV3:
      check_count(args, 7, 8, global, site);
      return rebuild_tensor_v3(args, site, store);
    case GlobalRole::kRebuildParameter:
      check_count(args, 3, 4, global, site);
      if (args[0].kind != ValueKind::kTensor && args[0].kind != ValueKind::kForeign)
        fail_at(site, "a parameter is made from {}", kind_name(args[0].kind));
      return args[0];
    case GlobalRole::kRebuildFromType:
      check_count(args, 4, 4, global, site);
      return rebuild_from_type(args, site, store);
    case GlobalRole::kForeign:
      return store.add_foreign(global);
    case GlobalRole::kTensorType:
    case GlobalRole::kStorageType:
    case GlobalRole::kDType:
      break;
  }
  fail_at(site, "{}.{} is not a function", global.module, global.name);
}

}  // namespace

Value reduce(Value callee, Value args, const PickleSite& site, ValueStore& store) {
  if (callee.kind != ValueKind::kGlobal || args.kind != ValueKind::kTuple)
    fail_at(site, "{} is called with {}", kind_name(callee.kind), kind_name(args.kind));
  const Value result = call(*callee.global, store.items(args), site, store);
  store.release(args);
  return result;
}

}  // namespace effdet::checkpoint
