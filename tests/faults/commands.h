// The commands on small inputs, the files that they write, and folders to run them in.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "faults/process.h"
#include "support/test_folder.h"

namespace effdet::faults {

using Files = std::map<std::string, std::string>;  ///< content by relative path

constexpr const char* kOld = "of an earlier run";  ///< content of Workplace::put_old_outputs()

struct Traits {
  int part = 1;                 ///< it has one case where others have so many: most of its work is also theirs
  bool of_images = false;       ///< goes on without images that it cannot use, and writes the results of the others
  std::string new_folder = {};  ///< in out/: must be new, and appears with all its files
};

struct Command {
  std::string name;
  std::vector<std::string> arguments;  ///< they read from in/ and write into out/
  Traits traits = {};
  Files outputs = {};  ///< of a run without faults, less dates and measured times
};

/// All of them. What they read, and their outputs, are made where they are first asked for; of one thread.
std::span<const Command> commands();
const Command& command(const std::string& name);

/// A folder for one run, with in/ and out/ in it; removed with it.
class Workplace {
 public:
  Workplace();

  const std::filesystem::path& folder() const { return folder_; }
  /// Makes a file below in/ one of this folder's own, which may be changed; returns it.
  std::filesystem::path own_input(const std::filesystem::path& name) const;
  Start start(const Command& command) const { return {.arguments = command.arguments, .folder = folder_}; }
  /// Writes files of an earlier run where the command will write its own and may.
  void put_old_outputs(const Command& command) const;
  Files outputs() const;

 private:
  const test::TestFolder around_{"faults"};  ///< what commands print lies beside their folder
  const std::filesystem::path folder_ = around_ / "run";
};

}  // namespace effdet::faults
