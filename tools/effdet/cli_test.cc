// The program from outside: help, names, exit codes and messages of the commands that make models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/shell.h"
#include "support/test_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;
using effdet::test::contains, effdet::test::content, effdet::test::Result;

const std::string kCheckpoint = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";
const std::vector<std::string> kCommands = {
    "pth2onnx",    "onnxsim",  "modify_onnx", "atc",    "preprocess", "get_info", "benchmark", "ais_bench", "bench",
    "postprocess", "validate", "merge",       "detect", "init",       "download", "info",      "profile",   "scenes",
    "evaluate",    "edit",     "graph",       "run",    "compare",    "quantize", "convert",   "serve"};

/// A test with a folder of its own, in which commands run.
class Cli : public testing::Test {
 protected:
  /// Runs a shell command with the programs in PATH.
  Result sh(const std::string& command) const { return effdet::test::run_in(folder_.path(), command); }

  /// The exported, trained model at 128 pixels.
  void make_onnx(const std::string& name = "m.onnx") const {
    const Result result = sh("pth2onnx --checkpoint='" + kCheckpoint + "' --img-size=128 --out=" + name);
    ASSERT_EQ(result.code, 0) << result.error;
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  bool exists(const std::string& name) const { return fs::exists(folder_ / name); }

  const effdet::test::TestFolder folder_{"cli"};
};

void expect_one_line(const std::string& text, const std::string& start) {
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_TRUE(text.starts_with(start)) << text;
}

TEST_F(Cli, HelpListsEveryCommand) {
  const Result result = sh("effdet --help");
  EXPECT_EQ(result.code, 0);
  for (const std::string& command : kCommands) EXPECT_TRUE(contains(result.out, "\n  " + command)) << command;
  EXPECT_TRUE(contains(result.out, "benchmark.x86_64"));
  EXPECT_EQ(sh("effdet help").out, result.out);
}

TEST_F(Cli, EveryCommandHasHelpWithExamples) {
  for (const std::string& command : kCommands) {
    const Result result = sh("effdet " + command + " --help");
    EXPECT_EQ(result.code, 0) << command << result.error;
    EXPECT_TRUE(contains(result.out, "Usage: effdet " + command)) << result.out;
    EXPECT_TRUE(contains(result.out, "Examples:")) << command;
    EXPECT_EQ(sh("effdet help " + command).out, result.out);
  }
}

TEST_F(Cli, Version) {
  const Result result = sh("effdet --version");
  EXPECT_EQ(result.code, 0);
  expect_one_line(result.out, "effdet 0.");
}

TEST_F(Cli, OriginalNamesRunTheirCommands) {
  for (const char* name : {"pth2onnx", "onnxsim", "modify_onnx", "atc", "preprocess", "get_info", "benchmark.x86_64",
                           "ais_bench", "postprocess", "validate"}) {
    const Result result = sh(std::string(name) + " --help");
    EXPECT_EQ(result.code, 0) << name << result.error;
    EXPECT_TRUE(contains(result.out, std::string("Usage: ") + name)) << result.out;
  }
}

TEST_F(Cli, UnknownCommandSuggestsTheNearest) {
  const Result near = sh("effdet valdate");
  EXPECT_EQ(near.code, 2);
  expect_one_line(near.error, "effdet: error: there is no command 'valdate'; did you mean 'validate'?");
  const Result far = sh("effdet xyzzy");
  EXPECT_EQ(far.code, 2);
  expect_one_line(far.error, "effdet: error: there is no command 'xyzzy'; effdet --help");
  EXPECT_EQ(sh("effdet help nothing").code, 2);
}

TEST_F(Cli, WrongFlagsAreUsageErrorsOfOneLine) {
  const Result unknown = sh("effdet pth2onnx --checkpont x");
  EXPECT_EQ(unknown.code, 2);
  expect_one_line(unknown.error, "effdet pth2onnx: error: ");
  EXPECT_TRUE(contains(unknown.error, "effdet pth2onnx --help")) << unknown.error;
  for (const char* command : {"pth2onnx --batch_size=0", "pth2onnx --batch_size=two", "onnxsim one.onnx",
                              "onnxsim a b --input-shape 1,3,x", "effdet info", "effdet detect a.jpg --out x",
                              "effdet init", "effdet detect a.jpg --checkpoint a --model-file b --out x",
                              "effdet scenes --out ''", "effdet validate . --checkpoint a --results ''"}) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 2) << command << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << command << ": " << result.error;
  }
}

TEST_F(Cli, FlagsMayHaveUnderscoresOrDashes) {
  const Result result =
      sh("pth2onnx --checkpoint='" + kCheckpoint + "' --batch-size 2 --img_size 128 256 --out=m.onnx");
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_TRUE(contains(result.out, "2x3x128x256")) << result.out;
}

TEST_F(Cli, ErrorsAreOneLineWithTheirExitCode) {
  write("garbage.onnx", std::string("\x08\x06garbage garbage"));
  write("garbage.pth", "not a zip\nfile");
  const std::vector<std::pair<std::string, int>> cases = {
      {"effdet info missing.pth", 4},
      {"pth2onnx --checkpoint missing.pth", 4},
      {"onnxsim missing.onnx out.onnx", 4},
      {"effdet info garbage.onnx", 3},
      {"onnxsim garbage.onnx out.onnx", 3},
      {"effdet init tf_efficientdet_d99", 2},
      {"pth2onnx --checkpoint '" + kCheckpoint + "' --out no/such/folder/m.onnx --img-size 128", 4},
      {"pth2onnx --checkpoint '" + kCheckpoint + "' --model tf_efficientdet_d7", 3},
  };
  for (const auto& [command, code] : cases) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, code) << command << ": " << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << command << ": " << result.error;
    EXPECT_TRUE(contains(result.error, ": error: ")) << result.error;
  }
  EXPECT_NE(sh("effdet info garbage.pth").code, 0);
  EXPECT_FALSE(exists("out.onnx"));
}

TEST_F(Cli, DownloadsSayWhatToDoWithoutANetwork) {
  const std::string nowhere = "XDG_CACHE_HOME=$PWD/cache EFFDET_MIRROR=http://127.0.0.1:1/ ";
  for (const char* command : {"effdet download tf_efficientdet_d0", "pth2onnx --checkpoint tf_efficientdet_d0",
                              "effdet info tf_efficientdet_d0", "effdet profile tf_efficientdet_d0"}) {
    const Result result = sh(nowhere + command);
    EXPECT_EQ(result.code, 4) << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_TRUE(contains(result.error, "http://127.0.0.1:1/tf_efficientdet_d0_34-f153e0cf.pth")) << result.error;
    EXPECT_TRUE(contains(result.error, "--mirror")) << result.error;
  }
  EXPECT_EQ(sh("effdet download efficientdet_w0").code, 2);
  EXPECT_EQ(sh("effdet download tf_efficientdet_d99").code, 2);
  EXPECT_EQ(sh("effdet download").code, 2);
  EXPECT_TRUE(contains(sh("effdet download --list").out, "tf_efficientdet_d7x\n"));
}

