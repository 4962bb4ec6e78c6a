// Loaded libraries and functions, and the errors for those that are missing.
#include "base/shared_library.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace effdet::inline base {
namespace {

/// The message of the kIo that f throws.
template <typename F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(SharedLibrary, GivesFunctions) {
  const SharedLibrary library("libm.so.6", "libc6");
  EXPECT_EQ(library.function<double(double)>("sqrt")(9.0), 3.0);
}

TEST(SharedLibrary, SaysWhichPackageIsMissing) {
  const std::string message = refusal([] { SharedLibrary("libeffdet_nowhere.so.1", "nowhere1"); });
  EXPECT_TRUE(message.starts_with("libeffdet_nowhere.so.1: cannot be loaded: install the package nowhere1")) << message;
  EXPECT_EQ(message.find('\n'), message.npos);
}

TEST(SharedLibrary, SaysWhichFunctionIsMissing) {
  const SharedLibrary library("libm.so.6", "libc6");
  EXPECT_EQ(refusal([&] { library.function<void()>("effdet_nothing"); }),
            "libm.so.6: has no effdet_nothing: another version is needed");
}

}  // namespace
}  // namespace effdet::inline base
