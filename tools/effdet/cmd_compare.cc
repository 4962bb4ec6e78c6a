// compare: where two models part, output by output and node by node.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli.h"
#include "commands.h"
#include "effdet/error.h"
#include "effdet/executor.h"
#include "effdet/file_kind.h"
#include "effdet/host_tensor.h"
#include "effdet/image.h"
#include "input_paths.h"
#include "tensor_files.h"

namespace effdet::cli {
namespace {

struct CompareArguments {
  std::string a, b, engine = "auto", dump;
  std::vector<std::string> inputs;
  double tolerance = 1e-3;
  bool nodes = false, json = false;
  int threads = 0;
  ModelOptions model;
};

struct Row {
  std::string name, op;
  std::vector<int64_t> shape;
  TensorDifference difference;
  bool same = false;
};

bool is_settled(const std::string& path) {
  const FileKind kind = file_kind(path);
  return kind == FileKind::kOnnx || kind == FileKind::kCompiled;
}

/// Beside a checkpoint, for which they are meant, another file need not have what the options say.
Executor open_model(const std::string& path, const CompareArguments& arguments) {
  const bool beside_checkpoint = is_settled(arguments.a) != is_settled(arguments.b);
  return Executor::open(path, {.engine = parse_engine(arguments.engine, path),
                               .threads = arguments.threads,
                               .model = beside_checkpoint && is_settled(path) ? ModelOptions{} : arguments.model});
}

/// An image is prepared by the model that says how, which one of the two must.
HostTensor image_of(const std::string& file, const Executor& a, const Executor& b) {
  try {
    return a.image(file);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
  }
  return b.image(file);
}

/// The same tensors for B: by name, or by place where B has other names.
std::vector<HostTensor> renamed(std::vector<HostTensor> tensors, const std::vector<TensorInfo>& inputs) {
  const bool fits = std::ranges::all_of(tensors, [&](const HostTensor& tensor) {
    return std::ranges::find(inputs, tensor.name, &TensorInfo::name) != inputs.end();
  });
  if (fits || tensors.size() != inputs.size()) return tensors;
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].name = inputs[i].name;
  return tensors;
}

Row row_of(const HostTensor& a, const HostTensor& b, const std::string& op, double tolerance) {
  Row row{b.name, op, b.shape, compare_tensors(a, b), false};
  row.same = row.difference.mismatch.empty() && row.difference.relative <= tolerance;
  return row;
}

/// Outputs by name; by place where no name is common.
std::vector<Row> compare_outputs(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b, double tolerance) {
  std::vector<Row> rows;
  for (const HostTensor& output : a) {
    const auto counterpart = std::ranges::find(b, output.name, &HostTensor::name);
    if (counterpart != b.end()) rows.push_back(row_of(output, *counterpart, "", tolerance));
  }
  if (rows.empty() && a.size() == b.size())
    for (size_t i = 0; i < a.size(); ++i) rows.push_back(row_of(a[i], b[i], "", tolerance));
  if (rows.empty())
    throw Error(ErrorCode::kUsage,
                fmt::format("the models have {} and {} outputs, and no name is common", a.size(), b.size()));
  return rows;
}

nlohmann::json rows_json(const std::vector<Row>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows)
    list.push_back({{"name", row.name},
                    {"op", row.op},
                    {"shape", row.shape},
                    {"mismatch", row.difference.mismatch},
                    {"largest_difference", row.difference.largest},
                    {"relative_difference", row.difference.relative},
                    {"same", row.same}});
  return list;
}

void print_rows(std::string_view heading, const std::vector<Row>& rows) {
  Table table;
  table.add({std::string(heading), "operator", "shape", "largest", "relative", ""});
  for (const Row& row : rows) {
    const bool comparable = row.difference.mismatch.empty();
    table.add({one_line(row.name), row.op, shape_text(row.shape),
               comparable ? fmt::format("{:.3g}", row.difference.largest) : "-",
               comparable ? fmt::format("{:.3g}", row.difference.relative) : "-",
               row.same     ? ""
               : comparable ? "DIFFERENT"
                            : row.difference.mismatch});
  }
  table.print();
}

/// Runs both models; the first keeps what its nodes make, the second compares as it goes.
class Comparison {
 public:
  explicit Comparison(const CompareArguments& arguments) : arguments_(arguments) {
    if (arguments.dump.empty()) return;
    dump_a_.emplace(arguments.dump + "/a");
    dump_b_.emplace(arguments.dump + "/b");
  }

