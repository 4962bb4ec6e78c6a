// The whole pipeline as its users run it: the built commands, one after the other, in a folder of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "support/shell.h"
#include "support/test_folder.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::content, effdet::test::Result;

const std::string kShapes = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";

/// Data that is not part of the repository: EFFDET_SHARED, or ../shared beside it.
fs::path shared() {
  const char* variable = std::getenv("EFFDET_SHARED");
  return variable != nullptr ? fs::path(variable) : fs::path(EFFDET_SOURCE_DIR) / "../shared";
}

/// A working folder for a suite of tests; removed at its end.
class Folder : public effdet::test::TestFolder {
 public:
  explicit Folder(const std::string& name) : TestFolder("e2e_" + name) {}

  /// Runs a shell command with the programs in PATH.
  Result sh(const std::string& command) const { return effdet::test::run_in(path(), command); }

  /// A command that must succeed; what it printed.
  std::string good(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.out << result.error;
    return result.out;
  }
};

/// The 12 lines of a COCO evaluation.
std::string coco_lines(const std::string& text) {
  static const std::regex pattern(
      R"( Average (Precision|Recall) +\((AP|AR)\) @\[ IoU=[0-9.:]+ +\| area= *(all|small|medium|large) \| maxDets= *\d+ \] = -?\d\.\d{3})");
  std::string lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);)
    if (std::regex_match(line, pattern)) lines += line + "\n";
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 12) << text;
  return lines;
}

std::vector<double> coco_numbers(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream input(coco_lines(text));
  for (std::string line; std::getline(input, line);) numbers.push_back(std::stod(line.substr(line.rfind('=') + 1)));
  return numbers;
}

void expect_matches(const std::string& text, const std::string& pattern) {
  EXPECT_TRUE(std::regex_search(text, std::regex(pattern))) << "no " << pattern << " in:\n" << text;
}

/// The original's first seven command lines, literally; the eighth is post_process.
void walk(const Folder& f, const std::string& checkpoint, const std::string& root, int size) {
  const std::string s = std::to_string(size), more = " --img-size " + s + " --model=tf_efficientdet_d0";
  f.good("mkdir -p model bin_save");
  f.good("pth2onnx --batch_size=1 --checkpoint='" + checkpoint + "' --out=./model/m_bs1.onnx" + more);
  f.good("onnxsim --input-shape='1,3," + s + "," + s +
         "' --dynamic-input-shape ./model/m_bs1.onnx ./model/m_bs1_sim.onnx");
  f.good("modify_onnx --model=./model/m_bs1_sim.onnx --out=./model/m_bs1_modify.onnx");
  const std::string atc = f.good(
      "atc --framework=5 --model=./model/m_bs1_modify.onnx --output=./model/m_bs1 --input_format=NCHW "
      "--input_shape='x.1:1,3," +
      s + "," + s + "' --log=debug --soc_version=native");
  EXPECT_TRUE(atc.starts_with("ATC start working now, please wait for a moment.\n"));
  EXPECT_TRUE(atc.ends_with("ATC run success, welcome to the next use.\n"));
  f.good("preprocess --root='" + root + "' --bin-save=bin_save" + more);
  f.good("get_info bin ./bin_save ./m_bin.info " + s + " " + s);
  const std::string bench = f.good(
      "benchmark.x86_64 -model_type=vision -batch_size=1 -device_id=0 -om_path=./model/m_bs1.om "
      "-input_text_path=m_bin.info -input_width=" +
      s + " -input_height=" + s + " -output_binary=True -useDvpp=False");
  expect_matches(bench, "-{17}Performance Summary-{18}");
}

std::string post_process(const Folder& f, const std::string& root, int size, const std::string& more,
                         const std::string& dumps = "./result/dumpOutput_device0") {
  return f.good("postprocess --root='" + root + "' --omfile=" + dumps + " --img-size " + std::to_string(size) +
                " --model=tf_efficientdet_d0 " + more);
}

// --- Six classes, six scenes, random weights, 128 pixels

constexpr int kSide = 128, kScenes = 6;

class Pipeline : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new Folder("pipeline");
    folder_->good("effdet scenes --out data --images " + std::to_string(kScenes) + " --seed 77");
    folder_->good("effdet init tf_efficientdet_d0 --num-classes 6 --seed 3 --out m.pth");
    walk(*folder_, "m.pth", "data", kSide);
    from_files_ = post_process(*folder_, "data", kSide, "--num-classes 6 --results files.json");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string file(const std::string& name) { return content(folder_->path() / name); }
  static const Folder& folder() { return *folder_; }

  static Folder* folder_;
  static std::string from_files_;  // what postprocess printed
};
Folder* Pipeline::folder_ = nullptr;
std::string Pipeline::from_files_;

