// Declares the functions of the interface, so that a definition which differs does not compile.
#pragma once

#include "kernels/ascend/abi.h"

namespace effdet::kernels::ascend::acl {

#define ACL_FUNCTION(result, name, parameters) extern "C" result name parameters;
#include "kernels/ascend/functions.inc"
#undef ACL_FUNCTION

}  // namespace effdet::kernels::ascend::acl
