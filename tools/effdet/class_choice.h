// --classes: the categories that are looked for.
#pragma once

#include <string>
#include <vector>

namespace effdet::cli {

/// Categories by names of classes, in letters of either case, or by numbers from 1. Throws Error(kUsage) for one that
/// the model does not have, with names that are like it.
std::vector<int> chosen_categories(const std::vector<std::string>& chosen, const std::vector<std::string>& class_names);

}  // namespace effdet::cli
