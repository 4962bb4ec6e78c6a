// The table of atc's flags, with the reason where this version refuses one.
#include "atc_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <sstream>

#include "cli.h"
#include "dynamic_shapes.h"
#include "effdet/machine.h"
#include "effdet/text_file.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

using Values = std::map<std::string, std::string>;  ///< flags that were given

constexpr std::string_view kAccepted = "";

/// Every flag besides those of the conversions themselves. With a reason, any value but `harmless` is refused.
struct Flag {
  std::string name;
  std::string help;
  std::string_view refused = kAccepted;
  std::string_view harmless = "";
};

/// Of which one may be given.
const std::string kDynamicFlags[] = {"--dynamic_batch_size", "--dynamic_image_size", "--dynamic_dims"};

const std::vector<Flag>& flags() {
  static const std::vector<Flag> list = {
      {"--mode", "0: compile; 1: compiled model to JSON (--om, --json); 6: show a compiled model (--om)"},
      {"--framework", "5 (ONNX)"},
      {"--model", "the ONNX file"},
      {"--output", "the compiled model; .om is appended"},
      {"--input_format", "NCHW or ND"},
      {"--input_shape", "\"x.1:1,3,512,512\", several with ';': overwrites the inputs' shapes"},
      {"--out_nodes", "\"node:0;node:1\": outputs, in this order"},
      {"--log", "debug, info, warning, error or null"},
      {"--soc_version",
       "native: the processor that compiles; cuda: GPUs (compiles, tested in host form, never run on a GPU); "
       "Ascend310P3 and the like: CANN's own atc does it, with these arguments"},
      {"--om", "a compiled model, for --mode 1 and 6"},
      {"--json", "the file to write, for --mode 1"},
      {"--precision_mode",
       "force_fp32 (default) or must_keep_origin_dtype, allow_fp32_to_fp16: float32; force_fp16: the device's fast "
       "16-bit type, bfloat16 of processors, float16 of GPUs; allow_mix_precision: the same except for the layers of "
       "--keep_dtype"},
      {"--keep_dtype", "text file with a layer's name or pattern (*predict*) a line: these stay float32"},
      {"--compression_optimize_conf",
       "a file calibration { input_data_dir: ... input_shape: ... }: quantize a float32 model to int8 with these "
       "samples, a .bin file or a folder of .bin files or images; not with --precision_mode=force_fp32"},
      {"--auto_tune_mode",
       "RL, GA or \"RL,GA\": measure for about a minute which implementation of each layer is the fastest here; "
       "results are kept (TUNE_BANK_PATH; REPEAT_TUNE=True measures again, EFFDET_TUNE_SECONDS sets the time)"},
      {"--op_select_implmode", "accepted without effect: all kernels are exact"},
      {"--optypelist_for_implmode", "accepted without effect, as --op_select_implmode"},
      {"--enable_small_channel", "accepted without effect: kernels choose their layout"},
      {"--buffer_optimize", "accepted without effect: buffers are always shared"},
      {"--disable_reuse_memory", "0", "buffers are always shared", "0"},
      {"--output_type", "FP32", "outputs are always float32 in this version", "FP32"},
      {"--insert_op_conf", "a file aipp_op {...}: preprocessing in the model, which then takes uint8 images"},
      {kDynamicFlags[0], "\"1,2,4\": batch sizes for the -1 of --input_shape=\"x.1:-1,3,512,512\", in one model"},
      {kDynamicFlags[1], "\"h,w;h,w\": image sizes for --input_shape=\"x.1:1,3,-1,-1\", in one model"},
      {kDynamicFlags[2], "\"1,256,256;4,512,512\": numbers for each -1 of --input_shape, in one model"},
      {"--input_fp16_nodes", "not supported", "inputs are always float32 in this version"},
      {"--weight", "not supported", "an ONNX file holds its weights itself"},
  };
  return list;
}

void refuse_empty_values(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--") && argument.ends_with('='))
      fail_atc(ErrorCode::kUsage, "E10004",
               fmt::format("Value for parameter [{}] is empty.", argument.substr(0, argument.size() - 1)));
  }
}

