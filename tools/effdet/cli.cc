// Parses common options and numbers, and prints usage errors in one line.
#include "cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "effdet/checkpoint.h"
#include "effdet/error.h"
#include "flags_file.h"
#include "help_text.h"
#include "log.h"
#include "output_paths.h"
#include "status_line.h"
#include "usage_error.h"
#include "verbose.h"

namespace effdet::cli {
namespace {

constexpr int kMostThreads = 1024;
constexpr int kLargestSide = 16384;
constexpr int kMostClasses = 100000;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.,+-%") == std::string_view::npos;
}

/// "2" is sqrt(2) : 1 / sqrt(2), as effdet has it; "1.4:0.7" gives the factors.
std::pair<double, double> parse_ratio(const std::string& text) {
  const auto number = [&](std::string_view part) {
    double value = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || stop != part.data() + part.size() || !(value > 0) || value > 1000)
      throw Error(ErrorCode::kUsage, fmt::format("--aspect-ratios: '{}' is no ratio such as 2, 0.5 or 1.4:0.7", text));
    return value;
  };
  const size_t colon = text.find(':');
  if (colon != std::string::npos)
    return {number(std::string_view(text).substr(0, colon)), number(std::string_view(text).substr(colon + 1))};
  const double width = std::sqrt(number(text));
  return {width, 1.0 / width};
}

/// "512", "512,896" or "512x896": height and width.
std::pair<int, int> parse_sides(const std::string& text) {
  const auto side = [&](std::string_view part) {
    int value = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || stop != part.data() + part.size() || value < 1 || value > kLargestSide)
      throw Error(ErrorCode::kUsage,
                  fmt::format("--img-size: '{}' is no size: one side or two of 1 to {} pixels, 512 or 512,896 (height, "
                              "width)",
                              text, kLargestSide));
    return value;
  };
  const size_t divides = text.find_first_of(",x");
  if (divides == std::string::npos) return {side(text), side(text)};
  return {side(std::string_view(text).substr(0, divides)), side(std::string_view(text).substr(divides + 1))};
}

/// before: what begins the line on standard error.
void print_warning(std::string_view before, std::string_view message) {
  const std::string line = one_line(message);
  const RoomForLines room;
  log_line("warning", line);
  if (!is_quiet()) print_stderr("{}{}\n", before, line);
}

/// Set while commands are to describe themselves, and not to run.
const std::function<void(const CommandLine&)>* visitor = nullptr;

/// Whether an option that is no output names files that are read.
bool names_inputs(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == "FILE" || type == "PATH" || type == "IMAGE" || type.ends_with("|FILE");
}

std::string indented(const std::string& lines) {
  std::string result = "  ";
  for (const char c : lines) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

}  // namespace

CommandLine::CommandLine(int argc, char** argv, const std::string& description, const std::string& examples)
    : CLI::App(description, argc > 0 ? argv[0] : "effdet"),
      program_(argc > 0 ? argv[0] : "effdet"),
      examples_(examples),
      arguments_(argv + (argc > 0), argv + argc) {
  footer("Examples:\n" + indented(examples));
  formatter(std::make_shared<HelpText>());
  get_formatter()->column_width(34);
}

void CommandLine::accept_single_dash() {
  for (std::string& argument : arguments_)
    if (argument.size() > 2 && argument[0] == '-' && std::isalpha(static_cast<unsigned char>(argument[1])))
      argument.insert(0, "-");
}

void CommandLine::describe(int (*run)(int, char**), const std::string& program,
                           const std::function<void(const CommandLine&)>& visit) {
  std::string name = program;
  char* argv[] = {name.data(), nullptr};
  visitor = &visit;
  run(1, argv);
  visitor = nullptr;
}

