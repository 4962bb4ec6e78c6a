// Inputs as files, for readers that take a path.
#pragma once

#include <filesystem>
#include <string>

#include "target.h"

namespace effdet::fuzz {

/// A file in memory that holds the input. Its path is valid as long as it lives.
class InputFile {
 public:
  explicit InputFile(Bytes input);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::filesystem::path path() const;

 private:
  int descriptor_;
};

/// The process' own folder, in memory where the system has such a place; it goes at the process' end.
const std::filesystem::path& work_folder();

/// Writes a file of work_folder(), and its folders; returns its path.
std::filesystem::path write_input(const std::filesystem::path& name, std::string_view content);

}  // namespace effdet::fuzz
