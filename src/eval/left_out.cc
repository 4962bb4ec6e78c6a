// Counts left-out records by reason, with the first place of each.
#include "eval/left_out.h"

#include <fmt/format.h>

#include <algorithm>

namespace effdet::eval {

void LeftOut::add(std::string_view reason, size_t index) {
  const auto known = std::find_if(reasons_.begin(), reasons_.end(), [&](const Reason& r) { return r.text == reason; });
  if (known == reasons_.end()) {
    reasons_.push_back({std::string(reason), 1, index});
  } else {
    ++known->count;
  }
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