bool CommandLine::read() {
  add_common_options();
  if (visitor != nullptr) return (*visitor)(*this), false;
  unify_dashes();
  if (!allows_empty_values_) refuse_flags_that_end();
  join_soft_nms();
  join_sides();
  name_config_file();
  try {
    std::vector<std::string> reversed(arguments_.rbegin(), arguments_.rend());  // as CLI11 wants them
    parse(reversed);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::kUsage, fmt::format("{} ({} --help explains)", usage_error(*this, error), program_));
  }
  check_values();
  if (soft_nms_options_ != nullptr && !soft_nms_.empty()) {
    soft_nms_options_->soft_nms = true;
    soft_nms_options_->soft_linear = soft_nms_ == "linear";
  }
  apply_common_options();
  if (model_options_ != nullptr && !class_names_file_.empty())
    model_options_->class_names = read_class_names(class_names_file_);
  refuse_lost_files();
  for (const auto& [option, path] : outputs_)
    if (!path->empty()) prepare_output(*path);
  return true;
}

/// "--out= --json": the parser would take the next flag for the value.
void CommandLine::refuse_flags_that_end() const {
  for (const std::string& argument : arguments_) {
    if (argument == "--") return;
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1)
      throw Error(ErrorCode::kUsage, fmt::format("{}: the value is empty", argument.substr(0, argument.size() - 1)));
  }
}

/// "--results $FILE" of a script whose variable is not set: no file and no work is better than work and no file, or
/// than another work. And "-", which stands for a stream elsewhere, would become a file that is hard to remove.
void CommandLine::check_values() const {
  for (const CLI::Option* option : get_options()) {
    const std::string type = option->get_type_name();
    const bool is_name = type == "FILE" || type == "DIR";
    const auto is_given = [option](const char* value) {
      return std::ranges::find(option->results(), value) != option->results().end();
    };
    const bool may_be_left_out = option->get_expected_min() == 0;
    if (!may_be_left_out && !allows_empty_values_ && is_given(""))
      throw Error(ErrorCode::kUsage,
                  fmt::format("{}: the {} is empty", option->get_name(), is_name ? "name" : "value"));
    if (is_name && is_given("-") && !option->check_name("--list"))
      throw Error(ErrorCode::kUsage, fmt::format("{}: {}", option->get_name(), kNoStream));
  }
}

template <typename F>
void CommandLine::for_files(F&& f) const {
  for (const CLI::Option* option : get_options()) {
    const auto written = std::ranges::find(outputs_, option, &decltype(outputs_)::value_type::first);
    if (written != outputs_.end()) {
      f(option, *written->second);
    } else if (names_inputs(*option) && !in_place_) {
      std::vector<std::string> files = option->results();
      if (files.empty()) files.push_back(option->get_default_str());
      for (const std::string& file : files) f(option, file);
    }
  }
}

/// What one option writes is neither written by another nor read by one.
void CommandLine::refuse_lost_files() const {
  for (const auto& [output, path] : outputs_)
    for_files([&](const CLI::Option* other, const std::string& file) {
      if (other != output) refuse_same_file(output->get_name(), *path, other->get_name(), file);
    });
  for (const auto& [output, folder] : output_folders_)
    for_files([&](const CLI::Option* other, const std::string& file) {
      refuse_file_below(output->get_name(), *folder, other->get_name(), file);
    });
}

void CommandLine::refuse_lost_file(const std::string& flag, const std::string& path) const {
  for_files([&](const CLI::Option* other, const std::string& file) {
    refuse_same_file(flag, path, other->get_name(), file);
  });
}

/// A flag whose value may be left out: the word behind it is the value where it is one.
void CommandLine::join_soft_nms() {
  if (soft_nms_options_ == nullptr) return;
  for (size_t i = 0; i + 1 < arguments_.size(); ++i) {
    if (arguments_[i] != "--soft-nms" || (arguments_[i + 1] != "linear" && arguments_[i + 1] != "gaussian")) continue;
    arguments_[i] += "=" + arguments_[i + 1];
    arguments_.erase(arguments_.begin() + static_cast<ptrdiff_t>(i) + 1);
  }
}

