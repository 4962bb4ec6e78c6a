// Elementwise programs: their text, and how they run.
#include "ops/elementwise_program.h"

#include <algorithm>
#include <charconv>

namespace effdet::ops {
namespace {

using OperandKind = ElementwiseOperand::Kind;

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + separator.size()))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

/// "x0", "t12" or a number; nothing for another word, and for an index at or above the limit.
std::optional<ElementwiseOperand> operand_of(std::string_view word, size_t inputs, size_t steps) {
  const char* end = word.data() + word.size();
  if (word.starts_with('x') || word.starts_with('t')) {
    size_t index = 0;
    const auto [stop, error] = std::from_chars(word.data() + 1, end, index);
    if (error != std::errc() || stop != end || index >= (word[0] == 'x' ? inputs : steps)) return std::nullopt;
    return word[0] == 'x' ? ElementwiseOperand::input(index) : ElementwiseOperand::step(index);
  }
  float number = 0;
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return ElementwiseOperand::value(number);
}

ElementwiseStep step_of(const ir::Node& node, std::string_view text, size_t inputs, size_t steps) {
  const std::vector<std::string_view> words = split(text, " ");
  const auto* const op = std::ranges::find(kElementwiseOperators, words[0], &ElementwiseOperator::name);
  if (op == std::end(kElementwiseOperators)) node_error(node, "there is no step '{}'", words[0]);
  if (words.size() != op->operands + 1) node_error(node, "step '{}' has not {} operands", text, op->operands);
  ElementwiseStep step{op->op, {}};
  for (size_t i = 0; i < op->operands; ++i) {
    const auto operand = operand_of(words[i + 1], inputs, steps);
    if (!operand || (op->takes_number(i) && operand->kind != OperandKind::kNumber))
      node_error(node, "'{}' cannot be an operand of step '{}'", words[i + 1], text);
    step.operands.push_back(*operand);
  }
  return step;
}

std::string operand_text(const ElementwiseOperand& operand) {
  if (operand.kind == OperandKind::kNumber) return fmt::format("{}", operand.number);
  return fmt::format("{}{}", operand.kind == OperandKind::kInput ? 'x' : 't', operand.index);
}

Tensor run_step(const ir::Node& node, const ElementwiseStep& step, std::span<const Tensor> inputs,
                std::span<const Tensor> results) {
  constexpr int64_t kOpset = 22;  // has all the operators
  const ElementwiseOperator& op = elementwise_operator(step.op);
  ir::Node onnx{std::string(op.onnx), "", node.name, {}, {static_cast<ir::ValueId>(op.operands)}, {}};
  std::vector<Tensor> tensors(op.operands);
  std::vector<const Tensor*> operands;
  const size_t first_attribute = op.operands - op.attribute_count();
  for (size_t i = 0; i < op.operands; ++i) {
    const ElementwiseOperand& operand = step.operands[i];
    if (i >= first_attribute) {
      onnx.attributes[std::string(op.attributes[i - first_attribute])] = operand.number;
      continue;
    }
    tensors[i] = operand.kind == OperandKind::kInput  ? inputs[operand.index]
                 : operand.kind == OperandKind::kStep ? results[operand.index]
                                                      : Tensor::scalar<float>(operand.number);
    operands.push_back(&tensors[i]);
    onnx.inputs.push_back(static_cast<ir::ValueId>(i));
  }
  return evaluate_node(onnx, kOpset, operands).at(0);
}

}  // namespace

ElementwiseProgram parse_elementwise(const ir::Node& node, std::string_view text, size_t inputs) {
  const std::vector<std::string_view> lines = split(text, "; ");
  if (lines.size() > kMaxElementwiseSteps) node_error(node, "a program of {} steps is too long", lines.size());
  ElementwiseProgram program;
  std::vector<bool> is_read(inputs, false);
  for (const std::string_view line : lines) {
    program.push_back(step_of(node, line, inputs, program.size()));
    for (const ElementwiseOperand& operand : program.back().operands)
      if (operand.kind == OperandKind::kInput) is_read[operand.index] = true;
  }
  if (const auto unread = std::ranges::find(is_read, false); unread != is_read.end())
    node_error(node, "no step reads input {}", unread - is_read.begin());
  return program;
}

ElementwiseProgram elementwise_program_of(const ir::Node& node) {
  return parse_elementwise(node, node.get_string("program", ""), node.inputs.size());
}

std::string elementwise_text(const ElementwiseProgram& program) {
  std::string text;
  for (const ElementwiseStep& step : program) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", elementwise_operator(step.op).name);
    for (const ElementwiseOperand& operand : step.operands) text += ' ' + operand_text(operand);
  }
  return text;
}

Tensor run_elementwise(const ir::Node& node, const ElementwiseProgram& program, std::span<const Tensor> inputs) {
  std::vector<Tensor> results(program.size());
  std::vector<size_t> last_reader(program.size());
  for (size_t i = 0; i < program.size(); ++i)
    for (const ElementwiseOperand& operand : program[i].operands)
      if (operand.kind == OperandKind::kStep) last_reader[operand.index] = i;
  for (size_t i = 0; i < program.size(); ++i) {
    results[i] = run_step(node, program[i], inputs, results);
    for (const ElementwiseOperand& operand : program[i].operands)
      if (operand.kind == OperandKind::kStep && last_reader[operand.index] == i) results[operand.index] = Tensor();
  }
  return results.back();
}

}  // namespace effdet::ops
