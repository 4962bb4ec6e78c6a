// Reads a long array of records in parts on several threads, with the outcome of reading it from front to back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/function_ref.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "eval/json_reader.h"
#include "eval/work_progress.h"

namespace effdet::eval {

/// A text and how it is read.
struct JsonInput {
  std::string_view text;
  std::string name;                  ///< for errors
  ThreadPool* pool = nullptr;        ///< none: from front to back
  const MappedFile* file = nullptr;  ///< where the text lies; its pages are released when they were read
  /// Of a part: small enough that threads get equal shares and little of a file is in memory at a time.
  size_t part_bytes = size_t{1} << 20;
  WorkProgress* progress = nullptr;  ///< whose steps are bytes
};

/// Begins the stage of reading a file with such things in it.
void begin_reading(const JsonInput& input, std::string_view things);

/// An array, cut where records seem to begin: before a "{" that follows "}" and ",". That may lie within a string or
/// another record, so what parts say counts only where each stopped at the byte where the next began, beginning with
/// the first, which does begin with a record.
class ArrayParts {
 public:
  /// Cuts the array that the reader stands before, which is not moved. Parts may reach beyond the array's end, which is
  /// not known yet. Precondition: input outlives this.
  ArrayParts(const JsonInput& input, JsonReader reader);

  /// 0 where there is nothing to gain: the array is short, or input has no pool.
  size_t count() const { return begins_.size(); }

  /// Calls read(part, begin, end) for each part on the threads of the pool; it is to read the elements from begin to
  /// end with JsonReader::read_elements, and its Error(kBadInput) says that it cannot. Returns how many parts make up
  /// the array, and moves the reader behind it; 0 where they do not join or one of them failed: then the array is to be
  /// read from front to back, which knows the place of each error.
  size_t read(JsonReader& reader, FunctionRef<ArrayStop(size_t part, size_t begin, size_t end)> read) const;

 private:
  const JsonInput& input_;
  std::vector<size_t> begins_;
};

/// Reads the array that the reader stands before, and leaves the reader behind it. make(JsonReader, is_part) makes a
/// Part; part.reader() is the reader that it was made with, and part.read_element(index) reads one element, its index
/// counted from the part's first. A part that others are read beside throws Error(kBadInput) where it cannot be read
/// alone; joins(parts) tells whether they agree. Where not, the array is read in one. Returns the parts in the order of
/// the array.
template <typename Part, typename Make, typename Joins>
std::vector<Part> read_array_in_parts(const JsonInput& input, JsonReader& reader, Make&& make, Joins&& joins) {
  const ArrayParts array(input, reader);
  std::vector<Part> parts;
  for (size_t i = 0; i < array.count(); ++i) parts.push_back(make(reader, true));
  JsonReader behind = reader;
  const size_t count = array.read(behind, [&](size_t i, size_t begin, size_t end) {
    return parts[i].reader().read_elements(begin, end, [&](size_t index) { parts[i].read_element(index); });
  });
  while (parts.size() > count) parts.pop_back();
  if (parts.empty() || !joins(parts)) {
    parts.clear();
    Part& all = parts.emplace_back(make(reader, false));
    all.reader().read_array([&](size_t index) { all.read_element(index); });
    behind = all.reader();
  }
  reader.move_to(behind.position());
  return parts;
}

/// Appends what each part read, and frees it there, so that there are no two copies of all: memory that
/// is free goes back to the system from time to time. items: a member function of Part that returns a vector.
template <typename Item, typename Part>
void append_parts(std::vector<Item>& all, std::vector<Part>& parts, std::vector<Item>& (Part::*items)()) {
  if (all.empty() && parts.size() == 1) return all.swap((parts[0].*items)());
  size_t count = all.size();
  for (Part& part : parts) count += (part.*items)().size();
  all.reserve(count);
  constexpr size_t kMostFree = size_t{256} << 20;
  size_t freed = 0;
  for (Part& part : parts) {
    std::vector<Item>& of_part = (part.*items)();
    all.insert(all.end(), of_part.begin(), of_part.end());
    freed += of_part.capacity() * sizeof(Item);
    std::vector<Item>().swap(of_part);
    if (freed >= kMostFree) {
      release_free_memory();
      freed = 0;
    }
  }
}

}  // namespace effdet::eval