/// The flag's value; E10007 where it was not given.
const std::string& required(const Values& values, const std::string& flag) {
  const auto found = values.find(flag);
  if (found == values.end()) fail_atc(ErrorCode::kUsage, "E10007", fmt::format("[{}] is required.", flag));
  if (found->second.empty())
    fail_atc(ErrorCode::kUsage, "E10004", fmt::format("Value for parameter [{}] is empty.", flag));
  return found->second;
}

std::string value_or(const Values& values, const std::string& flag, const std::string& otherwise) {
  const auto found = values.find(flag);
  return found == values.end() ? otherwise : found->second;
}

/// Index of the value in `allowed`.
size_t choice(const Values& values, const std::string& flag, const std::string& otherwise,
              const std::vector<std::string>& allowed) {
  const std::string value = value_or(values, flag, otherwise);
  const auto found = std::ranges::find(allowed, value);
  if (found == allowed.end())
    fail_value(ErrorCode::kUsage, flag, value, fmt::format("it is none of {}", fmt::join(allowed, ", ")));
  return static_cast<size_t>(found - allowed.begin());
}

std::map<std::string, std::vector<int64_t>> parse_input_shapes(const std::string& text) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const auto malformed = [&](const std::string& reason) {
    fail_atc(ErrorCode::kUsage, "E10002",
             fmt::format("Value [{}] for parameter [--input_shape] is invalid. Reason: {}; the form is "
                         "\"name:1,3,512,512\".",
                         text, reason));
  };
  for (const std::string& part : split(text, ';')) {
    const size_t colon = part.rfind(':');
    if (colon == std::string::npos || colon == 0) malformed(fmt::format("'{}' names no input", part));
    const std::string name = part.substr(0, colon);
    std::vector<int64_t> shape;
    for (const std::string& side : split(part.substr(colon + 1), ','))
      shape.push_back(side == "-1" ? -1 : parse_side("--input_shape", text, side));
    if (shape.empty()) malformed(fmt::format("'{}' has no dimensions", part));
    if (!shapes.emplace(name, shape).second) malformed(fmt::format("'{}' is given twice", name));
  }
  return shapes;
}

std::vector<std::string> parse_out_nodes(const std::string& text) {
  std::vector<std::string> nodes = split(text, ';');
  for (const std::string& node : nodes) {
    const size_t colon = node.rfind(':');
    const bool number = colon != std::string::npos && colon + 1 < node.size() && node.size() - colon <= 6 &&
                        node.find_first_not_of("0123456789", colon + 1) == std::string::npos;
    if (colon == 0 || !number)
      fail_value(ErrorCode::kUsage, "--out_nodes", text, fmt::format("'{}' is not of the form node:0", node));
  }
  return nodes;
}

LogLevel log_level(const Values& values) {
  if (values.contains("--log"))
    return static_cast<LogLevel>(choice(values, "--log", "null", {"debug", "info", "warning", "error", "null"}));
  const char* to_stdout = std::getenv("ASCEND_SLOG_PRINT_TO_STDOUT");
  const char* level = std::getenv("ASCEND_GLOBAL_LOG_LEVEL");
  if (to_stdout == nullptr || std::strcmp(to_stdout, "1") != 0 || level == nullptr) return LogLevel::kNull;
  const std::string_view text = level;
  return text.size() == 1 && text[0] >= '0' && text[0] <= '3' ? static_cast<LogLevel>(text[0] - '0') : LogLevel::kNull;
}

void refuse_unsupported(const Values& values) {
  for (const Flag& flag : flags()) {
    const auto found = values.find(flag.name);
    if (flag.refused.empty() || found == values.end()) continue;
    if (!flag.harmless.empty() && found->second == flag.harmless) continue;
    fail_value(ErrorCode::kUnsupported, flag.name, found->second, flag.refused);
  }
}

/// 0 compiles; 1 and 6 describe a compiled model.
bool is_for_mode(std::string_view flag, int mode) {
  if (flag == "--mode" || flag == "--log") return true;
  if (flag == "--json") return mode == 1;
  return (flag == "--om") == (mode != 0);
}

