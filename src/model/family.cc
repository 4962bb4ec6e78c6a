// The table of detector families.
#include "model/family.h"

#include <algorithm>

#include "base/error.h"
#include "model/efficientdet.h"

namespace effdet::model {
namespace {

constexpr Family kFamilies[] = {
    {kEfficientDet, efficientdet_landmarks, match_efficientdet, build_efficientdet, Decoding::kAnchorLevels},
};

}  // namespace

const Family* find_family(std::string_view name) {
  const auto found = std::ranges::find(kFamilies, name, &Family::name);
  return found == std::end(kFamilies) ? nullptr : found;
}

const Family& family_of(const Variant& variant) {
  const Family* family = find_family(variant.family);
  if (family == nullptr) fail(ErrorCode::kInternal, "{} is of no known family", variant.name);
  return *family;
}

CheckpointFacts facts_of(const checkpoint::Checkpoint& checkpoint) {
  std::vector<std::string> landmarks;
  std::string names;
  for (const Family& family : kFamilies) {
    if (const auto facts = family.matches(checkpoint)) return *facts;
    for (std::string& name : family.landmarks()) landmarks.push_back(std::move(name));
    names += fmt::format("{}{}", names.empty() ? "" : " or ", family.name);
  }
  bad_input("{}: is not an {} checkpoint: of its {} tensors none is {}", checkpoint.path, names,
            checkpoint.tensors.size(), fmt::join(landmarks, " or "));
}

}  // namespace effdet::model
