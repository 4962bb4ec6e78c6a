// The table of the commands, what they read, and the folders that they run in.
#include "faults/commands.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>

#include "support/shell.h"

namespace effdet::faults {
namespace {

namespace fs = std::filesystem;

/// Makes what the commands read: the output of one is the input of the next.
class Inputs {
 public:
  Inputs() {
    fs::create_directories(folder());
    shell("effdet scenes --out in/data --images 3 --seed 5 --min-side 100 --max-side 160");
    shell("cp '" EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth' in/d0.pth");
    shell(
        "pth2onnx --checkpoint in/d0.pth --model tf_efficientdet_d0 --img-size 128 --out in/m.onnx && onnxsim "
        "in/m.onnx in/s.onnx");
    shell("atc --framework=5 --model=in/s.onnx --output=in/m --soc_version=native");
    shell("preprocess --root in/data --bin-save in/bin -m tf_efficientdet_d0 --img-size 128");
    shell("get_info bin in/bin in/m.info 128 128");
    shell("benchmark.x86_64 -om_path=in/m.om -input_text_path=in/m.info -output_binary=True -result=in/result");
    shell("effdet edit in/m.onnx --extract ../backbone/conv_stem/Conv --out in/stem.onnx");
    shell("for i in 0 1; do validate in/data --checkpoint in/m.om --results in/r.json --shard $i/2 || exit; done");
    shell("effdet merge in/r.json --results in/whole.json");
    shell("effdet convert in/data --to voc --out in/voc");
  }

  fs::path folder() const { return folder_ / "in"; }

 private:
  void shell(const std::string& line) const {
    const test::Result result = test::run_in(folder_.path(), line);
    if (result.code != 0) throw std::runtime_error(line + ": " + result.out + result.error);
  }
  const test::TestFolder folder_{"faults_inputs"};
};

const Inputs& inputs() {
  static const Inputs made;
  return made;
}

/// One text for all that are whole.
std::string without_times(const fs::path& file) {
  const std::string text = test::content(file);
  const bool whole = file.extension() == ".json"  ? nlohmann::json::accept(text)
                     : file.extension() == ".svg" ? text.ends_with("</svg>\n")
                                                  : text.ends_with('\n');
  return whole ? "measured times" : text;
}

/// Reports say when they were made.
std::string without_date(const std::string& text) {
  static const std::regex date("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC");
  return std::regex_replace(text, date, "date");
}

/// The same for all runs without faults.
std::string lasting_content(const fs::path& file) {
  const std::string name = file.filename();
  if (name.starts_with("perf_") || name.ends_with("_summary.json")) return without_times(file);
  if (name == "report.json" || name == "index.html") return without_date(test::content(file));
  return test::content(file);
}

std::vector<Command> make_table() {
  const std::string d0 = "tf_efficientdet_d0";
  std::vector<Command> list = {
      {"pth2onnx",
       {"pth2onnx", "--checkpoint", "in/d0.pth", "--model", d0, "--img-size", "128", "--out", "out/m.onnx"}},
      {"onnxsim", {"onnxsim", "in/m.onnx", "out/s.onnx"}},
      {"external", {"onnxsim", "in/m.onnx", "out/e.onnx", "--no-check", "--save-as-external-data"}},
      {"modify_onnx", {"modify_onnx", "--model=in/s.onnx", "--out=out/mod.onnx"}},
      {"atc", {"atc", "--framework=5", "--model=in/s.onnx", "--output=out/m", "--soc_version=native"}},
      {"preprocess", {"preprocess", "--root", "in/data", "--bin-save", "out/bin", "-m", d0, "--img-size", "128"}},
      {"get_info", {"get_info", "bin", "in/bin", "out/m.info", "128", "128"}},
      {"benchmark",
       {"benchmark.x86_64", "-om_path=in/m.om", "-input_text_path=in/m.info", "-output_binary=True", "-result=out"}},
      {"postprocess",
       {"postprocess", "--root", "in/data", "--omfile", "in/result/dumpOutput_device0", "-m", d0, "--img-size", "128",
        "--results", "out/r.json"}},
      {"validate",
       {"validate", "in/data", "--checkpoint", "in/m.om", "--results", "out/v.json", "--pictures", "out/pictures"},
       {.of_images = true}},
      {"detect",
       {"effdet", "detect", "in/data/val2017", "--model-file", "in/m.om", "--out", "out", "--contact-sheet",
        "out/sheet.png"},
       {.of_images = true}},
      {"edit", {"effdet", "edit", "in/m.onnx", "--extract", "../backbone/conv_stem/Conv", "--out", "out/stem.onnx"}},
      {"graph", {"effdet", "graph", "in/m.onnx", "--out", "out/m.svg"}},
      {"scenes", {"effdet", "scenes", "--out", "out", "--images", "2", "--min-side", "100", "--max-side", "160"}},
      {"info", {"effdet", "info", "in/m.om", "--steps"}},
      {"info --json", {"effdet", "info", "in/d0.pth", "--json"}, {.part = 4}},
      {"ais_bench",
       {"ais_bench", "--model", "in/m.om", "--input", "in/bin", "--output", "out", "--output_dirname", "dump",
        "--outfmt", "NPY"},
       {.part = 4}},
      {"init", {"effdet", "init", "tf_efficientdet_lite0", "--num-classes", "1", "--out", "out/i.pth"}, {.part = 12}},
      {"run", {"effdet", "run", "in/m.om", "--input", "in/bin/000000000001.bin", "--out", "out"}, {.part = 4}},
      {"compare",
       {"effdet", "compare", "in/stem.onnx", "in/stem.onnx", "--nodes", "--dump", "out/dump", "--json", "--quiet"},
       {.part = 4}},
      {"bench", {"effdet", "bench", "in/m.om", "--infer-only", "--runs", "1", "--warmup", "0", "--json"}, {.part = 4}},
      {"profile",
       {"effdet", "profile", "in/stem.onnx", "--runs", "1", "--warmup", "0", "--trace", "out/perf_trace.json",
        "--roofline", "out/perf_roofline.svg"},
       {.part = 4}},
      {"quantize",
       {"effdet", "quantize", "in/m.onnx", "--calibration", "in/data", "--out", "out/q.onnx", "--quiet"},
       {.part = 12}},
      {"quantize --weights-only",
       {"effdet", "quantize", "in/m.onnx", "--weights-only", "--out", "out/q.onnx", "--report", "out/q.html"},
       {.part = 4}},
      {"convert",
       {"effdet", "convert", "in/data", "--to", "coco", "--out", "out/new", "--quiet"},
       {.part = 4, .of_images = true, .new_folder = "new"}},
      {"convert from VOC",
       {"effdet", "convert", "in/voc", "--to", "yolo", "--out", "out/new", "--quiet"},
       {.part = 4, .of_images = true, .new_folder = "new"}},
      {"merge", {"effdet", "merge", "in/r.json", "--results", "out/r.json", "--json"}, {.part = 4}},
      {"evaluate",
       {"effdet", "evaluate", "in/data/annotations/instances_val2017.json", "in/whole.json", "--report", "out/report",
        "--image-folder", "in/data/val2017", "--arrays", "out/a.npz", "--json", "--quiet"},
       {.part = 4, .new_folder = "report"}},
      {"manual", {"effdet", "manual", "--out", "out"}, {.part = 4}},
  };
  for (const char* format : {"coco", "jsonl", "csv", "yolo", "voc"})
    list.push_back({std::string("detect --format ") + format,
                    {"effdet", "detect", "in/data/val2017", "--model-file", "in/m.om", "--out", "out", "--format",
                     format, "--crops", "out/crops", "--no-pictures"},
                    {.part = 4, .of_images = true}});
  return list;
}

std::vector<Command>& table() {
  static std::vector<Command> list = make_table();
  return list;
}

/// Runs it without faults, unless that was done.
const Command& with_outputs(Command& command) {
  static std::set<std::string> known;
  if (!known.insert(command.name).second) return command;
  const Workplace place;
  const Outcome outcome = run(place.start(command));
  if (outcome.code != 0) throw std::runtime_error(command.name + ": " + outcome.error);
  command.outputs = place.outputs();
  return command;
}

}  // namespace

std::span<const Command> commands() {
  for (Command& command : table()) with_outputs(command);
  return table();
}

const Command& command(const std::string& name) {
  return with_outputs(*std::ranges::find(table(), name, &Command::name));
}

Workplace::Workplace() {
  fs::create_directories(folder_ / "out");
  fs::create_symlink(inputs().folder(), folder_ / "in");
}

fs::path Workplace::own_input(const fs::path& name) const {
  fs::path shared = inputs().folder(), own = folder_ / "in";
  fs::remove(own);
  for (const fs::path& part : name) {
    fs::create_directory(own);
    for (const auto& entry : fs::directory_iterator(shared))
      if (entry.path().filename() != part) fs::create_symlink(entry.path(), own / entry.path().filename());
    own /= part;
    shared /= part;
  }
  fs::copy_file(shared, own);
  return own;
}

void Workplace::put_old_outputs(const Command& command) const {
  if (!command.traits.new_folder.empty()) return;
  for (const auto& [name, content] : command.outputs) {
    fs::create_directories((folder_ / "out" / name).parent_path());
    std::ofstream(folder_ / "out" / name) << kOld;
  }
}

Files Workplace::outputs() const {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "out")) {
    const std::string name = entry.path().lexically_relative(folder_ / "out").string();
    if (entry.is_regular_file()) files.emplace(name, lasting_content(entry.path()));
  }
  return files;
}

}  // namespace effdet::faults
