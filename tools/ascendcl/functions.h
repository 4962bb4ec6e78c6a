// Declares the functions of the interface, so that a definition which differs does not compile.
#pragma once

#include "ascend/abi.h"

namespace effdet::acl {

#define ACL_FUNCTION(result, name, parameters) extern "C" result name parameters;
#include "ascend/functions.inc"
#undef ACL_FUNCTION

}  // namespace effdet::acl
