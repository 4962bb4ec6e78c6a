// Stores values by index in one arena, so that deep nesting costs no recursion.
#include "checkpoint/pickle_value.h"

#include <limits>

namespace effdet::checkpoint {
namespace {

constexpr uint64_t kContainerCost = sizeof(std::vector<Value>) + 24;  // and the allocator's share
constexpr uint64_t kAppendCost = 2 * sizeof(Value);                   // a growing vector holds its content twice

uint32_t checked_index(size_t size) {
  if (size > std::numeric_limits<uint32_t>::max()) fail(ErrorCode::kUnsupported, "a pickle of over 4e9 objects");
  return static_cast<uint32_t>(size);
}

}  // namespace

std::string_view kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::kUnset:
      return "nothing";
    case ValueKind::kNone:
      return "None";
    case ValueKind::kBool:
      return "a bool";
    case ValueKind::kInt:
      return "an int";
    case ValueKind::kBigInt:
      return "an int above 64 bits";
    case ValueKind::kFloat:
      return "a float";
    case ValueKind::kText:
      return "a string";
    case ValueKind::kGlobal:
      return "a type or function";
    case ValueKind::kStorage:
      return "a storage";
    case ValueKind::kTensor:
      return "a tensor";
    case ValueKind::kForeign:
      return "a tensor";
    case ValueKind::kTuple:
      return "a tuple";
    case ValueKind::kList:
      return "a list";
    case ValueKind::kDict:
      return "a dict";
    case ValueKind::kRecord:
    case ValueKind::kOpaque:
      return "an object without weights";
  }
  return "?";
}

Value ValueStore::make(ValueKind kind, std::vector<Value> items) {
  budget_.charge(kContainerCost + items.size() * sizeof(Value));
  Value value{kind};
  if (free_.empty()) {
    value.index = checked_index(containers_.size());
    containers_.push_back(std::move(items));
  } else {
    value.index = free_.back();
    free_.pop_back();
    containers_[value.index] = std::move(items);
  }
  return value;
}

void ValueStore::append(Value container, Value item) {
  budget_.charge(kAppendCost);
  containers_[container.index].push_back(item);
}

void ValueStore::release(Value value) {
  std::vector<Value> pending{value};
  while (!pending.empty()) {
    const Value next = pending.back();
    pending.pop_back();
    // Lists and dicts are not worth following: what grew by append was charged otherwise.
    const bool plain = next.kind == ValueKind::kTuple || (next.kind == ValueKind::kDict && items(next).empty());
    if (!plain || next.shared) continue;
    std::vector<Value> gone = std::move(containers_[next.index]);
    containers_[next.index] = {};
    budget_.release(kContainerCost + gone.size() * sizeof(Value));
    free_.push_back(next.index);
    pending.insert(pending.end(), gone.begin(), gone.end());
  }
}

Value ValueStore::add(StorageRef storage) {
  budget_.charge(sizeof storage + 112);  // 112: the unpickler's index of keys, and the loaded storage
  Value value{ValueKind::kStorage};
  value.index = checked_index(storages_.size());
  storages_.push_back(storage);
  return value;
}

Value ValueStore::add(TensorSpec tensor) {
  budget_.charge(sizeof tensor + 16 + tensor.dims.size() * sizeof(int64_t));
  Value value{ValueKind::kTensor};
  value.index = checked_index(tensors_.size());
  tensors_.push_back(std::move(tensor));
  return value;
}

Value ValueStore::add_foreign(const Global& type) {
  budget_.charge(sizeof(&type));
  Value value{ValueKind::kForeign};
  value.index = checked_index(foreign_.size());
  foreign_.push_back(&type);
  return value;
}

}  // namespace effdet::checkpoint
