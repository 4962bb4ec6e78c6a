// Chosen calls to the C library that fail, or at which something happens (fault_shim.cc).
#pragma once

#include <set>
#include <string>

#include "faults/commands.h"

namespace effdet::faults {

struct Fault {
  const char* call;
  std::string deed;  ///< as FAULT_DEED takes it
  long number = 0;
  bool every = false;
  std::string file = {};  ///< as FAULT_FILE takes it
};

/// For messages.
std::string text_of(const Fault& fault);

Start with_fault(Start start, const Fault& fault);

/// How many such calls a command makes.
long count_calls(const Command& command, const char* call);

/// 1 to count where these are few, else a geometric choice that has the first and the last.
std::set<long> spread(long count, int most);

}  // namespace effdet::faults