TEST_F(Cli, StandardOutputMayBeFullOrClosed) {
  const Result full = sh("effdet --help > /dev/full");
  EXPECT_EQ(full.code, 4);
  expect_one_line(full.error, "effdet: error: cannot write to standard output: ");
  EXPECT_EQ(sh("effdet --help >&-").code, 0);
  // What was printed line by line counts, too; files are written all the same.
  ASSERT_EQ(sh("effdet scenes --out s --images 8").code, 0);
  const std::string found = "effdet detect s/val2017 --img-size 128 --checkpoint '" + kCheckpoint + "' ";
  EXPECT_EQ(sh(found + "> /dev/full").code, 4);
  EXPECT_EQ(sh(found + "--json > /dev/full").code, 4);
  EXPECT_EQ(sh(found + "--no-pictures --out found > /dev/full").code, 4);
  EXPECT_TRUE(fs::exists(folder_ / "found/detections.json"));
  sh("{ " + found + "; echo $? > code; } | true");
  EXPECT_EQ(content(folder_ / "code"), "141\n");
  EXPECT_EQ(sh("{ effdet --help; echo $? > code; } | true").error, "");
  const Result closed = sh("pth2onnx --checkpoint '" + kCheckpoint + "' --img-size 128 --out m.onnx >&- 2>&- <&-");
  EXPECT_EQ(closed.code, 0);
  EXPECT_EQ(sh("effdet info m.onnx").code, 0) << "what was printed must not land in the model";
}

TEST_F(Cli, TerminatedLeavesNothingBehind) {
  const Result result =
      sh("mkdir out; effdet init tf_efficientdet_d7 --out out/x.pth & sleep 0.3; kill -TERM $!; wait $!");
  EXPECT_EQ(result.code, 143);
  EXPECT_TRUE(fs::is_empty(folder_ / "out"));
}

TEST_F(Cli, ExportPrintsASummary) {
  const Result text = sh("pth2onnx --batch_size=1 --checkpoint='" + kCheckpoint + "' --out=m.onnx --img-size=128");
  EXPECT_EQ(text.code, 0) << text.error;
  EXPECT_TRUE(contains(text.out, "tf_efficientdet_d0")) << text.out;
  EXPECT_TRUE(contains(text.out, "x.1")) << text.out;
  const Result json = sh("pth2onnx --checkpoint='" + kCheckpoint + "' --out=m2.onnx --img-size=128 --json");
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed["inputs"][0]["name"], "x.1");
  EXPECT_EQ(parsed["outputs"].size(), 10u);
  EXPECT_EQ(content(folder_ / "m.onnx"), content(folder_ / "m2.onnx"));
}

