// Inputs as files, for readers that take a path.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "target.h"

namespace effdet::fuzz {

/// The process' own folder, in memory where the system has such a place; it goes at the process' end.
const std::filesystem::path& work_folder();

/// Writes a file of work_folder(), and its folders; returns its path.
std::filesystem::path write_input(const std::filesystem::path& name, std::string_view content);

/// read() of a file that is the input.
void read_file_of(Bytes input, const std::function<void(const std::filesystem::path& file)>& reader);

}  // namespace effdet::fuzz