/// "--img_size" where the flag is "--img-size", and the other way round: the original tools have both styles.
void CommandLine::unify_dashes() {
  for (std::string& argument : arguments_) {
    const size_t end = std::min(argument.find('='), argument.size());
    if (!argument.starts_with("--") || get_option_no_throw(argument.substr(0, end)) != nullptr) continue;
    for (const auto& [from, to] : {std::pair('_', '-'), std::pair('-', '_')}) {
      std::string name = argument.substr(2, end - 2);
      std::ranges::replace(name, from, to);
      if (get_option_no_throw("--" + name) != nullptr) argument.replace(2, end - 2, name);
    }
  }
}

/// "--img-size 512 896" as "--img-size=512,896": what follows a side is its second only where it is a number, too, so
/// that a file after it stays one.
void CommandLine::join_sides() {
  const auto is_side = [](const std::string& text) {
    return !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
  };
  for (size_t i = 0; i + 2 < arguments_.size(); ++i) {
    if (arguments_[i] != "--img-size" || !is_side(arguments_[i + 1]) || !is_side(arguments_[i + 2])) continue;
    arguments_[i + 1] += "," + arguments_[i + 2];
    arguments_.erase(arguments_.begin() + static_cast<ptrdiff_t>(i) + 2);
  }
}

/// --config takes effdet's fields, NAME=VALUE, where a command has those; what has no '=' is a file with flags.
void CommandLine::name_config_file() {
  for (size_t i = 0; i < arguments_.size(); ++i) {
    std::string& argument = arguments_[i];
    if (argument == "--config" && i + 1 < arguments_.size() && arguments_[i + 1].find('=') == std::string::npos)
      argument = "--config-file";
    else if (argument.starts_with("--config=") && argument.find('=', 9) == std::string::npos)
      argument.replace(0, 8, "--config-file");
    constexpr std::string_view kJoined = "--config-file=";
    if (argument == "--config-file" && i + 1 < arguments_.size())
      config_formatter(flags_file(*this, arguments_[i + 1]));
    else if (argument.starts_with(kJoined))
      config_formatter(flags_file(*this, argument.substr(kJoined.size())));
  }
}

void CommandLine::add_common_options() {
  constexpr const char* kGroup = "Options of all commands";
  add_flag("-q,--quiet", quiet_, "no warnings, notes and progress on standard error, errors alone")->group(kGroup);
  add_flag("-v,--verbose", verbose_, "say more: version, processor, and at the end time and memory")->group(kGroup);
  add_option("--log-file", log_file_, "append warnings, notes, errors and how the command ended, with times")
      ->type_name("FILE")
      ->group(kGroup);
  set_config("--config-file", "", "file with flags, NAME = VALUE a line (TOML); also --config FILE")
      ->option_text("FILE")
      ->group(kGroup);
  allow_config_extras(CLI::config_extras_mode::error);
}

void CommandLine::apply_common_options() {
  set_quiet(quiet_);
  if (!log_file_.empty()) {
    open_log(log_file_);
    log_line("info", one_line(fmt::format("{} {}", program_, fmt::join(arguments_, " "))));
  }
  if (verbose_ && !quiet_) be_verbose(program_);
}

CLI::Option* CommandLine::add_threads(int& threads) {
  return add_option("--threads", threads, "threads to compute with; 0: EFFDET_NUM_THREADS or all cores")
      ->transform(between(0, kMostThreads))
      ->type_name("N");
}

CLI::Option* CommandLine::add_output(const std::string& flag, std::string& path, const std::string& description) {
  CLI::Option* option = add_option(flag, path, description)->type_name("FILE");
  outputs_.emplace_back(option, &path);
  return option;
}