TEST_F(Cli, InfoDescribesEveryKindOfFile) {
  make_onnx();
  ASSERT_EQ(sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native").code, 0);
  const auto checkpoint = nlohmann::json::parse(sh("effdet info --json '" + kCheckpoint + "'").out);
  EXPECT_EQ(checkpoint["kind"], "checkpoint");
  EXPECT_EQ(checkpoint["model"], "tf_efficientdet_d0");
  const auto onnx = nlohmann::json::parse(sh("effdet info --json m.onnx").out);
  EXPECT_EQ(onnx["kind"], "onnx");
  EXPECT_EQ(onnx["inputs"][0]["shape"], nlohmann::json({1, 3, 128, 128}));
  const auto compiled = nlohmann::json::parse(sh("effdet info --json m.om").out);
  EXPECT_EQ(compiled["kind"], "compiled");
  EXPECT_GT(compiled["steps"].size(), 0u);
  EXPECT_TRUE(contains(sh("effdet info '" + kCheckpoint + "'").out, "tf_efficientdet_d0"));
  EXPECT_TRUE(contains(sh("effdet info m.onnx").out, "Conv"));
  EXPECT_TRUE(contains(sh("effdet info m.om --steps").out, "implementation"));
}

TEST_F(Cli, SimplifyTakesTheOriginalsArguments) {
  make_onnx();
  const Result seed = sh("onnxsim --input-shape=\"1,3,128,128\" --dynamic-input-shape ./m.onnx ./m_sim.onnx");
  EXPECT_EQ(seed.code, 0) << seed.error;
  EXPECT_TRUE(contains(seed.out, "BatchNormalization")) << seed.out;
  EXPECT_TRUE(contains(seed.out, "Check ok")) << seed.out;
  EXPECT_TRUE(contains(seed.out, " parts were run beside what they replace")) << seed.out;
  EXPECT_TRUE(contains(seed.out, "Weights take ") && contains(seed.out, "--skip-fuse-bn")) << seed.out;
  EXPECT_EQ(sh("onnxsim m.onnx m2.onnx 2").code, 0);
  EXPECT_EQ(content(folder_ / "m_sim.onnx"), content(folder_ / "m2.onnx"));
  EXPECT_FALSE(contains(sh("onnxsim m.onnx m3.onnx --no-check").out, "Check ok"));
  const Result kept = sh("onnxsim m.onnx m4.onnx 0 --skip-fuse-bn");
  EXPECT_FALSE(contains(kept.out, "Weights take ")) << kept.out;
  EXPECT_GT(nlohmann::json::parse(sh("effdet info --json m4.onnx").out)["operators"]["BatchNormalization"], 0);
  EXPECT_EQ(sh("onnxsim m.onnx m5.onnx many").code, 2);
}

TEST_F(Cli, SimplifyOverwritesShapes) {
  make_onnx();
  const Result result = sh("onnxsim m.onnx m2.onnx --overwrite-input-shape x.1:2,3,128,128");
  EXPECT_EQ(result.code, 0) << result.error;
  const auto info = nlohmann::json::parse(sh("effdet info --json m2.onnx").out);
  EXPECT_EQ(info["inputs"][0]["shape"], nlohmann::json({2, 3, 128, 128}));
  EXPECT_EQ(info["outputs"][0]["shape"][0], 2);
  EXPECT_NE(sh("onnxsim m.onnx m3.onnx --input-shape y:2,3,128,128").code, 0);
}

/// The reference kernels would take minutes for this image from end to end.
TEST_F(Cli, SimplifyChecksALargeImageByParts) {
  EXPECT_EQ(sh("pth2onnx --checkpoint '" + kCheckpoint + "' --img-size 1536 --out large.onnx").code, 0);
  const Result result = sh("onnxsim large.onnx sim.onnx");
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_TRUE(contains(result.out, " of them on smaller maps)")) << result.out;
  EXPECT_FALSE(contains(result.out, "from end to end")) << result.out;
}

TEST_F(Cli, SimplifyTakesOnnxsimsFlags) {
  make_onnx();
  const auto operators = [&](const std::string& file) {
    return nlohmann::json::parse(sh("effdet info --json " + file).out)["operators"];
  };
  EXPECT_TRUE(contains(sh("onnxsim --list-default-optimizers").out, "fold_batch_norm\n"));
  EXPECT_EQ(sh("onnxsim m.onnx kept.onnx --skip-optimization fuse_bn_into_conv,fold_affine").code, 0);
  EXPECT_GT(operators("kept.onnx")["BatchNormalization"], 0);
  EXPECT_EQ(sh("onnxsim m.onnx folded.onnx --skip-optimization").code, 0);
  EXPECT_GT(operators("folded.onnx")["BatchNormalization"], 0);
  EXPECT_EQ(sh("onnxsim m.onnx x.onnx --skip-optimization nothing").code, 2);
  const Result external = sh("onnxsim m.onnx ext.onnx --save-as-external-data");
  EXPECT_EQ(external.code, 0) << external.error;
  EXPECT_TRUE(contains(external.out, "ext.onnx.data")) << external.out;
  EXPECT_LT(fs::file_size(folder_ / "ext.onnx"), fs::file_size(folder_ / "ext.onnx.data") / 10);
  EXPECT_EQ(sh("onnxsim ext.onnx inside.onnx --external-data-threshold 1GB").code, 0);
  EXPECT_FALSE(exists("inside.onnx.data"));
  EXPECT_EQ(sh("onnxsim ext.onnx large.onnx --external-data-threshold 1MB --no-large-tensor 100KB").code, 0);
  EXPECT_TRUE(exists("large.onnx.data"));
  const Result dropped = sh("onnxsim m.onnx fewer.onnx --unused-output box_l3 --unused-output class_l7");
  EXPECT_EQ(dropped.code, 0) << dropped.error;
  EXPECT_EQ(nlohmann::json::parse(sh("effdet info --json fewer.onnx").out)["outputs"].size(), 8u);
  EXPECT_EQ(sh("onnxsim m.onnx x.onnx --unused-output nobody").code, 2);
  const Result refused = sh("onnxsim m.onnx x.onnx --enable-onnxruntime-optimization");
  EXPECT_EQ(refused.code, 5);
  expect_one_line(refused.error, "onnxsim: error: --enable-onnxruntime-optimization is not offered: ");
  const Result strict = sh("onnxsim m.onnx x.onnx --check-rtol 0");
  EXPECT_EQ(strict.code, 6) << strict.error;
  EXPECT_FALSE(exists("x.onnx"));
}

TEST_F(Cli, EditChangesGraphsByName) {
  make_onnx();
  const auto info = [&](const std::string& file) {
    return nlohmann::json::parse(sh("effdet info --json " + file).out);
  };
  const std::string stem = "/backbone/conv_stem/Conv";
  const Result part = sh("effdet edit m.onnx --extract ..'" + stem + "' --out stem.onnx");
  EXPECT_EQ(part.code, 0) << part.error;
  EXPECT_EQ(info("stem.onnx")["outputs"].size(), 1u);
  EXPECT_EQ(info("stem.onnx")["operators"]["Conv"], 1);
  const Result all =
      sh("effdet edit stem.onnx --insert-identity x.1=probe --rename x.1=image --dump-outputs all "
         "--set-attribute '" +
         stem + ".group=1' --out all.onnx --save-as-external-data");
  EXPECT_EQ(all.code, 0) << all.error;
  EXPECT_EQ(info("all.onnx")["inputs"][0]["name"], "image");
  EXPECT_EQ(info("all.onnx")["operators"]["Identity"], 1);
  EXPECT_GE(info("all.onnx")["outputs"].size(), 2u);
  EXPECT_EQ(sh("effdet edit all.onnx --remove probe --out gone.onnx").code, 0);
  for (const char* flags : {"--remove nobody", "--outputs nobody", "--rename x.1", "--set-initializer nobody=1",
                            "--set-attribute nobody=1", "--extract a", "--outputs box_l3 --extract x.1..box_l3"}) {
    const Result wrong = sh(std::string("effdet edit m.onnx --out wrong.onnx ") + flags);
    EXPECT_EQ(wrong.code, 2) << flags << wrong.error;
    EXPECT_EQ(std::count(wrong.error.begin(), wrong.error.end(), '\n'), 1) << wrong.error;
  }
  EXPECT_FALSE(exists("wrong.onnx"));
}

/// TensorRT's NMS, a Loop, and an operator of com.microsoft, made by testdata/make_onnx_cases.py.
TEST_F(Cli, UnknownOperatorsStayWhatTheyAre) {
  const std::string model = EFFDET_SOURCE_DIR "/testdata/onnx/unknown.onnx";
  const auto operators = [&](const std::string& file) {
    return nlohmann::json::parse(sh("effdet info --json " + file).out)["operators"];
  };
  const auto good = [&](const std::string& line) {
    const Result result = sh(line);
    EXPECT_EQ(result.code, 0) << line << "\n" << result.error << result.out;
    return result.out;
  };
  EXPECT_EQ(operators(model)["EfficientNMS_TRT"], 1);
  EXPECT_TRUE(contains(good("effdet info " + model), "Loop"));
  good("effdet graph " + model + " --out g.svg");
  good("effdet edit " + model + " --set-attribute nms.score_threshold=0.5 --out edited.onnx");
  good("effdet edit " + model + " --outputs boxes,scores --out head.onnx");
  EXPECT_EQ(operators("head.onnx"), nlohmann::json({{"Conv", 1}, {"Identity", 1}, {"Reshape", 1}, {"Sigmoid", 1}}));
  good("effdet edit " + model + " --extract found..product --out tail.onnx");
  good("modify_onnx --model " + model + " --node shape --out m.onnx");
  const std::string simplified = good("onnxsim " + model + " s.onnx");
  EXPECT_TRUE(contains(simplified, "Check ok") &&
              contains(simplified, "3 nodes of EfficientNMS_TRT, FusedMatMul, Loop"))
      << simplified;
  EXPECT_FALSE(contains(simplified, "Not compared")) << simplified;
  EXPECT_FALSE(operators("s.onnx").contains("Identity"));
  good("effdet edit " + model + " --outputs best --out best.onnx");  // its shape has a dimension with a name
  EXPECT_TRUE(contains(good("onnxsim best.onnx s.onnx"),
                       "Not compared, since they are computed from what such nodes make: best"));
  good("onnxsim " + model + " fewer.onnx --unused-output product --unused-output found");
  EXPECT_FALSE(operators("fewer.onnx").contains("Loop"));
  const std::string atc = "atc --framework=5 --soc_version=native --output=m --model=" + model;
  const Result refused = sh(atc);
  EXPECT_NE(refused.code, 0);
  EXPECT_TRUE(contains(refused.out, "\nE19010: ") && contains(refused.out, "EfficientNMS_TRT") &&
              contains(refused.out, "unknown.onnx") && contains(refused.out, "--out_nodes"))
      << refused.out;
  good(atc + " --out_nodes='boxes:0;scores:0'");
}

/// Each folder has ONNX Runtime's results: functions of the model's own, an If that is always taken the same way,
/// float16, the scales of ONNX Runtime's quantizer, and its operators on codes.
TEST_F(Cli, WhatExportersWriteBesidePlainOperators) {
  for (const std::string name : {"functions", "if", "half", "quantized", "quantized_operators"}) {
    const std::string folder = EFFDET_SOURCE_DIR "/testdata/onnx/" + name;
    for (const char* command : {"effdet run --test-folder %", "onnxsim %/model.onnx s.onnx",
                                "atc --framework=5 --soc_version=native --output=m --model=%/model.onnx"}) {
      std::string line = command;
      line.replace(line.find('%'), 1, folder);
      const Result result = sh(line);
      EXPECT_EQ(result.code, 0) << line << "\n" << result.error << result.out;
    }
    fs::create_directories(folder_ / "simplified");
    fs::copy(folder + "/test_data_set_0", folder_ / "simplified/test_data_set_0");
    fs::rename(folder_ / "s.onnx", folder_ / "simplified/model.onnx");
    const Result again = sh("effdet run --test-folder simplified");
    EXPECT_EQ(again.code, 0) << name << again.error << again.out;
    fs::remove_all(folder_ / "simplified");
  }
}

TEST_F(Cli, GraphDrawsEveryKindOfModel) {
  make_onnx();
  ASSERT_EQ(sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native").code, 0);
  for (const std::string& model :
       {std::string("m.onnx"), std::string("m.om"), "'" + kCheckpoint + "' --img-size 128"}) {
    const Result result = sh("effdet graph " + model + " --out g.svg");
    EXPECT_EQ(result.code, 0) << result.error;
    const std::string svg = content(folder_ / "g.svg");
    for (const char* block : {">x.1<", ">stem<", ">stage 7<", ">BiFPN cell 3<", ">class head<", ">box head<"})
      EXPECT_TRUE(contains(svg, block)) << model << block;
  }
  EXPECT_EQ(sh("effdet graph missing.onnx").code, 4);
}

TEST_F(Cli, ExportWithNmsCompilesToDetections) {
  const Result result = sh("pth2onnx --with-nms --checkpoint='" + kCheckpoint + "' --img-size=128 --out=m.onnx");
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(sh("onnxsim m.onnx sim.onnx").code, 0);
  EXPECT_EQ(sh("atc --framework=5 --model=sim.onnx --output=m --soc_version=native").code, 0);
  const auto outputs = nlohmann::json::parse(sh("effdet info --json m.om").out)["outputs"];
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0]["name"], "detections");
  EXPECT_EQ(outputs[0]["shape"], nlohmann::json({1, 100, 6}));
}

