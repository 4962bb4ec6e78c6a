// Whether the library is initialised.
#pragma once

namespace effdet::acl {

bool is_initialized();
/// Throws Failure(kGeExecNotInit) before aclInit and after aclFinalize: what has to do with models needs it.
void require_initialized();

}  // namespace effdet::acl
