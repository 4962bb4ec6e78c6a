// Profiles and dumps are of hardware: the calls are accepted, and nothing is written.
#include "handles.h"
#include "kernels/ascend/functions.h"
#include "library.h"

namespace effdet::acl {
namespace {

struct ProfilerConfig {};

Handles<ProfilerConfig>& profiler_configs() {
  static auto& kept = *new Handles<ProfilerConfig>(10, "profiler configuration", kInvalidParam);
  return kept;
}

aclError check_dump(const char* function) {
  return answer(function, [] { require(is_initialized(), kUninitialize, "aclInit was not called"); });
}

}  // namespace

ACL_EXPORT aclError aclprofInit(const char* folder, size_t length) {
  return answer("aclprofInit", [&] {
    need(folder, "profilerResultPath");
    require(length > 0, kInvalidParam, "length is 0");
  });
}
ACL_EXPORT aclError aclprofFinalize() { return kSuccess; }
ACL_EXPORT aclError aclprofStart(const aclprofConfig* config) {
  return answer("aclprofStart", [&] { profiler_configs().get(config); });
}
ACL_EXPORT aclError aclprofStop(const aclprofConfig* config) {
  return answer("aclprofStop", [&] { profiler_configs().get(config); });
}
ACL_EXPORT aclError aclprofSetConfig(aclprofConfigType /*type*/, const char* value, size_t /*length*/) {
  return answer("aclprofSetConfig", [&] { need(value, "config"); });
}
ACL_EXPORT aclprofConfig* aclprofCreateConfig(uint32_t* devices, uint32_t count, aclprofAicoreMetrics /*metrics*/,
                                              const aclprofAicoreEvents* /*events*/, uint64_t /*types*/) {
  return answer_or<aclprofConfig*>("aclprofCreateConfig", nullptr, [&] {
    if (count > 0) need(devices, "deviceIdList");
    return static_cast<aclprofConfig*>(profiler_configs().add(std::make_shared<ProfilerConfig>()));
  });
}
ACL_EXPORT aclError aclprofDestroyConfig(const aclprofConfig* config) {
  return answer("aclprofDestroyConfig", [&] { profiler_configs().remove(config); });
}

ACL_EXPORT aclError aclmdlInitDump() { return check_dump("aclmdlInitDump"); }
ACL_EXPORT aclError aclmdlSetDump(const char* /*config*/) { return check_dump("aclmdlSetDump"); }
ACL_EXPORT aclError aclmdlFinalizeDump() { return check_dump("aclmdlFinalizeDump"); }

}  // namespace effdet::acl
