// Compiled models: what is written is read again, and what is broken is refused.
#include "artifact/om_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "artifact/om_test_util.h"
#include "base/error.h"
#include "base/file.h"
#include "base/npy.h"
#include "base/sanitizer.h"
#include "runtime/engine.h"

namespace effdet::artifact {
namespace {

/// The code of the error that reading this content throws, or nothing where it is read.
std::optional<ErrorCode> refusal(const std::vector<std::byte>& content) {
  try {
    read_om(write_test_om(content));
    return std::nullopt;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()), "");
    return error.code();
  }
}

template <typename T>
void put(std::vector<std::byte>& file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

/// Large files are hashed while they are parsed: the checksum's error comes first, whatever the parser finds.
TEST(Om, DamageOfALargeFileIsTold) {
  OmParts parts = take_apart(om_bytes(small_program()));
  parts.weights.resize(size_t{2} << 20);
  const std::vector<std::byte> whole = put_together(parts);
  EXPECT_EQ(refusal(whole), std::nullopt);
  for (const size_t offset : {sizeof(OmHeader), sizeof(OmHeader) + 100, whole.size() - 1}) {
    std::vector<std::byte> damaged = whole;
    damaged[offset] ^= std::byte{0xff};
    try {
      read_om(write_test_om(damaged));
      ADD_FAILURE() << offset;
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find("checksum at offset"), std::string_view::npos) << error.what();
    }
  }
}

TEST(Om, ListsMayLieOnAnyBoundaryOfFourBytes) {
  const Program written = small_program();
  const Program read = read_om(write_test_om(with_shapes_off_boundary(om_bytes(written)))).at(0);
  EXPECT_EQ(ir::to_text(read.graph), ir::to_text(written.graph));
}

TEST(Om, RoundTrip) {
  Program written = small_program();
  written.micro_batches = 3;
  const auto path = write_test_om(om_bytes(written));
  EXPECT_TRUE(is_om(path));
  const Program read = read_om(path).at(0);
  EXPECT_EQ(ir::to_text(read.graph), ir::to_text(written.graph));
  EXPECT_EQ(read.graph.metadata, written.graph.metadata);
  EXPECT_EQ(read.graph.opset, written.graph.opset);
  EXPECT_EQ(read.target, written.target);
  EXPECT_EQ(read.arena_bytes, written.arena_bytes);
  EXPECT_EQ(read.micro_batches, 3);
  EXPECT_EQ(weight_bytes({&read, 1}), weight_bytes({&written, 1}));
  ASSERT_EQ(read.placements.size(), written.placements.size());
  for (size_t i = 0; i < read.placements.size(); ++i) {
    EXPECT_EQ(read.placements[i].space, written.placements[i].space);
    const auto id = static_cast<ir::ValueId>(i);
    EXPECT_EQ(read.graph.value(id).layout, written.graph.value(id).layout);
    const Tensor *a = read.graph.constant(id), *b = written.graph.constant(id);
    ASSERT_EQ(a != nullptr, b != nullptr);
    if (a != nullptr) {
      EXPECT_TRUE(std::ranges::equal(a->bytes(), b->bytes())) << read.graph.value(id).name;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(a->bytes().data()) % kTensorAlignment, 0u);
    } else {
      EXPECT_EQ(read.placements[i].offset, written.placements[i].offset);
    }
  }
}

/// What an operator does not know changes nothing, and comes back as it was.
TEST(Om, AttributesOfEveryKind) {
  Program written = tiny_program();
  auto& attributes = written.graph.nodes[0].attributes;
  attributes["x.whole"] = int64_t{-5};
  attributes["x.real"] = 0.25F;
  attributes["x.text"] = std::string("words");
  attributes["x.wholes"] = std::vector<int64_t>{1, -2};
  attributes["x.reals"] = std::vector<float>{0.5F};
  attributes["x.texts"] = std::vector<std::string>{"a", "", "b"};
  attributes["x.none"] = std::vector<std::string>{};
  const std::vector<std::byte> file = om_bytes(written);
  const Program read = read_om(file, "in memory").at(0);
  EXPECT_EQ(ir::to_text(read.graph), ir::to_text(written.graph));
  EXPECT_EQ(read_om(write_test_om(file)).size(), 1u) << "the same from a file";

  OmParts parts = take_apart(file);
  for (auto& attribute : parts.program.nodes.at(0)->attributes)
    if (attribute->name.starts_with("x.")) attribute->texts.clear(), attribute->text.clear();
  const Program without = read_om(put_together(parts), "in memory").at(0);
  EXPECT_EQ(std::get<std::vector<std::string>>(*without.graph.nodes[0].find("x.texts")), std::vector<std::string>{});
  EXPECT_EQ(std::get<std::string>(*without.graph.nodes[0].find("x.text")), "");
}

