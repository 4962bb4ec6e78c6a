// Records of COCO files that cannot be evaluated, and what is said of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace effdet::eval {

/// What becomes of a record whose values make no sense: a box with NaN, infinity or a negative side, a score that is
/// NaN, a category that is not listed. Records that are malformed, without an id or with a box of three numbers, are
/// refused either way.
enum class BadRecords { kLeaveOut, kRefuse };

/// Counts records by the reason for which they are left out.
class LeftOut {
 public:
  /// index: the record's place in its array.
  void add(std::string_view reason, size_t index) { add(reason, 1, index); }
  /// Adds what was left out of a later part of the array, whose first record is number `offset` of it.
  void append(const LeftOut& part, size_t offset);
  bool empty() const { return reasons_.empty(); }

  /// One line for each reason, in the order in which they came up: "gt.json: 2 of 1200 annotations left out: box with a
  /// negative side (the first is annotations[17])". array: "annotations[{}]" or the like, for the place.
  std::vector<std::string> lines(std::string_view file, std::string_view what, size_t total,
                                 std::string_view array) const;

 private:
  struct Reason {
    std::string text;
    size_t count, first;
  };
  void add(std::string_view text, size_t count, size_t first);

  std::vector<Reason> reasons_;
};

}  // namespace effdet::eval
