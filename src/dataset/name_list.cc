// Joins names, the first few of many, for a message.
#include "dataset/name_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/coco_json.h"

namespace effdet::dataset {

std::string list_of(std::span<const std::string> names, size_t shown) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), shown); ++i)
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", eval::printable(names[i]));
  return names.size() > shown ? fmt::format("{} and {} more", text, names.size() - shown) : text;
}

}  // namespace effdet::dataset
