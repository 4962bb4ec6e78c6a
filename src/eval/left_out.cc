// Counts left-out records by reason, with the first place of each.
#include "eval/left_out.h"

#include <fmt/format.h>

#include <algorithm>

namespace effdet::eval {

void LeftOut::add(std::string_view text, size_t count, size_t first) {
  const auto known = std::find_if(reasons_.begin(), reasons_.end(), [&](const Reason& r) { return r.text == text; });
  if (known == reasons_.end()) {
    reasons_.push_back({std::string(text), count, first});
  } else {
    known->count += count;
  }
}

void LeftOut::append(const LeftOut& part, size_t offset) {
  for (const Reason& reason : part.reasons_) add(reason.text, reason.count, offset + reason.first);
}

std::vector<std::string> LeftOut::lines(std::string_view file, std::string_view what, size_t total,
                                        std::string_view array) const {
  std::vector<std::string> lines;
  for (const Reason& reason : reasons_)
    lines.push_back(fmt::format("{}: {} of {} {} left out: {} (the first is {}[{}])", file, reason.count, total, what,
                                reason.text, array, reason.first));
  return lines;
}

}  // namespace effdet::eval
