// What every function of the C interface does: exceptions become codes, and arguments are looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "effdet/effdet_c.h"
#include "effdet/error.h"

namespace effdet::api {

/// Keeps the message for effdet_last_error() and gives the code back.
effdet_status failed(ErrorCode code, const char* message) noexcept;

/// Runs a function's work. No exception leaves it.
template <typename Work>
effdet_status call(Work work) noexcept {
  try {
    work();
    return EFFDET_OK;
  } catch (const Error& error) {
    return failed(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return failed(ErrorCode::kInternal, error.what());
  } catch (...) {
    return failed(ErrorCode::kInternal, "an unknown exception");
  }
}

/// Throws Error(kUsage) for a null pointer.
template <typename T>
T& need(T* pointer, const char* name) {
  if (pointer == nullptr) fail(ErrorCode::kUsage, "{} is NULL", name);
  return *pointer;
}
inline const char* need_text(const char* text, const char* name) { return &need(text, name); }

/// A number of threads, or of streams. Throws Error(kUsage) for one that no machine has.
constexpr int kMostThreads = 1024;
int threads(int given);

/// A struct with its size first as this version has it: members that an older caller does not know keep their defaults.
/// Throws Error(kUsage) where the size is none, Error(kUnsupported) where a newer caller's struct has more.
template <typename Struct>
Struct taken(const Struct* given, void (*init)(Struct*), const char* name) {
  Struct own;
  init(&own);
  if (given == nullptr) return own;
  const size_t size = given->size;
  if (size < sizeof(size_t)) fail(ErrorCode::kUsage, "{}: its size is not set; call its init function first", name);
  if (size > sizeof(Struct))
    fail(ErrorCode::kUnsupported, "{}: {} bytes, of which this version ({}) knows {}; it is older than the program's",
         name, size, effdet_version(), sizeof(Struct));
  std::memcpy(static_cast<void*>(&own), given, size);
  own.size = sizeof(Struct);
  return own;
}

/// A list of the caller's. Throws Error(kUsage) for null pointers where there are some.
template <typename Own, typename Given>
std::vector<Own> list_of(const Given* values, size_t count, const char* name) {
  if (count > 0) need(values, name);
  std::vector<Own> own;
  for (size_t i = 0; i < count; ++i) {
    if constexpr (std::is_pointer_v<Given>) need(values[i], name);
    own.emplace_back(values[i]);
  }
  return own;
}

/// An object that its process alone may use: after fork() the threads behind it are gone.
class OfProcess {
 public:
  OfProcess();
  /// Throws Error(kUsage) in another process. what: "the detector".
  void check(const char* what) const;

 private:
  int process_;
};

}  // namespace effdet::api
