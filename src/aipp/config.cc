// Checks the fields of an aipp_op against each other and makes the specification of the operator from them.
#include "aipp/config.h"

#include <algorithm>

#include "aipp/text.h"
#include "base/error.h"
#include "effdet/text_file.h"

namespace effdet::aipp {
namespace {

/// Fields to a spec, and errors that name where a field stands.
class Interpreter {
 public:
  explicit Interpreter(const Fields& fields) : fields_(fields) { config_.file = fields.file(); }

  Config read() {
    require("aipp_mode");
    require("input_format");
    refuse_unsupported();
    read_image();
    if (fields_.number("crop") != 0) read_crop();
    if (fields_.number("padding") != 0) read_padding();
    if (fields_.number("csc_switch") != 0) read_conversion();
    for (size_t i = 0; i < 3; ++i) read_channel(i);
    config_.lines = fields_.lines();
    return config_;
  }

 private:
  void require(const std::string& field) const {
    if (!fields_.lines().contains(field)) bad_input("{}: field {} is missing", fields_.file(), field);
  }

  void refuse_unsupported() const {
    if (fields_.text("aipp_mode") == "undefined")
      bad_input("{}:{}: aipp_mode: undefined is none; use static", fields_.file(), fields_.lines().at("aipp_mode"));
    const auto refuse = [&](const std::string& field, std::string_view why) {
      fail(ErrorCode::kUnsupported, "{}:{}: {}: {}", fields_.file(), fields_.lines().at(field), field, why);
    };
    if (fields_.text("aipp_mode") == "dynamic")
      refuse("aipp_mode", "dynamic preprocessing changes with each call, which a compiled model does not; use static");
    if (fields_.number("resize") != 0)
      refuse("resize", "the model crops and pads; resize images before, as benchmark -useDvpp=True does");
    for (const char* field : {"related_input_rank", "input_edge_idx"})
      if (fields_.number(field) != 0) refuse(field, "preprocessing is for the only input, number 0");
    for (const char* field : {"support_rotation", "single_line_mode"})
      if (fields_.number(field) != 0) refuse(field, "not supported; leave it out");
  }

  int64_t whole(const std::string& field) const { return static_cast<int64_t>(fields_.number(field)); }

  void read_image() {
    const auto format = std::ranges::find(ops::kAippFormats, fields_.text("input_format"));
    spec().format = static_cast<ops::AippFormat>(format - ops::kAippFormats.begin());
    spec().source_width = whole("src_image_size_w");
    spec().source_height = whole("src_image_size_h");
    spec().swap_rbuv = fields_.number("rbuv_swap_switch") != 0;
    spec().swap_ax = fields_.number("ax_swap_switch") != 0;
  }

  void read_crop() {
    config_.crops = true;
    spec().crop_left = whole("load_start_pos_w");
    spec().crop_top = whole("load_start_pos_h");
    spec().crop_width = whole("crop_size_w");
    spec().crop_height = whole("crop_size_h");
  }

  void read_padding() {
    spec().pad_left = whole("left_padding_size");
    spec().pad_right = whole("right_padding_size");
    spec().pad_top = whole("top_padding_size");
    spec().pad_bottom = whole("bottom_padding_size");
    spec().padding_value = static_cast<float>(fields_.number("padding_value"));
  }

  void read_conversion() {
    spec().convert = true;
    for (size_t i = 0; i < 9; ++i) {
      const std::string field = fmt::format("matrix_r{}c{}", i / 3, i % 3);
      require(field);
      spec().matrix[i] = whole(field);
    }
    for (size_t i = 0; i < 3; ++i) {
      spec().input_bias[i] = whole(fmt::format("input_bias_{}", i));
      spec().output_bias[i] = whole(fmt::format("output_bias_{}", i));
    }
  }

  void read_channel(size_t i) {
    const std::string channel = std::to_string(i), factor = "var_reci_chn_" + channel;
    spec().mean[i] = whole("mean_chn_" + channel);
    spec().min[i] = static_cast<float>(fields_.number("min_chn_" + channel));
    if (!fields_.lines().contains(factor)) return;
    spec().scale[i] = static_cast<float>(fields_.number(factor));
    if (spec().scale[i] == 0)
      bad_input("{}:{}: {}: 0 would make every sample the same", fields_.file(), fields_.lines().at(factor), factor);
  }

  ops::AippSpec& spec() { return config_.spec; }

  const Fields& fields_;
  Config config_;
};

}  // namespace

ops::AippSpec Config::resolve(const Shape& network) const {
  if (network.size() != 4 || network[0] < 1)
    bad_input("{}: the model's input is {}, not a batch of images (NCHW)", file, shape_text(network));
  const auto refuse = [&](const std::string& field, const std::string& reason) {
    const auto line = lines.find(field);
    bad_input("{}{}: {}: {}", file, line != lines.end() ? fmt::format(":{}", line->second) : "", field, reason);
  };
  ops::AippSpec s = spec;
  s.channels = network[1];
  const auto follow = [&](int64_t& source, int64_t& size, int64_t inside) {
    if (source == 0) source = inside;
    if (size == 0) size = crops ? inside : source;
  };
  follow(s.source_width, s.crop_width, network[3] - s.pad_left - s.pad_right);
  follow(s.source_height, s.crop_height, network[2] - s.pad_top - s.pad_bottom);
  const ops::AippFault fault = find_fault(s);
  if (!fault.field.empty()) refuse(fault.field, fault.reason);
  const std::string size = crops ? "crop_size" : "src_image_size";
  if (s.output_width() != network[3])
    refuse(size + "_w", fmt::format("{} columns and {} of padding do not make the {} that the network takes",
                                    s.crop_width, s.pad_left + s.pad_right, network[3]));
  if (s.output_height() != network[2])
    refuse(size + "_h", fmt::format("{} rows and {} of padding do not make the {} that the network takes",
                                    s.crop_height, s.pad_top + s.pad_bottom, network[2]));
  return s;
}

Config parse_config(const std::string& text, const std::string& file) { return Interpreter(Fields(text, file)).read(); }

Config read_config(const std::filesystem::path& path) { return parse_config(read_text_file(path), path.string()); }

}  // namespace effdet::aipp