TEST(Om, AttributesThatNoFileCanHold) {
  Program program = tiny_program();
  program.graph.nodes[0].attributes["x"] = Tensor::scalar(1.0F);
  try {
    om_bytes(program);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "attribute 'x': tensors cannot be attributes of a compiled step");
  }
}

/// Programs that do not come from files are checked by the same rules.
TEST(Om, ProgramsAndPlansThatDoNotFit) {
  const auto message = [](const std::vector<Program>& plans) {
    try {
      verify_plans(plans, "x");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({}), "x: 0 plans, not 1 to " + std::to_string(kMaxPlans));
  EXPECT_EQ(message(std::vector<Program>(kMaxPlans + 1, tiny_program())),
            fmt::format("x: {} plans, not 1 to {}", kMaxPlans + 1, kMaxPlans));
  Program short_of = tiny_program();
  const size_t tensors = short_of.placements.size();
  short_of.placements.pop_back();
  EXPECT_EQ(message({short_of}), fmt::format("x: {} placements for {} tensors", tensors - 1, tensors));
  std::vector<Program> plans = three_plans();
  EXPECT_EQ(message(plans), "no error");
  ir::Value& input = plans[1].graph.value(plans[1].graph.inputs[0]);
  const std::string name = std::exchange(input.name, "other");
  EXPECT_EQ(message(plans), fmt::format("x: plan 1: 'other' is not the tensor '{}' of the first plan", name));
  input.name = name;
  plans[2] = plans[0];
  EXPECT_EQ(message(plans), "x: plan 2: a second plan for the same shapes of inputs");
  plans[2].target = "elsewhere";
  EXPECT_EQ(message(plans),
            fmt::format("x: plan 2: for the target 'elsewhere', and the first plan for '{}'", plans[0].target));
}

TEST(Om, FilesThatSayNoLayoutsHaveTheSame) {
  const Program written = small_program();
  OmParts parts = take_apart(om_bytes(written));
  for (auto& value : parts.program.values) value->layout = 0;
  const Program read = read_om(write_test_om(put_together(parts))).at(0);
  size_t nhwc = 0;
  for (size_t i = 0; i < read.graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    EXPECT_EQ(read.graph.value(id).layout, written.graph.value(id).layout) << read.graph.value(id).name;
    nhwc += read.graph.value(id).layout == ir::Layout::kNhwc;
  }
  EXPECT_GT(nhwc, 5u);
}

TEST(Om, PlansShareTheirWeights) {
  const std::vector<Program> written = three_plans();
  const auto file = om_bytes(written);
  const OmParts one = take_apart(om_bytes(written[0])), all = take_apart(file);
  EXPECT_EQ(all.weights, one.weights) << "packed weights do not depend on the batch";
  const std::vector<Program> read = read_om(write_test_om(file));
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(weight_bytes(read), weight_bytes({&read[0], 1}));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ir::to_text(read[i].graph), ir::to_text(written[i].graph)) << i;
    EXPECT_EQ(read[i].graph.metadata, written[0].graph.metadata) << i;
    EXPECT_EQ(read[i].arena_bytes, written[i].arena_bytes) << i;
  }
  EXPECT_EQ(om_bytes(read), file) << "what was read is written again as it was";
}

TEST(Om, TheSameProgramGivesTheSameBytes) { EXPECT_EQ(om_bytes(small_program()), om_bytes(small_program())); }

TEST(Om, PartsGiveAFileThatIsRead) {
  EXPECT_EQ(refusal(put_together(take_apart(om_bytes(small_program())))), std::nullopt);
}

TEST(Om, WeightsOutliveTheProgram) {
  Tensor weights;
  {
    const Program program = read_om(write_test_om(om_bytes(small_program()))).at(0);
    for (size_t i = 0; i < program.graph.value_count(); ++i)
      if (const Tensor* constant = program.graph.constant(static_cast<ir::ValueId>(i))) weights = *constant;
  }
  float sum = 0;
  for (float value : weights.data<float>()) sum += value;
  EXPECT_TRUE(std::isfinite(sum));
}

TEST(Om, OtherFilesAreNone) {
  EXPECT_FALSE(is_om(write_test_om({})));
  EXPECT_FALSE(is_om(write_test_om(std::vector<std::byte>(100))));
  EXPECT_EQ(refusal(std::vector<std::byte>(100)), ErrorCode::kBadInput);
}

TEST(BadInput, CompiledModelCutAnywhere) {
  const auto whole = om_bytes(tiny_program());
  for (size_t size = 0; size < whole.size(); size += kSanitized ? 7 : 1) {
    auto part = whole;
    part.resize(size);
    EXPECT_TRUE(refusal(part)) << size;
    if (size < sizeof(OmHeader)) continue;
    put(part, offsetof(OmHeader, file_bytes), uint64_t{size});  // a file that says that it is this short
    seal(part);
    EXPECT_TRUE(refusal(part)) << size;
  }
  auto longer = whole;
  longer.resize(whole.size() + 1);
  EXPECT_EQ(refusal(longer), ErrorCode::kBadInput);
}

