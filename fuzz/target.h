// What is fuzzed: a target takes any bytes, and whatever they are it must end well.
//
// The targets are in the files beside this one, a reader or a pair of implementations each, and in the table of
// layers_targets.cc or programs_targets.cc. libfuzzer.cc lets libFuzzer make the bytes; replay_test.cc takes them from
// the kept corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace effdet::fuzz {

using Bytes = std::span<const std::byte>;

struct Target {
  std::string_view name;  ///< fuzz/corpus/NAME.tar, build/fuzz/bin/NAME_fuzz
  void (*run)(Bytes input);
  /// Changes an input by what it means, where changed bytes alone would hardly be read. Nothing where it has no such
  /// meaning. Null: there is none.
  std::vector<std::byte> (*mutate)(Bytes input, std::mt19937& random) = nullptr;
};

/// Those of this program.
extern const std::span<const Target> kTargets;

/// Reads what is hostile. An Error is a good end where its message is one line and it is no bug's; all else that is
/// thrown leaves, and is a finding. Whether nothing was thrown.
bool read(const std::function<void()>& reader);

/// Ends the program as a finding.
[[noreturn]] void finding(const std::string& what);

inline std::string_view text_of(Bytes input) { return {reinterpret_cast<const char*>(input.data()), input.size()}; }

/// What stands before and after the first line "---": two files.
std::pair<std::string_view, std::string_view> halves_of(Bytes input);

}  // namespace effdet::fuzz
