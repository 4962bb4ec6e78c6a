// edit: changes an ONNX graph by names.
#include <fmt/format.h>

#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

/// "left=right", cut at the first '=' that has a name before it.
std::pair<std::string, std::string> split_pair(const std::string& flag, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is not of the form A=B", flag, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::pair<std::string, std::string>> split_pairs(const std::string& flag,
                                                             const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) pairs.push_back(split_pair(flag, text));
  return pairs;
}

/// "node.attr=value": node names may hold dots themselves, attribute names do not.
GraphEdits::AttributeEdit split_attribute(const std::string& text) {
  const auto [where, value] = split_pair("--set-attribute", text);
  const size_t dot = where.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == where.size())
    throw Error(ErrorCode::kUsage, fmt::format("--set-attribute: '{}' is not of the form NODE.attribute", where));
  return {where.substr(0, dot), where.substr(dot + 1), value};
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// "in,in..out,out"; either side may be empty.
void split_extract(const std::string& text, GraphEdits& edits) {
  const size_t dots = text.find("..");
  if (dots == std::string::npos)
    throw Error(ErrorCode::kUsage, fmt::format("--extract: '{}' is not of the form IN..OUT", text));
  edits.extract_from = split_names(text.substr(0, dots));
  edits.outputs = split_names(text.substr(dots + 2));
}

struct EditArguments {
  std::string in, out, outputs, extract, dump;
  std::vector<std::string> initializers, attributes, removed, identities, renames;
  bool external = false;
};

void add_options(CommandLine& line, EditArguments& arguments) {
  line.add_option("model", arguments.in, "the ONNX file to read")->required()->type_name("FILE");
  line.add_output("--out", arguments.out, "the ONNX file to write")->required();
  const auto add_list = [&](const char* flag, std::vector<std::string>& list, const char* type, const char* help) {
    line.add_option(flag, list, help)->allow_extra_args(false)->type_name(type);
  };
  add_list(
      "--set-initializer", arguments.initializers, "NAME=VALUE",
      "new values for an initializer: one for all elements, or \"1,2,3\"; repeatable, like all flags up to --rename");
  add_list("--set-attribute", arguments.attributes, "NODE.ATTR=VALUE", "an attribute: a number, \"[1,1]\" or a word");
  add_list("--remove", arguments.removed, "NODE", "remove a node; its consumers read its first input");
  add_list("--insert-identity", arguments.identities, "TENSOR[=NODE]",
           "insert an Identity node between a tensor and its consumers");
  add_list("--rename", arguments.renames, "A=B", "another name for a tensor or a node, after all other changes");
  line.add_option("--outputs", arguments.outputs, "the outputs: tensors, nodes or node:1, in this order")
      ->type_name("A,B");
  line.add_option("--extract", arguments.extract, "the part between these tensors; either side may be empty")
      ->type_name("IN..OUT");
  line.add_option("--dump-outputs", arguments.dump,
                  "make inner tensors outputs as well; \"all\": the first output of every node")
      ->type_name("A,B");
  line.add_flag("--save-as-external-data", arguments.external, "write weights to OUT.data");
}

GraphEdits edits_of(const EditArguments& arguments) {
  GraphEdits edits;
  edits.initializers = split_pairs("--set-initializer", arguments.initializers);
  for (const std::string& text : arguments.attributes) edits.attributes.push_back(split_attribute(text));
  edits.removed_nodes = arguments.removed;
  for (const std::string& text : arguments.identities)
    edits.identities.push_back(text.find('=') == std::string::npos ? std::pair(text, text + "_identity")
                                                                   : split_pair("--insert-identity", text));
  if (!arguments.extract.empty()) split_extract(arguments.extract, edits);
  if (!arguments.outputs.empty()) {
    if (!edits.outputs.empty()) throw Error(ErrorCode::kUsage, "--outputs and --extract both name outputs");
    edits.outputs = split_names(arguments.outputs);
  }
  edits.all_outputs = arguments.dump == "all";
  if (!edits.all_outputs) edits.extra_outputs = split_names(arguments.dump);
  edits.renames = split_pairs("--rename", arguments.renames);
  return edits;
}

}  // namespace

int run_edit(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Edits an ONNX graph. Tensors and nodes have the names that `effdet info` and graph viewers show. Edits "
      "are applied in the order of this help, whatever the order of the flags.",
      "effdet edit d7.onnx --set-initializer 3080=0 --out d7_zero.onnx\n"
      "effdet edit d0.onnx --extract ../backbone/conv_stem/Conv --out stem.onnx\n"
      "effdet edit d0.onnx --dump-outputs all --out d0_all.onnx");
  EditArguments arguments;
  add_options(line, arguments);
  line.allow_in_place();
  if (!line.read()) return 0;
  OnnxModel model = OnnxModel::read(arguments.in);
  const size_t before = node_count(model);
  model.edit(edits_of(arguments));
  for (const auto& file :
       model.write(arguments.out, arguments.external ? OnnxModel::Weights::kBeside : OnnxModel::Weights::kInside))
    fmt::print("{}: {}\n", shown_output(file.string()), written_text(file));
  fmt::print("{} nodes, {} before; {} inputs, {} outputs\n", node_count(model), before, model.inputs().size(),
             model.outputs().size());
  return 0;
}

}  // namespace effdet::cli
