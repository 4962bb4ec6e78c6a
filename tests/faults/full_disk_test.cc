// A device that is really full: the folder of the outputs is a small tmpfs, mounted where nobody else sees it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "faults/commands.h"
#include "faults/expectations.h"
#include "faults/injection.h"

namespace effdet::faults {
namespace {

constexpr uint64_t kPage = 4096;

/// Gives this process mounts of its own; false where the system allows that to root alone.
bool leave_mounts() {
  const std::string user = std::to_string(::geteuid()), group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user << " " << user << " 1";
    std::ofstream("/proc/self/gid_map") << group << " " << group << " 1";
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// A tmpfs over a folder.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, uint64_t bytes) : folder_(std::move(folder)) {
    is_made_ = ::mount("none", folder_.c_str(), "tmpfs", 0, size(bytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (!is_made_) return;
    EXPECT_EQ(::umount(folder_.c_str()), 0) << folder_;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_made() const { return is_made_; }
  void grow() const {
    EXPECT_EQ(::mount("none", folder_.c_str(), "tmpfs", MS_REMOUNT, size(uint64_t{1} << 30).c_str()), 0);
  }

 private:
  static std::string size(uint64_t bytes) { return "size=" + std::to_string(bytes); }

  const std::filesystem::path folder_;
  bool is_made_ = false;
};

/// What the outputs take on a disk.
uint64_t space_of(const Command& command) {
  uint64_t bytes = 0;
  for (const auto& [name, content] : command.outputs) bytes += (content.size() + kPage - 1) / kPage * kPage;
  return bytes;
}

TEST(FullDisk, Case03_OutputsAreWholeOrAbsent) {
  commands();  // makes what they read
  if (!leave_mounts()) GTEST_SKIP() << "mounts of its own are not allowed to this process";
  int cases = 0, refused = 0;
  const int steps = 2 * many();
  for (const Command& command : commands()) {
    if (command.outputs.empty()) continue;
    for (int step = 0; step < steps; ++step, ++cases) {
      const Workplace place;
      const bool has_old = step % 2 == 1 && command.traits.new_folder.empty();
      const uint64_t old = has_old ? command.outputs.size() * kPage : 0;
      const SmallDisk disk(place.folder() / "out",
                           kPage + old + space_of(command) * static_cast<uint64_t>(step) / steps);
      if (!disk.is_made()) GTEST_SKIP() << "no tmpfs can be mounted";
      if (has_old) place.put_old_outputs(command);
      const std::string what = "on a full disk, " + std::to_string(step) + "/" + std::to_string(steps);
      const Outcome outcome = run(place.start(command));
      expect_orderly_end(command, place, outcome, what, {0, 4});
      refused += outcome.code != 0;
      disk.grow();
      expect_resumes(command, place, what);
      if (outcome.code != 0) expect_same(command, place, run(place.start(command)), "after it was run " + what);
    }
  }
  std::printf("%d cases, %d of them refused\n", cases, refused);
  EXPECT_GT(refused, cases / 4);
}

}  // namespace
}  // namespace effdet::faults
