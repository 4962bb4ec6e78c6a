// Tells fault_shim.cc by the environment which call is to fail, and counts calls.
#include "faults/injection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include "faults/expectations.h"

namespace effdet::faults {

std::string text_of(const Fault& fault) {
  return std::string(fault.call) + " " + std::to_string(fault.number) + (fault.every ? " and later" : "") + " does " +
         fault.deed;
}

Start with_fault(Start start, const Fault& fault) {
  const char* preloaded = std::getenv("LD_PRELOAD");  // scripts/coverage.sh has a library of its own
  start.environment = {{"LD_PRELOAD", EFFDET_FAULT_SHIM + (preloaded != nullptr ? ":" + std::string(preloaded) : "")},
                       {"FAULT_CALL", fault.call},
                       {"FAULT_DEED", fault.deed},
                       {"FAULT_FILE", fault.file},
                       {"FAULT_NUMBER", std::to_string(fault.number)},
                       {"FAULT_EVERY", fault.every ? "1" : ""},
                       {"EFFDET_NUM_THREADS", "2"}};
  return start;
}

namespace {

constexpr std::array kCalls = {"",       "malloc", "open",   "read",   "write",   "fsync", "close",
                               "rename", "mmap",   "thread", "accept", "receive", "send"};

}  // namespace

CallCounts::CallCounts(const std::filesystem::path& file) : counts_(kCalls.size()) {
  std::ifstream(file, std::ios::binary)
      .read(reinterpret_cast<char*>(counts_.data()), static_cast<std::streamsize>(counts_.size() * sizeof(long)));
}

long CallCounts::of(const std::string& call) const {
  return counts_.empty() ? 0 : counts_.at(std::ranges::find(kCalls, call) - kCalls.begin());
}

long count_calls(const Command& command, const std::string& call) {
  static std::map<std::string, CallCounts> known;
  if (!known.contains(command.name)) {
    const Workplace place;
    Start start = with_fault(place.start(command), {"", "0"});
    const std::string file = (place.folder() / "count").string();
    start.environment["FAULT_COUNT_FILE"] = file;
    expect_same(command, place, run(start), "counting calls");
    known[command.name] = CallCounts(file);
  }
  return known[command.name].of(call);
}

int many() {
  const char* given = std::getenv("EFFDET_FAULTS_MANY");
  return given == nullptr ? 1 : std::max(1, std::atoi(given));
}

int share(const Command& command, int usual) { return std::max(1, many() * usual / command.traits.part); }

std::set<long> spread(long count, int most) {
  std::set<long> numbers;
  for (int i = 0; i < most && count > 0; ++i) {
    const double part = most == 1 ? 0.5 : i / (most - 1.0);
    numbers.insert(count <= most ? std::min<long>(i + 1, count)
                                 : std::lround(std::pow(static_cast<double>(count), part)));
  }
  return numbers;
}

}  // namespace effdet::faults