/// Flags that the mode has no use for, and those that have no use at all.
std::vector<std::string> warnings(const Values& values, int mode) {
  std::vector<std::string> list;
  for (const auto& [flag, value] : values)
    if (!is_for_mode(flag, mode)) list.push_back(fmt::format("{} has no effect with --mode={}", flag, mode));
  for (const char* flag :
       {"--op_select_implmode", "--optypelist_for_implmode", "--enable_small_channel", "--buffer_optimize"})
    if (values.contains(flag)) list.push_back(fmt::format("{} has no effect in this version", flag));
  return list;
}

DynamicList dynamic_list(const Values& values) {
  DynamicList list;
  for (const std::string& flag : kDynamicFlags) {
    const auto found = values.find(flag);
    if (found == values.end()) continue;
    if (!list.flag.empty())
      fail_value(ErrorCode::kUsage, flag, found->second, fmt::format("{} is given already", list.flag));
    list = {flag, found->second};
  }
  return list;
}

/// The lines of a file, without blanks around them, empty lines and comments (#).
std::vector<std::string> read_names(const std::string& path) try {
  std::istringstream lines(read_text_file(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin != std::string::npos) names.push_back(line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin));
  }
  if (names.empty()) throw Error(ErrorCode::kBadInput, path + ": there are no names of nodes in it, one a line");
  return names;
} catch (const Error& error) {
  fail_value(error.code(), "--keep_dtype", path, error.what());
}

void read_precision(const Values& values, AtcOptions& options) {
  const size_t mode =
      choice(values, "--precision_mode", "force_fp32",
             {"force_fp32", "must_keep_origin_dtype", "allow_fp32_to_fp16", "force_fp16", "allow_mix_precision"});
  options.narrow = mode >= 3;
  if (!values.contains("--keep_dtype")) return;
  if (!options.narrow)
    fail_value(ErrorCode::kUsage, "--keep_dtype", values.at("--keep_dtype"),
               "all layers are float32 without --precision_mode=allow_mix_precision or force_fp16");
  options.keep_float32 = read_names(values.at("--keep_dtype"));
}

void read_calibration(const Values& values, AtcOptions& options) {
  const auto found = values.find("--compression_optimize_conf");
  if (found == values.end()) return;
  const std::string mode = value_or(values, "--precision_mode", "");
  if (mode == "force_fp32" || mode == "must_keep_origin_dtype")
    fail_value(ErrorCode::kUsage, "--precision_mode", mode,
               "--compression_optimize_conf makes an int8 model; leave one of them out");
  options.calibration = read_calibration_config(found->second);
  for (const std::string& field : options.calibration->without_effect)
    options.warnings.push_back(fmt::format("{}: {} has no effect in this version", found->second, field));
}

/// How the original's users ask for another measurement.
bool repeat_tune() {
  const char* value = std::getenv("REPEAT_TUNE");
  if (value == nullptr || *value == '\0') return false;
  const std::string_view text = value;
  if (text != "True" && text != "False")
    throw Error(ErrorCode::kUsage, fmt::format("REPEAT_TUNE is '{}', not True or False", text));
  return text == "True";
}

double tune_seconds() {
  const char* value = std::getenv("EFFDET_TUNE_SECONDS");
  if (value == nullptr) return Tuning{}.seconds;
  double seconds = 0;
  const auto [end, error] = std::from_chars(value, value + std::strlen(value), seconds);
  if (error != std::errc() || *end != '\0' || !(seconds > 0 && seconds <= 86400))
    throw Error(ErrorCode::kUsage,
                fmt::format("EFFDET_TUNE_SECONDS is '{}', not a number of seconds up to 86400", value));
  return seconds;
}

void read_tuning(const Values& values, AtcOptions& options) {
  if (!values.contains("--auto_tune_mode")) return;
  choice(values, "--auto_tune_mode", "", {"RL", "GA", "RL,GA", "GA,RL"});
  options.tuning = {.seconds = tune_seconds(), .repeat = repeat_tune()};
}

