// What must hold after each run of a command.
#pragma once

#include <initializer_list>
#include <string>

#include "faults/commands.h"

namespace effdet::faults {

/// Whether an output is one of a run that ended before all images were done, or that left some out: a whole file, and
/// what is in it is also in that of a run without faults.
bool is_of_some_images(const Command& command, const std::string& name, const std::string& content);

/// Expects what holds whatever went wrong, and expect_resumes().
void expect_orderly(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                    std::initializer_list<int> codes = {0, 4, 7});
/// The first of these: one of the exit codes, one line of error or none, and each file absent, old
/// or whole, all of them whole where the code is 0. Runs over images may leave some out: a line for each, outputs of
/// the others, and code 3. `what` is the case, for messages.
void expect_orderly_end(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                        std::initializer_list<int> codes);
/// The same of the files alone; `of_all`: outputs of a part of the images are none of these. `killed`: temporary files
/// may be left.
void expect_whole_files(const Command& command, const Workplace& place, const std::string& what, bool of_all,
                        bool killed = false);
/// Where a run left a journal of finished images: expects that the next one with --resume goes on with it, and leaves
/// the outputs of a run without faults alone.
void expect_resumes(const Command& command, const Workplace& place, const std::string& what);
/// Expects success and the outputs of a run without faults.
void expect_same(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what);

}  // namespace effdet::faults