TEST(BadInput, Case65_HeaderFieldsAtTheirLimits) {
  const auto good = om_bytes(tiny_program());
  const auto check = [&](size_t offset, auto value) {
    for (bool sealed : {false, true}) {
      if (sealed && offset == offsetof(OmHeader, checksum)) continue;
      auto bad = good;
      put(bad, offset, value);
      if (bad == good) continue;
      if (sealed) seal(bad);
      // An empty list of weights may begin anywhere after the program, if that is the end of the file.
      EXPECT_TRUE(refusal(bad)) << "offset " << offset << ", value " << value << (sealed ? ", sealed" : "");
    }
  };
  for (size_t offset : {offsetof(OmHeader, version), offsetof(OmHeader, header_bytes)})
    for (uint32_t value : {0u, 1u, UINT32_MAX, UINT32_MAX - 1, 1u << 31}) check(offset, value);
  for (size_t offset : {offsetof(OmHeader, magic), offsetof(OmHeader, checksum), offsetof(OmHeader, file_bytes),
                        offsetof(OmHeader, program_offset), offsetof(OmHeader, program_bytes),
                        offsetof(OmHeader, weights_offset), offsetof(OmHeader, weights_bytes)})
    for (uint64_t value : {uint64_t{0}, uint64_t{1}, UINT64_MAX, UINT64_MAX - 1, uint64_t{1} << 63})
      check(offset, value);
}

/// Files that were written once, and stay as they are: each version that is read gives what it gave then.
/// testdata/make_om_golden.py made them.
TEST(GoldenOm, EachVersionRunsAsItDid) {
  const std::filesystem::path folder = EFFDET_SOURCE_DIR "/testdata/om";
  const Program program = read_om(folder / "version_2.om").at(0);
  const Tensor input = read_npy(folder / "input.npy"), want = read_npy(folder / "output.npy");
  const std::vector<Tensor> got = runtime::Session(std::make_shared<runtime::Engine>(program), 1).run({{input}});
  ASSERT_EQ(got.at(0).shape(), want.shape());
  for (size_t i = 0; i < want.data<float>().size(); ++i)
    EXPECT_NEAR(got[0].data<float>()[i], want.data<float>()[i], 1e-5) << i;
}

/// A header of that version is all that there is to tell: no reader of it is left.
TEST(GoldenOm, Version1IsRefusedWithTheCommandThatMakesItAnew) {
  auto file = om_bytes(tiny_program());
  put(file, offsetof(OmHeader, version), uint32_t{1});
  seal(file);
  try {
    read_om(write_test_om(file));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find("format version 1"), std::string_view::npos) << error.what();
    EXPECT_NE(std::string_view(error.what()).find("effdet atc"), std::string_view::npos) << error.what();
  }
}

TEST(BadInput, Case66_OlderAndNewerVersionAndAnotherTarget) {
  for (uint32_t version : {kOmVersion - 1, kOmVersion + 1}) {
    auto file = om_bytes(tiny_program());
    put(file, offsetof(OmHeader, version), version);
    EXPECT_EQ(refusal(file), ErrorCode::kUnsupported) << "the version is told before the checksum is looked at";
    seal(file);
    EXPECT_EQ(refusal(file), ErrorCode::kUnsupported);
  }
  OmParts parts = take_apart(om_bytes(tiny_program()));
  parts.program.target = "tpu";
  const Program other = read_om(write_test_om(put_together(parts))).at(0);
  try {
    runtime::Engine{other};
    ADD_FAILURE() << "no device is called so";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "compiled for the target 'tpu', this program runs 'cpu', 'cuda'");
  }
}

TEST(BadInput, Case67_EveryByteFlippedOnce) {
  const auto good = om_bytes(tiny_program());
  for (size_t i = 0; i < good.size(); i += kSanitized ? 7 : 1)
    for (const std::byte mask : {std::byte{0x01}, std::byte{0x80}, std::byte{0xFF}}) {
      auto bad = good;
      bad[i] ^= mask;
      EXPECT_TRUE(refusal(bad)) << "byte " << i;
    }
}

TEST(BadInput, Case69_OffsetsIntoTheHeader) {
  const auto good = om_bytes(tiny_program());
  for (uint64_t offset : {0, 8, 16, 32, 63}) {
    for (size_t field : {offsetof(OmHeader, program_offset), offsetof(OmHeader, weights_offset)}) {
      auto bad = good;
      put(bad, field, offset);
      seal(bad);
      EXPECT_EQ(refusal(bad), ErrorCode::kBadInput) << field << " " << offset;
    }
  }
  auto bad = good;  // weights that begin within the program
  put(bad, offsetof(OmHeader, weights_offset), uint64_t{sizeof(OmHeader)});
  put(bad, offsetof(OmHeader, weights_bytes), uint64_t{bad.size() - sizeof(OmHeader)});
  seal(bad);
  EXPECT_EQ(refusal(bad), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace effdet::artifact