TEST_F(Pipeline, ValidateGivesTheSameTwelveLines) {
  const std::string text = folder().good(
      "validate ./data --model=tf_efficientdet_d0 --num-classes 6 --img-size 128 --b=1 "
      "--checkpoint=m.pth --results online.json");
  EXPECT_EQ(coco_lines(text), coco_lines(from_files_));
  expect_matches(text, R"(Model tf_efficientdet_d0 created, param count: \d+)");
  expect_matches(text, R"(AMP not enabled. Validating in float32\.)");
  expect_matches(text, R"(Test: \[ *\d+/\d+\]  Time: \d+\.\d{3}s \(\d+\.\d{3}s, +\d+\.\d{2}/s\))");
  const auto online = nlohmann::json::parse(file("online.json")), files = nlohmann::json::parse(file("files.json"));
  EXPECT_GT(online.size(), 0u);
  EXPECT_EQ(online.size(), files.size());
}

TEST_F(Pipeline, BinariesAreRawFloats) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder().path() / "bin_save")) {
    ++count;
    EXPECT_EQ(fs::file_size(entry), 3u * kSide * kSide * 4);
  }
  EXPECT_EQ(count, kScenes);
  std::istringstream info(file("m_bin.info"));
  int index = 0;
  for (std::string line; std::getline(info, line); ++index)
    EXPECT_TRUE(std::regex_match(line, std::regex(std::to_string(index) + R"( \./bin_save/\d{12}\.bin 128 128)")))
        << line;
  EXPECT_EQ(index, kScenes);
}

TEST_F(Pipeline, PerformanceFilesHaveTheOriginalsLines) {
  const std::string perf = file("result/perf_vision_batchsize_1_device_0.txt");
  const std::string number = R"(\d+(\.\d+)?(e[+-]\d+)?)";
  expect_matches(perf, R"(\[e2e\] throughputRate: )" + number + ", latency: " + number);
  expect_matches(perf, R"(\[data read\] throughputRate: )" + number + ", moduleLatency: " + number);
  expect_matches(perf, R"(\[preprocess\] throughputRate: )" + number + ", moduleLatency: " + number);
  expect_matches(perf, R"(\[infer\] throughputRate: )" + number + ", Interface throughputRate: " + number +
                           ", moduleLatency: " + number);
  expect_matches(perf, R"(\[post\] throughputRate: )" + number + ", moduleLatency: " + number);
  const std::string pure =
      folder().good("benchmark.x86_64 -round=3 -batch_size=1 -device_id=0 -om_path=./model/m_bs1.om");
  for (const char* round : {"0", "1", "2"})
    expect_matches(pure, std::string(R"(\[INFO\] Dataset number: )") + round + " finished cost " + number + "ms");
  expect_matches(pure, "-{17}PureInfer Performance Summary-{18}");
  expect_matches(pure, R"(\[INFO\] ave_throughputRate: )" + number + "samples/s, ave_latency: " + number + "ms");
  expect_matches(file("result/PureInfer_perf_of_m_bs1_in_device_0.txt"),
                 "ave_throughputRate = " + number + "samples/s, ave_latency = " + number + "ms");
}

TEST_F(Pipeline, InterleavedDumpsGiveTheSame) {
  // Older runtimes wrote box 1, 3, 5, 7, 9 and class 2, 4, 6, 8, 10.
  const fs::path from = folder().path() / "result/dumpOutput_device0", to = folder().path() / "interleaved";
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string stem = entry.path().stem();
    const size_t underscore = stem.rfind('_');
    const int k = std::stoi(stem.substr(underscore + 1));
    const int other = k <= 5 ? 2 * k : 2 * (k - 5) - 1;
    fs::copy_file(entry.path(), to / (stem.substr(0, underscore + 1) + std::to_string(other) + ".bin"));
  }
  const std::string text = post_process(folder(), "data", kSide, "--num-classes 6 --results other.json", "interleaved");
  EXPECT_EQ(coco_lines(text), coco_lines(from_files_));
  EXPECT_EQ(file("other.json"), file("files.json"));
}

