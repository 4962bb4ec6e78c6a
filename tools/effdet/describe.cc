// Tables of inputs, outputs, steps and memory, as text and as JSON.
#include "describe.h"

#include <fmt/format.h>

#include "cli.h"
#include "effdet/error.h"
#include "quantize_report.h"

namespace effdet::cli {
namespace {

/// How many steps each implementation runs, by operator.
std::map<std::pair<std::string, std::string>, size_t> count_steps(const std::vector<CompiledModel::Step>& steps) {
  std::map<std::pair<std::string, std::string>, size_t> counts;
  for (const CompiledModel::Step& step : steps) ++counts[{step.op, step.implementation}];
  return counts;
}

std::string shortened(const std::string& text) {
  constexpr size_t kLongest = 76;
  return text.size() <= kLongest ? text : text.substr(0, kLongest - 3) + "...";
}

}  // namespace

size_t node_count(const OnnxModel& model) {
  size_t sum = 0;
  for (const auto& [op, count] : model.node_counts()) sum += count;
  return sum;
}

nlohmann::json tensors_json(const std::vector<TensorInfo>& tensors) {
  nlohmann::json list = nlohmann::json::array();
  for (const TensorInfo& tensor : tensors)
    list.push_back({{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}});
  return list;
}

namespace {

/// null where the model does not tell.
nlohmann::json parameters_json(std::optional<int64_t> parameters) {
  return parameters ? nlohmann::json(*parameters) : nlohmann::json();
}

void print_warning(const std::string& warning) {
  if (!warning.empty()) fmt::print("warning: {}\n\n", one_line(warning));
}

/// "3,880,067 parameters, " or nothing.
std::string parameters_text(std::optional<int64_t> parameters) {
  return parameters ? count_text(*parameters) + " parameters, " : "";
}

}  // namespace

namespace {

/// null where there is no proof, or none that makes sense.
nlohmann::json quantization_json(const std::map<std::string, std::string>& metadata) try {
  const auto proof = quantization_proof(metadata);
  return proof ? proof_json(*proof) : nlohmann::json();
} catch (const Error&) {
  return {};
}

}  // namespace

nlohmann::json model_json(const OnnxModel& model) {
  return {{"kind", "onnx"},
          {"opset", model.opset()},
          {"parameters", parameters_json(model.parameters())},
          {"initializer_values", model.weight_values()},
          {"warning", model.weights_warning()},
          {"inputs", tensors_json(model.inputs())},
          {"outputs", tensors_json(model.outputs())},
          {"operators", model.node_counts()},
          {"quantization", quantization_json(model.metadata())},
          {"metadata", model.metadata()}};
}

nlohmann::json model_json(const CompiledModel& model) {
  nlohmann::json steps = nlohmann::json::array();
  for (const CompiledModel::Step& step : model.steps())
    steps.push_back({{"name", step.name},
                     {"op", step.op},
                     {"implementation", step.implementation},
                     {"output_shape", step.output_shape},
                     {"refusals", step.refusals}});
  nlohmann::json aipp;
  if (const auto description = model.aipp())
    aipp = {{"input_format", description->format},
            {"src_image_size_w", description->width},
            {"src_image_size_h", description->height},
            {"steps", description->steps}};
  nlohmann::json plans = nlohmann::json::array();
  for (size_t i = 0; i < model.plan_count(); ++i) {
    const CompiledModel plan = model.plan(i);
    plans.push_back({{"inputs", tensors_json(plan.inputs())},
                     {"outputs", tensors_json(plan.outputs())},
                     {"turns", plan.micro_batches()},
                     {"arena_bytes", plan.arena_bytes()}});
  }
  return {{"kind", "compiled"},
          {"plans", plans},
          {"aipp", aipp},
          {"parameters", parameters_json(model.parameters())},
          {"weight_bytes", model.weight_bytes()},
          {"warning", model.weights_warning()},
          {"arena_bytes", model.arena_bytes()},
          {"inputs", tensors_json(model.inputs())},
          {"outputs", tensors_json(model.outputs())},
          {"quantization", quantization_json(model.metadata())},
          {"metadata", model.metadata()},
          {"steps", steps}};
}

std::string json_text(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void print_tensors(const std::string& heading, const std::vector<TensorInfo>& tensors) {
  Table table;
  table.add({heading, "type", "shape"});
  for (const TensorInfo& tensor : tensors) table.add({one_line(tensor.name), tensor.dtype, shape_text(tensor.shape)});
  table.print();
}

/// What is said of an 8-bit model's accuracy; a file may say anything.
void print_proof(const std::map<std::string, std::string>& metadata) try {
  const auto proof = quantization_proof(metadata);
  if (!proof) return;
  fmt::print("\n");
  for (const std::string& line : proof_lines(*proof)) fmt::print("{}\n", line);
  if (const std::string elsewhere = measured_elsewhere(*proof); !elsewhere.empty())
    fmt::print("warning: {}; effdet validate measures what it keeps here\n", elsewhere);
} catch (const Error& error) {
  fmt::print("\nwarning: {}\n", one_line(error.what()));
}

void print_metadata(const std::map<std::string, std::string>& metadata) {
  if (metadata.empty()) return;
  Table table;
  table.add({"metadata", "value"});
  for (const auto& [key, value] : metadata) table.add({one_line(key), shortened(one_line(value))});
  fmt::print("\n");
  table.print();
}

void print_model(const OnnxModel& model) {
  fmt::print("ONNX model, opset {}, {}{} values in initializers\n\n", model.opset(),
             parameters_text(model.parameters()), count_text(model.weight_values()));
  print_warning(model.weights_warning());
  print_tensors("input", model.inputs());
  fmt::print("\n");
  print_tensors("output", model.outputs());
  Table operators;
  operators.add({"operator", "nodes"});
  for (const auto& [op, count] : model.node_counts()) operators.add({one_line(op), std::to_string(count)});
  fmt::print("\n");
  operators.print();
  print_proof(model.metadata());
  print_metadata(model.metadata());
}

void print_steps(const CompiledModel& model) {
  Table table;
  table.add({"step", "operator", "output", "implementation", "name"});
  size_t index = 0;
  for (const CompiledModel::Step& step : model.steps()) {
    table.add({std::to_string(index++), one_line(step.op), shape_text(step.output_shape), step.implementation,
               one_line(step.name)});
    for (const std::string& refusal : step.refusals) table.add({"", "", "", "  not " + one_line(refusal)});
  }
  table.print();
}

namespace {

/// One line for each plan, where there are several.
void print_plans(const CompiledModel& model) {
  if (model.plan_count() < 2) return;
  Table table;
  table.add({"plan", "input", "shape", "steps", "activations"});
  for (size_t i = 0; i < model.plan_count(); ++i) {
    const CompiledModel plan = model.plan(i);
    for (const TensorInfo& input : plan.inputs())
      table.add({std::to_string(i), one_line(input.name), shape_text(input.shape), std::to_string(plan.steps().size()),
                 bytes_text(plan.arena_bytes())});
  }
  table.print();
  fmt::print("\nof plan 0:\n\n");
}

}  // namespace

void print_model(const CompiledModel& model, bool steps) {
  const auto all = model.steps();
  fmt::print("compiled model: {} steps{}, {}weights {}, activations {}\n\n", all.size(),
             model.micro_batches() > 1 ? fmt::format(" in {} micro-batches", model.micro_batches()) : "",
             parameters_text(model.parameters()), bytes_text(model.weight_bytes()), bytes_text(model.arena_bytes()));
  print_warning(model.weights_warning());
  print_plans(model);
  print_tensors("input", model.inputs());
  if (const auto aipp = model.aipp())
    fmt::print("\npreprocessing (AIPP): {}, {} x {}\n  {}\n", aipp->format, aipp->width, aipp->height,
               fmt::join(aipp->steps, "\n  "));
  fmt::print("\n");
  print_tensors("output", model.outputs());
  Table table;
  table.add({"operator", "implementation", "steps"});
  for (const auto& [kind, count] : count_steps(all))
    table.add({one_line(kind.first), kind.second, std::to_string(count)});
  fmt::print("\n");
  table.print();
  print_proof(model.metadata());
  print_metadata(model.metadata());
  if (!steps) return;
  fmt::print("\n");
  print_steps(model);
}

std::string_view precision_of(const CompiledModel& model) {
  const std::vector<CompiledModel::Step> steps = model.steps();
  const auto any = [&](std::string_view type) {  // Aipp reads pixels of uint8
    return std::ranges::any_of(steps, [&](const auto& step) { return step.type == type && step.op != "Aipp"; });
  };
  if (any("uint8")) return "int8";
  return any("bfloat16") ? "bfloat16" : "float32";
}

}  // namespace effdet::cli
