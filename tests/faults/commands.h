// The commands of the pipeline on small inputs, the files that they write, and what must hold after each run.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "faults/process.h"
#include "support/test_folder.h"

namespace effdet::faults {

using Files = std::map<std::string, std::string>;  ///< content by relative path

struct Command {
  std::string name;
  std::vector<std::string> arguments;  ///< they read from in/ and write into out/
  Files outputs = {};                  ///< of a run without faults; files with measured times are left out
};

/// Made, with what they read, by the first call.
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
  /// Writes files of an earlier run where the command will write its own.
  void put_old_outputs(const Command& command) const;
  Files outputs() const;

 private:
  const test::TestFolder around_{"faults"};  ///< what commands print lies beside their folder
  const std::filesystem::path folder_ = around_ / "run";
};

/// Whether an output is one of a run that ended before all images were done, or that left some out: a whole file, and
/// what is in it is also in that of a run without faults.
bool is_of_some_images(const Command& command, const std::string& name, const std::string& content);

/// Expects what holds whatever went wrong: one of the exit codes, one line of error or none, and each file absent, old
/// or whole, all of them whole where the code is 0. Runs over images may leave some out: a line for each, outputs of
/// the others, and code 3. `what` is the case, for messages.
void expect_orderly(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                    std::initializer_list<int> codes = {0, 4, 7});
/// The same of the files alone; `of_all`: outputs of a part of the images are none of these.
void expect_whole_files(const Command& command, const Workplace& place, const std::string& what, bool of_all);
/// Where a run left a journal of finished images: expects that the next one with --resume goes on with it, and leaves
/// the outputs of a run without faults alone.
void expect_resumes(const Command& command, const Workplace& place, const std::string& what);
/// Expects success and the outputs of a run without faults.
void expect_same(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what);

}  // namespace effdet::faults
