// Libyaml's events as a map. Aliases, which can make any amount of values out of a small file, are refused.
#include "dataset/formats/yaml.h"

#include <yaml.h>

#include <new>

#include "base/error.h"
#include "effdet/text_file.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

constexpr int kYamlDepth = 8;

class YamlReader {
 public:
  explicit YamlReader(const std::filesystem::path& file) : name_(file.string()), text_(read_text_file(file)) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
  }
  ~YamlReader() { yaml_parser_delete(&parser_); }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  std::map<std::string, YamlValue> read() {
    std::map<std::string, YamlValue> values;
    next();  // the stream
    if (next().type != YAML_DOCUMENT_START_EVENT || next().type != YAML_MAPPING_START_EVENT)
      bad_input("{}:{}: no map of names to values", name_, line());
    while (next().type != YAML_MAPPING_END_EVENT) {
      const std::string key = text_of_value(1);
      next();
      YamlValue value = value_of();
      if (!values.emplace(key, std::move(value)).second)
        bad_input("{}:{}: '{}' occurs twice", name_, line(), eval::printable(key));
    }
    return values;
  }

 private:
  /// An event of libyaml, which is freed.
  struct Event {
    yaml_event_type_t type = YAML_NO_EVENT;
    std::string text;
    size_t line = 0;
  };

  const Event& next() {
    yaml_event_t event;
    if (yaml_parser_parse(&parser_, &event) == 0)
      bad_input("{}:{}: no YAML that can be read: {}", name_, parser_.problem_mark.line + 1,
                parser_.problem == nullptr ? "out of memory" : parser_.problem);
    event_ = {event.type, "", event.start_mark.line + 1};
    if (event.type == YAML_SCALAR_EVENT)
      event_.text.assign(reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length);
    yaml_event_delete(&event);
    if (event_.type == YAML_ALIAS_EVENT) bad_input("{}:{}: aliases are refused", name_, event_.line);
    return event_;
  }

  size_t line() const { return event_.line; }

  YamlValue value_of() {
    YamlValue value{.text = {}, .items = {}, .line = line()};
    value.is_list = event_.type == YAML_SEQUENCE_START_EVENT;
    value.is_map = event_.type == YAML_MAPPING_START_EVENT;
    if (!value.is_list && !value.is_map) return value.text = text_of_value(1), value;
    while (next().type != YAML_SEQUENCE_END_EVENT && event_.type != YAML_MAPPING_END_EVENT) {
      YamlValue::Item item;
      if (value.is_map) {
        item.key = text_of_value(2);
        next();
      }
      item.is_text = event_.type == YAML_SCALAR_EVENT;
      item.text = text_of_value(2);
      value.items.push_back(std::move(item));
    }
    return value;
  }

  /// The text of the value that begins with the event at hand; of others nothing, but they are read to their end.
  std::string text_of_value(int depth) {
    if (depth > kYamlDepth) bad_input("{}:{}: values are more than {} deep", name_, line(), kYamlDepth);
    if (event_.type == YAML_SCALAR_EVENT) return event_.text;
    while (next().type != YAML_SEQUENCE_END_EVENT && event_.type != YAML_MAPPING_END_EVENT) text_of_value(depth + 1);
    return "";
  }

  std::string name_, text_;
  yaml_parser_t parser_{};
  Event event_;
};

}  // namespace

std::map<std::string, YamlValue> read_yaml(const std::filesystem::path& file) { return YamlReader(file).read(); }

}  // namespace effdet::dataset
