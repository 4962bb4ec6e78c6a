// What the commands share: a parser with the common options, and small helpers for reading and printing values.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "effdet/detection.h"
#include "effdet/error.h"
#include "effdet/model_options.h"
#include "number_checks.h"

namespace effdet::cli {

/// The input's size as --img-size gives it; zeros: not given.
struct ImageSize {
  int height = 0, width = 0;
};

/// CLI11's parser with --help, examples below the help, and errors as effdet::Error(kUsage).
///
///   CommandLine line(argc, argv, "Runs a compiled model.", "effdet run d0.om --threads 2");
///   line.add_option("model", path, "the compiled model")->required();
///   line.add_threads(threads);
///   if (!line.read()) return 0;
class CommandLine : public CLI::App {
 public:
  /// examples: command lines, one a line; 1 to 3 of them.
  CommandLine(int argc, char** argv, const std::string& description, const std::string& examples);

  /// Lets "-name=value" stand for "--name=value", as some of the original tools have it. Call before read().
  void accept_single_dash();

  /// Lets an output replace the file that it is made from. Call before read().
  void allow_in_place() { in_place_ = true; }

  /// Leaves values that are empty to the command, which has words of its own for them. Call before read().
  void allow_empty_values() { allows_empty_values_ = true; }

  /// Parses the arguments; '-' and '_' in the names of flags stand for each other. Adds what every command has:
  /// --quiet, --verbose, --log-file and, for a TOML file with flags, --config-file. False: the help was printed and
  /// there is nothing to do. Throws Error(kUsage).
  bool read();

  /// Calls visit with a command's options, as run() states them up to read(), and runs nothing.
  static void describe(int (*run)(int, char**), const std::string& program,
                       const std::function<void(const CommandLine&)>& visit);

  /// The examples below the help.
  const std::string& examples() const { return examples_; }

  /// "effdet atc" or "atc".
  const std::string& program() const { return program_; }

  /// --threads N: 0 for as many as EFFDET_NUM_THREADS or the processor says.
  CLI::Option* add_threads(int& threads);
  /// An option for a file to write. read() passes it to prepare_output(), so that work is not done in vain, and throws
  /// Error(kUsage) where it is the file of another option.
  CLI::Option* add_output(const std::string& flag, std::string& path, const std::string& description);
  /// An option for a folder whose files are replaced. read() throws Error(kUsage) where a file of another option lies
  /// there.
  CLI::Option* add_output_folder(const std::string& flag, std::string& path, const std::string& description);
  /// After read(): throws Error(kUsage) where a file that the command writes is one that an option reads or writes.
  void refuse_lost_file(const std::string& flag, const std::string& path) const;
  /// --json
  CLI::Option* add_json(bool& json);
  /// --img-size H[,W], also "HxW" and "H W". W is H where it is not given.
  CLI::Option* add_image_size(ImageSize& size);
  /// --model/-m, --num-classes, --img-size, --class-names FILE, --use-ema, configuration, anchors: what a checkpoint
  /// does not tell, or what overrules it. read() fills options, class names from the file included; the model's notes
  /// become warnings.
  void add_model_options(ModelOptions& options);
  /// --precision, for commands that run the model
  void add_precision(ModelOptions& options);
  /// --redundant-bias, --act, --head-act, --config. biases: where the first is not given, for the help.
  void add_config_options(ModelOptions& options, std::string_view biases);
  /// --scales, --aspect-ratios, --anchor-scale
  void add_anchor_options(AnchorOptions& options);
  /// --soft-nms [linear|gaussian]
  CLI::Option* add_soft_nms(DetectOptions& options);

 private:
  void unify_dashes();
  void join_soft_nms();
  void join_sides();
  void name_config_file();
  void add_common_options();
  void apply_common_options();
  void refuse_flags_that_end() const;
  void check_values() const;
  /// Calls f with the option and the name of each file that is read, unless it may be written over, or written.
  template <typename F>
  void for_files(F&& f) const;
  void refuse_lost_files() const;
  CLI::Option* add_sides(std::function<void(int height, int width)> set, const std::string& description);

  std::string program_, examples_;
  std::vector<std::string> arguments_;
  std::string log_file_;
  bool quiet_ = false, verbose_ = false;
  std::vector<std::pair<const CLI::Option*, std::string*>> outputs_, output_folders_;
  bool in_place_ = false, allows_empty_values_ = false;
  ModelOptions* model_options_ = nullptr;
  std::string class_names_file_;
  DetectOptions* soft_nms_options_ = nullptr;
  std::string soft_nms_;
};

/// What --threads says becomes the library's default, for calls that take no number of threads; 0 changes nothing.
void set_default_threads(int threads);

/// Of the letters of ASCII.
std::string lower_case(std::string text);

/// "1,3,512,512" -> {1, 3, 512, 512}. Throws Error(kUsage) that names the flag for anything but integers of 1 to
/// 2^31 - 1, or -1 where any says that it is allowed.
std::vector<int64_t> parse_shape(std::string_view flag, std::string_view text, bool allow_any = false);

/// "1KB", "10MB", "2GiB" or bytes. Throws Error(kUsage) that names the flag.
uint64_t parse_bytes(const std::string& flag, const std::string& text);

/// {1, 3, 512, 512} -> "1x3x512x512"; -1 as "?".
std::string shape_text(const std::vector<int64_t>& shape);
/// 1572864 -> "1.5 MiB".
std::string bytes_text(uint64_t bytes);
/// 3900000 -> "3,900,000".
std::string count_text(int64_t count);

/// Rows of cells, printed in columns on stdout: the first row is the heading. Numbers are aligned to the right.
class Table {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Prints "[WARNING] ..." on stderr.
void warn(std::string_view message);
/// Prints "effdet detect: warning: ..." on stderr.
void warn_of(std::string_view program, std::string_view message);
/// The same of a file; an empty message prints nothing.
void warn_of(std::string_view program, const std::string& file, const std::string& message);

}  // namespace effdet::cli
