// A process that is ended by a signal, or by a file that goes away: what it says, its exit code, what it leaves behind.
#include "signals.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>

#include "effdet/error.h"
#include "effdet/output_file.h"
#include "lost_page.h"
#include "support/test_folder.h"
#include "temporary_folder.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPages = 3;
constexpr const char* kPart = "out.effdet-01234567-0123456789abcdef.tmp";

class Signals : public testing::Test {
 protected:
  /// Maps a file of three pages and cuts it after the first.
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
  void begin_to_write() const {
    const fs::path path = folder_ / kPart;
    EXPECT_TRUE(is_unfinished_output(path.native()));
    EXPECT_GE(::open(path.c_str(), O_WRONLY | O_CREAT, 0666), 0);
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

TEST_F(Signals, AnInputWithTheNameOfAPartStays) {
  const fs::path path = folder_ / kPart;
  std::ofstream(path) << "x";
  EXPECT_EXIT(
      {
        watch_signals();
        EXPECT_GE(::open(path.c_str(), O_RDONLY), 0);
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(143), "");
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(Signals, IgnoredSignalsStayIgnored) {
  constexpr int kDone = 23;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU})
    EXPECT_EXIT(
        {
          ::signal(signal, SIG_IGN);
          watch_signals();
          ::kill(::getpid(), signal);
          ::usleep(20000);
          std::_Exit(kDone);
        },
        testing::ExitedWithCode(kDone), "")
        << signal;
}

TEST_F(Signals, ErrorsEndAProcessThatIgnoresSignals) {
  EXPECT_EXIT(
      {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
        watch_signals();
        [[maybe_unused]] void* volatile memory = ::operator new(SIZE_MAX / 2);
      },
      testing::ExitedWithCode(7), "^effdet: error: memory ran out\n$");
}

TEST_F(Signals, ProcessorTimeThatIsUsedUpLeavesNoParts) {
  EXPECT_EXIT(
      {
        watch_signals();
        begin_to_write();
        ::kill(::getpid(), SIGXCPU);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(128 + SIGXCPU), "^effdet: error: the limit of processor time .*\n$");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Signals, AFileThatMayNotGrowIsAnErrorOfTheWrite) {
  EXPECT_EXIT(
      {
        watch_signals();
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 100;
        ::setrlimit(RLIMIT_FSIZE, &limit);
        try {
          write_output(file_, std::string(200, 'x'));
        } catch (const Error& error) {
          std::fputs(error.what(), stderr);
          std::_Exit(static_cast<int>(error.code()));
        }
      },
      testing::ExitedWithCode(4), "model file.om: cannot write: File too large$");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Signals, TemporaryFoldersGo) {
  ::setenv("TMPDIR", folder_.path().c_str(), 1);
  const auto entries = [&] { return std::distance(fs::directory_iterator(folder_.path()), {}); };
  const auto make_tree = [](const fs::path& root) {
    fs::create_directories(root / "a/b");
    for (int i = 0; i < 300; ++i) std::ofstream(root / "a" / std::to_string(i)) << i;
  };
  EXPECT_EXIT(
      {
        watch_signals();
        const TemporaryFolder here;
        make_tree(here.path());
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(143), "");
  EXPECT_EQ(entries(), 0);
  EXPECT_EXIT(
      {
        const TemporaryFolder here;
        make_tree(here.path());
        ::kill(::getpid(), SIGKILL);
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(entries(), 1);
  {
    const TemporaryFolder here;
    EXPECT_EQ(entries(), 1) << "what the killed process left shall go";
    EXPECT_EXIT(
        {
          const TemporaryFolder other;
          std::_Exit(static_cast<int>(entries()));
        },
        testing::ExitedWithCode(2), "");
  }
  ::unsetenv("TMPDIR");
}

}  // namespace
}  // namespace effdet::cli