TEST_F(Cli, ModifyPrintsTheOriginalsLines) {
  make_onnx();
  const Result all = sh("modify_onnx --model=m.onnx --out=m2.onnx");
  EXPECT_EQ(all.code, 0) << all.error;
  EXPECT_TRUE(all.out.starts_with("[INFO] Start initializing.\n[INFO] Initialization completed! Cost ")) << all.out;
  EXPECT_TRUE(contains(all.out, " seconds.\n")) << all.out;
  EXPECT_TRUE(contains(all.out, " of -inf set to 0.\n")) << all.out;
  const Result missing = sh("modify_onnx --model=m.onnx --node=none --out=m3.onnx");
  EXPECT_EQ(missing.code, 2);
  EXPECT_TRUE(contains(missing.out, "\n[ERROR] none not found.\n")) << missing.out;
  EXPECT_FALSE(exists("m3.onnx"));
}

TEST_F(Cli, AtcCompiles) {
  make_onnx();
  const Result result =
      sh("atc --framework=5 --model=./m.onnx --output=./m --input_format=NCHW "
         "--input_shape=\"x.1:2,3,128,128\" --log=debug --soc_version=native");
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_TRUE(result.out.starts_with("ATC start working now, please wait for a moment.\n")) << result.out;
  EXPECT_TRUE(result.out.ends_with("ATC run success, welcome to the next use.\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "[DEBUG] stage"));
  EXPECT_EQ(nlohmann::json::parse(sh("effdet info --json m.om").out)["inputs"][0]["shape"],
            nlohmann::json({2, 3, 128, 128}));
  EXPECT_EQ(sh("atc --mode 1 --om m.om --json m.json").code, 0);
  EXPECT_EQ(nlohmann::json::parse(content(folder_ / "m.json"))["kind"], "compiled");
  EXPECT_TRUE(contains(sh("atc --mode=6 --om=m.om").out, "compiled model: "));
}

TEST_F(Cli, WeightsThatAreNoNumbersAreSaid) {
  make_onnx();
  ASSERT_EQ(sh("effdet edit m.onnx --set-initializer 'class_net.predict.conv_pw.bias=nan' --out nan.onnx").code, 0);
  const std::string atc = "atc --framework=5 --output=m --soc_version=native --model=";
  EXPECT_TRUE(contains(sh(atc + "nan.onnx").out, "values in 1 of the weight tensors are NaN or infinite"));
  EXPECT_FALSE(contains(sh(atc + "m.onnx").out, "WARNING"));
  EXPECT_EQ(sh("pth2onnx --checkpoint='" + kCheckpoint + "' --img-size=128 --out=quiet.onnx").error, "");
}

TEST_F(Cli, AtcTunesOnceAndRepeatsOnRequest) {
  make_onnx();
  const std::string atc =
      "TUNE_BANK_PATH=bank EFFDET_TUNE_SECONDS=0.01 %atc --framework=5 --model=m.onnx --output=m --soc_version=native "
      "--log=info --auto_tune_mode=";
  const auto run = [&](const std::string& environment, const std::string& mode) {
    return sh(std::string(atc).replace(atc.find('%'), 1, environment) + mode);
  };
  const Result first = run("", "RL,GA");
  EXPECT_EQ(first.code, 0) << first.out;
  EXPECT_TRUE(contains(first.out, "[INFO] tuned"));
  EXPECT_FALSE(contains(first.out, " 0 of them measured now"));
  EXPECT_TRUE(contains(run("", "RL").out, " 0 of them measured now"));
  EXPECT_FALSE(contains(run("REPEAT_TUNE=True ", "GA").out, " 0 of them measured now"));
  EXPECT_EQ(run("REPEAT_TUNE=maybe ", "GA").code, 2);
  EXPECT_TRUE(contains(run("", "best").out, "E10001"));
  EXPECT_EQ(sh("effdet bench m.om --runs 1").code, 0);
}

TEST_F(Cli, AtcChoosesOutputsAndDumpsStages) {
  make_onnx();
  const std::string box = "/box_net/level3/predict/conv_pw/Conv", cls = "/class_net/level7/predict/conv_pw/Conv";
  const Result result =
      sh("DUMP_GE_GRAPH=2 atc --framework 5 --model m.onnx --output m --soc_version native "
         "--enable_small_channel 1 --out_nodes '" +
         box + ":0;" + cls + ":0'");
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_TRUE(contains(result.out, "[WARNING] --enable_small_channel"));
  const auto outputs = nlohmann::json::parse(sh("effdet info --json m.om").out)["outputs"];
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0]["name"], "box_l3");
  EXPECT_EQ(outputs[1]["name"], "class_l7");
  // Without weights, as DUMP_GE_GRAPH=2 has it; fused operators are in a domain of their own.
  EXPECT_LT(fs::file_size(folder_ / "ge_onnx_00000000_simplify.onnx"), fs::file_size(folder_ / "m.onnx") / 10);
  EXPECT_TRUE(contains(sh("cat ge_onnx_*_fuse_windows.onnx").out, "ai.effdet"));
  EXPECT_EQ(sh("rm ge_*; DUMP_GE_GRAPH=1 atc --framework 5 --model m.onnx --output m --soc_version native").code, 0);
  EXPECT_EQ(sh("effdet info ge_onnx_00000000_simplify.onnx").code, 0);
}