CLI::Option* CommandLine::add_output_folder(const std::string& flag, std::string& path,
                                            const std::string& description) {
  CLI::Option* option = add_option(flag, path, description)->type_name("DIR");
  output_folders_.emplace_back(option, &path);
  return option;
}

CLI::Option* CommandLine::add_json(bool& json) { return add_flag("--json", json, "print the result as JSON"); }

CLI::Option* CommandLine::add_sides(std::function<void(int, int)> set, const std::string& description) {
  return add_option_function<std::string>(
             "--img-size",
             [set](const std::string& text) {
               const auto [height, width] = parse_sides(text);
               set(height, width);
             },
             description)
      ->type_name("H[,W]");
}

CLI::Option* CommandLine::add_image_size(ImageSize& size) {
  return add_sides(
      [&size](int height, int width) {
        size = {height, width};
      },
      "the input's height and width in pixels, or one side for both");
}

void CommandLine::add_model_options(ModelOptions& options) {
  model_options_ = &options;
  add_option("-m,--model", options.model, "variant, such as tf_efficientdet_d0; default: the one that fits")
      ->type_name("NAME");
  add_option("--num-classes", options.num_classes, "number of classes; default: the checkpoint's")
      ->transform(between(1, kMostClasses))
      ->type_name("N");
  add_sides(
      [&options](int height, int width) {
        options.height = height;
        options.width = width;
      },
      "the input's height and width in pixels; default: the variant's");
  add_option("--class-names,--names", class_names_file_, "text file with one class name a line")->type_name("FILE");
  add_flag("--use-ema", options.use_ema, "use the moving average of the weights, if the checkpoint has one");
  add_config_options(options, "as in the checkpoint");
  add_flag("--ignore-config", options.ignore_config,
           "ignore the architecture, arguments and configuration that the checkpoint contains");
  add_anchor_options(options.anchors);
  options.on_note = [program = program_](const std::string& line) { warn_of(program, line); };
}

void CommandLine::add_precision(ModelOptions& options) {
  add_option("--precision", options.precision,
             "fp32; bf16: at least twice as fast on processors with bfloat16 multiplication; fp16: on GPUs; int8: of a "
             "model that is quantized, or with --calibration")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Precision>{{"fp32", Precision::kFloat32},
                                                                           {"bf16", Precision::kBfloat16},
                                                                           {"fp16", Precision::kFloat16},
                                                                           {"int8", Precision::kInt8}}))
      ->option_text("fp32|bf16|fp16|int8");
}

void CommandLine::add_config_options(ModelOptions& options, std::string_view biases) {
  const auto set = [&options](const char* name) {
    return [&options, name](const std::string& value) { options.config.emplace_back(name, value); };
  };
  add_flag_callback("--no-redundant-bias", [&options] {
    options.config.emplace_back("redundant_bias", "false");
  })->group("");
  add_option_function<std::string>(
      "--redundant-bias", set("redundant_bias"),
      fmt::format("whether convolutions before batch norms have biases; default: {}", biases))
      ->expected(0, 1)
      ->default_str("true")
      ->type_name("BOOL");
  add_option_function<std::string>("--act,--act-type", set("act_type"),
                                   "activation of pyramid and heads: silu, relu6, ...")
      ->type_name("NAME");
  add_option_function<std::string>("--head-act,--head-act-type", set("head_act_type"), "activation of the heads alone")
      ->type_name("NAME");
  add_option_function<std::vector<std::string>>(
      "--config",
      [&options](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
          const size_t equals = text.find('=');
          if (equals == 0 || equals == std::string::npos)
            throw Error(ErrorCode::kUsage, fmt::format("--config: '{}' is not NAME=VALUE", text));
          options.config.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
      },
      "a field of effdet's configuration that cannot be inferred from tensors: pad_type=same, fpn_name=bifpn_attn, ...")
      ->expected(1)
      ->take_all()
      ->type_name("NAME=VALUE");
}

