// Inputs as files, for readers that take a path.
#pragma once

#include <filesystem>
#include <string_view>

namespace effdet::fuzz {

/// The process' own folder, in memory where the system has such a place; it goes at the process' end.
const std::filesystem::path& work_folder();

/// Writes a file of work_folder(), and its folders; returns its path.
std::filesystem::path write_input(const std::filesystem::path& name, std::string_view content);

}  // namespace effdet::fuzz