TEST_F(Cli, AtcChoosesThePrecision) {
  make_onnx();
  const auto types = [&](const std::string& flags) {
    const Result result = sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native " + flags);
    EXPECT_EQ(result.code, 0) << result.out;
    std::map<std::string, int> counts;
    const auto profile = nlohmann::json::parse(sh("effdet profile --runs 1 --warmup 0 --json m.om").out);
    for (const auto& step : profile["steps"]) ++counts[step["op"] == "Cast" ? "cast" : step["type"].get<std::string>()];
    return counts;
  };
  EXPECT_EQ(types("").count("bfloat16"), 0u);
  const auto narrow = types("--precision_mode=force_fp16");
  EXPECT_GT(narrow.at("bfloat16"), 100);
  EXPECT_EQ(narrow.count("cast"), 0u);
  write("keep.txt", "# the last layers\n*predict*\n");
  const auto mixed = types("--precision_mode=allow_mix_precision --keep_dtype=keep.txt");
  EXPECT_LT(mixed.at("bfloat16"), narrow.at("bfloat16"));
  EXPECT_GT(mixed.at("cast"), 0);
  EXPECT_EQ(sh("effdet profile --precision fp32 m.om").code, 2) << "compiled already";
  const std::string on_avx2 = "EFFDET_ISA=avx2 atc --framework=5 --model=m.onnx --output=m --soc_version=native ";
  EXPECT_TRUE(contains(sh(on_avx2 + "--precision_mode=force_fp16").out, "does not multiply bfloat16"));
  EXPECT_FALSE(contains(sh(on_avx2).out, "bfloat16"));
  EXPECT_EQ(sh("effdet profile --precision bf16 --runs 1 --warmup 0 m.onnx").code, 0);
}

TEST_F(Cli, AtcRefusesListsOfNodesThatCannotBeRead) {
  make_onnx();
  write("long.txt", std::string(2 << 20, 'a'));
  sh("mkfifo endless && touch empty.txt");
  for (const auto& [file, part] : std::vector<std::pair<std::string, std::string>>{
           {"long.txt", "2097152 bytes"}, {"endless", "not a regular file"}, {"empty.txt", "no names of nodes"}}) {
    const Result refused =
        sh("timeout 20 atc --framework=5 --model=m.onnx --output=no --soc_version=native "
           "--precision_mode=force_fp16 --keep_dtype=" +
           file);
    EXPECT_EQ(refused.code, file == "endless" ? 4 : 3) << refused.out;
    EXPECT_TRUE(contains(refused.out, part)) << refused.out;
  }
}

