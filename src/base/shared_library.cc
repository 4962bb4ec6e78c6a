// Loads a library by name, and says which package has it where it is missing.
#include "base/shared_library.h"

#include <dlfcn.h>

#include "base/error.h"

namespace effdet::inline base {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_(file), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr)
    fail(ErrorCode::kIo, "{}: cannot be loaded: install the package {} ({})", file, package, ::dlerror());
}

void* SharedLibrary::symbol(const char* name) const {
  void* address = ::dlsym(handle_, name);
  if (address == nullptr) fail(ErrorCode::kIo, "{}: has no {}: another version is needed", file_, name);
  return address;
}

}  // namespace effdet::inline base