/// What is needed to compile.
void read_conversion(const Values& values, AtcOptions& options) {
  const std::string& framework = required(values, "--framework");
  if (framework != "5")
    fail_value(framework.size() == 1 && std::strchr("013", framework[0]) ? ErrorCode::kUnsupported : ErrorCode::kUsage,
               "--framework", framework, "only 5 (ONNX) is supported");
  options.model = required(values, "--model");
  options.output = required(values, "--output");
  const std::string& soc = required(values, "--soc_version");
  if (soc != "native") options.device = soc;
  const std::vector<std::string> known = devices();
  if (std::ranges::find(known, options.device) == known.end())
    fail_value(ErrorCode::kUnsupported, "--soc_version", soc,
               "this version has no compiler for that device, only for the processor that it runs on and for GPUs: use "
               "--soc_version=native or cuda");
  choice(values, "--input_format", "NCHW", {"NCHW", "ND"});
  options.input_shapes = parse_input_shapes(value_or(values, "--input_shape", ""));
  options.plans = plan_shapes(dynamic_list(values), options.input_shapes);
  options.insert_op_conf = value_or(values, "--insert_op_conf", "");
  read_precision(values, options);
  read_calibration(values, options);
  read_tuning(values, options);
  options.out_nodes = parse_out_nodes(value_or(values, "--out_nodes", ""));
  if (!options.output.ends_with(".om") && !is_special_output(options.output)) options.output += ".om";
  std::error_code ignored;
  for (const auto& [flag, file] : {std::pair{"--model", options.model}, {"--insert_op_conf", options.insert_op_conf}})
    if (!file.empty() && !std::filesystem::is_regular_file(file, ignored))
      fail_value(ErrorCode::kIo, flag, file, "there is no such file");
}

}  // namespace

void fail_atc(ErrorCode code, std::string_view atc_code, const std::string& message) {
  throw Error(code, fmt::format("{}: {}", atc_code, message));
}

void fail_value(ErrorCode code, std::string_view parameter, std::string_view value, std::string_view reason) {
  fail_atc(code, "E10001",
           fmt::format("Value [{}] for parameter [{}] is invalid. Reason: {}.", value, parameter, reason));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

int64_t parse_side(std::string_view flag, const std::string& text, const std::string& side) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(side.data(), side.data() + side.size(), value);
  const auto refuse = [&](std::string_view code, const std::string& reason) {
    fail_atc(ErrorCode::kUsage, code,
             fmt::format("Value [{}] for parameter [{}] is invalid. Reason: {}.", text, flag, reason));
  };
  if (error != std::errc() || stop != side.data() + side.size())
    refuse("E10002", fmt::format("'{}' is not a whole number; --help shows the form", side));
  if (value < 1 || value > std::numeric_limits<int32_t>::max())
    refuse("E10011", fmt::format("dimension [{}] must be positive and below 2^31", value));
  return value;
}

AtcOptions read_atc_options(int argc, char** argv) {
  CommandLine line(argc, argv, "Compiles an ONNX model for the processor that it runs on.",
                   "atc --framework=5 --model=d7_bs1.onnx --output=d7_bs1 --input_format=NCHW "
                   "--input_shape=\"x.1:1,3,1536,1536\" --log=debug --soc_version=native\n"
                   "atc --mode 1 --om d7_bs1.om --json d7_bs1.json");
  std::map<std::string, std::string> texts;
  for (const Flag& flag : flags()) line.add_option(flag.name, texts[flag.name], flag.help)->type_name("V");
  refuse_empty_values(argc, argv);
  line.allow_empty_values();
  if (!line.read()) return {.help = true};
  Values values;
  for (const Flag& flag : flags())
    if (line.count(flag.name) > 0) values[flag.name] = texts[flag.name];

  AtcOptions options;
  constexpr int kModes[] = {0, 1, 6};
  options.mode = kModes[choice(values, "--mode", "0", {"0", "1", "6"})];
  options.log = log_level(values);
  refuse_unsupported(values);
  options.warnings = warnings(values, options.mode);
  if (options.mode == 0) {
    read_conversion(values, options);
    refuse_same_file("--output", options.output, "--model", options.model);
    prepare_output(options.output);
  } else {
    options.om = required(values, "--om");
    if (options.mode != 1) return options;
    refuse_same_file("--json", options.json = required(values, "--json"), "--om", options.om);
    prepare_output(options.json);
  }
  return options;
}

}  // namespace effdet::cli