TEST_F(Cli, AtcDescribesACompiledModelAndLeavesItAsItWas) {
  make_onnx();
  ASSERT_EQ(sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native").code, 0);
  const Result described = sh("atc --mode=6 --om=m.om --output=x");
  EXPECT_EQ(described.code, 0) << described.out;
  EXPECT_TRUE(contains(described.out, "[WARNING] --output has no effect with --mode=6")) << described.out;
  EXPECT_TRUE(contains(sh("atc --mode=1 --om=m.om --json=m.om").out, "would be lost"));
  EXPECT_EQ(sh("effdet info m.om").code, 0) << "as it was";
}

TEST_F(Cli, AtcErrorsHaveTheOriginalsCodes) {
  make_onnx();
  write("garbage.onnx", std::string("\x08\x06garbage garbage"));
  const std::string base = "atc --framework=5 --model=m.onnx --output=m --soc_version=native ";
  const std::string open_batch = base + "--input_shape=x.1:-1,3,128,128 ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"atc --framework=5 --model=m.onnx --output=m", "E10007: [--soc_version] is required."},
      {"atc --framework=5 --output=m --soc_version=native", "E10007: [--model] is required."},
      {"atc --framework=5 --model=m.onnx --output=m --soc_version=", "E10004: Value for parameter [--soc_version] is"},
      {"atc --framework=5 --model=garbage.onnx --output=m --soc_version=cpu", "E10041: Cannot load the model"},
      {"atc --framework=5 --model=m.onnx --output=m --soc_version=Ascend310",
       "E10001: Value [Ascend310] for parameter [--soc_version] is invalid. Reason: "},
      {"atc --framework=3 --model=m.onnx --output=m --soc_version=native",
       "E10001: Value [3] for parameter [--framework] is invalid. Reason: "},
      {"atc --framework=5 --model=none.onnx --output=m --soc_version=native",
       "E10001: Value [none.onnx] for parameter [--model] is invalid. Reason: "},
      {"atc --framework=5 --model=garbage.onnx --output=m --soc_version=native", "E10041: Cannot load the model"},
      {base + "--log=loud", "E10001: Value [loud] for parameter [--log] is invalid. Reason: "},
      {base + "--input_format=NHWC", "E10001: Value [NHWC] for parameter [--input_format] is invalid."},
      {base + "--input_shape='1,3,128,128'", "E10002: Value [1,3,128,128] for parameter [--input_shape]"},
      {base + "--input_shape='x.1:1,3,a,128'", "E10002: Value [x.1:1,3,a,128] for parameter [--input_shape]"},
      {base + "--input_shape='x.1:0,3,128,128'", "E10011: Value [x.1:0,3,128,128] for parameter [--input_shape]"},
      {base + "--input_shape='y:1,3,128,128'", "E10016: Opname [y] specified in [--input_shape] is not found"},
      {base + "--out_nodes='nothing:0'", "E10016: Opname [nothing:0] specified in [--out_nodes] is not found"},
      {base + "--out_nodes='nothing'", "E10001: Value [nothing] for parameter [--out_nodes] is invalid."},
      {base + "--insert_op_conf=none.cfg", "E10001: Value [none.cfg] for parameter [--insert_op_conf] is invalid."},
      {base + "--dynamic_batch_size=1,2", "E10001: Value [1,2] for parameter [--dynamic_batch_size] is invalid."},
      {base + "--input_shape=x.1:-1,3,128,128", "E10011: Value [-1,3,128,128] for parameter [--input_shape]"},
      {open_batch + "--dynamic_batch_size=1,0", "E10011: Value [1,0] for parameter [--dynamic_batch_size]"},
      {open_batch + "--dynamic_batch_size=1,two", "E10002: Value [1,two] for parameter [--dynamic_batch_size]"},
      {open_batch + "--dynamic_batch_size=1,2,1", "E10001: Value [1,2,1] for parameter [--dynamic_batch_size]"},
      {open_batch + "--dynamic_batch_size=99999999999999999999", "E10002: Value [99999999999999999999] for"},
      {open_batch + "--dynamic_image_size='64,64'", "E10001: Value [64,64] for parameter [--dynamic_image_size]"},
      {open_batch + "--dynamic_dims='1,64'", "E10001: Value [1,64] for parameter [--dynamic_dims]"},
      {open_batch + "--dynamic_dims=1 --dynamic_batch_size=2", "E10001: Value [1] for parameter [--dynamic_dims]"},
      {base + "--input_shape='x.1:1,3,-1,-1' --dynamic_image_size='128,128;128'",
       "E10001: Value [128,128;128] for parameter [--dynamic_image_size]"},
      {base + "--keep_dtype=none.txt", "E10001: Value [none.txt] for parameter [--keep_dtype] is invalid."},
      {base + "--precision_mode=allow_mix_precision --keep_dtype=none.txt",
       "E10001: Value [none.txt] for parameter [--keep_dtype] is invalid."},
      {base + "--output_type=FP16", "E10001: Value [FP16] for parameter [--output_type] is invalid."},
      {base + "--nonsense=1", "[ERROR] "},
  };
  for (const auto& [command, line] : cases) {
    const Result result = sh(command);
    EXPECT_NE(result.code, 0) << command;
    EXPECT_TRUE(
        contains(result.out, "ATC run failed, Please check the detail log, Try 'atc --help' for more information\n"))
        << result.out;
    EXPECT_TRUE(contains(result.out, "\n" + line)) << command << "\n" << result.out;
    EXPECT_FALSE(exists("m.om")) << command;
  }
}

TEST_F(Cli, AtcNamesOperatorsThatItDoesNotKnow) {
  make_onnx();
  std::string model = content(folder_ / "m.onnx");
  const std::string known = "ReduceMean", unknown = "ReduceMoan";
  for (size_t at = model.find(known); at != std::string::npos; at = model.find(known, at))
    model.replace(at, known.size(), unknown);
  write("m.onnx", model);
  const Result result = sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native");
  EXPECT_NE(result.code, 0);
  EXPECT_TRUE(contains(result.out, "\nE19010: ")) << result.out;
  EXPECT_TRUE(contains(result.out, unknown)) << result.out;
}

TEST_F(Cli, ModelsThatTakeNoImagesAreMeasured) {
  // y = Gather(table [2, 2], ids: int64 [2, 3]) * f: float [2, 1, 1]; an index above 1 would be an error.
  constexpr std::string_view kModel =
      "\x08\x07:\x8e\x01\n\x13\n\x01t\n\x03ids\x12\x01v\"\006Gather\n\x0e\n\x01v\n\x01"
      "f\x12\x01y\"\x03Mul\x12\x01g*\x1b\x08\x02\x08\x02\x10\x01"
      "B\x01tJ\x10\0\0\x80?\0\0\0@\0\0@@\0\0\x80@Z\x15\n\x03ids\x12\x0e\n\x0c\x08\x07\x12\x08\n\x02\x08\x02"
      "\n\x02\x08\x03Z\x17\n\x01"
      "f\x12\x12\n\x10\x08\x01\x12\x0c\n\x02\x08\x02\n\x02\x08\x01\n\x02\x08\x01"
      "b\x17\n\x01y\x12\x12\n\x10\x08\x01\x12\x0c\n\x02\x08\x02\n\x02\x08\x03\n\x02\x08\x02"
      "B\x04\n\0\x10\x0b"sv;
  write("m.onnx", std::string(kModel));
  ASSERT_EQ(sh("atc --framework=5 --model=m.onnx --output=m --soc_version=native").code, 0);
  for (const char* command :
       {"benchmark.x86_64 -round=2 -om_path=m.om -batch_size=2", "ais_bench --model m.om --loop 2",
        "effdet bench m.om --infer-only --runs 2", "effdet profile m.onnx --runs 2"}) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << result.error;
  }
  write("x.bin", "x");
  const Result files = sh("ais_bench --model m.om --input x.bin");
  EXPECT_NE(files.code, 0);
  expect_one_line(files.error, "ais_bench: error: the model has 2 inputs, but a file holds samples of one");
}

TEST_F(Cli, DetectDrawsAndLists) {
  ASSERT_EQ(sh("effdet scenes --out data --images 3 --seed 5").code, 0);
  const std::string names = "--class-names '" EFFDET_SOURCE_DIR "/models/shapes.names'";
  const std::string base = "effdet detect data/val2017 --checkpoint '" + kCheckpoint + "' --img-size 256 ";
  const Result result = sh(base + names + " --out found --score 0.5");
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(result.error, "") << "no progress bar outside a terminal";
  const auto found = nlohmann::json::parse(content(folder_ / "found/detections.json"));
  ASSERT_EQ(found.size(), 3u);
  std::ifstream file(EFFDET_SOURCE_DIR "/models/shapes.names");
  const std::vector<std::string> known(std::istream_iterator<std::string>(file), {});
  for (const auto& image : found) {
    EXPECT_TRUE(exists(image["picture"])) << image;
    for (const auto& detection : image["detections"]) {
      EXPECT_GE(detection["score"], 0.5);
      EXPECT_NE(std::ranges::find(known, detection["category"].get<std::string>()), known.end()) << detection;
    }
  }
  EXPECT_EQ(sh(base + names + " --out found2 --score 0.5 --json").out, [&] {
    std::string text = content(folder_ / "found/detections.json");
    for (size_t at = 0; (at = text.find("found/", at)) != std::string::npos;) text.replace(at, 5, "found2");
    return text;
  }());
}

