// Helpers of this layer's tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/sanitizer.h"
#include "effdet/error.h"
#include "support/error_of.h"
#include "vision/decode.h"
#include "vision/sha256_test_util.h"

namespace effdet::vision {

using test::error_of;

inline std::filesystem::path images_folder() {
  return std::filesystem::path(EFFDET_SOURCE_DIR) / "testdata" / "images";
}

inline std::string sample(const std::string& name) { return read_file(images_folder() / name); }

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Why a file called x is not read.
inline std::string refusal(const std::string& file) {
  return error_of([&] { decode_image(bytes_of(file), "x"); }).what();
}

/// A line of testdata/images/expected.txt.
struct Expected {
  std::string what, file;
  int width = 0, height = 0;
  std::string sha256;
};

inline std::vector<Expected> expected_lines() {
  std::ifstream file(images_folder() / "expected.txt");
  std::vector<Expected> lines;
  for (Expected line; file >> line.what >> line.file >> line.width >> line.height >> line.sha256;)
    lines.push_back(line);
  return lines;
}

/// By how many MiB the memory of a process grows at most while it does something; 0 with sanitizers, whose own memory
/// would be counted. A process of its own does it, so that nothing before it counts.
inline int64_t peak_growth(const std::function<void()>& action) {
  if constexpr (kSanitized) return 0;
  std::ifstream pages("/proc/self/statm");
  int64_t total = 0, resident = 0;
  pages >> total >> resident;
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      action();
    } catch (...) {
      std::_Exit(1);
    }
    std::_Exit(0);
  }
  int status = 0;
  rusage usage{};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0) << "of the process";
  return (usage.ru_maxrss - resident * ::sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

}  // namespace effdet::vision
