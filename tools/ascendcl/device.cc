// Devices are counted while they are set; each has a default context in that time.
#include "device.h"

#include <map>
#include <mutex>

#include "context.h"
#include "device_memory.h"
#include "kernels/ascend/functions.h"
#include "settings.h"

namespace effdet::acl {
namespace {

struct Use {
  int count = 0;
  void* context = nullptr;
};
struct Uses {
  std::mutex mutex;
  std::map<int, Use> of_device;
};
Uses& uses() {
  static auto& kept = *new Uses;
  return kept;
}

void reset(int device, bool all) {
  require_device(device);
  const std::lock_guard lock(uses().mutex);
  Use& use = uses().of_device[device];
  if (use.count == 0) return;
  use.count = all ? 0 : use.count - 1;
  if (use.count > 0) return;
  if (contexts().find(use.context) != nullptr) destroy_context(use.context);
  use.context = nullptr;
}

}  // namespace

void require_device(int device) {
  require(device >= 0 && device < settings().devices, kRtInvalidDeviceid,
          "there is no device {}, but {} (EFFDET_ASCEND_DEVICES)", device, settings().devices);
}

ACL_EXPORT aclError aclrtSetDevice(int32_t device) {
  return answer("aclrtSetDevice", [&] {
    require_device(device);
    const std::lock_guard lock(uses().mutex);
    Use& use = uses().of_device[device];
    if (use.count == 0) use.context = add_context(std::make_shared<Context>(device, /*of_device=*/true));
    ++use.count;
    set_current_context(use.context);
  });
}

ACL_EXPORT aclError aclrtResetDevice(int32_t device) {
  return answer("aclrtResetDevice", [&] { reset(device, false); });
}
ACL_EXPORT aclError aclrtResetDeviceForce(int32_t device) {
  return answer("aclrtResetDeviceForce", [&] { reset(device, true); });
}

ACL_EXPORT aclError aclrtGetDevice(int32_t* device) {
  return answer("aclrtGetDevice", [&] { need(device, "deviceId") = current_context()->device(); });
}

ACL_EXPORT aclError aclrtGetPrimaryCtxState(int32_t device, uint32_t* flags, int32_t* active) {
  return answer("aclrtGetPrimaryCtxState", [&] {
    require_device(device);
    if (flags != nullptr) *flags = 0;
    const std::lock_guard lock(uses().mutex);
    need(active, "active") = uses().of_device[device].count > 0 ? 1 : 0;
  });
}

ACL_EXPORT aclError aclrtGetDeviceCount(uint32_t* count) {
  return answer("aclrtGetDeviceCount", [&] { need(count, "count") = static_cast<uint32_t>(settings().devices); });
}

/// Groups of a device's cores: there are none.
ACL_EXPORT aclError aclrtGetGroupCount(uint32_t* count) {
  return answer("aclrtGetGroupCount", [&] { need(count, "count") = 0; });
}

ACL_EXPORT aclError aclrtQueryDeviceStatus(int32_t device, aclrtDeviceStatus* status) {
  return answer("aclrtQueryDeviceStatus", [&] {
    require_device(device);
    need(status, "deviceStatus") = ACL_RT_DEVICE_STATUS_NORMAL;
  });
}

/// As a card in a computer: programs that run on the card itself share its memory.
ACL_EXPORT aclError aclrtGetRunMode(aclrtRunMode* mode) {
  return answer("aclrtGetRunMode", [&] { need(mode, "runMode") = ACL_HOST; });
}

ACL_EXPORT aclError aclrtSynchronizeDeviceWithTimeout(int32_t timeout) {
  return answer("aclrtSynchronizeDevice", [&] {
    const auto limit = timeout_of(timeout);
    const int device = current_context()->device();
    for (const auto& context : contexts().all())
      if (context->device() == device) synchronize_context(*context, limit);
  });
}
ACL_EXPORT aclError aclrtSynchronizeDevice() { return aclrtSynchronizeDeviceWithTimeout(-1); }

ACL_EXPORT aclError aclrtGetMemInfo(aclrtMemAttr /*attribute*/, size_t* free, size_t* total) {
  return answer("aclrtGetMemInfo", [&] {
    const uint64_t all = settings().memory_bytes;
    need(free, "free") = all - DeviceMemory::instance().used_bytes(current_context()->device());
    need(total, "total") = all;
  });
}

// All devices are this processor: each reaches the memory of the others.
ACL_EXPORT aclError aclrtDeviceCanAccessPeer(int32_t* can, int32_t device, int32_t peer) {
  return answer("aclrtDeviceCanAccessPeer", [&] {
    require_device(device);
    require_device(peer);
    require(device != peer, kInvalidParam, "device {} is its own peer", device);
    need(can, "canAccessPeer") = 1;
  });
}
ACL_EXPORT aclError aclrtDeviceEnablePeerAccess(int32_t peer, uint32_t /*flags*/) {
  return answer("aclrtDeviceEnablePeerAccess", [&] { require_device(peer); });
}
ACL_EXPORT aclError aclrtDeviceDisablePeerAccess(int32_t peer) {
  return answer("aclrtDeviceDisablePeerAccess", [&] { require_device(peer); });
}

// Nothing here stops by itself, so that there is nothing to limit.
ACL_EXPORT aclError aclrtSetOpWaitTimeout(uint32_t /*seconds*/) { return kSuccess; }
ACL_EXPORT aclError aclrtSetOpExecuteTimeOut(uint32_t /*seconds*/) { return kSuccess; }

}  // namespace effdet::acl
