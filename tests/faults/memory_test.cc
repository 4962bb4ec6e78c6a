// Small files that stand for large models: what a command takes for them stays in proportion to the file.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "faults/commands.h"

namespace effdet::faults {
namespace {

/// What a command may take for a file of so many bytes: docs/bad-inputs.md.
uint64_t allowed(uint64_t file_bytes) { return 2 * file_bytes + (uint64_t{256} << 20); }

/// A field of a protobuf message whose content is text, or a message.
std::string field(int number, const std::string& content) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  size_t size = content.size();
  for (; size >= 128; size >>= 7) text += static_cast<char>((size & 127) | 128);
  return text + static_cast<char>(size) + content;
}

/// An ONNX model with so many nodes, each the Relu of the one before.
std::string chain(int nodes) {
  const std::string six_floats = field(2, field(1, "\x08\x01" + field(2, field(1, "\x08\x06"))));
  std::string graph = field(2, "chain") + field(11, field(1, "v0") + six_floats);
  for (int i = 0; i < nodes; ++i)
    graph += field(1, field(1, "v" + std::to_string(i)) + field(2, "v" + std::to_string(i + 1)) + field(4, "Relu"));
  graph += field(12, field(1, "v" + std::to_string(nodes)) + six_floats);
  return "\x08\x08" + field(7, graph) + field(8, "\x10\x11");
}

TEST(Memory, Case64_ManyNodes) {
  const Workplace place;
  std::ofstream(place.folder() / "m.onnx") << chain(80'000);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"onnxsim", "m.onnx", "out.onnx"}, {"effdet", "run", "m.onnx", "--out", "out"}}) {
    const Outcome outcome = run({.arguments = arguments, .folder = place.folder()});
    EXPECT_EQ(outcome.code, 0) << arguments[0] << ": " << outcome.error;
    EXPECT_LE(outcome.peak_memory, allowed(std::filesystem::file_size(place.folder() / "m.onnx"))) << arguments[0];
  }
}

// Made by testdata/make_bombs.py: as they are meant, each takes 0.3 to 2 GB.
TEST(Memory, Case59_SmallModelsTakeLittle) {
  const std::filesystem::path folder = EFFDET_SOURCE_DIR "/testdata/bombs";
  for (const char* name : {"many_readers", "doubled", "large_value"}) {
    const std::string model = folder / (std::string(name) + ".onnx");
    const uint64_t bytes = std::filesystem::file_size(model);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"onnxsim", model, "out.onnx"},
          std::vector<std::string>{"atc", "--framework=5", "--model=" + model, "--output=out",
                                   "--soc_version=native"}}) {
      const Workplace place;
      const Outcome outcome = run({.arguments = arguments, .folder = place.folder()});
      EXPECT_EQ(outcome.code, 0) << arguments[0] << " " << name << ": " << outcome.error;
      EXPECT_LE(outcome.peak_memory, allowed(bytes)) << arguments[0] << " " << name;
      const auto made = place.folder() / (arguments[0] == "atc" ? "out.om" : "out.onnx");
      EXPECT_LE(std::filesystem::file_size(made), bytes + (uint64_t{66} << 20)) << arguments[0] << " " << name;
    }
  }
}

// Not all of it fits, and the program says so instead of being ended by the kernel.
TEST(Memory, Case59_ARunBeyondTheLimitIsAnError) {
  const Workplace place;
  const std::string model = EFFDET_SOURCE_DIR "/testdata/bombs/doubled.onnx";
  std::ofstream(place.folder() / "x.bin") << std::string(2 * sizeof(float), '\0');
  const auto limit = [](long bytes) {
    const rlimit memory{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
    ::setrlimit(RLIMIT_AS, &memory);
  };
  const Outcome outcome = run({.arguments = {"effdet", "run", model, "--input", "x.bin", "--out", "out"},
                               .folder = place.folder(),
                               .limit = limit,
                               .limit_argument = long{512} << 20});
  EXPECT_EQ(outcome.code, 7) << outcome.error;
  EXPECT_NE(outcome.error.find("(Concat)"), std::string::npos) << outcome.error;
  EXPECT_LE(outcome.peak_memory, uint64_t{512} << 20);
}

}  // namespace
}  // namespace effdet::faults
