// A process that is ended by a signal, or by a file that goes away: what it says, its exit code, what it leaves behind.
#include "signals.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>

#include "lost_page.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPages = 3;

class Signals : public testing::Test {
 protected:
  /// Maps a file of three pages and cuts it behind the first.
  const volatile char* cut_mapping() const {
    const size_t bytes = kPages * static_cast<size_t>(::getpagesize());
    std::ofstream(file_) << std::string(bytes, 'x');
    const int descriptor = ::open(file_.c_str(), O_RDONLY);
    void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    ::close(descriptor);
    fs::resize_file(file_, bytes / kPages);
    return static_cast<const volatile char*>(memory);
  }

  /// A file as the library has one while it writes; stays open.
  fs::path begin_to_write() const {
    const fs::path path = folder_ / ("out." + std::to_string(::getpid()) + ".0.tmp");
    EXPECT_GE(::open(path.c_str(), O_WRONLY | O_CREAT, 0666), 0);
    return path;
  }

  const test::TestFolder folder_{"signals"};
  const fs::path file_ = folder_ / "model file.om";
};

TEST_F(Signals, FindsTheMappedFile) {
  const volatile char* memory = cut_mapping();
  char path[4096];
  find_mapped_file(const_cast<const char*>(memory), path);
  EXPECT_EQ(path, file_.string());
  find_mapped_file(const_cast<const char*>(memory) + 2 * ::getpagesize(), path);
  EXPECT_EQ(path, file_.string());
  find_mapped_file(path, path);
  EXPECT_STREQ(path, "") << "a stack is no file";
  char tiny[5];
  find_mapped_file(const_cast<const char*>(memory), tiny);
  EXPECT_EQ(tiny, file_.string().substr(0, 4));
}

TEST_F(Signals, AFileThatIsCutIsAnError) {
  EXPECT_EXIT(
      {
        watch_signals();
        begin_to_write();
        const volatile char* memory = cut_mapping();
        if (memory[0] != 'x') std::_Exit(1);
        (void)memory[(kPages - 1) * static_cast<size_t>(::getpagesize())];
      },
      testing::ExitedWithCode(4), "^effdet: error: .*/model file.om: lost while it was read: .*\n$");
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_EQ(entry.path(), file_) << "a part was left behind";
}

TEST_F(Signals, MemoryThatRunsOutIsAnErrorWhereverItIs) {
  EXPECT_EXIT(
      {
        watch_signals();
        begin_to_write();
        []() noexcept {  // where an exception would abort the process
          [[maybe_unused]] void* volatile memory = ::operator new(SIZE_MAX / 2);
        }();
      },
      testing::ExitedWithCode(7), "^effdet: error: memory ran out\n$");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Signals, ATerminatedProcessLeavesNoParts) {
  EXPECT_EXIT(
      {
        watch_signals();
        begin_to_write();
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(143), "");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace effdet::cli
