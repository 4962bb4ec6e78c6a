// What the machine computes with, by name.
#pragma once

#include <string>

namespace effdet::cli {

/// The processor's name as the system has it, "unknown processor" where it does not tell.
std::string processor_name();

}  // namespace effdet::cli
