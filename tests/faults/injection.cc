// Tells fault_shim.cc by the environment which call is to fail, and counts calls.
#include "faults/injection.h"

#include <cmath>
#include <fstream>

namespace effdet::faults {

std::string text_of(const Fault& fault) {
  return std::string(fault.call) + " " + std::to_string(fault.number) + (fault.every ? " and later" : "") + " does " +
         fault.deed;
}

Start with_fault(Start start, const Fault& fault) {
  start.environment = {{"LD_PRELOAD", EFFDET_FAULT_SHIM},
                       {"FAULT_CALL", fault.call},
                       {"FAULT_DEED", fault.deed},
                       {"FAULT_FILE", fault.file},
                       {"FAULT_NUMBER", std::to_string(fault.number)},
                       {"FAULT_EVERY", fault.every ? "1" : ""},
                       {"EFFDET_NUM_THREADS", "2"}};
  return start;
}

long count_calls(const Command& command, const char* call) {
  const Workplace place;
  Start start = with_fault(place.start(command), {call, "0"});
  const std::string file = (place.folder() / "count").string();
  start.environment["FAULT_COUNT_FILE"] = file;
  expect_same(command, place, run(start), std::string("counting ") + call);
  long count = 0;
  std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(&count), sizeof count);
  return count;
}

std::set<long> spread(long count, int most) {
  std::set<long> numbers;
  for (int i = 0; i < most && count > 0; ++i)
    numbers.insert(count <= most ? std::min<long>(i + 1, count)
                                 : std::lround(std::pow(static_cast<double>(count), i / (most - 1.0))));
  return numbers;
}

}  // namespace effdet::faults
