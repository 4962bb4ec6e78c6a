// What the environment says of the devices that the library plays.
#pragma once

#include <cstdint>
#include <string>

namespace effdet::acl {

struct Settings {
  int devices = 1;  ///< EFFDET_ASCEND_DEVICES, 1 to 64
  int threads = 1;  ///< EFFDET_ASCEND_THREADS: of each model; by default the processors, shared by the devices
  uint64_t memory_bytes = 0;  ///< EFFDET_ASCEND_MEMORY_MB: of each device; by default what the machine has
  bool debug = false;         ///< EFFDET_ASCEND_DEBUG: host code that touches device memory is caught
  std::string failing;        ///< EFFDET_ASCEND_FAIL: the function that fails, and at which of its calls, from 1
  uint64_t failing_call = 0;
  std::string soc_name;  ///< EFFDET_ASCEND_SOC; by default Ascend310P3
};

/// Read once. Throws Failure(kInvalidParam) that names the variable.
const Settings& settings();

}  // namespace effdet::acl
