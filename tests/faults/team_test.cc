// Processes of one mpirun, or of what looks so, of which one is lost.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "faults/commands.h"
#include "faults/expectations.h"

namespace effdet::faults {
namespace {

constexpr const char* kTeams[] = {"validate", "detect"};

/// The process with that rank of two that share the command's images out.
Start rank(const Command& command, const Workplace& place, int number, const std::vector<std::string>& flags = {}) {
  Start start = place.start(command);
  if (flags.empty() || flags[0] != "--lost-after")
    start.arguments.insert(start.arguments.end(), {"--lost-after", "0.5"});
  start.arguments.insert(start.arguments.end(), flags.begin(), flags.end());
  start.environment = {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", std::to_string(number)}};
  return start;
}

void kill_one_of_two(const Command& command, std::chrono::milliseconds after) {
  const Workplace place;
  Process first(rank(command, place, 0));
  Process second(rank(command, place, 1));
  std::this_thread::sleep_for(after);
  second.send(SIGKILL);
  second.wait();
  const Outcome alone = first.wait();  // it does not hang
  if (alone.code == 0) return expect_same(command, place, alone, "killed when it was done");
  EXPECT_EQ(alone.code, 4) << alone.error;
  EXPECT_NE(alone.error.find("rank 1 of 2 was lost: "), std::string::npos) << alone.error;
  Process again(rank(command, place, 1, {"--resume"}));
  const Outcome joined = run(rank(command, place, 0, {"--resume"}));
  EXPECT_EQ(again.wait().code, 0);
  expect_same(command, place, joined, "resumed");
}

TEST(Team, Case08_OneOfTwoIsKilledAtAnyTime) {
  std::mt19937 generator(3);
  std::uniform_int_distribution<int> milliseconds(0, 120);
  for (const char* name : kTeams)
    for (int i = 0; i < 4; ++i) kill_one_of_two(command(name), std::chrono::milliseconds(milliseconds(generator)));
}

TEST(Team, Case08_WhatIsLostIsNamedAndNothingIsWritten) {
  for (const char* name : kTeams) {
    const Workplace place;
    const Outcome alone = run(rank(command(name), place, 0));  // nobody else was ever there
    EXPECT_EQ(alone.code, 4) << alone.error;
    EXPECT_NE(alone.error.find("rank 1 of 2 was lost: 1 of 2 shards missing: 1/2"), std::string::npos) << alone.error;
    EXPECT_FALSE(place.outputs().contains("v.json") || place.outputs().contains("detections.json"));
  }
}

TEST(Team, Case09_TheFirstIsTerminatedWhileItWaits) {
  for (const char* name : kTeams) {
    const Workplace place;
    Process first(rank(command(name), place, 0, {"--lost-after", "60"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    first.send(SIGTERM);
    const Outcome stopped = first.wait();
    EXPECT_EQ(stopped.code, 128 + SIGTERM) << stopped.error;
    Process second(rank(command(name), place, 1, {"--resume"}));
    expect_same(command(name), place, run(rank(command(name), place, 0, {"--resume"})), "resumed");
    EXPECT_EQ(second.wait().code, 0);
  }
}

TEST(Team, Case12_AnImageOfAnotherRankCannotBeUsed) {
  for (const char* name : kTeams) {
    const Workplace place;
    std::filesystem::resize_file(place.own_input("data/val2017/000000000003.jpg"), 100);
    Process first(rank(command(name), place, 0));
    Process second(rank(command(name), place, 1));
    EXPECT_EQ(second.wait().code, 0);  // mpirun would end the first one
    const Outcome joined = first.wait();
    EXPECT_EQ(joined.code, 3);
    EXPECT_NE(joined.error.find("1 of 3 images could not be used"), std::string::npos) << joined.error;
  }
}

}  // namespace
}  // namespace effdet::faults
