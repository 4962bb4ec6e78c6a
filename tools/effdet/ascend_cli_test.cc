// Commands on Ascend devices: AscendCL's library on a CPU is loaded as the vendor's is, and every way gives the CPU's
// bytes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "scenes_fixture.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::contains, effdet::test::content, effdet::test::Result;

/// With two cards, models of one and of several shapes, and input files.
class Ascend : public effdet::test::ScenesFixture {
 protected:
  static void SetUpTestSuite() {
    make_once("ascend_cli",
              "atc --framework=5 --model=m.onnx --output=batches --soc_version=native --input_shape=x.1:-1,3,128,128 "
              "--dynamic_batch_size=1,2 && "
              "atc --framework=5 --model=m.onnx --output=sizes --soc_version=native --input_shape=x.1:1,3,-1,-1 "
              "'--dynamic_image_size=128,128;128,256' && "
              "preprocess --root data --bin_save bin -m m.onnx && mkdir -p home/lib64 && "
              "ln -s '" EFFDET_ASCENDCL "' home/lib64/libascendcl.so");
  }
  Ascend() : ScenesFixture("ascend_cli", {"m.om", "m.onnx", "batches.om", "sizes.om", "bin", "home"}) {}

  static std::string on_cards(const std::string& command) {
    return "ASCEND_HOME_PATH=home EFFDET_ASCEND_DEVICES=2 " + command;
  }
  /// The files of a folder in one text.
  std::string files_of(const std::string& folder) const {
    std::string all;
    std::set<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / folder))
      if (entry.is_regular_file()) paths.insert(entry.path());
    for (const fs::path& path : paths) all += path.filename().string() + content(path);
    return all;
  }
};

TEST_F(Ascend, EveryCommandGivesTheBytesOfTheCpu) {
  const std::string ais = "ais_bench --model m.om --input bin --outfmt BIN --output out --output_dirname ";
  good(ais + "cpu");
  good(on_cards(ais + "one --device ascend:1"));
  good(on_cards(ais + "two --device ascend:0,1 --streams 3"));
  EXPECT_FALSE(files_of("out/cpu").empty());
  EXPECT_EQ(files_of("out/one"), files_of("out/cpu"));
  EXPECT_EQ(files_of("out/two"), files_of("out/cpu"));
  const std::string batches =
      "ais_bench --model batches.om --dymBatch 2 --input bin --outfmt BIN --output out --output_dirname ";
  good(batches + "b_cpu");
  good(on_cards(batches + "b_card --device ascend"));
  EXPECT_EQ(files_of("out/b_card"), files_of("out/b_cpu"));
  good(on_cards("ais_bench --model sizes.om --dymHW 128,256 --loop 3 --device ascend"));

  const std::string benchmark = "benchmark.x86_64 -om_path=m.om -input_imgFiles_path=bin -output_binary=True ";
  good(benchmark + "-result=r_cpu");
  good(on_cards(benchmark + "-result=r_card --device ascend"));
  EXPECT_EQ(files_of("r_card/dumpOutput_device0"), files_of("r_cpu/dumpOutput_device0"));

  const std::string detect = "effdet detect data/val2017 --model-file m.om --no-pictures --out ";
  good(detect + "d_cpu");
  good(on_cards(detect + "d_card --device ascend"));
  EXPECT_EQ(file("d_card/detections.json"), file("d_cpu/detections.json"));
  good("validate data --model-file m.om --results v_cpu.json");
  good(on_cards("validate data --model-file m.om --results v_card.json --device ascend:0,1 --streams 2"));
  EXPECT_EQ(file("v_card.json"), file("v_cpu.json"));
}

