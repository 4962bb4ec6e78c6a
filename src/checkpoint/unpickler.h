// The pickle machine: a stack, a memo, and nothing that could run code.
#pragma once

#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "checkpoint/pickle_ops.h"
#include "checkpoint/pickle_value.h"

namespace effdet::checkpoint {

/// Builds the value that a pickle describes, into a ValueStore.
class Unpickler {
 public:
  /// All must outlive the unpickler, and source.bytes the values.
  Unpickler(const PickleSource& source, ValueStore& store, Budget& budget);

  /// Interprets the whole pickle. Throws Error (kBadInput, kUnsupported) with the byte offset of the opcode.
  Value load();

 private:
  void execute(const Op& op);
  void push(Value value);
  Value pop();
  Value& top();
  /// Everything above the last mark, which is removed.
  std::vector<Value> pop_mark();
  size_t frame_begin() const { return marks_.empty() ? 0 : marks_.back(); }

  void put_memo(const Op& op);
  Value get_memo(const Op& op);
  Value* memo_slot(uint32_t number);

  void push_int(std::string_view bytes);
  void push_float(std::string_view bytes);
  void push_global(const Op& op);
  void push_tuple(size_t count);
  void append_items(std::vector<Value> items);
  void set_items(std::vector<Value> items);
  void load_storage();
  void new_object();
  void build();

  template <typename... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    source_.fail_at(offset_, format, std::forward<Args>(args)...);
  }

  const PickleSource& source_;
  ValueStore& store_;
  Budget& budget_;
  uint64_t offset_ = 0;  // of the opcode in execution
  std::deque<Value> stack_;
  size_t charged_depth_ = 0;
  std::deque<size_t> marks_;
  std::vector<uint32_t> memo_numbers_;  // sorted; only these are ever fetched
  std::vector<Value> memo_;
  std::map<std::string_view, uint32_t> storage_of_key_;  // not hashed: a hostile file could make keys collide
};

}  // namespace effdet::checkpoint
