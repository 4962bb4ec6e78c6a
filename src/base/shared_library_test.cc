// Loaded libraries and functions, and the errors for those that are missing.
#include "base/shared_library.h"

#include <gtest/gtest.h>

#include <filesystem>
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

/// As modules have one: a function of this program, which is no module.
struct Table {
  int version;
};
extern "C" __attribute__((visibility("default"))) const Table* effdet_test_table() {
  static const Table table{7};
  return &table;
}

TEST(Module, FunctionsOfLibrariesWhereTheLoaderLooks) {
  std::string reason;
  void* found = module_function(nullptr, "libm.so.6", "sqrt", reason);
  ASSERT_NE(found, nullptr) << reason;
  EXPECT_EQ(reinterpret_cast<double (*)(double)>(found)(16.0), 4.0);
  EXPECT_EQ(module_function(nullptr, "libm.so.6", "effdet_nothing", reason), nullptr);
  EXPECT_EQ(reason, "libm.so.6 has no effdet_nothing");
  EXPECT_EQ(module_function(nullptr, "libeffdet_nowhere.so", "effdet_nothing", reason), nullptr);
  EXPECT_NE(reason.find("libeffdet_nowhere.so"), std::string::npos) << reason;
}

TEST(Module, OneThatLiesBesideTheProgramAndIsNone) {
  // The program itself lies there: no module, since a program cannot be loaded.
  std::string reason;
  const std::string name = std::filesystem::read_symlink("/proc/self/exe").filename();
  EXPECT_EQ(module_function(reinterpret_cast<const void*>(&effdet_test_table), name.c_str(), "main", reason), nullptr);
  EXPECT_NE(reason.find(name), std::string::npos) << reason;
  try {
    module_table<Table>(reinterpret_cast<const void*>(&effdet_test_table), name.c_str(), "effdet_test_table", 7,
                        "Tests need it");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_TRUE(std::string(error.what()).starts_with("Tests need it: ")) << error.what();
  }
}

}  // namespace
}  // namespace effdet::inline base