TEST_F(Pipeline, BatchesOfFourGiveTheSameBytes) {
  folder().good(
      "atc --framework=5 --model=./model/m_bs1_modify.onnx --output=./model/m_bs4 --input_format=NCHW "
      "--input_shape='x.1:4,3,128,128' --log=error --soc_version=native");
  folder().good(
      "benchmark.x86_64 -model_type=vision -batch_size=4 -device_id=1 -om_path=./model/m_bs4.om "
      "-input_text_path=m_bin.info -input_width=128 -input_height=128 -output_binary=true -useDvpp=false");
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder().path() / "result/dumpOutput_device0")) {
    ++count;
    const std::string name = entry.path().filename();
    EXPECT_EQ(file("result/dumpOutput_device0/" + name), file("result/dumpOutput_device1/" + name)) << name;
  }
  EXPECT_EQ(count, kScenes * 10) << "of the last, partial batch only the real images are written";
  EXPECT_TRUE(fs::exists(folder().path() / "result/perf_vision_batchsize_4_device_1.txt"));
}

TEST_F(Pipeline, OneModelForSeveralBatchesAndSizes) {
  const std::string atc = "atc --framework=5 --model=./model/m_bs1_modify.onnx --soc_version=native ";
  folder().good(atc + "--output=./model/m_batches --input_shape='x.1:-1,3,128,128' --dynamic_batch_size='1,2,4'");
  const std::string bench = "benchmark.x86_64 -om_path=./model/m_batches.om -output_binary=true ";
  // Six inputs: one batch of four, and the rest with the plan for two.
  folder().good(bench + "-batch_size=4 -device_id=4 -input_text_path=m_bin.info");
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder().path() / "result/dumpOutput_device0")) {
    ++count;
    const std::string name = entry.path().filename();
    EXPECT_EQ(file("result/dumpOutput_device0/" + name), file("result/dumpOutput_device4/" + name)) << name;
  }
  EXPECT_EQ(count, kScenes * 10);
  // Two streams: the one that gets the rest takes the smaller plan.
  const std::string streams = folder().good(
      "ais_bench --model model/m_batches.om --dymBatch 4 --streams 2 --input bin_save --output ais "
      "--output_dirname batches");
  expect_matches(streams, R"(throughput of 2 streams: \d)");
  for (int k = 0; k < 10; ++k)
    for (const char* image : {"000000000001", "000000000006"})
      EXPECT_EQ(file(std::string("ais/batches/") + image + "_" + std::to_string(k) + ".bin"),
                file(std::string("result/dumpOutput_device0/") + image + "_" + std::to_string(k + 1) + ".bin"));
  EXPECT_EQ(nlohmann::json::parse(file("ais/batches_summary.json"))["args"]["batchsize"], 4);
  EXPECT_EQ(nlohmann::json::parse(folder().good("effdet bench model/m_batches.om --runs 1 -b 2 --json"))["batch"], 2);
  folder().good(bench + "-dymBatch=2 -round=1");
  const Result none = folder().sh(bench + "-batch_size=3 -round=1");
  EXPECT_EQ(none.code, 2);
  expect_matches(none.error, "batch 3 is wanted, but .* batch 1, 128 x 128; batch 2, 128 x 128; batch 4");
  EXPECT_LT(static_cast<double>(fs::file_size(folder().path() / "model/m_batches.om")),
            1.1 * static_cast<double>(fs::file_size(folder().path() / "model/m_bs1.om")));

  folder().good(atc + "--output=./model/m_sizes --input_shape='x.1:1,3,-1,-1' --dynamic_image_size='128,128;256,128'");
  folder().good(atc + "--output=./model/m_tall --input_shape='x.1:1,3,256,128'");
  const auto info = nlohmann::json::parse(folder().good("effdet info model/m_sizes.om --json"));
  ASSERT_EQ(info["plans"].size(), 2u);
  EXPECT_EQ(info["plans"][1]["inputs"][0]["shape"], (std::vector<int>{1, 3, 256, 128}));
  expect_matches(folder().good("effdet info model/m_sizes.om"), R"(1 +x\.1 +1x3x256x128)");
  const std::string images = " -batch_size=1 -input_imgFiles_path=data/val2017 -output_binary=true ";
  folder().good("benchmark.x86_64 -om_path=model/m_sizes.om -dymHW=256,128 -result=sizes" + images);
  folder().good("benchmark.x86_64 -om_path=model/m_tall.om -result=tall" + images);
  folder().good("diff -r sizes/dumpOutput_device0 tall/dumpOutput_device0");
  folder().good(
      "ais_bench --model model/m_sizes.om --dymHW 256,128 --input data/val2017 --output ais --output_dirname t");
  EXPECT_EQ(file("ais/t/000000000001_0.bin"), file("tall/dumpOutput_device0/000000000001_1.bin"));
  EXPECT_EQ(folder().sh("ais_bench --model model/m_sizes.om --dymHW 128").code, 2);
  EXPECT_EQ(folder().sh("benchmark.x86_64 -om_path=model/m_sizes.om -dymHW=1,2 -round=1").code, 2);
  EXPECT_EQ(folder().sh("benchmark.x86_64 -om_path=model/m_sizes.om -dymHW=128 -round=1").code, 2);
  const auto small = folder().good("validate data --checkpoint=model/m_sizes.om --img-size 128");
  EXPECT_EQ(coco_lines(small), coco_lines(from_files_));
  EXPECT_EQ(coco_lines(folder().good("validate data --checkpoint=model/m_sizes.om")),
            coco_lines(folder().good("validate data --checkpoint=model/m_tall.om")));
  folder().good("effdet detect data/val2017 --model-file model/m_sizes.om --out found");
  folder().good("effdet profile model/m_sizes.om --plan 1 --runs 1");
  EXPECT_EQ(folder().sh("effdet profile model/m_sizes.om --plan 2 --runs 1").code, 2);
}

