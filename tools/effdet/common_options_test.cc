// What all commands have: sizes in every spelling, flags that are almost right, files with flags, quiet and logged
// runs, and the manual that is made of their options.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "commands.h"
#include "support/shell.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

class CommonOptions : public testing::Test {
 protected:
  /// What it prints on both streams is in text.
  struct Ran {
    int code;
    std::string text;
  };
  Ran sh(const std::string& line) const {
    const test::Result result = test::run_in(folder_.path(), line);
    return {result.code, result.out + result.error};
  }
  std::string text_of(const std::string& file) const { return test::content(folder_ / file); }

  const test::TestFolder folder_{"common_options"};
  const std::string checkpoint_ = EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth";
};

TEST_F(CommonOptions, SizesAreOneSideOrTwo) {
  const std::string line = "pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx ";
  EXPECT_NE(sh(line + "--img-size 128").text.find("1x3x128x128"), std::string::npos);
  for (const char* size : {"--img-size 128 256", "--img-size 128,256", "--img-size=128x256", "--img_size 128x256"})
    EXPECT_NE(sh(line + size).text.find("1x3x128x256"), std::string::npos) << size;
  for (const char* size : {"0", "128x", "x", "a", "128,256,384", "99999999999", "128;256"}) {
    const auto refused = sh(line + "--img-size '" + size + "'");
    EXPECT_EQ(refused.code, 2) << size;
    EXPECT_NE(refused.text.find("--img-size"), std::string::npos) << refused.text;
  }
  // A name after the size is a name.
  EXPECT_EQ(sh("effdet bench --infer-only --runs 1 --warmup 0 --img-size 128 " + checkpoint_).code, 0);
}

TEST_F(CommonOptions, ModelsAreNamedTheSameWayEverywhere) {
  ASSERT_EQ(sh("pth2onnx --model-file " + checkpoint_ + " --img-size 128 --out a.onnx").code, 0);
  for (const char* flag : {"", "--checkpoint", "--model-file", "-c"}) {
    EXPECT_EQ(sh(std::string("effdet info ") + flag + " a.onnx").code, 0) << flag;
    EXPECT_EQ(sh(std::string("effdet bench --infer-only --runs 1 --warmup 0 ") + flag + " a.onnx").code, 0) << flag;
    EXPECT_EQ(sh(std::string("effdet run ") + flag + " a.onnx").code, 0) << flag;
  }
}

TEST_F(CommonOptions, AMistypedFlagIsAnswered) {
  const auto refused = sh("effdet detect x.jpg --checkpoint y.pth --scroe 0.5");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.text.find("did you mean --score?"), std::string::npos) << refused.text;
  const auto missing = sh("effdet detect x.jpg --chekpoint y.pth");
  EXPECT_NE(missing.text.find("did you mean --checkpoint?"), std::string::npos) << missing.text;
  EXPECT_EQ(sh("effdet info x --quite-something-else").text.find("did you mean"), std::string::npos);
}

TEST_F(CommonOptions, AFileMayHoldTheFlags) {
  std::ofstream(folder_ / "flags.toml") << "# a comment\nimg-size = \"128,256\"\nopset = 17\n";
  const std::string line = "pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config flags.toml";
  const auto made = sh(line);
  EXPECT_NE(made.text.find("1x3x128x256"), std::string::npos) << made.text;
  EXPECT_NE(made.text.find("opset 17"), std::string::npos) << made.text;
  EXPECT_NE(sh(line + " --opset 13").text.find("opset 13"), std::string::npos) << "the command line comes first";
  std::ofstream(folder_ / "wrong.toml") << "opzet = 17\n";
  EXPECT_EQ(sh("pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config wrong.toml").code, 2);
  EXPECT_EQ(sh("pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config absent.toml").code, 2);
  std::ofstream(folder_ / "under.toml") << "img_size = \"128x256\"\n";
  EXPECT_NE(sh("pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config under.toml").text.find("1x3x128x256"),
            std::string::npos);
  for (const auto& [text, words] :
       {std::pair("opzet = 17\n", "bad.toml: there is no flag 'opzet'; did you mean 'opset'?"),
        {"[pth2onnx]\nopset = 17\n", "bad.toml: sections ([pth2onnx]) are not read"},
        {"a.b = 1\n", "bad.toml: sections"}}) {
    std::ofstream(folder_ / "bad.toml") << text;
    const auto refused = sh("pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config bad.toml");
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.text.find(words), std::string::npos) << refused.text;
  }
  EXPECT_NE(sh("pth2onnx --checkpoint x --config /dev/zero").text.find("/dev/zero: no file"), std::string::npos);
  EXPECT_EQ(
      sh("pth2onnx --checkpoint " + checkpoint_ + " --img-size 128 --out a.onnx --config redundant_bias=true").code, 0);
}

