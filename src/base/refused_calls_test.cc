// Files, random names and threads where the kernel refuses a call: what was there stays, and the error says what it is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/thread_pool.h"
#include "support/error_of.h"
#include "support/refused_call.h"
#include "support/test_folder.h"

namespace effdet::inline base {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::RefusedCall;
using test::with_refused;

const std::string kOld = "old and longer than what comes", kNew = "new";

std::span<const std::byte> new_bytes() { return std::as_bytes(std::span(kNew)); }

class RefusedOutputs : public testing::Test {
 protected:
  RefusedOutputs() { std::ofstream(path_) << kOld; }

  /// The output is refused with that message behind the file's name; its old content stays, and nothing is beside it.
  void expect_refused(const std::vector<RefusedCall>& calls, const std::string& message, bool old = true) const {
    SCOPED_TRACE(message);
    if (!old) fs::remove(path_);
    with_refused(calls, [&] {
      EXPECT_EQ(error_of([&] { write_file(path_, new_bytes()); }).what(), path_.string() + ": " + message);
    });
    EXPECT_EQ(entries(), old ? 1 : 0);
    if (old) {
      EXPECT_EQ(read_file(path_), kOld);
    }
  }
  /// The content is written, into the file that is there (in_place) or into one that takes its place.
  void expect_written(const std::vector<RefusedCall>& calls, bool in_place) const {
    std::ofstream(path_) << kOld;
    struct stat before {
    }, after{};
    ASSERT_EQ(::stat(path_.c_str(), &before), 0);
    with_refused(calls, [&] { write_file(path_, new_bytes()); });
    ASSERT_EQ(::stat(path_.c_str(), &after), 0);
    if (IsSkipped()) return;
    EXPECT_EQ(read_file(path_), kNew);
    EXPECT_EQ(before.st_ino == after.st_ino, in_place);
    EXPECT_EQ(entries(), 1);
  }
  long entries() const { return std::distance(fs::directory_iterator(folder_.path()), {}); }