TEST_F(Cli, DetectRefusesToOverwriteItsImages) {
  ASSERT_EQ(sh("effdet scenes --out data --images 1").code, 0);
  const std::string before = content(folder_ / "data/val2017/000000000001.jpg");
  const Result result =
      sh("effdet detect data/val2017 --checkpoint '" + kCheckpoint + "' --img-size 256 --out data/../data/val2017");
  EXPECT_EQ(result.code, 2);
  expect_one_line(result.error, "effdet detect: error: ");
  EXPECT_EQ(content(folder_ / "data/val2017/000000000001.jpg"), before);
  EXPECT_EQ(sh("effdet detect 'data/*.gif' --checkpoint '" + kCheckpoint + "' --out found").code, 2);
  EXPECT_EQ(sh("effdet detect data --checkpoint '" + kCheckpoint + "' --out found").code, 2);
}

TEST_F(Cli, ProfileMeasuresEveryStep) {
  const std::string base = "effdet profile '" + kCheckpoint + "' --model tf_efficientdet_d0 --img-size 128 --runs 2 ";
  const auto profile = nlohmann::json::parse(sh(base + "--json --trace trace.json").out);
  ASSERT_GT(profile["steps"].size(), 100u);
  EXPECT_EQ(profile["runs_ms"].size(), 2u);
  EXPECT_GT(profile["machine"]["flops"], 0);
  EXPECT_GT(profile["machine"]["int8_ops"], 0);
  EXPECT_GT(profile["machine"]["bytes"], 0);
  double flops = 0;
  for (const auto& step : profile["steps"]) {
    EXPECT_GT(step["ms"], 0) << step;
    EXPECT_GT(step["bytes"], 0) << step;
    flops += step["flops"].get<double>();
  }
  // D0 with 90 classes takes 5.1 GFLOP at 512 pixels by effdet's own table; 1/16 of that here, less for 6 classes.
  EXPECT_GT(flops, 0.25e9);
  EXPECT_LT(flops, 0.35e9);
  const auto trace = nlohmann::json::parse(content(folder_ / "trace.json"));
  EXPECT_EQ(trace["traceEvents"].size(), profile["steps"].size());
  const Result table = sh(base + "--top 3");
  EXPECT_TRUE(contains(table.out, "GFLOPS in matrix multiplication")) << table.out << table.error;
}

TEST_F(Cli, ProfileDrawsARoofline) {
  const std::string base = "effdet profile '" + kCheckpoint + "' --model tf_efficientdet_d0 --img-size 128 --runs 1 ";
  const auto profile = nlohmann::json::parse(sh(base + "--json --roofline roofline.svg").out);
  const std::string svg = content(folder_ / "roofline.svg");
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")) << svg.substr(0, 200);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_TRUE(contains(svg, "tf_efficientdet_d0, 1x3x128x128"));
  size_t dots = 0;  // with a tooltip; those of the legend have none
  for (size_t at = 0; (at = svg.find("<title>", at)) != std::string::npos; ++at) ++dots;
  EXPECT_EQ(dots, profile["steps"].size()) << "every step of a detector has operations";
  EXPECT_FALSE(contains(svg, "nan")) << "a coordinate is no number";
  EXPECT_EQ(sh(base + "--roofline none/roofline.svg").code, 4);
}

TEST_F(Cli, InitIsReproducible) {
  ASSERT_EQ(sh("effdet init efficientdet_d0 --out a.pth --seed 3 --num-classes 2").code, 0);
  ASSERT_EQ(sh("effdet init efficientdet_d0 --out b.pth --seed 3 --num-classes 2 --threads 1").code, 0);
  EXPECT_EQ(content(folder_ / "a.pth"), content(folder_ / "b.pth"));
  EXPECT_EQ(nlohmann::json::parse(sh("effdet info --json a.pth").out)["num_classes"], 2);
}

TEST_F(Cli, RunWritesEachOutputAsNpyAndEnginesAgree) {
  make_onnx();
  const std::string zeros(3 * 128 * 128 * sizeof(float), '\0');
  write("x.bin", zeros);
  const Result reference = sh("effdet run m.onnx --input x.1=x.bin --out reference --json");
  ASSERT_EQ(reference.code, 0) << reference.error;
  const auto outputs = nlohmann::json::parse(reference.out)["outputs"];
  ASSERT_EQ(outputs.size(), 10u);
  EXPECT_EQ(outputs[0]["shape"].size(), 4u);
  EXPECT_TRUE(exists(outputs[0]["file"].get<std::string>()));
  const Result native = sh("effdet run m.onnx -i x.bin --out native --engine native");
  EXPECT_EQ(native.code, 0) << native.error;
  EXPECT_TRUE(exists("native/" + fs::path(outputs[0]["file"].get<std::string>()).filename().string()));
}

TEST_F(Cli, RunSaysWhichInputIsMissing) {
  make_onnx();
  Result result = sh("effdet run m.onnx --input y=x.npy --out r");
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(contains(result.error, "inputs are x.1")) << result.error;
  write("x.npy", "no array");
  result = sh("effdet run m.onnx --input x.1=x.npy --out r");
  EXPECT_EQ(result.code, 3);
  expect_one_line(result.error, "effdet run: error: x.npy: not a .npy file");
}

