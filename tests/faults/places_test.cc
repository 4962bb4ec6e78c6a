// Files and folders of unusual names and kinds, and an environment of another kind.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "faults/commands.h"
#include "faults/expectations.h"
#include "support/german_locale.h"
#include "support/shell.h"

namespace effdet::faults {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpoint = "in/d0.pth";
constexpr long kNobody = 65534;

void set_mask(long mask) { ::umask(static_cast<mode_t>(mask)); }
void become(long user) {
  const bool done = ::setgroups(0, nullptr) == 0 && ::setgid(static_cast<gid_t>(user)) == 0 &&
                    ::setuid(static_cast<uid_t>(user)) == 0;
  if (!done) ::_exit(1);
}

std::vector<std::string> export_to(const std::string& out) {
  return {"pth2onnx", "--checkpoint", kCheckpoint, "--model", "tf_efficientdet_d0", "--img-size", "128", "--out", out};
}

void expect_refused(const Outcome& outcome, const std::string& name) {
  EXPECT_EQ(outcome.code, 4) << outcome.error;
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
  EXPECT_NE(outcome.error.find(name), std::string::npos) << outcome.error;
}

TEST(Places, Case07_ReadOnlyFolder) {
  const Workplace place;
  fs::permissions(place.folder() / "out", fs::perms::owner_read | fs::perms::owner_exec);
  Start start = place.start(command("pth2onnx"));
  if (::geteuid() == 0) {  // whom no permission stops
    start.arguments = {"effdet", "info", kCheckpoint};
    start.limit = become;
    start.limit_argument = kNobody;
    fs::permissions(place.folder(), fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
    fs::permissions(fs::canonical(place.folder() / "in").parent_path(), fs::perms::others_exec, fs::perm_options::add);
    const Outcome outcome = run(start);
    if (outcome.code != 0)
      GTEST_SKIP() << "runs as root, and another user cannot run the program where it is: " << outcome.error;
    start.arguments = command("pth2onnx").arguments;
  }
  expect_refused(run(start), "out/m.onnx: cannot write: Permission denied");
}

TEST(Places, Case07_OutputIsAFolder) {
  const Workplace place;
  fs::create_directories(place.folder() / "out/m.onnx/inside");
  expect_refused(run(place.start(command("pth2onnx"))), "out/m.onnx: cannot write: it is a folder");
  fs::create_directories(place.folder() / "out/detections.json");
  expect_refused(run(place.start(command("detect"))), "out/detections.json: cannot write");
  EXPECT_TRUE(fs::exists(place.folder() / "out/m.onnx/inside"));
}

TEST(Places, Case07_OutputFolderIsAFile) {
  const Workplace place;
  for (const char* name : {"bin", "pictures", "dumpOutput_device0"})
    std::ofstream(place.folder() / "out" / name) << "x";
  for (const char* name : {"preprocess", "validate", "benchmark"})
    expect_refused(run(place.start(command(name))), "out");
}

TEST(Places, Case07_WhatIsThereStaysWhatItIs) {
  for (const Command& command : commands()) {
    if (!command.traits.new_folder.empty()) continue;  // nothing may be there
    const Workplace place;
    place.put_old_outputs(command);
    fs::create_directories(place.folder() / "elsewhere");
    for (const auto& [name, content] : command.outputs) {
      const fs::path output = place.folder() / "out" / name;
      const std::string target = fs::path(name).filename();
      fs::permissions(output, fs::perms(0600));
      fs::rename(output, place.folder() / "elsewhere" / target);
      fs::create_symlink(place.folder() / "elsewhere" / target, output);
    }
    expect_same(command, place, run(place.start(command)), "onto links");
    for (const auto& [name, content] : command.outputs) {
      const fs::path output = place.folder() / "out" / name;
      EXPECT_TRUE(fs::is_symlink(output)) << output;
      EXPECT_EQ(fs::status(output).permissions(), fs::perms(0600)) << output;
    }
  }
}

TEST(Places, Case07_OutputIsNoRegularFile) {
  const std::string model = command("pth2onnx").outputs.at("m.onnx");
  const Workplace place;
  ASSERT_EQ(::mkfifo((place.folder() / "fifo").c_str(), 0600), 0);
  const auto piped = [&](const std::string& out) {
    const std::string line =
        "bash -c 'pth2onnx --checkpoint in/d0.pth --model tf_efficientdet_d0 --img-size 128 --out " + out + "'";
    const test::Result result = test::run_in(place.folder(), line);
    EXPECT_EQ(result.code, 0) << out << ": " << result.error;
    return result.out;
  };
  // What the command has to say goes elsewhere.
  EXPECT_TRUE(piped("/dev/stdout") == model);
  EXPECT_TRUE(piped("/dev/stdout | cat") == model);
  EXPECT_NE(piped(">(cat) >/dev/null; wait $!").find(model), std::string::npos);
  EXPECT_NE(piped("fifo >/dev/null & cat fifo; wait").find(model), std::string::npos);
  piped("/dev/null");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_fifo(place.folder() / "fifo"));
}

/// Files of the libraries' names lie where the command runs, which may be anybody's folder.
TEST(Places, LibrariesOfTheCurrentFolderAreNotLoaded) {
  const Workplace place;
  const std::string names =
      "for f in $(ldd '" EFFDET_BIN "/effdet' | awk '{print $1}') libcurl.so.4 libcrypto.so.3; do ";
  ASSERT_EQ(test::run_in(place.folder(), names + "echo x > ${f##*/}; done; ls libeffdet.so.* libcurl.so.4").code, 0);
  EXPECT_EQ(test::run_in(place.folder(), "effdet --version").code, 0);
  const test::Result result = test::run_in(place.folder(), "effdet download --url http://127.0.0.1:1/d0.pth --cache c");
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.error.find("cannot be reached"), std::string::npos) << result.error;
}

