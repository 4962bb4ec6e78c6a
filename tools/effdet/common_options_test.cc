// What all commands have: sizes in every spelling, flags that are almost right, files with flags, quiet and logged
// runs, and the manual that is made of their options.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
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

TEST_F(CommonOptions, UsageErrorsSayWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"effdet info", "'file' is required, as an argument or by --checkpoint"},
      {"effdet evaluate a.json", "'results' is required, as an argument or by --dt"},
      {"effdet merge", "shards is required"},
      {"validate data", "--checkpoint is required"},
      {"effdet info a b c", "'b' is one argument too many"},
      {"effdet info a --stepz=3 d", "there is no flag --stepz; did you mean --steps?"},
      {"effdet detect a -c b --score", "--score needs a value"},
      {"effdet detect a -c b --score 0.5 --score 0.7", "--score is given more than once"},
      {"effdet detect a -c b --score 50%", "--score: '50%' is no number of 0 to 1"},
      {"effdet detect a -c b --score nan", "--score: 'nan' is no number of 0 to 1"},
      {"effdet detect a -c b --threads 2k", "--threads: '2k' is no whole number of 0 to 1024"},
      {"effdet detect a -c b --threads 99999999999999999999", "is no whole number of 0 to 1024"},
      {"effdet scenes --out s --seed -1", "--seed: '-1' is no whole number of 0 to 18446744073709551615"},
      {"effdet compare a b --tolerance -1", "--tolerance: '-1' is no number of at least 0"},
      {"effdet evaluate a b --score nan", "--score: 'nan' is no number"},
      {"effdet evaluate a b --match-iou 1.5", "--match-iou: '1.5' is no number of 0 to 1"},
      {"validate data -c b --limit 0.5", "--limit: '0.5' is no whole number of 0 to 2147483647"},
      {"effdet detect a -c b --json --format csv", "--json and --format csv: only one of them can be printed"},
  };
  for (const auto& [line, words] : cases) {
    const auto refused = sh(line);
    EXPECT_EQ(refused.code, 2) << line;
    EXPECT_NE(refused.text.find(words), std::string::npos) << line << ": " << refused.text;
    EXPECT_EQ(std::ranges::count(refused.text, '\n'), 1) << refused.text;
  }
}

// What a script gives whose variable is not set.
TEST_F(CommonOptions, EmptyValuesAreNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"effdet detect '' -c a", "images: the value is empty"},
      {"effdet detect a -c ''", "--checkpoint: the name is empty"},
      {"effdet detect a -c b --classes ''", "--classes: the value is empty"},
      {"effdet convert data --to '' --out b", "--to: the value is empty"},
      {"effdet edit a --out b --outputs ''", "--outputs: the value is empty"},
      {"modify_onnx --model a --node= --out b", "--node: the value is empty"},
      {"ais_bench --model a --input ''", "--input: the value is empty"},
      {"onnxsim '' a", "files: the value is empty"},
      {"validate data -c a --split=''", "--split: the value is empty"},
      {"effdet merge ''", "shards: the value is empty"},
  };
  for (const auto& [line, words] : cases) {
    const auto refused = sh(line);
    EXPECT_EQ(refused.code, 2) << line;
    EXPECT_NE(refused.text.find(words), std::string::npos) << line << ": " << refused.text;
  }
}

TEST_F(CommonOptions, DigitsAreDecimal) {
  const std::string line = "effdet bench --infer-only --runs 1 --warmup 0 --img-size 128 --threads 010 " + checkpoint_;
  EXPECT_NE(sh(line).text.find("of 10 threads"), std::string::npos);
  EXPECT_NE(sh("effdet init tf_efficientdet_lite0 --out a.pth --seed 010").text.find("seed 10,"), std::string::npos);
}

TEST_F(CommonOptions, ADashIsNoFile) {
  const std::string from = "pth2onnx --img-size 128 --checkpoint " + checkpoint_;
  ASSERT_EQ(sh(from + " --out a.onnx").code, 0);
  for (const std::string& line :
       {from + " --out -", std::string("effdet graph a.onnx --out -"), std::string("onnxsim a.onnx -"),
        std::string("effdet manual --out -"), std::string("effdet detect a.jpg -c a.onnx --out -"),
        std::string("effdet evaluate a.json - < /dev/null")}) {
    const auto refused = sh(line);
    EXPECT_EQ(refused.code, 2) << line;
    EXPECT_NE(refused.text.find("'-' stands for no stream here"), std::string::npos) << refused.text;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "-")) << line;
  }
  const auto piped = sh(from + " --out /dev/stdout > b.onnx");
  EXPECT_EQ(piped.text.find("/dev/fd/"), std::string::npos) << piped.text;
  EXPECT_NE(piped.text.find("/dev/stdout: "), std::string::npos) << piped.text;
  EXPECT_EQ(text_of("a.onnx"), text_of("b.onnx"));
}

TEST_F(CommonOptions, FilesThatAreNoneAreNamed) {
  EXPECT_NE(sh("onnxsim . a.onnx").text.find(".: cannot open: it is a folder"), std::string::npos);
  EXPECT_NE(sh("cat /dev/null | onnxsim /dev/stdin a.onnx").text.find("not a regular file; save"), std::string::npos);
}

TEST_F(CommonOptions, ImagesThatAreTooLargeAreNoFaultOfTheFile) {
  const auto refused = sh("pth2onnx --checkpoint " + checkpoint_ + " --img-size 16384 --out a.onnx");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.text.find("images of 16384 x 16384 (height x width) in batches of 1 are too large"),
            std::string::npos)
      << refused.text;
  EXPECT_EQ(sh("pth2onnx --checkpoint " + checkpoint_ + " --batch_size 4096 --out a.onnx").code, 2);
}

TEST_F(CommonOptions, HelpRequiresAnArgumentOnce) {
  const std::string help = sh("effdet info --help").text;
  EXPECT_NE(help.find("file FILE REQUIRED"), std::string::npos) << help;
  EXPECT_EQ(help.find("REQUIRED", help.find("REQUIRED") + 1), std::string::npos) << help;
  EXPECT_NE(help.find("the same as file"), std::string::npos) << help;
  EXPECT_NE(sh("validate --help").text.find("--soft-nms [gaussian|linear] "), std::string::npos);
  EXPECT_EQ(sh("effdet init --help").text.find("--ignore-config"), std::string::npos);
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
  const auto neither = sh("pth2onnx --checkpoint " + checkpoint_ + " --out a.onnx --config absent.toml");
  EXPECT_EQ(neither.code, 2);
  EXPECT_NE(neither.text.find("'absent.toml' is neither NAME=VALUE nor a file"), std::string::npos) << neither.text;
  for (const char* path : {"absent.toml", "."}) {
    const auto refused = sh(std::string("effdet info x --config ") + path);
    EXPECT_EQ(refused.code, 4);
    EXPECT_NE(refused.text.find(std::string("--config: ") + path + ": cannot open"), std::string::npos) << refused.text;
  }
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
  EXPECT_NE(sh("pth2onnx --checkpoint x --config /dev/zero").text.find("/dev/zero: no regular file"),
            std::string::npos);
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
