// graph: draws the coarse structure of a model.
#include <fmt/format.h>

#include <filesystem>

#include "cli.h"
#include "commands.h"
#include "effdet/compiled_model.h"
#include "effdet/file_kind.h"
#include "effdet/onnx_model.h"
#include "effdet/output_file.h"
#include "effdet/structure.h"
#include "output_paths.h"
#include "report/graph_svg.h"

namespace effdet::cli {
namespace {

std::vector<StructureBlock> read_structure(const std::string& path, const ModelOptions& options) {
  switch (file_kind(path)) {
    case FileKind::kOnnx:
      return structure(OnnxModel::read(path));
    case FileKind::kCompiled:
      return structure(CompiledModel::load(path));
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      break;  // the checkpoint reader says best what an unknown file is
  }
  return structure(OnnxModel::from_checkpoint(path, options));
}

}  // namespace

int run_graph(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Draws the coarse structure of a checkpoint, an ONNX model or a compiled model as an SVG image: "
                   "backbone stages, pyramid cells and heads, by the names of nodes and weights.",
                   "effdet graph d0.onnx --out d0.svg\neffdet graph d0.om --out d0_compiled.svg");
  std::string model, out = "graph.svg";
  ModelOptions options{.preferred = "tf_efficientdet_d0"};
  line.add_option("file,-c,--checkpoint,--model-file", model, "the model")->required()->type_name("FILE");
  line.add_output("--out", out, "the SVG file to write")->capture_default_str();
  line.add_model_options(options);
  if (!line.read()) return 0;
  const std::vector<StructureBlock> blocks = read_structure(model, options);
  write_output(out, graph_svg(std::filesystem::path(model).filename().string(), blocks));
  fmt::print("{}: {} blocks\n", shown_output(out), blocks.size());
  return 0;
}

}  // namespace effdet::cli