TEST_F(Cli, EvaluateTakesTheParametersOfPycocotools) {
  write("gt.json",
        R"({"images": [{"id": 1}, {"id": 2}], "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
      "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50]},
                      {"id": 2, "image_id": 2, "category_id": 2, "bbox": [0, 0, 50, 50]}]})");
  write("dt.json", R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 30], "score": 0.9},
                       {"image_id": 2, "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.8}])");
  const auto stats = [&](const std::string& options) {
    const Result result = sh("effdet evaluate --gt gt.json --dt dt.json --json " + options);
    EXPECT_EQ(result.code, 0) << result.error;
    return nlohmann::json::parse(result.out)["stats"];
  };
  EXPECT_NEAR(stats("")["AP"], 0.15, 1e-12);  // 0.3 of the cat, 0 of the dog
  EXPECT_NEAR(stats("--categories cat --iou-thresholds 0.5:0.6:0.1")["AP"], 1, 1e-12);
  EXPECT_NEAR(stats("--no-categories --iou-thresholds 0.5")["AP50"], 1, 1e-12);
  EXPECT_EQ(stats("--images 2")["AP"], 0);
  EXPECT_NEAR(stats("--areas all=0:inf,mid=2000:3000 --max-dets 2")["AR_mid"], 0.15, 1e-12);
  EXPECT_TRUE(stats("--max-dets 2,7").contains("AR7"));
  const Result errors = sh("effdet evaluate gt.json dt.json --errors --json");
  const auto analysis = nlohmann::json::parse(errors.out)["errors"];
  EXPECT_NEAR(analysis["AP50"], 0.5, 1e-12);  // the cat; the dog is called a cat
  EXPECT_EQ(analysis["Cls"]["count"], 1);
  EXPECT_NEAR(analysis["Cls"]["cost"], 0.5, 1e-12);
  EXPECT_TRUE(contains(sh("effdet evaluate gt.json dt.json --errors").out, "\nCls "));
  const Result explained =
      sh("effdet evaluate gt.json dt.json --analysis --score-threshold 0.5 --match-iou 0.7 --json");
  const auto explanation = nlohmann::json::parse(explained.out)["analysis"];
  EXPECT_EQ(explanation["all"]["chosen"]["false_positives"], 2);  // the cat's IoU is 0.6
  EXPECT_EQ(explanation["confusion"]["most_confused"][0]["actual"]["category"], "dog");
  EXPECT_EQ(explanation["label_errors"]["wrong_categories"]["listed"][0]["image_id"], 2);
  EXPECT_TRUE(explanation["sizes"].back()["high_side"].is_null());
  EXPECT_TRUE(contains(sh("effdet evaluate gt.json dt.json --analysis").out,
                       "\nAt scores of at least 0.900, where F1 is best, IoU 0.50: precision 1.000, recall 0.500, "));
  EXPECT_EQ(sh("effdet evaluate gt.json dt.json --score-threshold 0.5").code, 2);  // of what?
  const Result table = sh("effdet evaluate gt.json dt.json --per-class --arrays a.npz --images 1,2");
  EXPECT_TRUE(contains(table.out, "[INFO] evaluated on the 2 of 2 images that were chosen: 2 detections\n"))
      << table.out;
  EXPECT_TRUE(contains(table.out, "\ncat ")) << table.out;
  EXPECT_EQ(sh("grep -aq 'shape.: (10, 101, 2, 4, 3, )' a.npz").code, 0);
  for (const auto& [options, message] :
       {std::pair("--iou-thresholds 0.5,x", "--iou-thresholds: 'x' is not a number"),
        {"--iou-thresholds 0:1:0", "--iou-thresholds: '0:1:0' is not a range of 2 to 1000 numbers"},
        {"--areas 5", "--areas: '5' is not LABEL=LOW:HIGH in square pixels, such as tiny=0:256 or huge=65536:inf"},
        {"--areas a=5:4", "evaluation: area range 'a' is from 5 to 4"},
        {"--analysis --match-iou 0", "analysis: the IoU threshold is 0, possible is what is above 0 and at most 1"},
        {"--max-dets 0", "--max-dets: '0' is not a number of detections from 1"},
        {"--images 7", "images to evaluate: the annotation file has no image with the id '7'"},
        {"--categories cow", "categories to evaluate: the annotation file has none with the id or name 'cow'"}}) {
    const Result refused = sh(std::string("effdet evaluate gt.json dt.json ") + options);
    EXPECT_EQ(refused.code, 2) << options;
    expect_one_line(refused.error, std::string("effdet evaluate: error: ") + message);
  }
}

TEST_F(Cli, EvaluateHasTheRulesOfLvis) {
  const auto images = [](const std::string& fields) {
    return R"({"images": [{"id": 1)" + fields + R"(}], "categories": [{"id": 1, "name": "cat", "frequency": "r"},
      {"id": 2, "name": "dog", "frequency": "f"}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "area": 2500}]})";
  };
  write("gt.json", images(R"(, "neg_category_ids": [], "not_exhaustive_category_ids": [1])"));
  write("dt.json", R"([{"image_id": 1, "category_id": 1, "bbox": [90, 90, 50, 50], "score": 0.9},
                       {"image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.8},
                       {"image_id": 1, "category_id": 2, "bbox": [0, 0, 50, 50], "score": 0.7}])");
  const Result result = sh("effdet evaluate gt.json dt.json --lvis --arrays a.npz --per-class --json");
  EXPECT_EQ(result.code, 0) << result.error;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["rules"], "lvis");
  EXPECT_EQ(json["detections"], 2);             // nobody looked for dogs
  EXPECT_NEAR(json["stats"]["APr"], 1, 1e-12);  // the other cat may be there
  EXPECT_EQ(json["stats"]["APf"], -1);
  EXPECT_EQ(json["categories"][1]["frequency"], "f");
  EXPECT_EQ(sh("grep -aq 'shape.: (10, 101, 2, 4, )' a.npz").code, 0);
  EXPECT_TRUE(contains(sh("effdet evaluate gt.json dt.json --lvis").out, "maxDets=300 catIds=  r] = 1.000\n"));
  for (const char* options : {"--max-dets 1,10", "--no-categories", "--errors"})
    EXPECT_EQ(sh(std::string("effdet evaluate gt.json dt.json --lvis ") + options).code, 2) << options;
  write("gt.json", images(""));
  const Result refused = sh("effdet evaluate gt.json dt.json --lvis");
  EXPECT_EQ(refused.code, 3);
  expect_one_line(refused.error, "effdet evaluate: error: gt.json: images[0]: \"neg_category_ids\" is missing (byte ");
}

TEST_F(Cli, EvaluateCountsAllImagesAndSaysWhatIsLeftOut) {
  write("gt.json", R"({"images": [{"id": 1}, {"id": 2}], "categories": [{"id": 1}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50]},
      {"id": 2, "image_id": 2, "category_id": 1, "bbox": [0, 0, 50, 50]},
      {"id": 3, "image_id": 2, "category_id": 7, "bbox": [0, 0, NaN, 50]}]})");
  write("dt.json", R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.9}])");
  const Result all = sh("effdet evaluate gt.json dt.json");
  EXPECT_EQ(all.code, 0);
  EXPECT_TRUE(contains(all.out, "area=   all | maxDets=100 ] = 0.505\n")) << all.out;  // as pycocotools
  expect_one_line(all.error, "[WARNING] gt.json: 1 of 3 annotations left out: box with NaN or infinity");
  const Result seen = sh("effdet evaluate gt.json dt.json --only-images-with-results --json");
  const auto json = nlohmann::json::parse(seen.out);
  EXPECT_NEAR(json["stats"]["AP"], 1.0, 1e-12);
  EXPECT_EQ(json["images"], 1);
  EXPECT_EQ(json["notes"].size(), 1u);
  const Result strict = sh("effdet evaluate gt.json dt.json --strict");
  EXPECT_EQ(strict.code, 3);
  expect_one_line(strict.error,
                  "effdet evaluate: error: gt.json: annotations[2].bbox: box with NaN or infinity (byte ");
  const Result swapped = sh("effdet evaluate dt.json gt.json");
  EXPECT_EQ(swapped.code, 2);
  expect_one_line(swapped.error, "effdet evaluate: error: dt.json holds results and gt.json annotations: ");
}

}  // namespace