void CommandLine::add_anchor_options(AnchorOptions& options) {
  add_option("--anchor-scale", options.anchor_scale, "smallest anchor's side in strides; default: the variant's")
      ->check(real_between(0.01, 1000))
      ->type_name("X");
  add_option("--scales", options.num_scales, "anchor sizes within an octave; default: the variant's")
      ->transform(between(1, 64))
      ->type_name("N");
  add_option_function<std::vector<std::string>>(
      "--aspect-ratios",
      [&options](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) options.aspect_ratios.push_back(parse_ratio(text));
      },
      "aspect ratios of anchors: width / height, or factors W:H; default: the variant's")
      ->delimiter(',')
      ->expected(1, 64)
      ->type_name("R,...");
}

CLI::Option* CommandLine::add_soft_nms(DetectOptions& options) {
  soft_nms_options_ = &options;
  return add_flag("--soft-nms{gaussian}", soft_nms_, "soft-NMS instead of hard NMS; without a value gaussian")
      ->check(CLI::IsMember({"gaussian", "linear"}).description(""))
      ->type_name("[gaussian|linear]");
}

void set_default_threads(int threads) {
  if (threads > 0) ::setenv("EFFDET_NUM_THREADS", std::to_string(threads).c_str(), 1);
}

std::vector<int64_t> parse_shape(std::string_view flag, std::string_view text, bool allow_any) {
  std::vector<int64_t> shape;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    int64_t side = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), side);
    const bool whole = error == std::errc() && stop == part.data() + part.size();
    const bool legal = (side >= 1 && side <= std::numeric_limits<int32_t>::max()) || (allow_any && side == -1);
    if (!whole || !legal)
      throw Error(ErrorCode::kUsage,
                  fmt::format("{}: '{}' is no shape: '{}' is not a positive whole number", flag, text, part));
    shape.push_back(side);
    begin = end + 1;
  }
  return shape;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const int64_t side : shape) {
    if (!text.empty()) text += 'x';
    text += side < 0 ? "?" : std::to_string(side);
  }
  return text;
}

uint64_t parse_bytes(const std::string& flag, const std::string& text) {
  size_t digits = 0;
  while (digits < text.size() && digits < 12 && text[digits] >= '0' && text[digits] <= '9') ++digits;
  std::string unit = text.substr(digits);
  for (char& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  constexpr std::string_view kUnits = "BKMG";
  const size_t power = unit.empty() ? 0 : kUnits.find(unit[0]);
  const std::string_view rest = std::string_view(unit).substr(std::min<size_t>(unit.size(), 1));
  if (digits == 0 || power == std::string_view::npos || !(rest.empty() || (power > 0 && (rest == "B" || rest == "IB"))))
    throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is no size such as 1KB or 10MB", flag, text));
  const uint64_t number = std::stoull(text.substr(0, digits));
  if (number > std::numeric_limits<uint64_t>::max() >> (10 * power))
    throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is more than 64 bits hold", flag, text));
  return number << (10 * power);
}

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string count_text(int64_t count) {
  std::string text = std::to_string(count);
  const size_t first = text.starts_with('-') ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::vector<bool> numbers(widths.size(), true);
  for (size_t r = 1; r < rows_.size(); ++r)
    for (size_t i = 0; i < rows_[r].size(); ++i) numbers[i] = numbers[i] && is_number(rows_[r][i]);
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += fmt::format(fmt::runtime(numbers[i] ? "{}{:>{}}" : "{}{:<{}}"), i == 0 ? "" : "  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

void Table::print() const { fmt::print("{}", text()); }

void warn(std::string_view message) { print_warning("[WARNING] ", message); }

void warn_of(std::string_view program, const std::string& file, const std::string& message) {
  if (!message.empty()) warn_of(program, file + ": " + message);
}

void warn_of(std::string_view program, std::string_view message) {
  print_warning(fmt::format("{}: warning: ", program), message);
}

}  // namespace effdet::cli