TEST_F(Ascend, FlagsOfAisBench) {
  const std::string run = "ais_bench --loop 2 --model ";
  for (const std::string device : {"", " --device ascend"}) {
    good(on_cards(run + "batches.om --dymDims 'x.1:2,3,128,128'" + device));
    good(on_cards(run + "sizes.om --dymShape 'x.1:1,3,128,256' --pipeline" + device));
    const Result none = sh(on_cards(run + "batches.om --dymDims 'x.1:3,3,128,128'" + device));
    EXPECT_EQ(none.code, 2);
    EXPECT_TRUE(contains(none.error, "has no plan for 'x.1:3,3,128,128', but for x.1:1,3,128,128; x.1:2,3,128,128"))
        << none.error;
  }
  const Result many = good(run + "sizes.om --dymShape_range 'x.1:1,3,128,128-192-256'");
  EXPECT_TRUE(contains(many.out, "x.1:1,3,128,128 NPU_compute_time.mean: ")) << many.out;
  EXPECT_TRUE(contains(many.out, "x.1:1,3,128,192 has no plan")) << many.out;
  EXPECT_TRUE(contains(many.out, "x.1:1,3,128,256 NPU_compute_time.mean: ")) << many.out;
  good(run + "batches.om --dymShape_range 'x.1:1~9,3,128,128'");
  for (const char* flags :
       {"--dymShape_range 'x.1:1,3,128,127'", "--dymShape_range x", "--dymShape_range 'x.1:1,3,9~5,1'",
        "--dymShape_range 'x.1:1~200,1~200,1,1'", "--dymShape_range 'x.1:1,3,128,128' --dymBatch 1"})
    EXPECT_EQ(sh(run + "sizes.om " + flags).code, 2) << flags;
  for (const char* flags :
       {"--dymDims 1,3,128,128", "--dymDims 'y:1,3,128,128'", "--dymDims 'x.1:a'",
        "--dymShape 'x.1:1,3,128,128' --dymBatch 1", "--auto_set_dymshape_mode 1",
        "--auto_set_dymdims_mode 1 --input bin --dymBatch 1", "--pipeline 2", "--output_batchsize_axis -1"})
    EXPECT_EQ(sh(run + "batches.om " + flags).code, 2) << flags;
  good("echo '{}' > acl.json && echo '{' > bad.json");
  good(on_cards(run + "m.om --device ascend --acl_json_path acl.json"));
  const Result bad = sh(on_cards(run + "m.om --device ascend --acl_json_path bad.json"));
  EXPECT_EQ(bad.code, 4);
  EXPECT_TRUE(contains(bad.error, "bad.json: aclInit gave 100006")) << bad.error;
  EXPECT_EQ(sh(on_cards(run + "m.om --device ascend --acl_json_path none.json")).code, 4);
}

/// A batch of files shares an output; its part of each lies along the axis that is said.
TEST_F(Ascend, OutputsAreSplitAlongAnAxis) {
  const std::string run =
      "ais_bench --model batches.om --dymBatch 2 --input bin --output out --outfmt BIN --output_batchsize_axis ";
  for (const std::string device : {"", " --device ascend"}) {
    good(on_cards(run + "0 --output_dirname rows" + device));
    good(on_cards(run + "1 --output_dirname channels" + device));
    const std::string a = file("out/rows/000000000003_0.bin"), b = file("out/rows/000000000004_0.bin");
    const size_t half = a.size() / 2;
    ASSERT_GT(half, 0u);
    EXPECT_EQ(file("out/channels/000000000003_0.bin"), a.substr(0, half) + b.substr(0, half));
    EXPECT_EQ(file("out/channels/000000000004_0.bin"), a.substr(half) + b.substr(half));
  }
  good(
      "ais_bench --model batches.om --dymBatch 2 --input bin --output out --outfmt NPY --output_batchsize_axis 1 "
      "--output_dirname npy");
  EXPECT_TRUE(contains(file("out/npy/000000000003_0.npy"), "(2, 27, 16, 16,"));
  const Result none = sh(run + "4 --output_dirname none");
  EXPECT_EQ(none.code, 5);
  EXPECT_TRUE(contains(none.error, "has no part for each sample along its axis 4")) << none.error;
}

