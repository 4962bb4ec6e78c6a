// The legacy format of torch < 1.6: a golden file of PyTorch, and damaged ones.
#include <gtest/gtest.h>

#include "base/file.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/test_files.h"

namespace effdet::checkpoint {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv;

std::string golden() { return read_file(EFFDET_SOURCE_DIR "/testdata/checkpoint/legacy.pth"); }

struct LegacyParts {
  std::string magic = std::string(kMagic);
  std::string protocol = PickleBuilder().raw("M\xe9\x03").stop();
  std::string system = PickleBuilder().raw("}").unicode("little_endian").raw("\x88s").stop();
  std::string weights = small_pickle();
  std::string keys = PickleBuilder().raw("](").unicode("0").raw("e").stop();
  uint64_t numel = 6;
  std::string data = small_storage();

  std::string file() const {
    std::string text = magic + protocol + system + weights + keys;
    append_le(text, numel);
    return text + data;
  }
};

TEST(Legacy, GoldenFileOfPyTorch) {
  const Checkpoint checkpoint = read(golden());
  EXPECT_EQ(checkpoint.container, "model_state_dict");
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  EXPECT_EQ(checkpoint.tensors[0].name, "a");
  EXPECT_EQ(checkpoint.tensors[0].tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(checkpoint.tensors[0].tensor.data<float>()[5], 0.5f);
  EXPECT_EQ(checkpoint.tensors[1].tensor.dtype(), DType::kF16);
  EXPECT_EQ(checkpoint.tensors[1].tensor.to(DType::kF32).data<float>()[0], -0.75f);
  EXPECT_EQ(checkpoint.tensors[2].name, "a.tail");
  EXPECT_EQ(checkpoint.tensors[2].tensor.data<float>()[0], -0.25f);
}

TEST(Legacy, SmallestFile) {
  const Checkpoint checkpoint = read(LegacyParts().file());
  ASSERT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_EQ(checkpoint.tensors[0].tensor.data<float>()[5], 5.0f);
}

/// torch.save(..., pickle_protocol=3, _use_new_zipfile_serialization=False), which torch.load reads.
TEST(Legacy, Protocol3) {
  LegacyParts parts;
  for (std::string* pickle : {&parts.magic, &parts.protocol, &parts.system, &parts.weights, &parts.keys})
    (*pickle)[1] = '\x03';
  EXPECT_EQ(read(parts.file()).tensors.size(), 1u);
  parts.magic[1] = '\x04';
  expect_error(parts.file(), {"bare pickle"}, ErrorCode::kUnsupported);
}

TEST(BadInput, Case41_LegacyMagicOrProtocol) {
  LegacyParts parts;
  parts.magic[5] ^= 1;
  expect_error(parts.file(), {"bare pickle"}, ErrorCode::kUnsupported);
  parts = {};
  parts.protocol = PickleBuilder().raw("M\xea\x03").stop();
  expect_error(parts.file(), {"protocol version is 1002", "at byte 15"});
  parts.protocol = PickleBuilder().raw("N").stop();
  expect_error(parts.file(), {"protocol version is None"});
  parts.protocol = PickleBuilder().global("os", "system").unicode("true").raw("\x85R").stop();
  expect_error(parts.file(), {"'os.system'", "at byte 17"});
}

TEST(BadInput, Case41_LegacySystem) {
  LegacyParts parts;
  parts.system = PickleBuilder().raw("}").unicode("little_endian").raw("\x89s").stop();
  expect_error(parts.file(), {"little-endian"}, ErrorCode::kUnsupported);
  parts.system = PickleBuilder().raw("}").stop();
  expect_error(parts.file(), {"little_endian"});
  parts.system = PickleBuilder().raw("]").stop();
  expect_error(parts.file(), {"a list"});
}

TEST(BadInput, Case41_LegacyNumel) {
  for (const uint64_t numel : {uint64_t{0}, uint64_t{5}, uint64_t{7}, uint64_t{1} << 62, ~uint64_t{0}}) {
    LegacyParts parts;
    parts.numel = numel;
    expect_error(parts.file(), {"storage '0'", "elements"});
  }
  LegacyParts huge;
  huge.numel = uint64_t{1} << 61;  // both places agree, and the bytes fit 64 bits
  huge.weights = PickleBuilder().raw("}").unicode("w").tensor("0", int64_t{1} << 61, 0, {2}, {1}).raw("s").stop();
  expect_error(huge.file(), {"past the end"});
}

TEST(BadInput, Case41_LegacyKeys) {
  LegacyParts parts;
  parts.keys = PickleBuilder().raw("]").stop();
  expect_error(parts.file(), {"key '0' is missing"});
  parts.keys = PickleBuilder().raw("](").unicode("1").raw("e").stop();
  expect_error(parts.file(), {"key '1'"});
  parts.keys = PickleBuilder().raw("](").unicode("0").unicode("0").raw("e").stop();
  expect_error(parts.file(), {"key '0'", "twice"});
  parts.keys = PickleBuilder().raw("](K\x01"sv).raw("e").stop();
  expect_error(parts.file(), {"a storage's key is an int"});
  parts.keys = PickleBuilder().raw("N").stop();
  expect_error(parts.file(), {"keys are None"});
  parts = {};
  expect_error(parts.file() + "x", {"1 bytes", "follow the last storage"});
}

TEST(BadInput, Case41_LegacyCutAnywhere) {
  const std::string file = golden();
  for (size_t size = kMagic.size(); size < file.size(); ++size) expect_error(file.substr(0, size), {});
}

TEST(BadInput, Case41_LegacyEveryByteChanged) {
  const std::string file = golden();
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0xff);
    try {
      read(changed);  // a changed weight is a weight
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported) << error.what();
    }
  }
}

}  // namespace
}  // namespace effdet::checkpoint
