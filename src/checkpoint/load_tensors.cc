#include "checkpoint/load_tensors.h"

#include <cstring>

#include "base/checked.h"
#include "checkpoint/quoted.h"

namespace effdet {
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

/// Copies the window that starts at source into target in row-major order.
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

bool is_aligned(const std::byte* bytes, DType dtype) {
  return reinterpret_cast<uintptr_t>(bytes) % dtype_size(dtype) == 0;
}

}  // namespace

TensorLoader::TensorLoader(const ZipArchive& archive, std::string_view top, const ValueStore& store, Budget& budget)
    : archive_(archive), store_(store), budget_(budget) {
  storages_.reserve(store.storages().size());
  std::string name;
  for (const StorageRef& storage : store.storages()) {
    name.assign(top).append("data/").append(storage.key);
    const ZipEntry* entry = archive.find(name);
    if (entry == nullptr) {
      bad_input("{}: the record {} is missing, which the pickle refers to at byte {}", archive.path(), quote_text(name),
                storage.pickle_offset);
    }
    const auto size = checked_mul(storage.numel, dtype_size(storage.dtype));
    if (!size || *size != entry->size) {
      bad_input("{}: record {} at byte {} has {} bytes, but its storage {} x {}", archive.path(), quote_text(name),
                entry->data_offset, entry->size, storage.numel, dtype_name(storage.dtype));
    }
    storages_.push_back({entry, nullptr});
  }
}

std::shared_ptr<const std::byte> TensorLoader::storage_bytes(uint32_t index) {
  Storage& storage = storages_[index];
  if (!storage.bytes) storage.bytes = archive_.read(*storage.entry);
  return storage.bytes;
}

Tensor TensorLoader::load(const TensorSpec& spec) {
  Shape shape(spec.sizes().begin(), spec.sizes().end());
  const uint64_t count = checked_numel(shape).value();  // reduce() has checked it
  const auto storage = storage_bytes(spec.storage);
  // A tensor without elements need not be in its storage, and its strides say nothing.
  const std::byte* window = storage.get() + (count == 0 ? 0 : spec.byte_offset);
  const bool dense = count == 0 || is_row_major(spec);
  if (dense && is_aligned(window, spec.dtype)) return Tensor(spec.dtype, std::move(shape), {storage, window});

  const ZipEntry& entry = *storages_[spec.storage].entry;
  budget_.enter(entry.name, entry.data_offset);
  budget_.charge(count * dtype_size(spec.dtype));
  budget_.charge(128);  // apart, as the sum may wrap; for the allocator
  Tensor tensor(spec.dtype, std::move(shape));
  auto* target = const_cast<std::byte*>(tensor.bytes().data());
  if (dense) {
    std::memcpy(target, window, tensor.byte_size());
  } else {
    gather_any(spec, window, target);
  }
  return tensor;
}

}  // namespace effdet