TEST_F(Ascend, EachFileRunsInTheShapeThatItSays) {
  const auto write_npy = [&](const std::string& name, const std::string& type, const std::string& shape,
                             const std::string& values) {
    std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.resize(117, ' ');
    std::ofstream(folder_ / name) << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header << '\n' << values;
  };
  const std::string square = file("bin/000000000001.bin"), wide = square + file("bin/000000000002.bin");
  good("mkdir shapes square wide");
  std::ofstream(folder_ / "square/a.bin") << square;
  std::ofstream(folder_ / "square/c.bin") << square;
  std::ofstream(folder_ / "wide/b.bin") << wide;
  write_npy("shapes/a.npy", "<f4", "1, 3, 128, 128", square);
  write_npy("shapes/b.npy", "<f4", "1, 3, 128, 256", wide);
  write_npy("shapes/c.npy", "<f4", "1, 3, 128, 128", square);
  const std::string run = "ais_bench --model sizes.om --output out --outfmt NPY --output_dirname ";
  good(run + "fixed --dymHW 128,128 --input square");
  good(run + "fixed --dymHW 128,256 --input wide");
  for (const std::string device : {"", " --device ascend:0,1 --pipeline 1"}) {
    good(on_cards(run + "auto --auto_set_dymshape_mode 1 --input shapes" + device));
    EXPECT_EQ(files_of("out/auto"), files_of("out/fixed"));
  }
  const nlohmann::json summary = nlohmann::json::parse(file("out/auto_summary.json"));
  EXPECT_EQ(summary["filesinfo"].size(), 3u);
  const auto expect = [&](const std::string& input, const std::string& part) {
    const Result result = sh(run + "bad --auto_set_dymdims_mode true --input " + input);
    EXPECT_EQ(result.code, 3);
    EXPECT_TRUE(contains(result.error, part)) << result.error;
  };
  write_npy("d.npy", "<f4", "1, 3, 256, 128", wide);
  write_npy("e.npy", "<f8", "1, 3, 128, 64", square);
  write_npy("f.npy", "<f4", "1, 3, 128, 256", square);
  expect("shapes,d.npy",
         "d.npy: holds float32 of 1x3x256x128, for which the model has no plan, but for float32 of x.1:1,3");
  expect("e.npy", "e.npy: holds float64");
  expect("f.npy", "f.npy: ");
  expect("square", "a.bin: only .npy files say the shape");
}

TEST_F(Ascend, TransfersAreTimedApart) {
  const Result result =
      sh(on_cards("ais_bench --model m.om --loop 3 --device ascend --display_all_summary --output t"));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_TRUE(contains(result.out, "H2D_latency (ms): min = 0.")) << result.out;
  EXPECT_FALSE(contains(result.out, "H2D_latency (ms): min = 0.0,")) << result.out;
}

TEST_F(Ascend, WhatIsNotThereIsSaid) {
  const std::string run = "ais_bench --model m.om --loop 1 --device ";
  const auto expect = [&](const std::string& command, int code, const std::string& part) {
    const Result result = sh(command);
    EXPECT_EQ(result.code, code) << command << result.error;
    EXPECT_TRUE(contains(result.error, part)) << command << result.error;
    EXPECT_EQ(std::ranges::count(result.error, '\n'), 1) << result.error;
  };
  expect("ASCEND_HOME_PATH= " + run + "ascend", 5, "install CANN and source its set_env.sh");
  expect("ASCEND_HOME_PATH=data " + run + "ascend", 5, "ASCEND_HOME_PATH=data is no CANN that runs here");
  good(
      "mkdir -p other/lib64 odd/lib64 && cp m.om other/lib64/libascendcl.so && "
      "ln -s \"$(ldconfig -p | sed -n 's|.* => \\(.*/libz.so.1\\)$|\\1|p' | head -1)\" odd/lib64/libascendcl.so");
  expect("ASCEND_HOME_PATH=other " + run + "ascend", 5, "invalid ELF header");
  expect("ASCEND_HOME_PATH=odd " + run + "ascend", 5, "has no function aclInit");
  expect(on_cards(run + "ascend:2"), 2, "there is no card 2, but 2, from 0 on");
  expect(on_cards(run + "ascend:0,0"), 2, "a card is named twice");
  expect(on_cards(run + "ascend:x"), 2, "'x' is no number of a card");
  expect(on_cards(run + "gpu"), 2, "there is no device 'gpu'");
  expect(on_cards("EFFDET_ASCEND_MEMORY_MB=1 ais_bench --model m.om --loop 1 --device ascend"), 7,
         "aclmdlLoadFromFile gave 245000");
  for (const char* device : {"ascend", "gpu"})  // what is compiled when it is opened runs on the processor
    for (const char* command : {"effdet bench m.onnx --device ", "effdet run m.onnx -o o --device "})
      expect(on_cards(command + std::string(device)), 2, "runs compiled models; compile it first (atc)");
  // A model of CANN: its header is told without a library, and the library here cannot run it.
  good("{ printf 'IMOD'; head -c 80 /dev/zero; printf 'resnet50'; head -c 400 /dev/zero; } > cann.om");
  const Result told = sh("ASCEND_HOME_PATH= effdet info cann.om");
  EXPECT_EQ(told.code, 0) << told.error;
  EXPECT_TRUE(contains(told.out, "compiled model of CANN: 'resnet50'")) << told.out;
  EXPECT_TRUE(contains(told.error, "its tensors are known to AscendCL alone")) << told.error;
  expect("ASCEND_HOME_PATH= ais_bench --model cann.om --loop 1", 5, "install CANN");
  expect(on_cards("ais_bench --model cann.om --loop 1"), 4, "aclmdlLoadFromFile gave 545001");
  good("head -c 100 cann.om > cut.om");
  expect("effdet info cut.om", 3, "the header of a CANN model has 256");
}

