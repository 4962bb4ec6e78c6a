// Checked arithmetic, files, their names in errors, folders of users, memory budgets and threads.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/name_source.h"
#include "base/sanitizer.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "base/user_folders.h"
#include "effdet/error.h"
#include "support/child.h"
#include "support/test_folder.h"

namespace effdet::inline base {
namespace {

namespace fs = std::filesystem;

TEST(NameSource, NamesTheFileUnlessTheMessageDoes) {
  const fs::path others[] = {"t", "photos/", ""};
  const auto said = [&](const std::string& message, ErrorCode code = ErrorCode::kBadInput) -> std::string {
    try {
      name_source(
          "m", [&] { throw Error(code, message); }, others);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(said("node 'a'"), "m: node 'a'");
  EXPECT_EQ(said("m: node 'a'"), "m: node 'a'");
  EXPECT_EQ(said("t/1.jpg: cut"), "t/1.jpg: cut");
  EXPECT_EQ(said("photos/1.jpg: cut"), "photos/1.jpg: cut");
  EXPECT_EQ(said("the map 'x'"), "m: the map 'x'") << "is not of the folder t";
  EXPECT_EQ(said("missing node"), "m: missing node") << "nor of the file m";
  EXPECT_EQ(said("--keep 2", ErrorCode::kUsage), "--keep 2") << "is no fault of the file";
}

TEST(Checked, NeverWraps) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_FALSE(checked_mul(kMax, 2));
  EXPECT_EQ(*checked_mul(1u << 20, 1u << 20), uint64_t{1} << 40);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(fits(kMax, 2, 100));
  EXPECT_FALSE(fits(99, 2, 100));
  EXPECT_TRUE(fits(98, 2, 100));
  EXPECT_EQ(*checked_numel(Shape{2, 0, 5}), 0u);
  EXPECT_EQ(*checked_numel(Shape{}), 1u);
  EXPECT_FALSE(checked_numel(Shape{-1}));
  EXPECT_FALSE(checked_numel(Shape{4194305, 4194305, 211106198978564}));
}

class Files : public testing::Test {
 protected:
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {})); }
  const test::TestFolder folder_{"base"};
};

TEST_F(Files, WriteThenRead) {
  const std::string text(200000, 'x');
  write_file(folder_ / "a", text);
  EXPECT_EQ(read_file(folder_ / "a"), text);
  EXPECT_THROW(read_file(folder_ / "a", 1000), Error);
  const MappedFile mapped(folder_ / "a");
  EXPECT_EQ(mapped.size(), text.size());
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, WithoutCommitTheOldFileStays) {
  write_file(folder_ / "a", std::string_view("old"));
  {
    AtomicFile file(folder_ / "a");
    file.write(std::string_view("new"));
  }
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, WhatIsNoRegularFileIsRefused) {
  EXPECT_THROW(MappedFile{folder_.path()}, Error);
  EXPECT_THROW(read_file(folder_ / "missing"), Error);
  EXPECT_THROW(AtomicFile{folder_.path()}, Error);
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(MappedFile{folder_ / "fifo"}, Error);
}

TEST_F(Files, PagesOfAMappingThatAreGivenBackAreReadAgain) {
  std::string content(300'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  write_file(folder_ / "large", content);
  const auto text = [](const MappedFile& file) {
    return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  };
  const MappedFile large(folder_ / "large");
  for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 300'000}, {5000, 9000}, {1, 2}, {100'000, 200'000}}) {
    large.release(begin, end);
    EXPECT_TRUE(text(large) == content) << begin;
  }
  write_file(folder_ / "small", std::string_view("abc"));
  const MappedFile small(folder_ / "small");  // which is no mapping
  small.release(0, 3);
  EXPECT_EQ(text(small), "abc");
  const MappedFile given(std::as_bytes(std::span(content).first(10)), "given");
  EXPECT_EQ(text(given), content.substr(0, 10));
  EXPECT_EQ(given.path(), "given");
}

TEST_F(Files, FullDeviceIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  fs::create_symlink("/dev/full", folder_ / "full");
  EXPECT_THROW(make_folder(folder_ / "full"), Error);
}

/// Files by path and content below a folder that stands for /sys/fs/cgroup.
uint64_t limit_with(const std::string& membership, const std::map<std::string, std::string>& files) {
  const test::TestFolder folder("groups");
  for (const auto& [path, content] : files) {
    fs::create_directories((folder / path).parent_path());
    write_file(folder / path, content, false);
  }
  return control_group_limit(membership, folder.path());
}

TEST(Tensor, OnlyWhoAllocatedBytesWritesThem) {
  Tensor own(DType::kI32, {2});
  EXPECT_EQ(own.mutable_bytes().size(), 8u);
  own.reshaped({2, 1}).mutable_data<int32_t>()[1] = 7;
  EXPECT_EQ(own.data<int32_t>()[1], 7);
  Tensor view(DType::kI32, {2}, std::shared_ptr<const std::byte>(std::shared_ptr<void>(), own.bytes().data()));
  EXPECT_THROW(view.mutable_bytes(), Error);
  EXPECT_THROW(view.mutable_data<int32_t>(), Error);
  EXPECT_TRUE(Tensor(DType::kI32, {0}).mutable_bytes().empty());
}

