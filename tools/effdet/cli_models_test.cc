// The program from outside: what checkpoints do not tell, what is said of weights that are no numbers, and how
// parameters are counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/shell.h"
#include "support/test_folder.h"

namespace {

using effdet::test::Result;

const std::string kTrained = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";

class CliModels : public testing::Test {
 protected:
  Result sh(const std::string& command) const { return effdet::test::run_in(folder_.path(), command); }
  Result expect_success(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.error;
    return result;
  }
  nlohmann::json json(const std::string& command) const { return nlohmann::json::parse(expect_success(command).out); }

  const effdet::test::TestFolder folder_{"cli_models"};
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_F(CliModels, WeightsThatAreNoNumbersAreSaidOnceByWhoeverComputesWithThem) {
  expect_success("pth2onnx --checkpoint='" + kTrained + "' --img-size=128 --out=m.onnx");
  expect_success("effdet edit m.onnx --set-initializer 'class_net.predict.conv_pw.bias=nan' --out nan.onnx");
  const Result atc = expect_success("atc --framework=5 --output=nan --soc_version=native --model=nan.onnx");
  const std::string in_onnx =
                        "54 values in 1 of the weight tensors are NaN or infinite, first in "
                        "'class_net.predict.conv_pw.bias'",
                    in_om = "of the weight tensors are NaN or infinite, first in 'class_net";
  EXPECT_EQ(count(atc.out, "[WARNING] nan.onnx: " + in_onnx), 1u) << atc.out;
  expect_success("effdet scenes --out data --images 1 --seed 5; head -c 196608 /dev/zero > x.bin; cp x.bin x1.bin");
  const std::string image = "data/val2017/*.jpg";
  for (const auto& [command, said] : {std::pair<std::string, std::string>("onnxsim nan.onnx sim.onnx 0", in_onnx),
                                      {"effdet run nan.onnx --engine native --input x.bin --out o", in_onnx},
                                      {"effdet detect " + image + " --model-file nan.onnx --out found", in_onnx},
                                      {"effdet detect " + image + " --model-file nan.om --out found", in_om},
                                      {"validate data --checkpoint nan.om", in_om},
                                      {"effdet bench nan.onnx --infer-only --runs 1 --warmup 0", in_onnx},
                                      {"effdet profile nan.om --runs 1 --warmup 0", in_om},
                                      {"benchmark.x86_64 -om_path=nan.om -round=1 -batch_size=1", in_om},
                                      {"ais_bench --model nan.om --loop 1", in_om}}) {
    const Result result = sh(command);
    EXPECT_EQ(count(result.error, said), 1u) << command << "\n" << result.error;
  }
  EXPECT_EQ(count(expect_success("effdet info nan.om").out, in_om), 1u);
  EXPECT_EQ(expect_success("effdet run m.onnx --engine native --input x.bin --out o").error, "");
}

/// Weights that are finite, but so large that sums are not.
TEST_F(CliModels, OutputsThatAreNoNumbersAreSaidOnce) {
  expect_success("pth2onnx --checkpoint='" + kTrained + "' --img-size=128 --out=m.onnx");
  expect_success("effdet edit m.onnx --set-initializer box_net.predict.conv_pw.weight=3e38 --out large.onnx");
  expect_success("effdet scenes --out data --images 3 --seed 5");
  for (const char* command : {"effdet detect data/val2017 --model-file large.onnx --out found",
                              "validate data --checkpoint large.onnx", "effdet bench large.onnx --runs 2 --warmup 0"}) {
    const Result result = expect_success(command);
    EXPECT_EQ(count(result.error, ": warning: large.onnx: the model's outputs hold NaN or infinity for "), 1u)
        << command << "\n"
        << result.error;
    EXPECT_EQ(count(result.error, "warning"), 1u) << result.error;
  }
}

/// Batches and suppression bring Split, Squeeze and reductions, whose forms changed.
TEST_F(CliModels, EveryOperatorSetComputesTheSameBits) {
  const std::string to_onnx =
      "pth2onnx --checkpoint='" + kTrained + "' --img-size=128 --batch_size=2 --with-nms --out=";
  expect_success(
      "effdet scenes --out data --images 2 --seed 5; preprocess --root data --model tf_efficientdet_d0 "
      "--img-size 128 --bin-save bin; cat bin/*.bin > x.bin");
  for (const char* opset : {"11", "13", "17", "18", "22"}) {
    const std::string file = std::string(opset) + ".onnx";
    expect_success(to_onnx + file + " --opset " + opset + " && onnxsim " + file + " sim.onnx 1");
    EXPECT_EQ(json("effdet info --json sim.onnx")["opset"].dump(), opset);
    expect_success("effdet run " + file + " --input x.bin --engine native --out " + opset);
    expect_success("cmp " + std::string(opset) + "/detections.npy 11/detections.npy");
  }
  for (const char* opset : {"10", "23", "x"}) {
    const Result result = sh(to_onnx + "no.onnx --opset " + opset);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.error.find("--opset"), std::string::npos) << result.error;
  }
  expect_success("test ! -e no.onnx");
}

/// What detect finds with the suppression in the model, and with its own.
TEST_F(CliModels, ModelsThatDetectThemselvesServeAllCommands) {
  expect_success("effdet scenes --out data --images 3 --seed 5");
  const std::string export_it = "pth2onnx --checkpoint='" + kTrained + "' --img-size=256 ";
  expect_success(export_it + "--out raw.onnx && " + export_it + "--with-nms --out rows.onnx");
  expect_success("atc --framework=5 --model=rows.onnx --output=rows --soc_version=native");
  const auto raw = json("effdet detect data/val2017 --model-file raw.onnx --out a --json --score 0.3");
  for (const char* model : {"rows.onnx", "rows.om"}) {
    const auto rows = json(std::string("effdet detect data/val2017 --out b --json --score 0.3 --model-file ") + model);
    ASSERT_EQ(rows.size(), raw.size());
    for (size_t i = 0; i < raw.size(); ++i) {
      const auto &a = raw[i]["detections"], &b = rows[i]["detections"];
      ASSERT_EQ(a.size(), b.size()) << a << b;
      for (size_t k = 0; k < a.size(); ++k) {
        EXPECT_EQ(a[k]["category_id"], b[k]["category_id"]);
        for (size_t side = 0; side < 4; ++side)
          EXPECT_NEAR(a[k]["bbox"][side].get<double>(), b[k]["bbox"][side].get<double>(), 0.01);
      }
    }
  }
  const auto ap = [&](const std::string& command) { return json(command)["stats"]["AP"].get<double>(); };
  const double wanted = ap("validate data --checkpoint raw.onnx --json");
  EXPECT_GT(wanted, 0.3);
  EXPECT_NEAR(ap("validate data --checkpoint rows.om --json"), wanted, 0.01);
  expect_success("effdet bench rows.om --runs 1 --warmup 0");
  // Over files.
  expect_success("preprocess --root data --model rows.onnx --bin-save bin && get_info bin bin bin.info 256 256");
  expect_success("benchmark.x86_64 -om_path=rows.om -input_text_path=bin.info -output_binary=true -batch_size=1");
  const std::string postprocess = "postprocess --root data --omfile result/dumpOutput_device0 --json --model ";
  EXPECT_NEAR(ap(postprocess + "rows.om"), wanted, 0.01);
  const Result unexplained = sh(postprocess + "tf_efficientdet_d0 --img-size 256");
  EXPECT_EQ(unexplained.code, 3);
  EXPECT_EQ(count(unexplained.error, "give the model's own file as --model"), 1u) << unexplained.error;
  const Result soft = sh("effdet detect data/val2017 --model-file rows.om --out c --soft-nms");
  EXPECT_EQ(soft.code, 2);
  EXPECT_EQ(count(soft.error, "suppresses boxes itself"), 1u) << soft.error;
}

TEST_F(CliModels, ParametersAreCountedAsPyTorchDoesEverywhere) {
  const auto checkpoint = json("effdet info --json '" + kTrained + "'");
  const int64_t parameters = checkpoint["parameters"];
  EXPECT_EQ(parameters, 3830927);
  EXPECT_EQ(checkpoint["buffers"], 47244);
  const Result exported = expect_success("pth2onnx --checkpoint='" + kTrained + "' --img-size=128 --out=m.onnx");
  EXPECT_EQ(count(exported.out, "3,830,927 parameters"), 1u) << exported.out;
  expect_success("onnxsim m.onnx s.onnx 0 && atc --framework=5 --model=s.onnx --output=m --soc_version=native");
  for (const char* file : {"m.onnx", "s.onnx", "m.om"})
    EXPECT_EQ(json(std::string("effdet info --json ") + file)["parameters"], parameters) << file;
  expect_success("effdet scenes --out data --images 1 --seed 5");
  EXPECT_EQ(count(expect_success("validate data --checkpoint m.om").out, "param count: 3830927\n"), 1u);
}

/// The tensors of tf_efficientdet_d0 without redundant biases are those of efficientdet_d0, which pads otherwise.
TEST_F(CliModels, AmbiguousCheckpointsAreRefusedOrAnnounced) {
  expect_success("effdet init tf_efficientdet_d0 --no-redundant-bias --num-classes 2 --out best.pth");
  const std::string export_it = "pth2onnx --img-size 128 --out m.onnx --checkpoint ";
  const Result refused = sh(export_it + "best.pth");
  EXPECT_EQ(refused.code, 3);
  EXPECT_EQ(count(refused.error, "fits efficientdet_d0, tf_efficientdet_d0 with redundant_bias=False"), 1u);
  EXPECT_EQ(count(refused.error, "say which with --model"), 1u) << refused.error;

  const Result taken = expect_success(export_it + "best.pth -m tf_efficientdet_d0");
  EXPECT_EQ(
      taken.error,
      "pth2onnx: warning: best.pth: taken for tf_efficientdet_d0 with redundant_bias=False, as its tensors are\n");
  for (const char* option :
       {"--redundant-bias=false", "--redundant-bias False", "--no-redundant-bias", "--config redundant_bias=False"})
    EXPECT_EQ(expect_success(export_it + "best.pth -m tf_efficientdet_d0 " + option).error, "") << option;
  EXPECT_EQ(sh(export_it + "best.pth -m tf_efficientdet_d0 --redundant-bias").code, 3);
  EXPECT_EQ(sh("effdet info best.pth --json").code, 0);
  EXPECT_EQ(json("effdet info best.pth --json")["fitting_models"].size(), 3u);
  EXPECT_EQ(json("effdet info best.pth --json")["model"], "");
}

TEST_F(CliModels, OptionsOfTheConfigurationReachTheGraph) {
  expect_success("effdet init tf_efficientdet_d0 --num-classes 2 --out d0.pth");
  const std::string export_it = "pth2onnx --img-size 128 --out m.onnx --checkpoint d0.pth -m tf_efficientdet_d0 ";
  const auto operators = [&](const std::string& options) {
    expect_success(export_it + options);
    return json("effdet info --json m.onnx")["operators"];
  };
  EXPECT_FALSE(operators("").contains("Relu"));
  EXPECT_EQ(operators("--head-act relu")["Relu"], 30) << "three in each of five levels of both heads";
  EXPECT_EQ(operators("--act relu --head-act-type=silu")["Relu"], 24) << "one in each of eight nodes of three cells";
  EXPECT_TRUE(operators("--config downsample_type=avg --config upsample_type=bilinear").contains("AveragePool"));
  const Result unknown = sh(export_it + "--config padtype=same");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(count(unknown.error, "there is no option 'padtype'"), 1u) << unknown.error;
  EXPECT_EQ(sh(export_it + "--config pad_type").code, 2);
  EXPECT_EQ(sh(export_it + "--act gelu").code, 5);
}

}  // namespace
