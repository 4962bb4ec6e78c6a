// The folders that CANN's installers make, old and new.
#include "kernels/ascend/installation.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

namespace effdet::kernels::ascend {

namespace fs = std::filesystem;

fs::path chosen_installation() {
  const char* home = std::getenv("ASCEND_HOME_PATH");
  return home != nullptr ? home : "";
}

std::vector<fs::path> installations() {
  if (const fs::path chosen = chosen_installation(); !chosen.empty()) return {chosen};
  const fs::path root = "/usr/local/Ascend";
  std::vector<fs::path> found = {root / "ascend-toolkit/latest", root / "cann"};
  std::vector<fs::path> versions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored))
    if (entry.path().filename().string().starts_with("cann-")) versions.push_back(entry.path());
  std::ranges::sort(versions, std::greater());
  found.insert(found.end(), versions.begin(), versions.end());
  return found;
}

}  // namespace effdet::kernels::ascend