/// preprocess's normalisation as the original's AIPP file has it.
constexpr const char* kNormalise =
    "min_chn_0: 123.675 min_chn_1: 116.28 min_chn_2: 103.53 var_reci_chn_0: 0.0171247538 var_reci_chn_1: 0.0175070028 "
    "var_reci_chn_2: 0.0174291939";

TEST_F(Pipeline, AModelWithPreprocessingTakesImages) {
  std::ofstream(folder().path() / "aipp.cfg") << "aipp_op {\n  aipp_mode: static\n  input_format: RGB888_U8\n"
                                              << kNormalise << "\n}\n";
  folder().good(
      "atc --framework=5 --model=./model/m_bs1_modify.onnx --output=./model/m_aipp --input_format=NCHW "
      "--input_shape='x.1:4,3,128,128' --insert_op_conf=aipp.cfg --soc_version=native");
  const std::string info = folder().good("effdet info model/m_aipp.om");
  expect_matches(info, "preprocessing \\(AIPP\\): RGB888_U8, 128 x 128");
  expect_matches(info, R"(x\.1 +uint8 +4x128x128x3)");
  EXPECT_EQ(nlohmann::json::parse(folder().good("effdet info model/m_aipp.om --json"))["aipp"]["src_image_size_w"],
            128);

  folder().good("get_info jpg data/val2017 jpg.info");
  folder().good(
      "benchmark.x86_64 -batch_size=4 -device_id=2 -om_path=./model/m_aipp.om -input_text_path=jpg.info "
      "-output_binary=true -useDvpp=True");
  // A quotient became a product, so the last bits differ.
  const auto direct =
      coco_numbers(post_process(folder(), "data", kSide, "--num-classes 6", "result/dumpOutput_device2"));
  const auto by_files = coco_numbers(from_files_);
  for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(direct[i], by_files[i], 0.002) << i;
  const auto validated = coco_numbers(folder().good("validate ./data --checkpoint=model/m_aipp.om"));
  for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(validated[i], direct[i], 0.0011) << i;
  folder().good(
      "effdet profile model/m_aipp.om --runs 1 && benchmark.x86_64 -round=1 -batch_size=4 -om_path=model/m_aipp.om");

  // Raw bytes from a list.
  folder().good("mkdir -p raw && head -c 49152 /dev/urandom > raw/a.bin && get_info bin raw raw.info 128 128");
  const std::string bench = "benchmark.x86_64 -batch_size=4 -om_path=./model/m_aipp.om -output_binary=true ";
  folder().good(bench + "-device_id=3 -input_text_path=raw.info");
  EXPECT_EQ(fs::file_size(folder().path() / "result/dumpOutput_device3/a_1.bin"), 16u * 16 * 9 * 6 * 4);
  EXPECT_EQ(folder().sh(bench + "-input_text_path=raw.info -useDvpp=True").code, 2) << "no images";
  folder().good("truncate -s +1 raw/a.bin");
  EXPECT_EQ(folder().sh(bench + "-input_text_path=raw.info").code, 3);
  EXPECT_EQ(
      folder().sh("benchmark.x86_64 -batch_size=1 -om_path=./model/m_bs1.om -input_text_path=jpg.info -useDvpp=1").code,
      2);
}