TEST_F(Ascend, CannCompilesForCards) {
  const std::string atc = "atc --framework=5 --model='a \"b\" $c.onnx' --output=d --soc_version=";
  const Result none = sh("ASCEND_HOME_PATH=home " + atc + "Ascend310P3");
  EXPECT_EQ(none.code, 5);
  EXPECT_TRUE(contains(none.out, "E10001: Value [Ascend310P3] for parameter [--soc_version] is invalid. Reason: CANN"))
      << none.out;
  EXPECT_TRUE(contains(none.out, "no atc in home/bin")) << none.out;
  good(
      "mkdir -p cann/bin && printf '#!/bin/sh\nfor a; do echo \"<$a>\"; done; echo no >&2; exit 9\n' > cann/bin/atc && "
      "chmod +x cann/bin/atc");
  for (const std::string soc : {"Ascend310P3", "Ascend910B4' '"}) {
    const Result ran = sh("ASCEND_HOME_PATH=cann " + atc + soc);
    EXPECT_EQ(ran.code, 9);
    EXPECT_TRUE(contains(ran.out, "<--framework=5>\n<--model=a \"b\" $c.onnx>\n<--output=d>\n<--soc_version=Ascend"))
        << ran.out;
    EXPECT_EQ(ran.error, "no\n");
  }
  good("printf nothing > cann/bin/atc");
  const Result unstarted = sh("ASCEND_HOME_PATH=cann " + atc + "Ascend310P3");
  EXPECT_EQ(unstarted.code, 4);
  EXPECT_TRUE(contains(unstarted.out, "cannot start cann/bin/atc: Exec format error")) << unstarted.out;
  good("printf '#!/bin/sh\nkill -9 $$\n' > cann/bin/atc");
  EXPECT_EQ(sh("ASCEND_HOME_PATH=cann " + atc + "Ascend310P3").code, 128 + 9);
  good("ln -sf '" EFFDET_BIN "/atc' cann/bin/atc");
  EXPECT_EQ(sh("ASCEND_HOME_PATH=cann " + atc + "Ascend310P3").code, 5);  // this program is not CANN's
}

