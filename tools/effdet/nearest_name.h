// What somebody may have meant who wrote a name that there is not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace effdet::cli {

/// The name that is the fewest insertions, deletions and replacements away; "" where that is more than a typing error.
std::string nearest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace effdet::cli