TEST(Memory, TheLeastLimitOfAllControlGroupsAroundTheProcess) {
  EXPECT_EQ(limit_with("0::/\n", {{"memory.max", "1048576\n"}}), 1048576u);
  EXPECT_EQ(limit_with("0::/\n", {{"memory.max", "max\n"}}), UINT64_MAX);
  EXPECT_EQ(limit_with("0::/a/b\n", {{"a/memory.max", "5000\n"}, {"a/b/memory.max", "max\n"}}), 5000u);
  EXPECT_EQ(limit_with("0::/a/b\n", {{"a/memory.max", "5000\n"}, {"a/b/memory.max", "4000\n"}}), 4000u);
  EXPECT_EQ(limit_with("0::/a\n", {{"b/memory.max", "7\n"}}), UINT64_MAX);
  // Version 1, as the host sees it and as a container does, beside an empty version 2.
  const std::string both = "9:pids:/job\n4:memory:/docker/x\n0::/\n";
  EXPECT_EQ(limit_with(both, {{"memory/docker/x/memory.limit_in_bytes", "300\n"}}), 300u);
  EXPECT_EQ(limit_with(both, {{"memory/memory.limit_in_bytes", "200\n"}}), 200u);
  EXPECT_EQ(limit_with("3:cpu,memory:/x\n", {{"memory/x/memory.limit_in_bytes", "100\n"}}), 100u);
  EXPECT_EQ(limit_with("", {}), UINT64_MAX);
  EXPECT_EQ(limit_with("nonsense\n:\n0:", {}), UINT64_MAX);
}

TEST(Memory, BudgetsCountTensorsThatAreAlive) {
  const MemoryBudget outer(1 << 20);
  Tensor kept;
  {
    const MemoryBudget inner(1 << 16);
    kept = Tensor(DType::kF32, {1 << 13});
    EXPECT_THROW(Tensor(DType::kF32, {1 << 14}), Error);
    for (int i = 0; i < 100; ++i) Tensor(DType::kF32, {1 << 12});  // each gives back what it took
    EXPECT_GE(inner.used(), size_t{1} << 15);
    EXPECT_LT(inner.peak(), size_t{1} << 16);
  }
  EXPECT_GE(outer.used(), size_t{1} << 15);
  EXPECT_EQ(MemoryBudget::left(), (1 << 20) - outer.used());
  const Tensor copy = std::exchange(kept, Tensor());
  EXPECT_GE(outer.used(), size_t{1} << 15);  // copies share the bytes
}

TEST(Memory, ABudgetOutlivedByItsTensors) {
  Tensor tensor;
  {
    const MemoryBudget budget(1 << 20);
    tensor = Tensor(DType::kF32, {16});
  }
  EXPECT_EQ(MemoryBudget::left(), UINT64_MAX);
  tensor = Tensor();
}

TEST(Memory, MoreThanThereIsIsAnError) {
  EXPECT_GT(memory_left(), uint64_t{1} << 20);
  EXPECT_GT(memory_used(), uint64_t{1} << 18);
  const auto too_much = static_cast<int64_t>(memory_left() / 2);
  if (too_much > int64_t{1} << 43) GTEST_SKIP() << "nothing limits memory here";
  EXPECT_THROW(Tensor(DType::kF64, {too_much}), Error);
  EXPECT_THROW(allocate(static_cast<size_t>(too_much) * 4, "test"), Error);
}

TEST(Memory, OfTheProcessHasTheLimitsOfItsResources) {
  if constexpr (kSanitized) GTEST_SKIP() << "a sanitizer's own memory is beyond any limit";
  const int state = test::state_of_child([] {
    const rlimit limit{uint64_t{1} << 30, uint64_t{1} << 30};
    const bool is_set = ::setrlimit(RLIMIT_DATA, &limit) == 0;
    return is_set && memory_left() <= uint64_t{1} << 30 ? 0 : 1;
  });
  EXPECT_EQ(state, 0);
}

TEST(ThreadPool, EveryIndexOnceAndErrorsComeBack) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> hits(1000);
    for (int round = 0; round < 50; ++round)
      pool.parallel_for(1000, [&](int64_t i, int) { hits[static_cast<size_t>(i)]++; });
    for (const auto& hit : hits) EXPECT_EQ(hit, 50);
    EXPECT_THROW(pool.parallel_for(100,
                                   [](int64_t i, int) {
                                     if (i == 7) throw std::runtime_error("seven");
                                   }),
                 std::runtime_error);
    std::atomic<int> after{0};
    pool.parallel_for(10, [&](int64_t, int) { ++after; });
    EXPECT_EQ(after, 10);
  }
}

TEST(UserFolders, CacheFollowsTheEnvironment) {
  const auto folder = [](const char* cache, const char* home) {
    ::setenv("XDG_CACHE_HOME", cache, 1);
    ::setenv("HOME", home, 1);
    return user_cache_folder().string();
  };
  const char* before = std::getenv("HOME");
  const std::string home = before == nullptr ? "" : before;
  EXPECT_EQ(folder("/cache", "/home/me"), "/cache/effdet");
  EXPECT_EQ(folder("", "/home/me"), "/home/me/.cache/effdet");
  EXPECT_EQ(folder("relative", "/home/me"), "/home/me/.cache/effdet");  // as the standard wants it
  EXPECT_EQ(folder("", ""), "");
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", home.c_str(), 1);
}

TEST(ThreadPool, EnvironmentSetsTheDefault) {
  ::setenv("EFFDET_NUM_THREADS", "3", 1);
  EXPECT_EQ(default_thread_count(), 3);
  for (const char* wrong : {"many", "", "0", "-1", "1025", "3x", "99999999999"}) {
    ::setenv("EFFDET_NUM_THREADS", wrong, 1);
    EXPECT_THROW(default_thread_count(), Error) << wrong;
  }
  ::unsetenv("EFFDET_NUM_THREADS");
  EXPECT_GE(default_thread_count(), 1);
}

}  // namespace
}  // namespace effdet::inline base
