// What the tests of this layer share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "effdet/error.h"

namespace effdet::eval {

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(EFFDET_SOURCE_DIR) / "testdata/eval" / name;
}

inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("EFFDET_SHARED");
  return folder != nullptr ? folder : EFFDET_SOURCE_DIR "/../shared";
}

inline nlohmann::json load_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

/// The message of the Error(kBadInput) that action throws; fails the test where it throws none or it has several lines.
template <typename Action>
std::string bad_input_message(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

/// FNV-1a of the bytes of values, as 16 digits: the scripts in testdata/ write it for what is too long for a file.
template <typename Value>
std::string fnv1a(const std::vector<Value>& values) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const std::byte byte : std::as_bytes(std::span(values)))
    hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001B3;
  return fmt::format("{:016x}", hash);
}

/// Floats in [0, 1) with 24 bits from seed and place: noise() of testdata/make_eval_golden.py.
inline std::vector<float> noise(uint32_t seed, size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    auto x = static_cast<uint32_t>(i * 2654435761U + seed * 40503U);
    x = (x ^ x >> 16) * 0x85EBCA6BU;
    x = (x ^ x >> 13) * 0xC2B2AE35U;
    x ^= x >> 16;
    values[i] = static_cast<float>(x >> 8) / 16777216.0f;
  }
  return values;
}

}  // namespace effdet::eval