TEST_F(Pipeline, StreamsGiveTheSameBytes) {
  folder().good(
      "benchmark.x86_64 -model_type=vision -batch_size=1 -device_id=2 -om_path=./model/m_bs1.om -streams=2 "
      "-input_text_path=m_bin.info -output_binary=true -threads-per-stream=1");
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder().path() / "result/dumpOutput_device0")) {
    ++count;
    const std::string name = entry.path().filename();
    EXPECT_EQ(file("result/dumpOutput_device0/" + name), file("result/dumpOutput_device2/" + name)) << name;
  }
  EXPECT_EQ(count, kScenes * 10);
  folder().good("effdet validate data --checkpoint model/m_bs1.om --streams 2 --results streams.json");
  folder().good("effdet validate data --checkpoint model/m_bs1.om --results one.json");
  EXPECT_EQ(file("streams.json"), file("one.json"));
}

TEST_F(Pipeline, AisBenchDumpsWhatBenchmarkDumps) {
  const std::string out = folder().good(
      "ais_bench --model model/m_bs1.om --input bin_save --output ais --output_dirname dump --outfmt BIN "
      "--warmup_count 0 --display_all_summary");
  const std::string number = R"(\d+(\.\d+)?(e[+-]\d+)?)";
  for (const char* name : {"H2D_latency", "NPU_compute_time", "D2H_latency"})
    expect_matches(out, std::string(name) + R"( \(ms\): min = )" + number + ", max = " + number + ", mean = " + number +
                            ", median = " + number + R"(, percentile\(99%\) = )" + number);
  expect_matches(out,
                 R"(throughput 1000\*batchsize\.mean\(1\)/NPU_compute_time\.mean\()" + number + R"(\): )" + number);
  for (const auto& entry : fs::directory_iterator(folder().path() / "result/dumpOutput_device0")) {
    const std::string stem = entry.path().stem();
    const size_t underscore = stem.rfind('_');
    const std::string name =
        stem.substr(0, underscore + 1) + std::to_string(std::stoi(stem.substr(underscore + 1)) - 1) + ".bin";
    EXPECT_EQ(content(entry.path()), file("ais/dump/" + name)) << name;
  }
  const auto summary = nlohmann::json::parse(file("ais/dump_summary.json"));
  EXPECT_EQ(summary["filesinfo"].size(), static_cast<size_t>(kScenes));
  EXPECT_EQ(summary["filesinfo"]["0"]["infile"][0], "bin_save/000000000001.bin");
  EXPECT_EQ(summary["filesinfo"]["0"]["outfile"].size(), 10u);
  EXPECT_EQ(summary["NPU_compute_time"]["count"], kScenes);
  EXPECT_EQ(summary["args"]["batchsize"], 1);
  EXPECT_GT(summary["throughput"], 0);
  EXPECT_TRUE(summary.contains("pid"));
  // post-processing knows files that are numbered from 0
  EXPECT_EQ(coco_lines(post_process(folder(), "data", kSide, "--num-classes 6", "ais/dump")), coco_lines(from_files_));
}

TEST_F(Pipeline, AisBenchReadsAndWritesNpy) {
  folder().good(
      "ais_bench --model model/m_bs1.om --input bin_save/000000000001.bin --output ais --output_dirname raw && "
      "{ printf '\\223NUMPY\\001\\000v\\000'; printf '%-117s\\n' "
      "\"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 128, 128), }\"; cat bin_save/000000000001.bin; } > "
      "s.npy");
  folder().good("ais_bench --model model/m_bs1.om --input s.npy --output ais --output_dirname npy --outfmt NPY");
  for (int k = 0; k < 10; ++k) {
    const std::string raw = file("ais/raw/000000000001_" + std::to_string(k) + ".bin");
    const std::string npy = file("ais/npy/s_" + std::to_string(k) + ".npy");
    ASSERT_GT(npy.size(), raw.size());
    EXPECT_EQ((npy.size() - raw.size()) % 64, 0u);
    EXPECT_TRUE(npy.starts_with("\x93NUMPY\x01")) << k;
    EXPECT_EQ(npy.substr(npy.size() - raw.size()), raw) << k;
  }
  expect_matches(file("ais/npy/s_0.npy"), R"('shape': \(1, 54, 16, 16, \))");
}

