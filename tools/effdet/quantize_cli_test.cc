// The program from outside: 8-bit models, their proof and gate, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "effdet/machine.h"
#include "support/shell.h"
#include "support/test_folder.h"

namespace {

using effdet::test::contains;
using effdet::test::content;
using effdet::test::Result;

const std::string kQuotedShapes = "'" EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth'";

class CliQuantize : public testing::Test {
 protected:
  /// Models of 128 pixels, and scenes that are in one set alone.
  CliQuantize() {
    expect_success("pth2onnx --checkpoint=" + kQuotedShapes + " --img-size=128 --out=m.onnx");
    expect_success("effdet scenes --out train --images 4 --seed 1 --min-side 128 --max-side 160");
    expect_success("effdet scenes --out val --images 6 --seed 2 --min-side 128 --max-side 160");
  }

  Result sh(const std::string& command) const { return effdet::test::run_in(folder_.path(), command); }
  Result expect_success(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.error;
    return result;
  }
  /// Fails with that code and one line, and leaves no output.
  void expect_refused(const std::string& command, int code, const std::string& part) const {
    const Result result = sh(command + " --out no.onnx");
    EXPECT_EQ(result.code, code) << command << "\n" << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_TRUE(contains(result.error, part)) << result.error;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "no.onnx")) << command;
  }
  nlohmann::json json(const std::string& command) const { return nlohmann::json::parse(expect_success(command).out); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  const effdet::test::TestFolder folder_{"cli_quantize"};
};

