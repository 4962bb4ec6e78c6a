// The values that a pickle builds, in one arena: however they nest or refer to each other, freeing is flat.
#pragma once

#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "checkpoint/budget.h"
#include "checkpoint/pickle_globals.h"

namespace effdet::checkpoint {

enum class ValueKind : uint8_t {
  kUnset,
  kNone,
  kBool,
  kInt,
  kBigInt,  ///< above 64 bits; its value is of no use to us
  kFloat,
  kText,
  kGlobal,
  kStorage,
  kTensor,
  kForeign,  ///< a tensor of a type that weights do not have
  kTuple,
  kList,
  kDict,
  kRecord,  ///< an object's attributes, or a dict of a class of its own: names and values in turn
  kOpaque,  ///< a set, a numpy scalar, bytes: legal beside the weights, content not kept
};

/// A handle: 16 bytes, trivially copied. Containers, tensors and storages live in the ValueStore, text in the pickle.
struct Value {
  ValueKind kind = ValueKind::kUnset;
  /// Put into the memo and fetched from it: other copies of this handle may exist.
  bool shared = false;
  /// Of the container, tensor or storage in the store; the length of a text.
  uint32_t index = 0;
  union {
    int64_t integer = 0;
    double real;
    const char* text;
    const Global* global;
  };

  std::string_view as_text() const { return {text, index}; }
};

/// "a list", "an int", ...: for messages.
std::string_view kind_name(ValueKind kind);

/// A record of the archive, as a persistent id names it.
struct StorageRef {
  std::string_view key;  ///< the record is <top folder>/data/<key>
  DType dtype = DType::kF32;
  uint64_t numel = 0;
  uint64_t pickle_offset = 0;
  const Global* foreign = nullptr;  ///< its type, where that has no DType

  uint64_t element_size() const { return foreign != nullptr ? foreign->element_size : dtype_size(dtype); }
  std::string_view type_name() const { return foreign != nullptr ? foreign_type(*foreign) : dtype_name(dtype); }
};

/// A strided view into a storage; checked against the storage's numel, not yet loaded.
struct TensorSpec {
  uint32_t storage = 0;
  DType dtype = DType::kF32;
  uint64_t byte_offset = 0;
  std::vector<int64_t> dims;  ///< the sizes, then as many strides (in elements)

  std::span<const int64_t> sizes() const { return {dims.data(), dims.size() / 2}; }
  std::span<const int64_t> strides() const { return std::span(dims).subspan(dims.size() / 2); }
};

/// Owns what values refer to. All memory is charged to the budget, which must outlive the store.
class ValueStore {
 public:
  explicit ValueStore(Budget& budget) : budget_(budget) {}

  /// kTuple, kList, kDict or kRecord (keys and values in turn).
  Value make(ValueKind kind, std::vector<Value> items = {});
  std::span<Value> items(Value container) { return containers_[container.index]; }
  std::span<const Value> items(Value container) const { return containers_[container.index]; }
  void append(Value container, Value item);
  /// Frees a tuple or dict that left the stack, and those in it, unless they are shared. A handle exists once until it
  /// goes through the memo (there is no DUP), so nothing else can refer to them.
  void release(Value value);

  Value add(StorageRef storage);
  Value add(TensorSpec tensor);
  /// type: what makes it foreign.
  Value add_foreign(const Global& type);
  const StorageRef& storage(uint32_t index) const { return storages_[index]; }
  const TensorSpec& tensor(uint32_t index) const { return tensors_[index]; }
  const std::deque<StorageRef>& storages() const { return storages_; }
  size_t foreign_count() const { return foreign_.size(); }
  std::string_view foreign_type_of(uint32_t index) const { return foreign_type(*foreign_[index]); }

 private:
  Budget& budget_;
  // Deques: growth moves nothing, so that memory never doubles for a moment.
  std::deque<std::vector<Value>> containers_;
  std::vector<uint32_t> free_;
  std::deque<StorageRef> storages_;
  std::deque<TensorSpec> tensors_;
  std::deque<const Global*> foreign_;
};

}  // namespace effdet::checkpoint