TEST_F(Pipeline, BenchMeasuresEveryStage) {
  const auto bench = nlohmann::json::parse(
      folder().good("effdet bench model/m_bs1.om --images data/val2017 --runs 7 --warmup 1 --streams 2 --json"));
  EXPECT_EQ(bench["streams"], 2);
  for (const char* stage : {"read", "preprocess", "infer", "post"}) {
    const auto& times = bench["stages_ms"][stage];
    EXPECT_EQ(times["count"], 7) << stage;
    EXPECT_GT(times["min"], 0) << stage;
    EXPECT_LE(times["min"], times["p50"]) << stage;
    EXPECT_LE(times["p50"], times["p90"]) << stage;
    EXPECT_LE(times["p90"], times["p99"]) << stage;
    EXPECT_LE(times["p99"], times["max"]) << stage;
  }
  EXPECT_GT(bench["images_per_second"], 0);
  EXPECT_GT(bench["peak_memory_bytes"], 1 << 20);
  const auto automatic = nlohmann::json::parse(
      folder().good("effdet bench model/m_bs1.om --infer-only --runs 5 --streams auto --threads 2 --json"));
  ASSERT_EQ(automatic["trials"].size(), 2u);
  EXPECT_EQ(automatic["streams"], automatic["trials"][0]["streams"]);
  EXPECT_GE(automatic["trials"][0]["images_per_second"], automatic["trials"][1]["images_per_second"]);
  EXPECT_EQ(automatic["stages_ms"]["infer"]["count"], 5);
  EXPECT_EQ(automatic["stages_ms"]["read"]["count"], 0);
  expect_matches(folder().good("effdet bench model/m_bs1.om --runs 2"), "infer +2 .*\\n.*post +2 ");
}

TEST_F(Pipeline, HostileArgumentsAreOneLineAndAnExitCode) {
  folder().good(
      "mkdir -p empty && : > empty.info && printf '0 ./nothing.bin 128 128\\n' > gone.info && "
      "printf '\\223NUMPY\\001\\000' > cut.npy && "
      "printf '\\223NUMPY\\011\\000v\\000' > version.npy && printf '\\223NUMPY\\002\\000\\377\\377\\377\\377' > "
      "long.npy && "
      "printf 'PK rubbish, not numpy' > other.npy && { printf '\\223NUMPY\\001\\000v\\000'; printf '%-117s\\n' "
      "\"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\"; } > double.npy && head -c 8 /dev/zero > 8.bin && "
      "printf 'EFFDETOM and then rubbish' > rubbish.om && head -c 1000 model/m_bs1.om > cut.om && "
      "cp -r result/dumpOutput_device0 short && truncate -s -1 short/000000000001_1.bin");
  const std::string bench = "benchmark.x86_64 -batch_size=1 -om_path=./model/m_bs1.om -output_binary=true ";
  const std::string ais = "ais_bench --model=model/m_bs1.om --input=";
  const std::vector<std::pair<std::string, int>> cases = {
      {"preprocess --root=nowhere --bin-save=x --img-size 128", 4},
      {"preprocess --root=data --bin-save=x --img-size 0", 2},
      {"preprocess --root=data --bin-save=x -m tf_efficientdet_d99", 2},
      {"preprocess --root=data --bin-save=x --split test", 4},
      {"get_info bin nowhere x.info 128 128", 4},
      {"get_info bin bin_save x.info -1 128", 2},
      {"get_info gif bin_save x.info", 2},
      {bench + "-input_text_path=gone.info", 4},
      {"benchmark.x86_64 -batch_size=2 -om_path=./model/m_bs1.om -input_text_path=m_bin.info", 2},
      {"benchmark.x86_64 -batch_size=1 -om_path=rubbish.om -round=1", 3},
      {"benchmark.x86_64 -batch_size=1 -om_path=cut.om -round=1", 3},
      {"benchmark.x86_64 -batch_size=1 -om_path=none.om -round=1", 4},
      {bench + "-round=0", 2},
      {bench + "-model_type=nmt -round=1", 5},
      {bench + "-round=1 -streams=0", 2},
      {bench + "-round=1 -streams=many", 2},
      {ais + "cut.npy", 3},
      {ais + "version.npy", 5},
      {ais + "long.npy", 3},
      {ais + "other.npy", 3},
      {ais + "double.npy", 3},
      {ais + "8.bin", 3},
      {ais + "nothing.bin", 4},
      {ais + "bin_save,bin_save", 3},
      {"ais_bench --model model/m_bs1.om --outfmt JPG", 2},
      {"ais_bench --model model/m_bs1.om --batchsize 2", 2},
      {"ais_bench --model model/m_bs1.om --output_dirname x", 2},
      {"ais_bench --model model/m_bs1.om --pure_data_type ones", 2},
      {"effdet bench none.om", 4},
      {"effdet bench model/m_bs1.om --images bin_save", 3},
      {"effdet bench model/m_bs1.om --images data --infer-only", 2},
      {"postprocess --root=data --omfile=nowhere --img-size 128 -m tf_efficientdet_d0", 4},
      {"postprocess --root=data --omfile=short --img-size 128 -m tf_efficientdet_d0 --num-classes 6", 3},
      {"validate data --checkpoint=none.pth", 4},
      {"validate data --checkpoint=data/annotations/instances_val2017.json", 5},
      {"validate data --checkpoint=m.pth --model tf_efficientdet_d0 --img-size 100", 2},
  };
  for (const auto& [command, code] : cases) {
    const Result result = folder().sh(command);
    EXPECT_EQ(result.code, code) << command << ": " << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << command << ": " << result.error;
    EXPECT_NE(result.error.find(": error: "), std::string::npos) << command << ": " << result.error;
  }
}