/// Models of CANN do not say what they are: here one of ours whose ONNX file's metadata were spoilt stands for them.
TEST_F(Ascend, ModelsWithoutMetadataTakeThoseOfTheirOnnxFile) {
  good(
      "LC_ALL=C sed 's/effdet[.]variant/effdet.vari_nt/' m.onnx > silent.onnx && "
      "atc --framework=5 --model=silent.onnx --output=silent --soc_version=native");
  const std::string detect = "effdet detect data/val2017 --no-pictures --out ";
  good(detect + "known --model-file m.om");
  const auto expect = [&](const std::string& command, int code, const std::string& part) {
    const Result result = sh(on_cards(command));
    EXPECT_EQ(result.code, code) << command << result.error;
    EXPECT_TRUE(contains(result.error, part)) << command << result.error;
  };
  for (const std::string device : {"cpu", "ascend"}) {
    const std::string silent = detect + "found --model-file silent.om --device " + device;
    expect(silent, 5, "name the ONNX file that a compiled model was made from with --metadata");
    good(on_cards(silent + " --metadata m.onnx"));
    EXPECT_EQ(file("found/detections.json"), file("known/detections.json"));
    good("rm -r found");
  }
  const std::string validate = "validate data --device ascend --model-file silent.om --results v.json --metadata ";
  good(on_cards(validate + "m.onnx"));
  good("validate data --model-file m.om --results v_known.json");
  EXPECT_EQ(file("v.json"), file("v_known.json"));
  expect(validate + "silent.onnx", 5, "silent.onnx: has no effdet metadata");
  expect(validate + "none.onnx", 4, "none.onnx");
  expect("effdet bench m.om --metadata m.onnx", 2, "m.om has metadata of its own");
  expect("effdet bench m.onnx --metadata m.onnx", 2, "--metadata is for compiled models");

  // CANN's atc, in whose place a script copies a model; what it prints goes through.
  good(
      "mkdir -p maker/bin && printf '#!/bin/sh\necho made; cp silent.om made.om\n' > maker/bin/atc && "
      "chmod +x maker/bin/atc");
  const std::string atc = "ASCEND_HOME_PATH=maker atc --framework=5 --soc_version=Ascend310P3 --output=made --model=";
  const Result made = good(atc + "m.onnx");
  EXPECT_TRUE(made.out.starts_with("made\n[INFO] made.om.metadata.json: ")) << made.out;
  good(on_cards(detect + "found --model-file made.om --device ascend"));
  EXPECT_EQ(file("found/detections.json"), file("known/detections.json"));
  good(on_cards("ais_bench --model made.om --device ascend --input data/val2017 --output o --output_dirname made"));
  good("rm -r found && mv made.om.metadata.json kept.json");
  good(on_cards(detect + "found --model-file made.om --device ascend --metadata kept.json"));
  const Result silent = good(atc + "silent.onnx");
  EXPECT_TRUE(contains(silent.out, "[WARNING] made.om does not say what it is")) << silent.out;

  // With preprocessing in the model, as AscendCL does not tell it.
  good(
      "printf 'aipp_op { aipp_mode: static input_format: RGB888_U8 rbuv_swap_switch: true min_chn_0: 123.675 "
      "min_chn_1: "
      "116.28 min_chn_2: 103.53 var_reci_chn_0: 0.0171247538 var_reci_chn_1: 0.0175070028 var_reci_chn_2: "
      "0.0174291939 }' > aipp.cfg");
  const std::string with_aipp = " --insert_op_conf=aipp.cfg";
  good("atc --framework=5 --model=m.onnx --output=aipp --soc_version=native" + with_aipp);
  good("atc --framework=5 --model=silent.onnx --output=silent_aipp --soc_version=native" + with_aipp);
  good("printf '#!/bin/sh\ncp silent_aipp.om made.om\n' > maker/bin/atc");
  const Result images = good(atc + "m.onnx" + with_aipp);
  EXPECT_TRUE(contains(images.out, "[INFO] made.om.metadata.json: ")) << images.out;
  good(detect + "aipp_cpu --model-file aipp.om");
  good(on_cards(detect + "aipp_card --model-file made.om --device ascend"));
  EXPECT_EQ(file("aipp_card/detections.json"), file("aipp_cpu/detections.json"));
  good(on_cards(detect + "aipp_own --model-file aipp.om --device ascend"));
  EXPECT_EQ(file("aipp_own/detections.json"), file("aipp_cpu/detections.json"));
  const std::string benchmark =
      "benchmark.x86_64 -input_imgFiles_path=data/val2017 -output_binary=True -useDvpp=True -om_path=";
  good(benchmark + "aipp.om -result=b_cpu");
  good(on_cards(benchmark + "made.om --device ascend -result=b_card"));
  EXPECT_EQ(files_of("b_card/dumpOutput_device0"), files_of("b_cpu/dumpOutput_device0"));
  good("sed -i 's/ aipp_mode: static/ aipp_mode: dynamic/' aipp.cfg");
  const Result dynamic = good(atc + "m.onnx" + with_aipp);
  EXPECT_TRUE(contains(dynamic.out, "dynamic preprocessing changes with each call")) << dynamic.out;

  // What lies beside a model is as hostile as the model.
  const std::string info = "effdet info silent.om";
  good("cp kept.json silent.om.metadata.json");
  const std::string kept = file("kept.json");
  const auto beside = [&](const std::string& text) { std::ofstream(folder_ / "silent.om.metadata.json") << text; };
  good(info);
  for (size_t cut = 0; cut + 2 < kept.size(); cut += 7) {
    beside(kept.substr(0, cut));
    const Result result = sh(info);
    EXPECT_TRUE(result.code == 3 || result.code == 5) << cut << result.error;
    EXPECT_TRUE(contains(result.error, "silent.om.metadata.json: ")) << result.error;
  }
  beside(std::regex_replace(kept, std::regex("\"format\""), "\"insert_op_conf\": \"aipp_op { crop: 7\", \"format\""));
  expect(info, 3, "silent.om.metadata.json: insert_op_conf:1:");
  beside(std::string(100'000, '['));
  expect(info, 3, "silent.om.metadata.json");
  beside(R"({"format":"effdet model metadata 1","model_xxh3":"0000000000000000","metadata":{"effdet.variant":"x"}})");
  EXPECT_EQ(sh(info).code, 0);  // a model that is compiled again is not what the old file says
  expect(detect + "found --model-file silent.om --metadata silent.om.metadata.json", 3, "is of another model");
  beside(std::regex_replace(kept, std::regex("(effdet.num_classes\": \")[0-9]*"), "$01x"));
  expect(detect + "found --model-file silent.om", 3, "metadata effdet.num_classes is not JSON");
}

/// Each function that is called, failing at its first and at its second call: a line that names it, never a crash.
TEST_F(Ascend, EveryCallMayFail) {
  const std::string header = content(EFFDET_SOURCE_DIR "/src/kernels/ascend/library.h");
  const std::regex use("use\\((acl[A-Za-z]+)\\)");
  size_t functions = 0;
  for (std::sregex_iterator match(header.begin(), header.end(), use); match != std::sregex_iterator(); ++match) {
    const std::string function = (*match)[1];
    ++functions;
    for (const std::string call : {":1", ":3"}) {
      const Result result = sh(on_cards("EFFDET_ASCEND_FAIL=" + function + call +
                                        " ais_bench --model batches.om --dymBatch 1 --input bin --device ascend:0,1 "
                                        "--output f --output_dirname x"));
      EXPECT_TRUE(result.code == 0 || (result.code >= 2 && result.code <= 7))
          << function << call << ": " << result.code;
      EXPECT_EQ(std::ranges::count(result.error, '\n'), result.code == 0 ? 0 : 1) << function << call << result.error;
    }
  }
  EXPECT_GT(functions, 30u);
}

TEST_F(Ascend, WhatWasDoneStaysWhereACardIsLost) {
  const Result result =
      sh(on_cards("EFFDET_ASCEND_FAIL=aclmdlExecute:5 validate data --model-file m.om --results v.json "
                  "--device ascend"));
  EXPECT_EQ(result.code, 4) << result.error;
  EXPECT_TRUE(contains(result.error, ".jpg: device ascend: ")) << result.error;
  EXPECT_TRUE(contains(result.error, "aclmdlExecute gave 500000")) << result.error;
  good(on_cards("validate data --model-file m.om --results v.json --device ascend --resume"));
  good("validate data --model-file m.om --results whole.json");
  EXPECT_EQ(file("v.json"), file("whole.json"));

  const std::string detect = "effdet detect data/val2017 --no-pictures --model-file m.om --out ";
  const Result lost = sh(on_cards("EFFDET_ASCEND_FAIL=aclmdlExecute:5 " + detect + "found --device ascend"));
  EXPECT_EQ(lost.code, 4) << lost.error;
  EXPECT_TRUE(
      std::regex_search(lost.error, std::regex("data/val2017/[0-9]+[.]jpg: device ascend: .*aclmdlExecute gave")))
      << lost.error;
  good(on_cards(detect + "found --device ascend --resume"));
  good(detect + "whole");
  EXPECT_EQ(file("found/detections.json"), file("whole/detections.json"));
}

}  // namespace
