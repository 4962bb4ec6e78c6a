// Executes the opcodes of a pickle on a stack of values.
#include "checkpoint/unpickler.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "base/checked.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/quoted.h"
#include "checkpoint/reduce.h"

namespace effdet::checkpoint {

Unpickler::Unpickler(const PickleSource& source, ValueStore& store, Budget& budget)
    : source_(source), store_(store), budget_(budget), memo_numbers_(scan_fetched_memo(source, budget)) {
  budget_.charge(memo_numbers_.size() * sizeof(Value));
  memo_.resize(memo_numbers_.size());
}

Value Unpickler::load() {
  OpReader reader(source_);
  for (Op op = reader.next(); op.code != OpCode::kStop; op = reader.next()) {
    offset_ = op.offset;
    budget_.enter(source_.record, source_.base + offset_);
    execute(op);
  }
  offset_ = reader.offset() - 1;
  if (!marks_.empty()) fail_here("STOP comes while a MARK is open");
  if (stack_.size() != 1) fail_here("STOP comes with {} values on the stack instead of 1", stack_.size());
  budget_.release(std::exchange(charged_depth_, 0) * sizeof(Value));
  return pop();
}

void Unpickler::execute(const Op& op) {
  switch (op.code) {
    case OpCode::kProto:
    case OpCode::kStop:
      return;
    case OpCode::kNone:
      return push({ValueKind::kNone});
    case OpCode::kNewTrue:
    case OpCode::kNewFalse:
      return push({ValueKind::kBool, false, 0, {op.code == OpCode::kNewTrue}});
    case OpCode::kBinInt1:
      return push({ValueKind::kInt, false, 0, {load_le<uint8_t>(op.arg.data())}});
    case OpCode::kBinInt2:
      return push({ValueKind::kInt, false, 0, {load_le<uint16_t>(op.arg.data())}});
    case OpCode::kBinInt:
    case OpCode::kLong1:
      return push_int(op.arg);
    case OpCode::kBinFloat:
      return push_float(op.arg);
    case OpCode::kBinUnicode:
    case OpCode::kShortBinString: {
      Value text{ValueKind::kText, false, static_cast<uint32_t>(op.arg.size())};
      text.text = op.arg.data();
      return push(text);
    }
    case OpCode::kEmptyTuple:
      return push(store_.make(ValueKind::kTuple));
    case OpCode::kEmptyList:
      return push(store_.make(ValueKind::kList));
    case OpCode::kEmptyDict:
      return push(store_.make(ValueKind::kDict));
    case OpCode::kEmptySet:
      return push({ValueKind::kOpaque});
    case OpCode::kMark:
      budget_.charge(sizeof(size_t));
      return marks_.push_back(stack_.size());
    case OpCode::kTuple:
      return push(store_.make(ValueKind::kTuple, pop_mark()));
    case OpCode::kTuple1:
      return push_tuple(1);
    case OpCode::kTuple2:
      return push_tuple(2);
    case OpCode::kTuple3:
      return push_tuple(3);
    case OpCode::kAppend:
      return append_items({pop()});
    case OpCode::kAppends:
      return append_items(pop_mark());
    case OpCode::kSetItem: {
      const Value value = pop();
      return set_items({pop(), value});
    }
    case OpCode::kSetItems:
      return set_items(pop_mark());
    case OpCode::kBinPut:
    case OpCode::kLongBinPut:
      return put_memo(op);
    case OpCode::kBinGet:
    case OpCode::kLongBinGet:
      return push(get_memo(op));
    case OpCode::kGlobal:
      return push_global(op);
    case OpCode::kReduce: {
      const Value args = pop();
      const Value callee = pop();
      return push(reduce(callee, args, {source_, offset_}, store_));
    }
    case OpCode::kNewObj:
      return new_object();
    case OpCode::kBuild:
      return build();
    case OpCode::kBinPersId:
      return load_storage();
  }
}

void Unpickler::push(Value value) {
  if (stack_.size() == charged_depth_) {
    budget_.charge(sizeof(Value));
    ++charged_depth_;
  }
  stack_.push_back(value);
}

Value Unpickler::pop() {
  const Value value = top();
  stack_.pop_back();
  return value;
}

Value& Unpickler::top() {
  if (stack_.size() <= frame_begin()) fail_here("the opcode needs a value, but the stack has none above the last mark");
  return stack_.back();
}

std::vector<Value> Unpickler::pop_mark() {
  if (marks_.empty()) fail_here("the opcode needs a MARK, but none is open");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Value> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  budget_.release(sizeof(size_t));
  return items;
}

Value* Unpickler::memo_slot(uint32_t number) {
  const auto place = std::lower_bound(memo_numbers_.begin(), memo_numbers_.end(), number);
  if (place == memo_numbers_.end() || *place != number) return nullptr;
  return &memo_[static_cast<size_t>(place - memo_numbers_.begin())];
}

void Unpickler::put_memo(const Op& op) {
  Value& value = top();
  Value* slot = memo_slot(memo_number(op));
  if (slot == nullptr) return;  // never fetched
  value.shared = true;
  *slot = value;
}

Value Unpickler::get_memo(const Op& op) {
  const uint32_t number = memo_number(op);
  const Value* slot = memo_slot(number);
  if (slot == nullptr || slot->kind == ValueKind::kUnset) fail_here("the memo has no entry {}", number);
  return *slot;
}

void Unpickler::push_int(std::string_view bytes) {
  // Little-endian two's complement; LONG1 has 0 to 255 bytes.
  if (bytes.size() > sizeof(int64_t)) return push({ValueKind::kBigInt});
  const bool negative = !bytes.empty() && (static_cast<uint8_t>(bytes.back()) & 0x80);
  uint64_t bits = negative ? ~uint64_t{0} : 0;
  for (size_t i = bytes.size(); i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(bytes[i]);
  push({ValueKind::kInt, false, 0, {std::bit_cast<int64_t>(bits)}});
}

/// BINFLOAT is big-endian, unlike everything else.
void Unpickler::push_float(std::string_view bytes) {
  uint64_t bits = 0;
  for (const char c : bytes) bits = bits << 8 | static_cast<uint8_t>(c);
  Value value{ValueKind::kFloat};
  value.real = std::bit_cast<double>(bits);
  push(value);
}

void Unpickler::push_global(const Op& op) {
  const size_t newline = op.arg.find('\n');
  const std::string_view module = op.arg.substr(0, newline), name = op.arg.substr(newline + 1);
  const Global* global = find_global(module, name);
  if (global == nullptr) {
    fail_here(
        "the global {} is not one that a checkpoint may name, and was not executed; re-save the weights alone with "
        "torch.save(model.state_dict(), path)",
        quote_text(std::string(module) + "." + std::string(name)));
  }
  Value value{ValueKind::kGlobal};
  value.global = global;
  push(value);
}

void Unpickler::push_tuple(size_t count) {
  std::vector<Value> items(count);
  for (size_t i = count; i-- > 0;) items[i] = pop();
  push(store_.make(ValueKind::kTuple, std::move(items)));
}

void Unpickler::append_items(std::vector<Value> items) {
  const Value list = top();
  if (list.kind == ValueKind::kOpaque || list.kind == ValueKind::kRecord)
    return;  // a subclass of list or dict that a trainer left
  if (list.kind != ValueKind::kList) fail_here("APPEND to {} instead of a list", kind_name(list.kind));
  for (const Value& item : items) store_.append(list, item);
}

void Unpickler::set_items(std::vector<Value> items) {
  const Value dict = top();
  if (dict.kind != ValueKind::kDict && dict.kind != ValueKind::kRecord && dict.kind != ValueKind::kOpaque)
    fail_here("SETITEM on {} instead of a dict", kind_name(dict.kind));
  if (items.size() % 2 != 0) fail_here("SETITEMS has a key without a value");
  if (dict.kind == ValueKind::kOpaque) return;
  for (const Value& item : items) store_.append(dict, item);
}

void Unpickler::load_storage() {
  // ("storage", type, key, location, number of elements), from persistent_id() of torch/serialization.py. The legacy
  // format adds None, or before torch 0.4 what part of another storage this one is.
  const Value id = pop();
  const auto parts = id.kind == ValueKind::kTuple ? std::as_const(store_).items(id) : std::span<const Value>();
  const bool well_formed = (parts.size() == 5 || parts.size() == 6) && parts[0].kind == ValueKind::kText &&
                           parts[0].as_text() == "storage" && parts[1].kind == ValueKind::kGlobal &&
                           parts[1].global->role == GlobalRole::kStorageType && parts[2].kind == ValueKind::kText &&
                           parts[3].kind == ValueKind::kText && parts[4].kind == ValueKind::kInt &&
                           parts[4].integer >= 0;
  if (!well_formed) fail_here("a persistent id is not (\"storage\", type, key, location, number of elements)");
  if (parts.size() == 6 && parts[5].kind != ValueKind::kNone)
    source_.unsupported_at(offset_, "a storage is a view of another, as torch < 0.4 saved them");
  const Global& type = *parts[1].global;
  const StorageRef storage{parts[2].as_text(), type.dtype.value_or(DType::kU8), static_cast<uint64_t>(parts[4].integer),
                           source_.base + offset_, type.dtype ? nullptr : &type};
  if (!checked_mul(storage.numel, storage.element_size()))
    fail_here("a storage of {} x {}", storage.numel, storage.type_name());
  const auto known = storage_of_key_.find(storage.key);
  Value value{ValueKind::kStorage};
  if (known != storage_of_key_.end()) {
    const StorageRef& first = store_.storage(known->second);
    if (first.type_name() != storage.type_name() || first.numel != storage.numel) {
      fail_here("storage {} has {} x {} here, but {} x {} at byte {}", quote_text(storage.key), storage.numel,
                storage.type_name(), first.numel, first.type_name(), first.pickle_offset);
    }
    value.index = known->second;
  } else {
    value = store_.add(storage);
    storage_of_key_.emplace(storage.key, value.index);
  }
  store_.release(id);
  push(value);
}

void Unpickler::new_object() {
  const Value args = pop();
  const Value type = pop();
  if (type.kind != ValueKind::kGlobal || args.kind != ValueKind::kTuple)
    fail_here("NEWOBJ of {} with {}", kind_name(type.kind), kind_name(args.kind));
  push(reduce(type, args, {source_, offset_}, store_));
}

void Unpickler::build() {
  // An OrderedDict's attributes (_metadata) are of no use to us. On a tensor BUILD would be Tensor.set_, which
  // torch.save has not written since 0.4.
  const Value state = pop();
  const Value target = top();
  if (target.kind == ValueKind::kRecord && state.kind == ValueKind::kDict) {
    const auto attributes = std::as_const(store_).items(state);
    for (size_t i = 0; i < attributes.size(); ++i) store_.append(target, std::as_const(store_).items(state)[i]);
  } else if (target.kind != ValueKind::kDict && target.kind != ValueKind::kRecord &&
             target.kind != ValueKind::kOpaque) {
    fail_here("BUILD on {}", kind_name(target.kind));
  }
  store_.release(state);
}

}  // namespace effdet::checkpoint