/// An error of one line that begins with the image's name, whichever command reads it.
TEST_F(Pipeline, ImagesThatCannotBeUsedAreNamed) {
  folder().good(
      "mkdir -p pics loops && printf '\\000\\000\\000\\014JXL \\015\\012\\207\\012' > pics/new.jpg && "
      "cp '" EFFDET_SOURCE_DIR
      "/testdata/images/row.png' pics/thin.png && "
      "head -c 5000 data/val2017/000000000001.jpg > pics/cut.jpg && ln -s loop.jpg loops/loop.jpg && "
      "cp -r data other && cp pics/new.jpg other/val2017/000000000002.jpg");
  const std::vector<std::tuple<std::string, int, std::string>> images = {
      {"pics/new.jpg", 5, "pics/new.jpg: a JPEG XL file: convert it to JPEG or PNG"},
      {"pics/thin.png", 3, "pics/thin.png: an image of 700 x 1 pixels would be 128 x 0"},
      {"pics/cut.jpg", 3, "pics/cut.jpg: JPEG: cut short"},
      {"loops/loop.jpg", 4, "loops/loop.jpg: "},
  };
  const std::string om = "model/m_bs1.om";
  for (const auto& [image, code, words] : images) {
    const std::string name = image;
    for (const std::string& command :
         {"effdet detect " + name + " --model-file " + om + " --out found",
          "ais_bench --model " + om + " --input " + name,
          "effdet compare " + om + " model/m_bs1_modify.onnx --input " + name,
          "printf '0 ./" + name + " 9 9\\n' > bad.info && benchmark.x86_64 -batch_size=1 -om_path=" + om +
              " -input_text_path=bad.info -output_binary=true",
          "rm -rf one && mkdir one && cp -P " + name + " one && effdet bench " + om +
              " --images one --runs 2 --warmup 0"}) {
      const Result result = folder().sh(command);
      EXPECT_EQ(result.code, code) << command << ": " << result.error;
      EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << command << ": " << result.error;
      const std::string words_here = command.starts_with("rm") ? words.substr(words.find('/') + 1) : words;
      EXPECT_NE(result.error.find(words_here), std::string::npos) << command << ": " << result.error;
    }
  }
  for (const char* command : {"preprocess --root=other --bin-save=x --img-size 128 -m tf_efficientdet_d0",
                              "validate other --checkpoint=model/m_bs1.om"}) {
    const Result result = folder().sh(command);
    EXPECT_NE(result.error.find("other/val2017/000000000002.jpg: a JPEG XL file"), std::string::npos) << result.error;
  }
}

