// A locale with a decimal comma, made for a test: machines rarely have one installed.
#pragma once

#include <clocale>
#include <cstdlib>
#include <locale>
#include <stdexcept>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "support/test_folder.h"

namespace effdet::test {

/// LOCPATH, where the C library and the programs that a test starts look for locales, points to it from now on.
class GermanLocale {
 public:
  /// By localedef (Debian's libc-bin) from the sources in the package locales. charmap: "UTF-8" takes a second,
  /// "ISO-8859-1" a quarter.
  explicit GermanLocale(const std::string& charmap) : name_("de_DE." + charmap) {
    const std::string line = "localedef -i de_DE -f " + charmap + " '" + (folder_ / name_).string() + "' 2>/dev/null";
    is_made_ = std::system(line.c_str()) == 0;
    if (is_made_) ::setenv("LOCPATH", folder_.path().c_str(), 1);
  }
  ~GermanLocale() {
    std::locale::global(std::locale::classic());
    if (is_made_) ::unsetenv("LOCPATH");
  }
  GermanLocale(const GermanLocale&) = delete;
  GermanLocale& operator=(const GermanLocale&) = delete;

  /// False: skip the test, with kMissing.
  bool is_made() const { return is_made_; }
  static constexpr const char* kMissing = "localedef cannot make the locale de_DE: install the package locales";

  const std::string& name() const { return name_; }

  /// Makes it the process's, for C and C++, as a program of the library's user may.
  void use() const {
#if defined(__SANITIZE_ADDRESS__)
    const __lsan::ScopedDisabler glibcs;  // newlocale() of glibc 2.36 does not free its copy of LOCPATH
#endif
    std::locale::global(std::locale(name_));
  }

 private:
  const TestFolder folder_{"locale"};
  std::string name_;
  bool is_made_ = false;
};

}  // namespace effdet::test
