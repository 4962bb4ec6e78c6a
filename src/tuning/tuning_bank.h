// What was measured of layers on one device, kept between compilations.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace effdet::tuning {

/// How long a layer takes in each of two ways, in milliseconds.
struct Measured {
  double yes = 0, no = 0;
};

/// One file of a folder: JSON, for one kind of hardware, number of threads and version of this library.
class TuningBank {
 public:
  /// Reads the file where there is one. hardware: as kernels::Device says it. Throws Error(kBadInput) for one that is
  /// damaged.
  TuningBank(const std::filesystem::path& folder, std::string_view hardware, int threads);

  const std::filesystem::path& path() const { return path_; }
  const Measured* find(const std::string& choice) const;
  /// Keeps as many digits as the file does, so that what is decided now is decided by the file too.
  void set(const std::string& choice, Measured measured);
  /// Throws Error(kIo).
  void save() const;

 private:
  std::filesystem::path path_;
  std::map<std::string, Measured> layers_;
};

/// $TUNE_BANK_PATH, as the original has it, else $XDG_CACHE_HOME/effdet/tuning or $HOME/.cache/effdet/tuning. Throws
/// Error(kUsage) where none is set.
std::filesystem::path default_tuning_folder();

}  // namespace effdet::tuning
