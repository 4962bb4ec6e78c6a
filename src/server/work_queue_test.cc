// The order of a queue, and what it refuses.
#include "server/work_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <span>
#include <string>

namespace effdet::server {
namespace {

/// Writes its name where it runs, and in brackets where it is displaced.
struct NamedJob : Job {
  NamedJob(std::string name, std::string& log) : name(std::move(name)), log(log) {}
  void run(size_t) override { log += name; }
  void fail() override { log += "!" + name; }
  void displace() override { log += "(" + name + ")"; }
  std::string name;
  std::string& log;
};

/// Holds a stream until it is let go.
struct BlockingJob : Job {
  void run(size_t) override {
    began.set_value();
    go.get_future().wait();
  }
  void fail() override {}
  std::promise<void> began, go;
};

/// A queue of one stream, which is busy.
struct BusyQueue {
  explicit BusyQueue(WorkQueue::Limits limits) : queue(1, limits) {
    EXPECT_TRUE(queue.submit(blocker));
    blocker->began.get_future().wait();
  }
  bool submit(const std::string& name, JobPlace place = {}) {
    jobs.push_back(std::make_shared<NamedJob>(name, log));
    return queue.submit(jobs.back(), place);
  }
  std::string finish() {
    blocker->go.set_value();
    queue.finish();
    return log;
  }

  std::string log;
  std::vector<std::shared_ptr<NamedJob>> jobs;
  std::shared_ptr<BlockingJob> blocker = std::make_shared<BlockingJob>();
  WorkQueue queue;
};

/// As one whose run finds no memory.
struct ThrowingJob : NamedJob {
  using NamedJob::NamedJob;
  void run(size_t) override { throw std::bad_alloc(); }
};

TEST(WorkQueue, GoesOnAfterAJobThatThrew) {
  BusyQueue busy({.jobs = 10});
  EXPECT_TRUE(busy.queue.submit(std::make_shared<ThrowingJob>("a", busy.log)));
  EXPECT_TRUE(busy.submit("b"));
  EXPECT_EQ(busy.finish(), "!ab");
}

TEST(WorkQueue, RunsBetterLevelsFirst) {
  BusyQueue busy({.jobs = 10});
  for (const auto& [name, level] : {std::pair("c", 2), {"e", 3}, {"a", 1}, {"d", 2}, {"b", 1}})
    EXPECT_TRUE(busy.submit(name, {.level = static_cast<uint64_t>(level)}));
  EXPECT_EQ(busy.finish(), "abcde");
  EXPECT_FALSE(busy.submit("f"));
}

TEST(WorkQueue, BetterLevelsTakeThePlacesOfTheLast) {
  BusyQueue busy({.jobs = 2});
  EXPECT_TRUE(busy.submit("a", {.level = 2}));
  EXPECT_TRUE(busy.submit("b", {.level = 3}));
  EXPECT_FALSE(busy.submit("c", {.level = 3}));
  EXPECT_TRUE(busy.submit("d", {.level = 1}));
  EXPECT_FALSE(busy.submit("e", {.level = 2}));
  EXPECT_EQ(busy.finish(), "(b)da");
}

TEST(WorkQueue, CountsBytes) {
  BusyQueue busy({.jobs = 10, .bytes = 100});
  EXPECT_FALSE(busy.submit("a", {.bytes = 101}));
  EXPECT_TRUE(busy.submit("b", {.level = 2, .bytes = 60}));
  EXPECT_TRUE(busy.submit("c", {.level = 2, .bytes = 40}));
  EXPECT_FALSE(busy.submit("d", {.level = 2, .bytes = 1}));
  EXPECT_FALSE(busy.submit("e", {.level = 1, .bytes = 101}));
  EXPECT_EQ(busy.queue.waiting_bytes(), 100u);
  EXPECT_TRUE(busy.submit("f", {.level = 1, .bytes = 70}));
  EXPECT_EQ(busy.queue.waiting(), 1u);
  EXPECT_TRUE(busy.queue.cancel(*busy.jobs.back()));
  EXPECT_FALSE(busy.queue.cancel(*busy.jobs.back()));  // it waits no more
  EXPECT_EQ(busy.queue.waiting_bytes(), 0u);
  EXPECT_EQ(busy.finish(), "(c)(b)");
}

TEST(WorkQueue, AJobForAFreeStreamDoesNotWait) {
  std::string log;
  WorkQueue queue(1, {.jobs = 0, .bytes = 0});
  EXPECT_TRUE(queue.submit(std::make_shared<NamedJob>("a", log), {.bytes = 1000}));
  queue.finish();
  EXPECT_EQ(log, "a");
}

/// Writes the names of a batch in brackets.
struct JoiningJob : NamedJob {
  using NamedJob::NamedJob;
  bool joins_batches() const override { return true; }
  void run_with(std::span<const std::shared_ptr<Job>> others, size_t) override {
    log += "[" + name;
    for (const auto& other : others) log += static_cast<NamedJob&>(*other).name;
    log += "]";
  }
};

TEST(WorkQueue, JobsThatJoinRunTogether) {
  std::string log;
  auto blocker = std::make_shared<BlockingJob>();
  WorkQueue queue(1, {.jobs = 10}, {.most = 3, .wait = {}});
  ASSERT_TRUE(queue.submit(blocker));
  blocker->began.get_future().wait();
  for (const char* name : {"a", "b", "C", "d", "e"})
    EXPECT_TRUE(
        queue.submit(*name < 'a' ? std::make_shared<NamedJob>(name, log) : std::make_shared<JoiningJob>(name, log)));
  blocker->go.set_value();
  queue.finish();
  EXPECT_EQ(log, "[abd]Ce");
}

TEST(WorkQueue, AStreamWaitsForTheRestOfABatch) {
  std::string log;
  WorkQueue queue(1, {.jobs = 10}, {.most = 3, .wait = std::chrono::hours(1)});
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_TRUE(queue.submit(std::make_shared<JoiningJob>(name, log)));
  queue.finish();  // which ends the wait for the rest of the second batch
  EXPECT_EQ(log, "[abc]d");
}

}  // namespace
}  // namespace effdet::server
