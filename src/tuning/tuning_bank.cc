// Reads and writes the file of measured choices of this processor.
#include "tuning/tuning_bank.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/user_folders.h"

namespace effdet::tuning {
namespace {

// Raised with every change of kernels that makes old measurements wrong.
constexpr int kVersion = 1;
constexpr uint64_t kMostBytes = 16 << 20;

}  // namespace

TuningBank::TuningBank(const std::filesystem::path& folder, std::string_view hardware, int threads)
    : path_(folder / fmt::format("{}_{}-threads_v{}.json", hardware, threads, kVersion)) {
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