/// What the standard library says about files ("filesystem error: ...") has no place in messages.
TEST_F(Pipeline, PathsThatLeadNowhereAreErrorsInOneForm) {
  folder().good("mkdir -p links && ln -s loop links/loop");
  const std::string name = "links/loop", long_name(300, 'n');
  for (const std::string& path : {name, long_name})
    for (const std::string& command :
         {"effdet detect " + path + " --model-file model/m_bs1.om --out found",
          "effdet detect data/val2017 --model-file " + path + " --out found",
          "effdet detect data/val2017 --checkpoint " + path + " --out found", "effdet info " + path,
          "effdet graph " + path, "ais_bench --model model/m_bs1.om --input " + path, "ais_bench --model " + path,
          "effdet bench model/m_bs1.om --images " + path, "onnxsim " + path + " out.onnx",
          "atc --framework=5 --model=" + path + " --output=x --soc_version=native",
          "preprocess --root=" + path + " --bin-save=x -m tf_efficientdet_d0",
          "preprocess --root=data --bin-save=x -m " + path + "/m.om", "get_info jpg " + path + " x.info",
          "postprocess --root=data --omfile=" + path + " -m tf_efficientdet_d0", "effdet run " + path,
          "effdet compare " + path + " model/m_bs1.om --input x.npy", "effdet evaluate " + path + " files.json"}) {
      const Result result = folder().sh(command);
      EXPECT_TRUE(result.code == 2 || result.code == 4) << command << ": " << result.code << result.error;
      EXPECT_EQ((result.out + result.error).find("filesystem"), std::string::npos) << command << ": " << result.error;
      EXPECT_NE((result.out + result.error).find(path), std::string::npos) << command << ": " << result.error;
    }
}

// --- A trained model on images that it has not seen

TEST(Trained, FindsShapesInNewScenes) {
  if (!fs::exists(kShapes)) GTEST_SKIP() << "needs " << kShapes;
  const Folder f("trained");
  f.good("effdet scenes --out data --images 24 --seed 987654");
  const auto numbers = coco_numbers(f.good("validate ./data --img-size 256 --checkpoint='" + kShapes + "'"));
  ASSERT_EQ(numbers.size(), 12u);
  EXPECT_GE(numbers[0], 0.80);
}

// --- The golden run of the original tools

/// Score and place of one detection.
struct Detection {
  double score;
  std::vector<double> box;
};
using Detections = std::map<std::pair<int64_t, int>, std::vector<Detection>>;  // by image and category

Detections detections(const fs::path& path) {
  Detections found;
  for (const auto& d : nlohmann::json::parse(content(path)))
    found[{d["image_id"].get<int64_t>(), d["category_id"].get<int>()}].push_back(
        {d["score"], d["bbox"].get<std::vector<double>>()});
  return found;
}

double distance(const Detection& a, const Detection& b) {
  double worst = 0;
  for (size_t i = 0; i < 4; ++i) worst = std::max(worst, std::abs(a.box[i] - b.box[i]));
  return worst;
}

TEST(Golden, TheOriginalsNumbers) {
  const fs::path golden = shared() / "reference/golden/d0_256_coco",
                 checkpoint = shared() / "checkpoints/tf_efficientdet_d0_256_coco.pth";
  if (!fs::exists(golden) || !fs::exists(checkpoint)) GTEST_SKIP() << "needs " << golden << " and " << checkpoint;
  const Folder f("golden");
  const std::string root = fs::canonical(shared() / "coco_data");
  walk(f, fs::canonical(checkpoint), root, 256);
  const auto numbers = coco_numbers(post_process(f, root, 256, "--results results.json"));
  const auto want = nlohmann::json::parse(content(golden / "stats.json")).get<std::vector<double>>();
  ASSERT_EQ(numbers.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(numbers[i], want[i], 0.0006) << i;  // printed with three digits

  std::string sums = f.good("cd bin_save && sha256sum *.bin");
  sums = std::regex_replace(sums, std::regex(R"(\.bin\n)"), ".jpg\n");
  EXPECT_EQ(sums, content(golden / "preprocess.sha256"));

  const Detections got = detections(f.path() / "results.json"), expected = detections(golden / "results.json");
  int missing = 0, total = 0;
  for (const auto& [key, list] : expected)
    for (const Detection& d : list) {
      ++total;
      const auto same = got.find(key);
      missing += same == got.end() || std::ranges::none_of(same->second, [&](const Detection& other) {
                   return std::abs(other.score - d.score) <= 1e-4 && distance(other, d) <= 0.05;
                 });
    }
  EXPECT_EQ(missing, 0) << "of " << total;
}

}  // namespace
