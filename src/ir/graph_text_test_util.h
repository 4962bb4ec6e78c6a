// Small graphs for tests, written as text.
#pragma once

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace effdet::ir {

/// Reads lines such as these; spaces and empty lines say nothing.
///
///   input x [1,4,8,8]
///   half = float[0.5]
///   a = Conv(x, waves[4,4,3,3], waves[4]) pads=[1,1,1,1] auto_pad=NOTSET
///   b = Mul(a, half)
///   output b
///
/// A node's values go by its name. Operands are nodes and inputs, `_` for none, and constants: float[...] and int[...]
/// of one axis (a scalar for one number), waves[shape] of numbers between -1 and 1 that differ. The constant at place 1
/// of node a is called a.1, that of a line by itself by the name there. Attributes are ints, floats (with a point),
/// lists of ints, or words.
class GraphText {
 public:
  static Graph parse(std::string_view text) {
    GraphText reader;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      reader.read_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(reader.graph_);
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    const size_t begin = std::min(text.find_first_not_of(' '), text.size());
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
  }

  /// Parts between separators that stand outside of brackets.
  static std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    int depth = 0;
    for (size_t i = 0, begin = 0; i <= text.size(); ++i) {
      if (i < text.size()) depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
      if (i < text.size() && (text[i] != separator || depth > 0)) continue;
      if (const auto part = trimmed(text.substr(begin, i - begin)); !part.empty()) parts.push_back(part);
      begin = i + 1;
    }
    return parts;
  }

  template <typename T>
  static std::vector<T> numbers(std::string_view list) {
    std::vector<T> values;
    for (const std::string_view part : split(list.substr(1, list.size() - 2), ','))
      values.push_back(static_cast<T>(std::strtod(std::string(part).c_str(), nullptr)));
    return values;
  }

  template <typename T>
  static Tensor tensor(std::string_view list) {
    const std::vector<T> values = numbers<T>(list);
    return Tensor::from<T>(values.size() == 1 ? Shape{} : Shape{static_cast<int64_t>(values.size())}, values);
  }

  static Attribute attribute(std::string_view text) {
    if (text[0] == '[') return numbers<int64_t>(text);
    const std::string word(text);
    char* end = nullptr;
    const double number = std::strtod(word.c_str(), &end);
    if (*end != 0) return word;
    return text.find('.') == text.npos ? Attribute{static_cast<int64_t>(number)}
                                       : Attribute{static_cast<float>(number)};
  }

  ValueId operand(std::string_view text, const std::string& name) {
    if (text == "_") return kNoValue;
    if (text.starts_with("float[")) return graph_.add_constant(name, tensor<float>(text.substr(5)));
    if (text.starts_with("int[")) return graph_.add_constant(name, tensor<int64_t>(text.substr(3)));
    if (!text.starts_with("waves[")) return values_.at(std::string(text));
    Tensor waves(DType::kF32, numbers<int64_t>(text.substr(5)));
    float phase = 0;
    for (float& x : waves.mutable_data<float>()) x = std::sin(phase += 1.7f);
    return graph_.add_constant(name, std::move(waves));
  }

  void read_line(std::string_view line) {
    line = trimmed(line);
    if (line.empty()) return;
    if (line.starts_with("output ")) {
      for (const std::string_view name : split(line.substr(7), ','))
        graph_.outputs.push_back(values_.at(std::string(name)));
    } else if (line.starts_with("input ")) {
      const auto words = split(line.substr(6), ' ');
      values_[std::string(words.at(0))] =
          graph_.add_input(std::string(words[0]), DType::kF32, numbers<int64_t>(words.at(1)));
    } else {
      read_node(line);
    }
  }

  void read_node(std::string_view line) {
    const size_t equals = line.find('='), open = line.find('('), close = line.find(')');
    const std::string name(trimmed(line.substr(0, equals)));
    if (open == line.npos) {
      values_[name] = operand(trimmed(line.substr(equals + 1)), name);
      return;
    }
    if (equals > open || open > close || close == line.npos) fail(ErrorCode::kUsage, "no node: {}", line);
    std::vector<ValueId> inputs;
    for (const std::string_view text : split(line.substr(open + 1, close - open - 1), ','))
      inputs.push_back(operand(text, name + "." + std::to_string(inputs.size())));
    std::map<std::string, Attribute> attributes;
    for (const std::string_view pair : split(line.substr(close + 1), ' '))
      attributes[std::string(pair.substr(0, pair.find('=')))] = attribute(pair.substr(pair.find('=') + 1));
    const std::string op(trimmed(line.substr(equals + 1, open - equals - 1)));
    values_[name] = graph_.add_node(op, name, std::move(inputs), std::move(attributes));
  }

  Graph graph_;
  std::map<std::string, ValueId> values_;
};

inline Graph graph_from_text(std::string_view text) { return GraphText::parse(text); }

}  // namespace effdet::ir