TEST_F(CliQuantize, ThePageSaysThatNoGateWasAskedForAndListsTheLayers) {
  expect_success("effdet quantize m.onnx --weights-only --out q.onnx --report q.html");
  const std::string page = content(folder_ / "q.html");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>")) << page.substr(0, 100);
  for (const char* part :
       {"No gate was asked for", "name=\"viewport\"", "prefers-color-scheme: dark", "@media print", "of floats",
        "tabindex=\"0\" role=\"region\" aria-label=\"Layers\"", "<th scope=\"row\">/backbone/conv_stem/Conv</th>"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_FALSE(contains(page, "<svg"));  // no sensitivity was measured
}

TEST_F(CliQuantize, TheProofIsMeasuredOnTheCompiledFileAndTravelsWithIt) {
  const auto report =
      json("effdet quantize m.onnx --calibration train --validate val --keep 0.5 --out q.onnx --threads 2 --json");
  EXPECT_TRUE(report["passed"]);
  const auto& proof = report["proof"];
  EXPECT_EQ(proof["calibration"]["images"], 4);
  EXPECT_EQ(proof["validation"]["images"], 6);
  EXPECT_GT(proof["int8_products"], 0.5);
  EXPECT_LE(proof["int8_products"], 1.0);
  EXPECT_LT(report["bytes"], std::filesystem::file_size(folder_ / "m.onnx") / 2);

  expect_success("atc --framework=5 --model=q.onnx --output=q --soc_version=native");
  const auto measured = json("validate val --checkpoint q.om --json"),
             exact = json("validate val --checkpoint m.onnx --json");
  EXPECT_TRUE(contains(expect_success("validate val --checkpoint q.om").out, "\nValidating in int8.\n"));
  EXPECT_EQ(measured["stats"]["AP"], proof["validation"]["mAP_int8"]);
  EXPECT_EQ(exact["stats"]["AP"], proof["validation"]["mAP_float32"]);
  EXPECT_GT(exact["stats"]["AP"], 0.05) << "there is something to lose";
  for (const char* file : {"q.onnx", "q.om"}) {
    const Result info = expect_success(std::string("effdet info ") + file);
    EXPECT_TRUE(contains(info.out, proof["calibration"]["sha256"])) << info.out;
    EXPECT_TRUE(contains(info.out, "50.00 % asked for; 6 images")) << info.out;
    EXPECT_TRUE(contains(info.out, "; measured with " + proof["validation"]["instruction_set"].get<std::string>()))
        << info.out;
    EXPECT_FALSE(contains(info.out, "warning")) << info.out;
    const Result elsewhere = expect_success(std::string("EFFDET_ISA=sse2 effdet info ") + file);
    EXPECT_TRUE(contains(elsewhere.out, "here sse2 computes")) << elsewhere.out;
  }
  EXPECT_FALSE(contains(expect_success("validate val --checkpoint q.om --limit 1").error, "was measured with"));
  const Result elsewhere = expect_success("EFFDET_ISA=sse2 validate val --checkpoint q.om --limit 1");
  EXPECT_TRUE(contains(elsewhere.error, "here sse2 computes")) << elsewhere.error;

  expect_success("effdet quantize m.onnx --calibration train --validate val --keep 0.5 --out again.onnx --threads 1");
  expect_success("cmp q.onnx again.onnx");
  const Result opened = sh("effdet bench q.om --infer-only --runs 1 --warmup 0 --precision bf16");
  EXPECT_EQ(opened.code, 2);
  EXPECT_TRUE(contains(opened.error, "was compiled for int8")) << opened.error;
}

TEST_F(CliQuantize, AtcTellsOfBfloat16WhereTheProcessorMultipliesIt) {
  expect_success("effdet quantize m.onnx --weights-only --out q.onnx");
  const std::string atc = "atc --framework=5 --output=q --soc_version=native --log=info --model=";
  constexpr char kHint[] = "--precision_mode=force_fp16 computes in it";
  EXPECT_EQ(contains(expect_success(atc + "q.onnx").out, kHint), effdet::multiplies_bfloat16());
  EXPECT_FALSE(contains(expect_success(atc + "m.onnx").out, kHint));
  EXPECT_FALSE(contains(expect_success(atc + "q.onnx --precision_mode=force_fp16").out, kHint));
}

TEST_F(CliQuantize, BelowTheGateNoModelIsWrittenButThePageThatTellsWhy) {
  std::vector<float> faint(3 * 128 * 128);  // the ranges that are learnt from it cut off nearly all of a scene
  for (size_t i = 0; i < faint.size(); ++i) faint[i] = 1e-3f * static_cast<float>(i * 31 % 13);
  write("faint.bin", {reinterpret_cast<const char*>(faint.data()), faint.size() * sizeof(float)});
  write("old.onnx", "as it was");
  const Result result =
      sh("effdet quantize m.onnx --calibration faint.bin --validate val --keep 0.9 --out old.onnx --report q.html "
         "--sensitivity-chart q.svg --json");
  EXPECT_EQ(result.code, 6) << result.error;
  EXPECT_TRUE(contains(result.error, "below --keep 0.9: no model was written")) << result.error;
  EXPECT_EQ(content(folder_ / "old.onnx"), "as it was");
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_FALSE(report["passed"]);
  EXPECT_TRUE(report["file"].is_null());
  const std::string page = content(folder_ / "q.html");
  for (const char* part :
       {"Not passed: mAP", "<dd>1 image, seed 0<", "No model was written", "What was tried", "Sensitivity", "<svg"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_TRUE(content(folder_ / "q.svg").starts_with("<svg"));
}

TEST_F(CliQuantize, PreprocessedFilesCalibrateAsTheirImagesDo) {
  expect_success("preprocess --root train --model m.onnx --bin-save bin");
  expect_success(
      "effdet quantize m.onnx --calibration bin --out b.onnx && effdet quantize m.onnx --calibration train "
      "--out i.onnx");
  for (const char* file : {"b", "i"})
    expect_success(std::string("effdet run ") + file + ".onnx --input bin/*1.bin --out " + file);
  expect_success("for f in b/*.npy; do cmp $f i/${f#b/} || exit 1; done");
  expect_success("cat bin/*.bin > all.bin");
  write("calib.cfg", "calibration:\n{\n  input_data_dir: ./all.bin\n  input_shape: x.1:4,3,128,128\n  log: info\n}\n");
  expect_success(
      "atc --framework=5 --model=m.onnx --output=c --soc_version=native --compression_optimize_conf=calib.cfg");
  expect_success("effdet run c.om --input bin/*1.bin --out c");
  expect_success(
      "atc --framework=5 --model=b.onnx --output=b --soc_version=native && effdet run b.om --input bin/*1.bin "
      "--out b_om");
  expect_success("for f in c/*.npy; do cmp $f b_om/${f#c/} || exit 1; done");
  expect_refused("effdet quantize m.onnx --calibration bin --validate train", 2, "with the same content");
}

TEST_F(CliQuantize, WeightsAloneNeedNoImages) {
  expect_success("effdet quantize m.onnx --weights-only --out w.onnx");
  EXPECT_LT(std::filesystem::file_size(folder_ / "w.onnx"), std::filesystem::file_size(folder_ / "m.onnx") / 2);
  const auto proof =
      json("effdet quantize m.onnx --weights-only --validate val --keep 0.5 --out p.onnx --json")["proof"];
  EXPECT_EQ(proof["validation"]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(json("validate val --checkpoint w.onnx --json")["stats"]["AP"], proof["validation"]["mAP_int8"]);
  expect_refused("effdet quantize m.onnx", 2, "--calibration is missing");
}

TEST_F(CliQuantize, PrecisionInt8WantsImagesWhereTheModelIsFloat) {
  const Result result = sh("validate val --checkpoint m.onnx --precision int8");
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(contains(result.error, "--precision int8 needs --calibration")) << result.error;
  EXPECT_EQ(sh("validate val --checkpoint m.onnx --calibration train").code, 2);
  EXPECT_GT(json("validate val --checkpoint m.onnx --precision int8 --calibration train --json")["stats"]["AP"], 0.0);
}

TEST_F(CliQuantize, WhatCannotBeDoneIsOneLineAndNoFile) {
  expect_success("mkdir empty black && cp val/val2017/*.jpg black");
  expect_refused("effdet quantize m.onnx --calibration empty", 2, "empty: no pictures or .bin files");
  expect_refused("effdet quantize m.onnx --calibration gone.jpg", 4, "gone.jpg");
  expect_refused("effdet quantize m.onnx --calibration train --validate val --keep 1.5", 2,
                 "--keep: '1.5' is no number of 0 to 1");
  expect_refused("effdet quantize m.onnx --calibration train --validate val --keep 0", 2, "--keep 0");
  expect_refused("effdet quantize m.onnx --calibration black --validate val", 2, "with the same content");
  expect_refused("effdet quantize m.onnx --calibration train --keep-float nothing", 2, "nothing");
  expect_success("effdet edit m.onnx --set-initializer class_net.predict.conv_pw.bias=nan --out nan.onnx");
  const Result nan = sh("effdet quantize nan.onnx --calibration train --out no.onnx");
  EXPECT_EQ(nan.code, 3);
  EXPECT_TRUE(contains(nan.error, "for train/val2017/")) << nan.error;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no.onnx"));
  write("zero.bin", std::string(3 * 128 * 128 * 4, '\0'));
  expect_refused("effdet quantize m.onnx --calibration zero.bin", 3, "of one colour");
}

TEST_F(CliQuantize, FlagsThatCannotApplyAreRefused) {
  for (const auto& [flags, part] : std::vector<std::pair<std::string, std::string>>{
           {"--weights-only --calibration train", "--calibration excludes --weights-only"},
           {"--weights-only --seed 3", "--seed requires --calibration"},
           {"--weights-only --calibration-images 3", "--calibration-images requires --calibration"},
           {"--weights-only --sensitivity", "--weights-only excludes --sensitivity"},
           {"--calibration train --seed -1", "--seed: '-1' is no whole number"},
           {"--calibration train --seed 18446744073709551616", "is no whole number of 0 to 18446744073709551615"},
           {"--calibration train --keep 0.5", "--keep requires --validate"},
           {"--calibration train --category-map ids", "--category-map requires --validate"},
           {"--calibration train --precision int8", "--precision"},
           {"--calibration train --act relu6", "--act"},
           {"--calibration train --ignore-config", "--ignore-config"}})
    expect_refused("effdet quantize m.onnx " + flags, 2, part);
  expect_success("effdet quantize m.onnx --calibration train --out q.onnx");
  expect_success("atc --framework=5 --model=q.onnx --output=q --soc_version=native");
  EXPECT_TRUE(contains(expect_success("effdet profile q.onnx --runs 1 --warmup 0 --precision fp32").error,
                       "q.onnx: is an 8-bit model: --precision is that of the layers that are not quantized"));
  const std::string commands[] = {"effdet bench ", "effdet profile ", "validate val --checkpoint ",
                                  "effdet detect train/val2017/*1.jpg --out found --model-file "};
  for (const std::string& command : commands) {
    for (const auto& [flags, part] : std::vector<std::pair<std::string, std::string>>{
             {"q.onnx --precision int8 --calibration train", "q.onnx: is an 8-bit model"},
             {"q.om --precision int8 --calibration train", "q.om: is an 8-bit model"},
             {"m.onnx --calibration train", "--calibration is for --precision int8"},
             {"m.onnx --seed 3", "--seed requires --calibration"},
             {"m.onnx --config pad_type=same", "m.onnx has its network already"}}) {
      const Result result = sh(command + flags);
      EXPECT_EQ(result.code, 2) << command << flags << result.error;
      EXPECT_TRUE(contains(result.error, part)) << command << flags << "\n" << result.error;
    }
  }
}

TEST_F(CliQuantize, NoFileIsWrittenOverAnother) {
  const std::string model = content(folder_ / "m.onnx");
  expect_refused("effdet quantize m.onnx --calibration train --report ./no.onnx", 2, "--report");
  for (const char* flags : {"--out m.onnx", "--report m.onnx --out q.onnx", "--out val/../m.onnx"}) {
    const Result result = sh(std::string("effdet quantize m.onnx --calibration train ") + flags);
    EXPECT_EQ(result.code, 2) << flags << result.error;
    EXPECT_TRUE(contains(result.error, "would be lost")) << result.error;
    EXPECT_EQ(content(folder_ / "m.onnx"), model) << flags;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "q.onnx"));
  for (const char* calibration : {"train/val2017/*.jpg", "train"}) {
    const Result result = sh("effdet quantize m.onnx --out $(ls train/val2017/*.jpg | head -n 1) --calibration " +
                             std::string(calibration));
    EXPECT_EQ(result.code, 2) << calibration << result.error;
    EXPECT_TRUE(contains(result.error, "is the file of --calibration too, and would be lost")) << result.error;
  }
  expect_success("effdet edit m.onnx --rename x.1=x --out m.onnx");  // is for changing a file
  expect_success("cp " + kQuotedShapes + " d0.pth");
  EXPECT_EQ(sh("pth2onnx --img-size=128 --out=d0.pth").code, 2) << "reads d0.pth where it is not told";
  expect_success("cmp " + kQuotedShapes + " d0.pth");
}

TEST_F(CliQuantize, ErrorsNameTheModel) {
  expect_success("effdet edit m.onnx --set-initializer class_net.predict.conv_pw.weight=nan --out nan.onnx");
  for (const auto& [flag, part] : {std::pair("--weights-only", "error: nan.onnx: node '"),
                                   std::pair("--calibration train", "error: nan.onnx: the map '")}) {
    const Result result = sh(std::string("effdet quantize nan.onnx --out no.onnx ") + flag);
    EXPECT_EQ(result.code, 3);
    EXPECT_TRUE(contains(result.error, part)) << result.error;
  }
  expect_refused("effdet quantize m.onnx --calibration gone.jpg", 4, "error: gone.jpg: ");
  expect_success("effdet edit m.onnx --extract ../backbone/conv_stem/Conv --out stem.onnx");
  expect_refused("effdet quantize stem.onnx --calibration train", 5, "error: stem.onnx: nothing is left");
  for (const char* command : {"effdet bench stem.onnx", "validate val --checkpoint stem.onnx",
                              "effdet detect train/val2017/*1.jpg --out found --model-file stem.onnx"}) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 5) << command << result.error;
    EXPECT_TRUE(contains(result.error, "error: stem.onnx: the model")) << command << "\n" << result.error;
  }
}

TEST_F(CliQuantize, AnImageThatCannotBeReadIsNamedSkippedAndCounted) {
  write("train/val2017/broken.jpg", "no image");
  const Result result = sh("effdet quantize m.onnx --calibration train --out q.onnx");
  EXPECT_EQ(result.code, 3);
  EXPECT_TRUE(contains(result.error, "broken.jpg")) << result.error;
  EXPECT_TRUE(contains(result.error, "1 of 5 images could not be used: the ranges are of the other 4")) << result.error;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "q.onnx"));
}

