// Reads and writes the file of measured choices of this processor.
#include "tuning/tuning_bank.h"

#include <cpuid.h>

#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/user_folders.h"
#include "kernels/cpu/micro_kernels.h"

namespace effdet::tuning {
namespace {

// Raised with every change of kernels that makes old measurements wrong.
constexpr int kVersion = 1;
constexpr uint64_t kMostBytes = 16 << 20;

/// The processor's name for itself, in characters that a file's name may have.
std::string processor_name() {
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; ++i)
    __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  std::string name;
  for (const char c : std::string_view(text.data())) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "unknown" : name;
}

}  // namespace

TuningBank::TuningBank(const std::filesystem::path& folder, int threads)
    : path_(folder / fmt::format("{}_{}_{}-threads_v{}.json", processor_name(), kernels::cpu::micro_kernels().name,
                                 threads, kVersion)) {
  if (std::error_code ignored; !std::filesystem::exists(path_, ignored)) return;
  const auto json = nlohmann::json::parse(read_file(path_, kMostBytes), nullptr, /*allow_exceptions=*/false);
  const auto damaged = [&](std::string_view what) {
    bad_input("{}: {}; delete the file to measure anew", path_.string(), what);
  };
  if (!json.is_object()) damaged("not a JSON object");
  for (const auto& [choice, times] : json.items()) {
    const bool pair = times.is_array() && times.size() == 2 && times[0].is_number() && times[1].is_number();
    if (!pair) damaged(fmt::format("'{}' has not two times", choice.substr(0, 100)));
    layers_[choice] = {times[0].get<double>(), times[1].get<double>()};
  }
}

const Measured* TuningBank::find(const std::string& choice) const {
  const auto found = layers_.find(choice);
  return found != layers_.end() ? &found->second : nullptr;
}

void TuningBank::set(const std::string& choice, Measured measured) {
  const auto rounded = [](double ms) { return std::round(ms * 1e5) / 1e5; };
  layers_[choice] = {rounded(measured.yes), rounded(measured.no)};
}

void TuningBank::save() const {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [choice, measured] : layers_) json[choice] = {measured.yes, measured.no};
  make_folder(path_.parent_path());
  write_file(path_, json.dump(1) + "\n");
}

std::filesystem::path default_tuning_folder() {
  if (const char* bank = std::getenv("TUNE_BANK_PATH"); bank != nullptr && *bank != '\0') return bank;
  if (const auto cache = user_cache_folder(); !cache.empty()) return cache / "tuning";
  fail(ErrorCode::kUsage, "there is no folder for what tuning measures: set TUNE_BANK_PATH");
}

}  // namespace effdet::tuning
