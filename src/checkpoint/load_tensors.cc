// Copies strided tensors out of storages, within limits on their number and bytes.
#include "checkpoint/load_tensors.h"

#include <cstring>

#include "base/checked.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {
namespace {

bool is_row_major(const TensorSpec& spec) {
  int64_t expected = 1;
  for (size_t i = spec.sizes().size(); i-- > 0;) {
    const int64_t size = spec.sizes()[i];
    if (size != 1 && spec.strides()[i] != expected) return false;  // an axis of length 1 is never stepped along
    expected *= size;
  }
  return true;
}

/// Copies the view that starts at source into target in row-major order.
template <typename Element>
void gather(const TensorSpec& spec, const std::byte* source, std::byte* target) {
  const auto sizes = spec.sizes(), strides = spec.strides();
  const size_t inner = sizes.size() - 1;  // a scalar is row-major and never comes here
  std::vector<int64_t> index(sizes.size(), 0);
  int64_t offset = 0;
  for (;;) {
    for (int64_t i = 0; i < sizes[inner]; ++i, target += sizeof(Element))
      std::memcpy(target, source + static_cast<uint64_t>(offset + i * strides[inner]) * sizeof(Element),
                  sizeof(Element));
    size_t axis = inner;
    for (; axis-- > 0;) {
      offset += static_cast<uint64_t>(strides[axis]);
      if (++index[axis] < sizes[axis]) break;
      offset -= static_cast<uint64_t>(strides[axis]) * static_cast<uint64_t>(sizes[axis]);
      index[axis] = 0;
    }
    if (axis > inner) return;  // wrapped below axis 0
  }
}

void gather_any(const TensorSpec& spec, const std::byte* source, std::byte* target) {
  switch (dtype_size(spec.dtype)) {
    case 1:
      return gather<uint8_t>(spec, source, target);
    case 2:
      return gather<uint16_t>(spec, source, target);
    case 4:
      return gather<uint32_t>(spec, source, target);
    default:
      return gather<uint64_t>(spec, source, target);
  }
}

Tensor load(const TensorSpec& spec, StorageReader& storages, Budget& budget) {
  Shape shape(spec.sizes().begin(), spec.sizes().end());
  const uint64_t count = checked_numel(shape).value();  // reduce() has checked it
  const auto storage = storages.read(spec.storage);
  // A tensor without elements need not be in its storage, and its strides say nothing.
  const std::byte* view = storage.get() + (count == 0 ? 0 : spec.byte_offset);
  const bool dense = count == 0 || is_row_major(spec);
  if (dense && is_aligned(view, spec.dtype)) return Tensor(spec.dtype, std::move(shape), {storage, view});

  const auto [record, offset] = storages.place(spec.storage);
  budget.enter(record, offset);
  budget.charge(count * dtype_size(spec.dtype));
  budget.charge(128);  // apart, as the sum may wrap; for the allocator
  Tensor tensor(spec.dtype, std::move(shape));
  auto* target = tensor.mutable_bytes().data();
  if (dense) {
    std::memcpy(target, view, tensor.byte_size());
  } else {
    gather_any(spec, view, target);
  }
  return tensor;
}

/// More are refused: a tensor takes 100 bytes here, but as little as 8 in a file that names one again and again.
constexpr size_t kMostTensors = 1 << 20;

}  // namespace

void check_tensor_count(uint64_t count, std::string_view file) {
  if (count > kMostTensors) fail(ErrorCode::kUnsupported, "{}: {} tensors; {} are the most", file, count, kMostTensors);
}

uint64_t tensor_cost(size_t rank, std::string_view name) {
  // The shape and, past the string's own room, the name are on the heap.
  return 16 + rank * sizeof(int64_t) + (name.size() < 16 ? 0 : name.size() + 16);
}

Checkpoint load_checkpoint(StateDict state_dict, const ValueStore& store, StorageReader& storages,
                           const PickleSource& source, Budget& budget) {
  check_tensor_count(state_dict.entries.size(), source.file);
  Checkpoint checkpoint{source.file, std::move(state_dict.container), {}};
  checkpoint.foreign = take_foreign(
      state_dict.entries, [&](uint32_t index) { return store.foreign_type_of(index); }, source.file);
  checkpoint.foreign_beside = std::move(state_dict.foreign_beside);
  checkpoint.foreign_beside_count = store.foreign_count() - checkpoint.foreign.size();
  checkpoint.hints = std::move(state_dict.hints);
  budget.charge(state_dict.entries.size() * sizeof(NamedTensor));
  checkpoint.tensors.reserve(state_dict.entries.size());
  for (const StateDictEntry& entry : state_dict.entries) {
    const TensorSpec& spec = store.tensor(entry.tensor);
    budget.charge(tensor_cost(spec.sizes().size(), entry.name));
    checkpoint.tensors.push_back({std::string(entry.name), load(spec, storages, budget)});
  }
  return checkpoint;
}

}  // namespace effdet::checkpoint
