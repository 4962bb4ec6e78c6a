// The devices that the library plays.
#pragma once

namespace effdet::acl {

/// Throws Failure(kRtInvalidDeviceid) for a device that does not exist.
void require_device(int device);

}  // namespace effdet::acl