  void run() {
    Executor a = open_model(arguments_.a, arguments_), b = open_model(arguments_.b, arguments_);
    const std::vector<HostTensor> inputs = arguments_.inputs.size() == 1 && is_image_name(arguments_.inputs[0])
                                               ? std::vector{image_of(arguments_.inputs[0], a, b)}
                                               : read_or_make_inputs(arguments_.inputs, a.inputs());
    const bool watch = arguments_.nodes || dump_a_;
    const auto keep = [&](const HostTensor& tensor, const std::string&, const std::string&) {
      if (dump_a_) dump_a_->write(tensor);
      if (arguments_.nodes) made_[tensor.name] = tensor;
    };
    const auto check = [&](const HostTensor& tensor, const std::string&, const std::string& op) {
      if (dump_b_) dump_b_->write(tensor);
      const auto counterpart = made_.find(tensor.name);
      if (counterpart == made_.end()) return;
      nodes.push_back(row_of(counterpart->second, tensor, op, arguments_.tolerance));
      made_.erase(counterpart);
    };
    const auto made_by_a = a.run(renamed(inputs, a.inputs()), watch ? Executor::Observer(keep) : nullptr);
    const auto made_by_b = b.run(renamed(inputs, b.inputs()), watch ? Executor::Observer(check) : nullptr);
    outputs = compare_outputs(made_by_a, made_by_b, arguments_.tolerance);
  }

  std::vector<Row> outputs, nodes;

 private:
  const CompareArguments& arguments_;
  std::optional<NpyFolder> dump_a_, dump_b_;
  std::map<std::string, HostTensor> made_;
};

void print_comparison(const Comparison& comparison, bool nodes) {
  if (nodes) {
    print_rows("tensor", comparison.nodes);
    const auto first = std::ranges::find(comparison.nodes, false, &Row::same);
    fmt::print("\n{} tensors have a name in both models; ", comparison.nodes.size());
    if (first == comparison.nodes.end()) {
      fmt::print("all agree\n\n");
    } else {
      fmt::print("they part at '{}' ({})\n\n", one_line(first->name), first->op);
    }
  }
  print_rows("output", comparison.outputs);
}

}  // namespace

int run_compare(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Runs two models on the same input and prints how far their outputs are apart, and with --nodes "
                   "every tensor whose name both have. Each is a checkpoint, an ONNX file or a compiled model.",
                   "effdet compare d0.pth d0.onnx\n"
                   "effdet compare d0.pth d0.onnx --input image.jpg\n"
                   "effdet compare d0.onnx d0.om --input x.npy --nodes\n"
                   "effdet compare d0.onnx d0_sim.onnx --input x.npy --dump tensors --json");
  CompareArguments arguments;
  line.add_option("a", arguments.a, "the first model")->required()->type_name("A");
  line.add_option("b", arguments.b, "the second model")->required()->type_name("B");
  line.add_option("-i,--input", arguments.inputs,
                  "NAME=FILE, or FILE for the only input: .npy, .pb, .bin, or an image; default: made-up numbers")
      ->type_name("NAME=FILE");
  line.add_flag("--nodes", arguments.nodes, "compare every tensor whose name both models have, in order of execution");
  line.add_option("--dump", arguments.dump, "write the tensors of all nodes as DIR/a/NAME.npy and DIR/b/NAME.npy")
      ->type_name("DIR");
  line.add_option("--tolerance", arguments.tolerance, "largest difference, relative to a tensor's largest magnitude")
      ->capture_default_str()
      ->check(real_above(0))
      ->type_name("R");
  line.add_option("--engine", arguments.engine, kEngineHelp)->capture_default_str()->type_name("NAME");
  line.add_model_options(arguments.model);
  line.add_precision(arguments.model);
  line.add_threads(arguments.threads);
  line.add_json(arguments.json);
  if (!line.read()) return 0;

  Comparison comparison(arguments);
  comparison.run();
  const bool same = std::ranges::all_of(comparison.outputs, &Row::same);
  if (arguments.json) {
    const nlohmann::json json = {
        {"same", same}, {"outputs", rows_json(comparison.outputs)}, {"nodes", rows_json(comparison.nodes)}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_comparison(comparison, arguments.nodes);
  }
  return same ? 0 : static_cast<int>(ErrorCode::kMismatch);
}

}  // namespace effdet::cli
