// Lines on what was left out of a data set, told as they are known and kept for the report.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "effdet/dataset.h"

namespace effdet::dataset {

class Notes {
 public:
  explicit Notes(const OnNote& on_note) : on_note_(on_note) {}

  void add(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      lines_.push_back(line);
      if (on_note_) on_note_(line);
    }
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const OnNote& on_note_;
  std::vector<std::string> lines_;
};

}  // namespace effdet::dataset
