// Objects of shared memory that the machine does not give.
#include "server/shared_regions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/http_error.h"
#include "server/shared_memory_test_util.h"
#include "support/refused_call.h"

namespace effdet::server {
namespace {

/// Status and message that opening the region ends with.
std::string refusal_of_region(const std::string& key) {
  try {
    const SharedRegion region(key, 0, 16);
  } catch (const HttpError& error) {
    return std::to_string(error.status()) + " " + error.what();
  }
  return "";
}

void expect_region_refused(const std::vector<test::RefusedCall>& calls, const std::string& status,
                           const std::string& why) {
  const SharedObject object(4096);
  test::with_refused(calls, [&] {
    EXPECT_EQ(refusal_of_region(object.key()), status + " shared memory '" + object.key() + "': " + why);
  });
}

TEST(SharedRegion, SaysWhatTheMachineRefuses) {
  expect_region_refused({{SYS_openat, EACCES, 2, O_NOFOLLOW}}, "400", "the server's user may not read and write it");
  expect_region_refused({{SYS_openat, ENOENT, 2, O_NOFOLLOW}}, "400",
                        "there is none of that name where the server runs");
  expect_region_refused({{SYS_openat, EMFILE, 2, O_NOFOLLOW}}, "400", "Too many open files");
  expect_region_refused(test::refused_fstat(EIO), "400", "it is none");
  expect_region_refused({{SYS_mmap, ENOMEM, 3, MAP_SHARED}}, "503", "Cannot allocate memory");
}

// Somebody put a pipe into the folder of shared memory.
TEST(SharedRegion, IsNoPipe) {
  const std::string name = "effdet_test_pipe_" + std::to_string(::getpid()), path = "/dev/shm/" + name;
  if (::mkfifo(path.c_str(), 0600) != 0) GTEST_SKIP() << "no folder of shared memory here";
  EXPECT_EQ(refusal_of_region(name), "400 shared memory '" + name + "': it is none");
  ::unlink(path.c_str());
}

TEST(SharedRegion, TellsThatItCannotBeAskedForItsSize) {
  const SharedObject object(4096);
  const SharedRegion region(object.key(), 0, 4096);
  region.check_whole();
  test::with_refused(test::refused_fstat(EIO), [&] { EXPECT_THROW(region.check_whole(), HttpError); });
}

}  // namespace
}  // namespace effdet::server