  const test::TestFolder folder_{"refused"};
  const fs::path path_ = folder_ / "a";
};

TEST_F(RefusedOutputs, KeepTheOldContent) {
  expect_refused({{SYS_fsync, EIO}}, "cannot sync: Input/output error");
  expect_refused({{SYS_rename, EIO}}, "cannot rename into place: Input/output error");
  expect_refused({{SYS_dup, EMFILE}}, "cannot close: Too many open files");
  expect_refused({{SYS_openat, ENOSPC, 2, O_EXCL}}, "cannot write: No space left on device");
  expect_refused({{SYS_openat, EEXIST, 2, O_EXCL}}, "cannot write: File exists");
  expect_refused({{SYS_flock, EWOULDBLOCK}}, "cannot write: File exists");
  // What is filled in its place, as a file that is mounted:
  constexpr RefusedCall kMounted{SYS_rename, EBUSY};
  expect_refused({kMounted, {SYS_fallocate, ENOSPC}}, "cannot write: No space left on device");
  expect_refused({kMounted, {SYS_pread64, EIO}}, "cannot write: Input/output error");
  expect_refused({{SYS_openat, EACCES, 2, O_EXCL}, {SYS_memfd_create, EMFILE}}, "cannot write: Too many open files");
}

TEST_F(RefusedOutputs, AreNotThereWhereTheyWereNot) {
  expect_refused({{SYS_openat, EACCES, 2, O_EXCL}}, "cannot write: Permission denied", false);
  expect_refused({{SYS_rename, EBUSY}}, "cannot rename into place: Device or resource busy", false);
}

TEST_F(RefusedOutputs, SayWhereTheirLengthOrDiskFailedInTheEnd) {
  for (const RefusedCall& last : {RefusedCall{SYS_ftruncate, EIO}, RefusedCall{SYS_fsync, EIO, 0, ~0u}})
    with_refused({{SYS_openat, EROFS, 2, O_EXCL}, last}, [&] {
      EXPECT_EQ(error_of([&] { write_file(path_, new_bytes()); }).what(),
                path_.string() + (last.number == SYS_fsync ? ": cannot sync: Input/output error"
                                                           : ": cannot write: Input/output error"));
    });
}

TEST_F(RefusedOutputs, AreFilledWhereAttributesCannotBeKept) {
  expect_written({{SYS_fchmod, EPERM}}, true);
  expect_written({{SYS_listxattr, EIO}}, true);
  expect_written({{SYS_fremovexattr, EIO}}, true);
  for (uint32_t error : {EBUSY, EXDEV, EPERM, EACCES}) expect_written({{SYS_rename, error}}, true);
}

TEST_F(RefusedOutputs, AreReplacedWhereThereIsLittleToKeep) {
  expect_written({{SYS_flock, ENOLCK}}, false);  // no locks at all
  expect_written({{SYS_listxattr, ENOTSUP}}, false);
  expect_written({{SYS_fremovexattr, ENOTSUP}}, false);
}

TEST_F(RefusedOutputs, AreFilledWhereOneAttributeCannotBeKept) {
  if (::setxattr(path_.c_str(), "user.effdet", "kept", 4, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  expect_written({{SYS_fsetxattr, ENOSPC}}, true);
  expect_written({{SYS_getxattr, EIO}}, true);
}

TEST_F(RefusedOutputs, AreFilledWithoutRoomMadeBefore) {
  expect_written({{SYS_rename, EBUSY}, {SYS_fallocate, EOPNOTSUPP}}, true);
}

TEST_F(RefusedOutputs, NeedRandomNames) {
  with_refused({{SYS_getrandom, ENOSYS}}, [&] {
    const Error error = error_of([&] { write_file(path_, new_bytes()); });
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_STREQ(error.what(), "the system has no random numbers");
  });
}

// The folder is of a FUSE server, or of a network, which answers with an error.
TEST_F(RefusedOutputs, InputsSayWhatFailed) {
  const auto refused = [&](const std::vector<RefusedCall>& calls, const std::function<void()>& read,
                           const std::string& message) {
    with_refused(calls, [&] { EXPECT_EQ(error_of(read).what(), path_.string() + ": " + message); });
  };
  refused(
      {{SYS_pread64, EIO}}, [&] { MappedFile{path_}; }, "cannot read: Input/output error");
  refused(
      test::refused_fstat(EIO), [&] { MappedFile{path_}; }, "cannot read: Input/output error");
  fs::resize_file(path_, (1 << 20) + 1);  // an odd length, which no allocator or sanitizer asks for
  refused(
      {{SYS_mmap, ENOMEM, 1, 1}}, [&] { MappedFile{path_}; }, "cannot map: Cannot allocate memory");
}

// Another process cuts a file between two steps of ours: the kernel tells of the first page that is gone.
TEST_F(RefusedOutputs, AreNotMadeFromAFileThatWasCut) {
  const fs::path from = folder_ / "from", to = folder_ / "to";
  std::ofstream(from) << std::string(1 << 20, 'x');
  const MappedFile mapped(from);
  fs::resize_file(from, 1 << 12);
  EXPECT_EQ(error_of([&] { write_file(to, mapped.bytes()); }).what(),
            to.string() + ": cannot write: a file that it is made from was cut meanwhile");
  EXPECT_FALSE(fs::exists(to));
}

TEST_F(RefusedOutputs, FoldersSayWhatFailed) {
  const auto refused = [&](const RefusedCall& call, const fs::path& folder, const std::string& message) {
    with_refused({call},
                 [&] { EXPECT_EQ(error_of([&] { make_folder(folder); }).what(), folder.string() + ": " + message); });
  };
  refused({SYS_mkdir, ENOSPC}, folder_ / "new", "cannot create the folder: No space left on device");
  refused({SYS_faccessat2, EROFS}, folder_.path(), "cannot write into the folder: Read-only file system");
}

TEST(RefusedThreads, MakeASmallerTeamThatDoesTheSame) {
  with_refused({{SYS_clone3, EAGAIN}, {SYS_clone, EAGAIN}}, [] {
    ThreadPool pool(4);
    EXPECT_EQ(pool.size(), 1);
    std::atomic<int> calls = 0;
    pool.parallel_for(100, [&](int64_t, int) { ++calls; });
    EXPECT_EQ(calls, 100);
  });
}

TEST(RefusedThreads, OneWhereProcessorsCannotBeCounted) {
  with_refused({{SYS_sched_getaffinity, ENOSYS}}, [] {
    ::unsetenv("EFFDET_NUM_THREADS");
    EXPECT_EQ(default_thread_count(), 1);
  });
}

}  // namespace
}  // namespace effdet::inline base
