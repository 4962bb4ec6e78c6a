// Memory whose pages go while it is mapped.
#include "server/bus_guard.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace effdet::server {
namespace {

/// A file in memory, mapped; the file may become shorter.
class MappedFile {
 public:
  explicit MappedFile(size_t bytes) : descriptor_(::memfd_create("test", MFD_CLOEXEC)), bytes_(bytes) {
    resize(bytes);
    begin_ = static_cast<std::byte*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0));
  }
  ~MappedFile() {
    ::munmap(begin_, bytes_);
    ::close(descriptor_);
  }
  void resize(size_t bytes) { ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(bytes)), 0); }
  std::span<std::byte> memory() const { return {begin_, bytes_}; }

 private:
  int descriptor_;
  size_t bytes_;
  std::byte* begin_;
};

TEST(BusGuard, PutsZerosWherePagesAreMissing) {
  MappedFile file(1 << 16), other(1 << 16);
  const BusGuard guard(file.memory()), another(other.memory());
  std::memset(file.memory().data(), 7, file.memory().size());
  file.resize(1 << 12);
  EXPECT_FALSE(guard.has_lost());
  EXPECT_EQ(file.memory()[(1 << 15) + 5], std::byte{0});
  EXPECT_TRUE(guard.has_lost());
  EXPECT_EQ(file.memory()[0], std::byte{7});
  std::memset(file.memory().data(), 9, file.memory().size());
  EXPECT_EQ(file.memory().back(), std::byte{9});
  EXPECT_FALSE(another.has_lost());
}

TEST(BusGuardDeathTest, LeavesOtherAccessesToTheEarlierHandler) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto touch_unguarded = [] {
    MappedFile guarded(1 << 12), bare(1 << 12);
    const BusGuard guard(guarded.memory());
    bare.resize(0);
    *reinterpret_cast<volatile char*>(bare.memory().data()) = 1;
  };
  const auto send_signal = [] {
    std::signal(SIGBUS, [](int) { ::_exit(17); });
    MappedFile guarded(1 << 12);
    const BusGuard guard(guarded.memory());
    ::raise(SIGBUS);
  };
  EXPECT_DEATH(touch_unguarded(), "");
  EXPECT_EXIT(send_signal(), testing::ExitedWithCode(17), "");
}

}  // namespace
}  // namespace effdet::server