TEST(Places, Case17_EnvironmentsChangeNothing) {
  for (const Command& command : commands()) {
    const Workplace place;
    Start start = place.start(command);
    start.environment = {{"HOME", ""}, {"TMPDIR", "/nonexistent"}};
    start.limit = set_mask;
    start.limit_argument = 077;
    expect_same(command, place, run(start), "without HOME, umask 077");
    for (const auto& entry : fs::recursive_directory_iterator(place.folder() / "out"))
      EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none) << entry.path();
  }
}

TEST(Places, Case17_GermanLocale) {
  const test::GermanLocale german("UTF-8");
  if (!german.is_made()) GTEST_SKIP() << test::GermanLocale::kMissing;
  for (const Command& command : commands()) {
    const Workplace place;
    Start start = place.start(command);
    start.environment = {{"LC_ALL", german.name()}};
    expect_same(command, place, run(start), "LC_ALL=" + german.name());
  }
}

TEST(Places, Case17_NamesThatAreNotUtf8) {
  const Workplace place;
  const fs::path images = place.folder() / "p\xE4";
  fs::create_directories(images);
  fs::copy_file(place.folder() / "in/data/val2017/000000000001.jpg", images / "\xFFx.jpg");
  const auto good = [&](std::vector<std::string> arguments) {
    const Outcome outcome = run({std::move(arguments), place.folder()});
    EXPECT_EQ(outcome.code, 0) << outcome.error;
  };
  good(export_to("out/\xFF.onnx"));
  EXPECT_EQ(test::content(place.folder() / "out/\xFF.onnx"), command("pth2onnx").outputs.at("m.onnx"));
  good({"effdet", "info", "out/\xFF.onnx", "--json"});
  good({"effdet", "detect", images, "--model-file", "in/m.om", "--out", "out/\xFE"});
  EXPECT_TRUE(fs::exists(place.folder() / "out/\xFE/\xFFx.jpg"));
  good({"benchmark.x86_64", "-om_path=in/m.om", "-input_imgFiles_path=" + images.string(), "-result=out/\xFD"});
  good({"ais_bench", "--model", "in/m.om", "--input", images, "--output", "out", "--output_dirname", "\xFC"});
}

TEST(Places, Case17_LongPaths) {
  const Workplace place;
  std::string deep = "out";
  while (deep.size() < 3000) deep += "/" + std::string(200, 'd');
  fs::create_directories(place.folder() / deep);
  const std::string longest(255, 'n');
  for (const std::string& name : {deep + "/m.onnx", "out/" + longest}) {
    const Outcome outcome = run({export_to(name), place.folder()});
    EXPECT_EQ(outcome.code, 0) << outcome.error;
  }
  expect_refused(run({export_to(std::string(4097, 'a')), place.folder()}), "File name too long");
  expect_refused(run({export_to("out/" + std::string(256, 'a')), place.folder()}), "File name too long");
  expect_refused(run({{"effdet", "info", std::string(4097, 'a')}, place.folder()}), "File name too long");
  expect_refused(
      run({{"effdet", "detect", std::string(4097, 'a'), "--model-file", "in/m.om", "--out", "out"}, place.folder()}),
      "File name too long");
}

}  // namespace
}  // namespace effdet::faults
