// Builds a protobuf message type at run time and parses the file with protobuf's text format.
#include "aipp/text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/error.h"
#include "ops/aipp.h"

namespace effdet::aipp {
namespace {

namespace pb = google::protobuf;
using pb::FieldDescriptorProto;

/// Every field that a file may have; numbers with their range.
struct Known {
  std::string name;
  FieldDescriptorProto::Type type;
  double low = 0, high = 0;
};

std::vector<Known> known_fields() {
  constexpr auto kInt = FieldDescriptorProto::TYPE_INT64, kReal = FieldDescriptorProto::TYPE_DOUBLE,
                 kSwitch = FieldDescriptorProto::TYPE_BOOL, kName = FieldDescriptorProto::TYPE_ENUM,
                 kString = FieldDescriptorProto::TYPE_STRING;
  constexpr double kSide = ops::kMaxAippSide, kReals = 65504;  // float16's range, as for the devices it is from
  std::vector<Known> fields = {{"aipp_mode", kName}, {"input_format", kName}, {"related_input_name", kString}};
  for (const char* name : {"crop", "padding", "resize", "csc_switch", "rbuv_swap_switch", "ax_swap_switch",
                           "single_line_mode", "support_rotation"})
    fields.push_back({name, kSwitch});
  for (const char* name : {"src_image_size_w", "src_image_size_h", "load_start_pos_w", "load_start_pos_h",
                           "crop_size_w", "crop_size_h", "resize_output_w", "resize_output_h", "left_padding_size",
                           "right_padding_size", "top_padding_size", "bottom_padding_size"})
    fields.push_back({name, kInt, 0, kSide});
  fields.push_back({"related_input_rank", kInt, 0, 255});
  fields.push_back({"input_edge_idx", kInt, 0, 255});
  fields.push_back({"max_src_image_size", kInt, 0, 4294967295.0});
  fields.push_back({"padding_value", kReal, -kReals, kReals});
  fields.push_back({"cpadding_value", kReal, -kReals, kReals});
  for (int i = 0; i < 9; ++i) fields.push_back({fmt::format("matrix_r{}c{}", i / 3, i % 3), kInt, -32767, 32767});
  for (int i = 0; i < 3; ++i) {
    fields.push_back({fmt::format("input_bias_{}", i), kInt, 0, 255});
    fields.push_back({fmt::format("output_bias_{}", i), kInt, 0, 255});
  }
  for (int i = 0; i < 4; ++i) {  // a fourth channel, which no network here has, is read and left alone
    fields.push_back({fmt::format("mean_chn_{}", i), kInt, 0, 255});
    fields.push_back({fmt::format("min_chn_{}", i), kReal, -kReals, kReals});
    fields.push_back({fmt::format("var_reci_chn_{}", i), kReal, -kReals, kReals});
  }
  return fields;
}

/// message File { repeated Op aipp_op = 1; } message Op { optional ... } with the fields above.
class Schema {
 public:
  Schema() : fields_(known_fields()) {
    pb::FileDescriptorProto file;
    file.set_name("aipp.proto");
    pb::DescriptorProto* root = file.add_message_type();
    root->set_name("File");
    FieldDescriptorProto* ops = add_field(*root, "aipp_op", FieldDescriptorProto::TYPE_MESSAGE, "Op");
    ops->set_label(FieldDescriptorProto::LABEL_REPEATED);
    add_names(file, "aipp_mode_name", {"undefined", "static", "dynamic"});
    add_names(file, "input_format_name", {ops::kAippFormats.begin(), ops::kAippFormats.end()});
    pb::DescriptorProto* op = file.add_message_type();
    op->set_name("Op");
    for (const Known& field : fields_)
      add_field(*op, field.name, field.type, field.type == FieldDescriptorProto::TYPE_ENUM ? field.name + "_name" : "");
    root_ = pool_.BuildFile(file)->FindMessageTypeByName("File");
  }

  const std::vector<Known>& fields() const { return fields_; }
  std::unique_ptr<pb::Message> message() { return std::unique_ptr<pb::Message>(factory_.GetPrototype(root_)->New()); }

 private:
  static FieldDescriptorProto* add_field(pb::DescriptorProto& message, const std::string& name,
                                         FieldDescriptorProto::Type type, const std::string& type_name) {
    FieldDescriptorProto* field = message.add_field();
    field->set_name(name);
    field->set_number(message.field_size());
    field->set_type(type);
    field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    if (!type_name.empty()) field->set_type_name(type_name);
    return field;
  }

