// Remembers for which images a model's outputs made no sense, to say it once.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include "eval/detect.h"

namespace effdet::detection {

/// May be used by several threads at a time.
class FaultLog {
 public:
  /// name: of the image; may be empty.
  void add(std::string_view name, const eval::DetectFaults& faults);
  /// "" or a line: for how many images, and for which first.
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  size_t count_ = 0;
  std::string first_;
};

}  // namespace effdet::detection
