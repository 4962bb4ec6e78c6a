// Where CANN is installed.
#pragma once

#include <filesystem>
#include <vector>

namespace effdet::kernels::ascend {

/// $ASCEND_HOME_PATH, which CANN's set_env.sh sets; empty where it is not.
std::filesystem::path chosen_installation();

/// That alone where it is set; else the folders below /usr/local/Ascend: one up to version 8, from 9 on one for each
/// version, the newest first. They need not exist.
std::vector<std::filesystem::path> installations();

}  // namespace effdet::kernels::ascend