  static void add_names(pb::FileDescriptorProto& file, const std::string& name,
                        const std::vector<std::string_view>& values) {
    pb::EnumDescriptorProto* names = file.add_enum_type();
    names->set_name(name);
    for (const std::string_view value : values) {
      pb::EnumValueDescriptorProto* entry = names->add_value();
      entry->set_number(names->value_size());
      entry->set_name(std::string(value));
    }
  }

  std::vector<Known> fields_;
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
  const pb::Descriptor* root_ = nullptr;
};

/// Line number `line` (from 0) of the text, which has as many, in one printable piece.
std::string line_of(const std::string& text, int line) {
  size_t begin = 0;
  for (; line > 0; --line) begin = text.find('\n', begin) + 1;
  begin = std::min(text.find_first_not_of(" \t", begin), text.size());
  std::string piece = text.substr(begin, std::min<size_t>(text.find('\n', begin) - begin, 60));
  std::ranges::replace_if(
      piece, [](char c) { return c < ' ' || c > '~'; }, '?');
  return piece;
}

/// Keeps the first error.
class FirstError : public pb::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!message_.empty()) return;
    line_ = line, column_ = column, message_ = message;
  }

  [[noreturn]] void fail(const std::string& file, const std::string& text) const {
    const std::string near = line_of(text, std::max(line_, 0));
    bad_input("{}:{}:{}: {}{}", file, line_ + 1, column_ + 1, message_,
              near.empty() ? "" : fmt::format(" (at '{}')", near));
  }

 private:
  int line_ = 0, column_ = 0;
  std::string message_ = "";
};

}  // namespace

Fields::Fields(const std::string& text, std::string name) : file_(std::move(name)) {
  Schema schema;
  const std::unique_ptr<pb::Message> file = schema.message();
  FirstError error;
  pb::TextFormat::ParseInfoTree places;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&places);
  if (!parser.ParseFromString(text, file.get())) error.fail(file_, text);

  const pb::FieldDescriptor* ops = file->GetDescriptor()->field(0);
  const int count = file->GetReflection()->FieldSize(*file, ops);
  if (count == 0) bad_input("{}: no aipp_op {{ ... }} in it", file_);
  if (count > 1)
    fail(ErrorCode::kUnsupported, "{}:{}: a second aipp_op: preprocessing is for the only input, once", file_,
         places.GetLocation(ops, 1).line + 1);
  const pb::Message& op = file->GetReflection()->GetRepeatedMessage(*file, ops, 0);
  const pb::TextFormat::ParseInfoTree* inside = places.GetTreeForNested(ops, 0);
  const pb::Reflection& reflection = *op.GetReflection();
  for (const Known& known : schema.fields()) {
    const pb::FieldDescriptor* field = op.GetDescriptor()->FindFieldByName(known.name);
    if (!reflection.HasField(op, field)) continue;
    const int line = lines_[known.name] = inside->GetLocation(field, -1).line + 1;
    switch (known.type) {
      case FieldDescriptorProto::TYPE_ENUM:
        texts_[known.name] = reflection.GetEnum(op, field)->name();
        continue;
      case FieldDescriptorProto::TYPE_STRING:
        texts_[known.name] = reflection.GetString(op, field);
        continue;
      case FieldDescriptorProto::TYPE_BOOL:
        numbers_[known.name] = reflection.GetBool(op, field) ? 1 : 0;
        continue;
      default:
        break;
    }
    const double value = known.type == FieldDescriptorProto::TYPE_INT64
                             ? static_cast<double>(reflection.GetInt64(op, field))
                             : reflection.GetDouble(op, field);
    if (!(value >= known.low && value <= known.high))  // NaN is in no range
      bad_input("{}:{}: {}: {} is not in {}..{}", file_, line, known.name, value, known.low, known.high);
    numbers_[known.name] = value;
  }
}

double Fields::number(const std::string& field) const {
  const auto found = numbers_.find(field);
  return found != numbers_.end() ? found->second : 0;
}

std::string Fields::text(const std::string& field) const {
  const auto found = texts_.find(field);
  return found != texts_.end() ? found->second : "";
}

}  // namespace effdet::aipp