TEST_F(CliQuantize, CalibrationFilesOfAtcAreReadStrictly) {
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
           {"calibration {\n input_data_dir: train\n colour: 3\n}",
            "bad.cfg:3: there is no field 'colour' in calibration"},
           {"calib {\n}", "bad.cfg:1: there is no field 'calib'"},
           {"calibration:\n{\n input_shape: x.1:4,3,128,128\n}", "has no input_data_dir"},
           {"calibration:\n{\n input_data_dir: train", "is not closed"},
           {"calibration: { input_data_dir: train }}", "bad.cfg:1: calibration { is closed twice"},
           {"calibration: {\n" + std::string(1'000'000, '}'), "bad.cfg:2: calibration { is closed twice"},
           {"enable_first_layer_quantization: maybe", "'maybe', not true or false"},
           {"calibration: { input_data_dir: a.bin,b.bin }", "the model has one input"},
           {"calibration: {\n config_file: x.cfg\n}", "config_file is not supported"},
           {"calibration: {\n input_data_dir: train\n input_shape: y:4,3,128,128\n}", "the model's input is 'x.1'"},
           {"calibration: {\n input_data_dir: train\n input_shape: x.1:4,3,64,128\n}",
            "an image of the model is 1x3x128x128"},
           {std::string(2 << 20, ' '), "bad.cfg: 2097152 bytes, more than the 1048576"},
           {"", "there is no calibration"}}) {
    write("bad.cfg", text);
    const Result result =
        sh("atc --framework=5 --model=m.onnx --output=no --soc_version=native --compression_optimize_conf=bad.cfg");
    EXPECT_EQ(result.code, 3) << text << result.out;
    EXPECT_TRUE(contains(result.out, part)) << text << "\n" << result.out;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "no.om"));
  }
}

}  // namespace
