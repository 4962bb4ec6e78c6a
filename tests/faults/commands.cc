// Makes the inputs of each command, and checks after a run that no half-written file is left.
#include "faults/commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/shell.h"

namespace effdet::faults {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOld = "of an earlier run";

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

std::vector<Command> make_commands() {
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
       {"validate", "in/data", "--checkpoint", "in/m.om", "--results", "out/v.json", "--pictures", "out/pictures"}},
      {"detect",
       {"effdet", "detect", "in/data/val2017", "--model-file", "in/m.om", "--out", "out", "--contact-sheet",
        "out/sheet.png"}},
      {"edit", {"effdet", "edit", "in/m.onnx", "--extract", "../backbone/conv_stem/Conv", "--out", "out/stem.onnx"}},
      {"graph", {"effdet", "graph", "in/m.onnx", "--out", "out/m.svg"}},
      {"scenes", {"effdet", "scenes", "--out", "out", "--images", "2", "--min-side", "100", "--max-side", "160"}},
      {"info", {"effdet", "info", "in/m.om", "--steps"}},
  };
  for (Command& command : list) {
    const Workplace place;
    const Outcome outcome = run(place.start(command));
    if (outcome.code != 0) throw std::runtime_error(command.name + ": " + outcome.error);
    command.outputs = place.outputs();
  }
  return list;
}

/// A run over images goes on without those that it cannot use.
bool leaves_images_out(const Outcome& outcome) {
  return outcome.code == 3 && outcome.error.find(" images could not be used") != std::string::npos;
}

/// Of what validate and detect keep finished images in until their results are written.
constexpr const char* kJournal = ".journal";

/// Without the warnings for images that could not be used, and for a journal that cannot be kept.
std::string without_warnings(std::string error) {
  while (error.starts_with("[WARNING] in/data/val2017/") || error.starts_with("[WARNING] out/v.json.journal: ") ||
         error.starts_with("[WARNING] out/detections.json.journal: "))
    error.erase(0, error.find('\n') + 1);
  return error;
}

/// One line of error, after warnings. atc says on standard output what went
/// wrong, as the original does; see docs/exit-codes.md.
bool says_one_error(const Command& command, const Outcome& outcome) {
  if (command.name == "atc" && outcome.out.find("ATC run failed") != std::string::npos) return outcome.error.empty();
  const std::string error = without_warnings(outcome.error);
  return std::ranges::count(error, '\n') == 1 && error.find(": error: ") != std::string::npos;
}

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> list = make_commands();
  return list;
}

const Command& command(const std::string& name) { return *std::ranges::find(commands(), name, &Command::name); }

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
  for (const auto& [name, content] : command.outputs) {
    fs::create_directories((folder_ / "out" / name).parent_path());
    std::ofstream(folder_ / "out" / name) << kOld;
  }
}

Files Workplace::outputs() const {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "out")) {
    const std::string name = entry.path().lexically_relative(folder_ / "out").string();
    const bool has_times = entry.path().filename().string().starts_with("perf_");
    if (entry.is_regular_file() && !has_times) files.emplace(name, test::content(entry.path()));
  }
  return files;
}

bool is_of_some_images(const Command& command, const std::string& name, const std::string& content) {
  if (command.name != "validate" && command.name != "detect") return false;
  if (name.ends_with(".png")) return content.ends_with(std::string("IEND\xae\x42\x60\x82"));  // a whole contact sheet
  const auto list = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
  const auto whole = nlohmann::json::parse(command.outputs.at(name), nullptr, /*allow_exceptions=*/false);
  return list.is_array() && whole.is_array() &&
         std::ranges::all_of(list, [&](const auto& entry) { return std::ranges::find(whole, entry) != whole.end(); });
}

void expect_whole_files(const Command& command, const Workplace& place, const std::string& what, bool of_all) {
  for (const auto& [name, content] : place.outputs()) {
    const std::string where = command.name + ", " + what + ": " + name;
    if (name.ends_with(kJournal) && !of_all) continue;  // expect_resumes() looks at it
    const auto whole = command.outputs.find(name);
    const bool is_known = whole != command.outputs.end();
    EXPECT_TRUE(is_known) << where << " was left behind";
    EXPECT_TRUE(content == kOld || (is_known && content == whole->second) ||
                (is_known && !of_all && is_of_some_images(command, name, content)))
        << where;
  }
}

void expect_orderly(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                    std::initializer_list<int> codes) {
  const std::string where = command.name + ", " + what + ", exit code " + std::to_string(outcome.code) + ": ";
  EXPECT_FALSE(outcome.hung) << where;
  EXPECT_EQ(outcome.signal, 0) << where << outcome.error;
  EXPECT_TRUE(std::ranges::find(codes, outcome.code) != codes.end() || leaves_images_out(outcome))
      << where << outcome.error;
  EXPECT_TRUE(outcome.code == 0 ? without_warnings(outcome.error).empty() : says_one_error(command, outcome))
      << where << outcome.error;
  expect_whole_files(command, place, what, /*of_all=*/outcome.code == 0);
  EXPECT_TRUE(outcome.code != 0 || place.outputs() == command.outputs) << where;
  expect_resumes(command, place, what);
}

void expect_resumes(const Command& command, const Workplace& place, const std::string& what) {
  if (std::ranges::none_of(place.outputs(), [](const auto& file) { return file.first.ends_with(kJournal); })) return;
  Start start = place.start(command);
  start.arguments.emplace_back("--resume");
  expect_same(command, place, run(start), "resumed after " + what);
}

void expect_same(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what) {
  EXPECT_EQ(outcome.code, 0) << command.name << ", " << what << ": " << outcome.error;
  EXPECT_TRUE(place.outputs() == command.outputs) << command.name << ", " << what;
}

}  // namespace effdet::faults
