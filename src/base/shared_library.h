// Libraries that are loaded when they are first needed.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace effdet::inline base {

/// libcurl brings 27 other libraries, whose loading takes longer than a small network's inference: a process that
/// fetches nothing shall not wait for them. A loaded library stays until the process ends.
class SharedLibrary {
 public:
  /// Loads a file by its name for the dynamic linker ("libcurl.so.4"). Throws Error(kIo) where it cannot be
  /// loaded; the package that has it is in the message.
  SharedLibrary(const char* file, const char* package);

  /// A function by its name: `library.function<decltype(curl_easy_init)>("curl_easy_init")`, for a type and a name that
  /// agree. Throws Error(kIo) where the library has none.
  template <typename Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;

  std::string file_;
  void* handle_;
};

/// A function of a module of ours, a library that lies beside the library or program whose code `self` is, in lib/
/// beside the folder of programs, or where the loader looks. nullptr where there is none that loads: reason says why.
void* module_function(const void* self, const char* file, const char* name, std::string& reason);

/// The table that the module's function `entry` returns, and whose member `version` is to be the version. self: code of
/// the caller's own library, as above. Throws Error(kUnsupported), which begins with what the caller needs.
template <typename Table>
const Table& module_table(const void* self, const char* file, const char* entry, int version, std::string_view needs) {
  std::string reason;
  const auto function = reinterpret_cast<const Table* (*)()>(module_function(self, file, entry, reason));
  const Table* table = function != nullptr ? function() : nullptr;
  if (table != nullptr && table->version == version) return *table;
  if (table != nullptr) reason = "it is of another version of this library";
  fail(ErrorCode::kUnsupported, "{}: {}", needs, reason);
}

}  // namespace effdet::inline base