TEST_F(CommonOptions, QuietVerboseAndLogged) {
  const std::string line = "effdet run --model-file " + checkpoint_ + " ";
  EXPECT_NE(sh(line + "2>&1 >/dev/null").text, "");
  EXPECT_EQ(sh(line + "--quiet 2>&1 >/dev/null").text, "");
  EXPECT_NE(sh(line + "-v 2>&1 >/dev/null").text.find("kernels for"), std::string::npos);
  EXPECT_EQ(sh("effdet info absent.om -q --log-file log.txt").code, 4);
  const std::string log = text_of("log.txt");
  EXPECT_NE(log.find("error absent.om"), std::string::npos) << log;
  EXPECT_NE(log.find("ended with exit code 4"), std::string::npos) << log;
  EXPECT_EQ(sh(line + "--log-file absent/log.txt").code, 4);
  const auto lost = sh(line + "--log-file /dev/full 2>&1 >/dev/null");
  EXPECT_EQ(lost.code, 4);
  EXPECT_NE(lost.text.find("the log could not be written"), std::string::npos) << lost.text;
  EXPECT_EQ(sh("mkfifo f && timeout 20 effdet info absent.om --log-file f").code, 4);
}

TEST_F(CommonOptions, AFullStandardErrorEndsNoRun) {
  EXPECT_EQ(sh("effdet info absent.om 2>/dev/full").code, 4);
  EXPECT_EQ(sh("effdet run --model-file " + checkpoint_ + " -v 2>/dev/full").code, 0);
  EXPECT_EQ(sh("effdet nope 2>/dev/full").code, 2);
}

TEST_F(CommonOptions, InputsAreMadeUpWhereNoneAreGiven) {
  ASSERT_EQ(sh("pth2onnx --checkpoint " + checkpoint_ + " --img-size 128 --out a.onnx").code, 0);
  const auto ran = sh("effdet run a.onnx 2>&1");
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_NE(ran.text.find("made-up numbers for x.1"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("class_l3: float32"), std::string::npos) << ran.text;
  EXPECT_EQ(sh("effdet compare a.onnx a.onnx").code, 0);
}

TEST_F(CommonOptions, AloneItListsItsCommands) {
  const auto listed = sh("effdet");
  EXPECT_EQ(listed.code, 0);
  EXPECT_NE(listed.text.find("pth2onnx"), std::string::npos);
}

TEST_F(CommonOptions, ModifyOnnxCopiesWhatNeedsNoChange) {
  ASSERT_EQ(sh("pth2onnx --checkpoint " + checkpoint_ + " --img-size 128 --out a.onnx").code, 0);
  const auto copied = sh("modify_onnx --model=a.onnx --node=3080 --out=b.onnx");
  EXPECT_EQ(copied.code, 0) << copied.text;
  EXPECT_NE(copied.text.find("need no change"), std::string::npos) << copied.text;
  EXPECT_EQ(sh("effdet compare a.onnx b.onnx").code, 0);
}

TEST_F(CommonOptions, TheManualHasEveryCommandAndItsFlags) {
  const auto made = sh("effdet manual --out share");
  ASSERT_EQ(made.code, 0) << made.text;
  for (const Command& command : commands()) {
    const std::string page = text_of("share/man/man1/effdet-" + std::string(command.name) + ".1");
    EXPECT_NE(page.find(".SH OPTIONS"), std::string::npos) << command.name;
    EXPECT_NE(page.find("\\-\\-help"), std::string::npos) << command.name;
    EXPECT_NE(page.find(".SH EXAMPLES"), std::string::npos) << command.name;
  }
  const auto completed =
      sh("bash -c 'source share/bash-completion/completions/effdet; COMP_WORDS=(effdet detect --sco); COMP_CWORD=2; "
         "_effdet; "
         "echo ${COMPREPLY[@]}; COMP_WORDS=(effdet det); COMP_CWORD=1; _effdet; echo ${COMPREPLY[@]}'");
  EXPECT_NE(completed.text.find("--score"), std::string::npos) << completed.text;
  EXPECT_NE(completed.text.find("\ndetect"), std::string::npos) << completed.text;
}

}  // namespace
}  // namespace effdet::cli
