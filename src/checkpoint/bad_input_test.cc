// Hostile checkpoints, by the numbers of the project's list of bad inputs ("Pickle / zip .pth", 1 to 40).
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/sanitizer.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/test_files.h"

namespace effdet::checkpoint {
namespace {

using namespace std::string_view_literals;

/// A state_dict {"w": value}, where `value` pushes it.
std::string dict_of(const PickleBuilder& value) {
  return PickleBuilder().raw("}").unicode("w").raw(value.part()).raw("s").stop();
}

std::string tensor_pickle(int64_t numel, int64_t offset, const std::vector<int64_t>& size,
                          const std::vector<int64_t>& stride, std::string_view type = "FloatStorage") {
  return dict_of(PickleBuilder().tensor("0", numel, offset, size, stride, type));
}

TEST(BadInput, TheFixtureIsGood) {
  const Checkpoint checkpoint = read(small_checkpoint());
  ASSERT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_EQ(checkpoint.tensors[0].name, "w");
  EXPECT_EQ(checkpoint.tensors[0].tensor.data<float>()[5], 5.0f);
}

TEST(BadInput, Case01_GlobalOsSystem) {
  const auto pickle = PickleBuilder().global("os", "system").unicode("true").raw("\x85R").stop();
  expect_pickle_error(pickle, {"'os.system'", "at byte 2", "data.pkl"});
  expect_pickle_error(PickleBuilder().global("posix", "system").unicode("true").raw("\x85R").stop(),
                      {"'posix.system'"});
}

TEST(BadInput, Case02_BuiltinsEvalAndGetattr) {
  for (const char* module : {"builtins", "__builtin__"}) {
    for (const char* name : {"eval", "getattr", "exec", "__import__"})
      expect_pickle_error(PickleBuilder().global(module, name).unicode("1").raw("\x85R").stop(), {name, "at byte 2"});
  }
  // A name whose parts are allowed, but not together; and one with a newline's worth of tricks in it.
  expect_pickle_error(PickleBuilder().global("collections", "Size").stop(), {"'collections.Size'"});
  expect_pickle_error(PickleBuilder().global("torch", "Size.__class__").stop(), {"'torch.Size.__class__'"});
  expect_pickle_error(PickleBuilder().global("a\x1b[2J", "b").stop(), {"'a\\x1b[2J.b'"});
}

TEST(BadInput, Case03_StackGlobal) {
  expect_pickle_error(PickleBuilder().unicode("os").unicode("system").raw("\x93").stop(), {"0x93", "at byte 20"});
}

TEST(BadInput, Case04_InstObjExt) {
  expect_pickle_error(PickleBuilder().raw("(ios\nsystem\n").stop(), {"0x69", "at byte 3"});
  expect_pickle_error(PickleBuilder().raw("(").global("argparse", "Namespace").raw("o").stop(), {"0x6f"});
  expect_pickle_error(PickleBuilder().raw("\x82\x01").stop(), {"0x82", "at byte 2"});
  for (int code = 0; code < 256; ++code) {  // every opcode alone: refused, or short of something
    std::string pickle = PickleBuilder().raw(std::string(1, static_cast<char>(code))).stop();
    expect_pickle_error(pickle, {"data.pkl"});
  }
}

TEST(BadInput, Case05_CodecsEncodeWithWrongArguments) {
  const auto encode = [] { return PickleBuilder().global("_codecs", "encode"); };
  expect_pickle_error(encode().raw(")R").stop(), {"_codecs.encode"});
  expect_pickle_error(encode().unicode("x").raw("\x85R").stop(), {"_codecs.encode"});
  expect_pickle_error(encode().unicode("x").raw("K\x01\x86R").stop(), {"_codecs.encode"});
}

TEST(BadInput, Case06_SetItemOnATensor) {
  expect_pickle_error(dict_of(PickleBuilder().tensor("0", 6, 0, {6}, {1}).unicode("k").raw("Ns")),
                      {"SETITEM on a tensor"});
}

TEST(BadInput, Case07_AppendToATuple) {
  expect_pickle_error(dict_of(PickleBuilder().raw(")Na")), {"APPEND to a tuple"});
}

TEST(BadInput, Case08_BuildOnAList) { expect_pickle_error(dict_of(PickleBuilder().raw("]}b")), {"BUILD on a list"}); }

TEST(BadInput, Case09_EmptyStack) {
  // POP is not in the list of opcodes; the others need values that are not there, or lie below a mark.
  for (const auto ops : {"R"sv, "NR"sv, "\x81"sv, "b"sv, "s"sv, "a"sv, "Q"sv, "\x85"sv, "\x87"sv, "q\x00"sv,
                         "N(q\x00"sv, "N(\x85"sv, "0"sv, ""sv})
    expect_pickle_error(PickleBuilder().raw(ops).stop(), {"at byte"});
}

TEST(BadInput, Case10_MarksAndOddSetItems) {
  expect_pickle_error(PickleBuilder().raw("t").stop(), {"MARK", "at byte 2"});
  expect_pickle_error(PickleBuilder().raw("}(").stop(), {"MARK", "at byte 4"});
  expect_pickle_error(PickleBuilder().raw("}(u(NNNu").stop(), {"key without a value", "at byte 9"});
  expect_pickle_error(PickleBuilder().raw("}e").stop(), {"MARK"});
}

TEST(BadInput, Case11_MissingMemo) {
  expect_pickle_error(PickleBuilder().raw("h\x07").stop(), {"memo has no entry 7", "at byte 2"});
  expect_pickle_error(PickleBuilder().raw("j\xff\xff\xff\x7f").stop(), {"memo has no entry 2147483647"});
  expect_pickle_error(PickleBuilder().raw("h\x07q\x07").stop(), {"memo has no entry 7", "at byte 2"});  // put too late
}

TEST(BadInput, Case12_HugeMemoNumber) {
  // Legal, and costs nothing.
  PickleBuilder stored;
  stored.raw("}r\xff\xff\xff\xff").unicode("w").tensor("0", 6, 0, {6}, {1}).raw("s");
  EXPECT_EQ(read(make_checkpoint(stored.stop(), {small_storage()})).tensors.size(), 1u);
  stored.unicode("again").raw("j\xff\xff\xff\xffs");  // fetched: the dict itself
  expect_pickle_error(stored.stop(), {"'again' holds a dict"});
  expect_pickle_error(PickleBuilder().raw("r\xff\xff\xff\xff").stop(), {"at byte 2"});
}

TEST(BadInput, Case13_SelfReference) {
  expect_pickle_error(PickleBuilder().raw("]q\x01h\x01"sv).raw("a").stop(), {"a list instead of a state_dict"});
  expect_pickle_error(PickleBuilder().raw("}q\x01").unicode("w").raw("h\x01s").stop(), {"'w' holds a dict"});
  expect_pickle_error(PickleBuilder().raw("}q\x01").unicode("state_dict").raw("h\x01s").stop(), {"nested without end"});
  // Beside the weights it is legal.
  const auto beside = PickleBuilder()
                          .raw("}")
                          .unicode("loop")
                          .raw("]q\x01h\x01"sv)
                          .raw("as")
                          .unicode("state_dict")
                          .raw("}")
                          .unicode("w")
                          .tensor("0", 6, 0, {6}, {1})
                          .raw("ss")
                          .stop();
  EXPECT_EQ(read(make_checkpoint(beside, {small_storage()})).container, "state_dict");
}

TEST(BadInput, Case14_DeepNesting) {
  for (const auto& [open, close] : {std::pair(")"sv, "\x85"sv), std::pair("]"sv, "a"sv), std::pair("}N"sv, "s"sv)}) {
    std::string ops;
    if (close == "\x85"sv) {
      ops = ")";
      ops.append(1'000'000, '\x85');
    } else {
      for (int i = 0; i < 1'000'001; ++i) ops += open;
      for (int i = 0; i < 1'000'000; ++i) ops += close;
    }
    expect_pickle_error(PickleBuilder().raw(ops).stop(), {"instead of a", "data.pkl"});
  }
  expect_pickle_error(PickleBuilder().raw(std::string(1'000'000, '(')).stop(), {"MARK"});
  // An argument that is freed when it has been used.
  std::string tuple = ")" + std::string(1'000'000, '\x85');
  expect_pickle_error(PickleBuilder().global("torch", "device").raw(tuple).raw("R").stop(),
                      {"instead of a state_dict"});
}

TEST(BadInput, Case15_BillionLaughs) {
  PickleBuilder builder;
  builder.raw("]q\x01");
  for (char i = 1; i < 100; ++i) {  // each list holds the one before ten times
    builder.raw("](");
    for (int k = 0; k < 10; ++k) builder.raw("h").raw(std::string(1, i));
    builder.raw("eq").raw(std::string(1, static_cast<char>(i + 1)));
    builder.raw("\x86");  // keep the stack at one value
    builder.raw("h").raw(std::string(1, static_cast<char>(i + 1))).raw("\x86");
  }
  expect_pickle_error(builder.stop(), {"a tuple instead of a state_dict"});
}

TEST(BadInput, Case16_UnicodeLongerThanTheFile) {
  expect_pickle_error(PickleBuilder().raw("X\xff\xff\xff\xff").raw("abc").stop(), {"4294967295", "at byte 2"});
  expect_pickle_error(PickleBuilder().raw("U\xff").raw("abc").stop(), {"255", "at byte 2"});
  expect_pickle_error(PickleBuilder().raw("\x8a\xff").raw("abc").stop(), {"255", "at byte 2"});
  expect_pickle_error(PickleBuilder().raw("cno newline").stop(), {"GLOBAL", "at byte 2"});
}

TEST(BadInput, Case17_BadKeys) {
  for (const auto key : {"a\0b"sv, "\xff"sv, "\xc0\x80"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv, "\xe2\x82"sv}) {
    expect_pickle_error(PickleBuilder().raw("}").unicode(key).tensor("0", 6, 0, {6}, {1}).raw("s").stop(),
                        {"not UTF-8"});
  }
  expect_pickle_error(PickleBuilder().raw("}K\x01").tensor("0", 6, 0, {6}, {1}).raw("s").stop(), {"is an int"});
}

TEST(BadInput, Case18_StopMissingOrNotLast) {
  const std::string pickle = small_pickle();
  expect_pickle_error(pickle.substr(0, pickle.size() - 1), {"without STOP"});
  expect_pickle_error(pickle + "N.", {"2 bytes follow STOP", fmt::format("at byte {}", pickle.size())});
  expect_pickle_error("", {"without STOP", "at byte 0"});
  expect_pickle_error("}.", {"protocol 2"});
  expect_pickle_error("\x80\xc8}.", {"protocol 2"});
}

TEST(BadInput, Case19_DuplicateKey) {
  PickleBuilder builder;
  builder.raw("}(");
  for (int i = 0; i < 2; ++i) builder.unicode("w").tensor("0", 6, 0, {6}, {1});
  expect_pickle_error(builder.raw("u").stop(), {"'w'", "twice"});
  PickleBuilder wrapper;
  wrapper.raw("}(");
  for (int i = 0; i < 2; ++i) wrapper.unicode("state_dict").raw("}").unicode("w").tensor("0", 6, 0, {6}, {1}).raw("s");
  expect_pickle_error(wrapper.raw("u").stop(), {"'state_dict'", "twice"});
}

TEST(BadInput, Case20_Long1AsADimension) {
  const auto with_long = [](size_t bytes) {
    const std::string number = "\x8a" + std::string(1, static_cast<char>(bytes)) + std::string(bytes, '\x7f');
    return dict_of(PickleBuilder()
                       .global("torch._utils", "_rebuild_tensor_v2")
                       .raw("(")
                       .storage("0", 6)
                       .raw("K")
                       .raw("\0("sv)
                       .raw(number)
                       .raw("t(K\x01t\x89")
                       .ordered_dict()
                       .raw("tR"));
  };
  expect_pickle_error(with_long(255), {"above 64 bits"});
  expect_pickle_error(with_long(9), {"above 64 bits"});
  expect_pickle_error(with_long(8), {"reaches past"});
}

TEST(BadInput, Case21_StorageNumelAgainstItsRecord) {
  for (const int64_t numel : {int64_t{1} << 62, INT64_MAX})
    expect_pickle_error(tensor_pickle(numel, 0, {2}, {1}), {fmt::format("a storage of {} x float32", numel)});
  for (const int64_t numel : {int64_t{5}, int64_t{7}, int64_t{1} << 40, (int64_t{1} << 62) - 1})
    expect_pickle_error(tensor_pickle(numel, 0, {2}, {1}), {"'archive/data/0'", "24 bytes"});
  expect_pickle_error(tensor_pickle(-1, 0, {2}, {1}), {"persistent id"});
  expect_pickle_error(tensor_pickle(6, 0, {2}, {1}, "DoubleStorage"), {"24 bytes", "6 x float64"});
  expect_error(make_checkpoint(small_pickle()), {"'archive/data/0'", "missing"});
  // The same storage under two descriptions.
  const auto twice = PickleBuilder()
                         .raw("}(")
                         .unicode("a")
                         .tensor("0", 6, 0, {6}, {1})
                         .unicode("b")
                         .tensor("0", 12, 0, {6}, {1}, "HalfStorage")
                         .raw("u")
                         .stop();
  expect_pickle_error(twice, {"12 x float16", "6 x float32"});
}

TEST(BadInput, Case22_StorageOffsetAndStrides) {
  const std::vector<std::string> past = {"reaches past its storage of 6 elements"};
  expect_pickle_error(tensor_pickle(6, 1, {2, 3}, {3, 1}), past);
  expect_pickle_error(tensor_pickle(6, 6, {}, {}), past);
  expect_pickle_error(tensor_pickle(6, INT64_MAX, {1}, {1}), past);
  expect_pickle_error(tensor_pickle(6, 0, {2, 3}, {4, 1}), past);
  expect_pickle_error(tensor_pickle(6, 0, {2, 2}, {INT64_MAX, INT64_MAX}), past);
  expect_pickle_error(tensor_pickle(6, 0, {3}, {INT64_MAX}), past);
  expect_pickle_error(tensor_pickle(6, -1, {2}, {1}), {"storage offset -1"});
  expect_pickle_error(tensor_pickle(6, 0, {-2}, {1}), {"size holds -2"});
  expect_pickle_error(tensor_pickle(6, 5, {2}, {-1}), {"stride holds -1"});
  expect_pickle_error(tensor_pickle(6, 0, {2, 3}, {1}), {"2 sizes but 1 strides"});
  // Stride 0 is legal, but must not make 4 TB of 24 bytes.
  expect_pickle_error(tensor_pickle(6, 0, {int64_t{1} << 40}, {0}), {"memory"});
  const Checkpoint expanded = read(make_checkpoint(tensor_pickle(6, 2, {2, 2}, {0, 1}), {small_storage()}));
  const auto values = expanded.tensors[0].tensor.data<float>();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), (std::vector<float>{2, 3, 2, 3}));
  // The stride of an axis of length 1 says nothing.
  const auto odd =
      read(make_checkpoint(tensor_pickle(6, 0, {1, 2, 1, 2}, {INT64_MAX, 1, INT64_MAX, 2}), {small_storage()}));
  const auto picked = odd.tensors[0].tensor.data<float>();
  EXPECT_EQ(std::vector<float>(picked.begin(), picked.end()), (std::vector<float>{0, 2, 1, 3}));
}

TEST(BadInput, Case23_ProductOfDimensionsWraps) {
  const int64_t big = int64_t{1} << 32;
  expect_pickle_error(tensor_pickle(6, 0, {big, big}, {0, 0}), {"reaches past"});
  expect_pickle_error(tensor_pickle(6, 0, {big, big, 1}, {1, 1, 1}), {"reaches past"});
  expect_pickle_error(tensor_pickle(6, 0, {4194305, 4194305, 211106198978564}, {0, 0, 0}), {"reaches past"});
  expect_pickle_error(tensor_pickle(6, 0, {int64_t{1} << 61}, {0}), {"memory"});  // the count fits, the bytes are 2^63
  expect_pickle_error(dict_of(PickleBuilder().tensor("0", 3, 0, {int64_t{1} << 62}, {0}, "DoubleStorage")),
                      {"reaches past"});
  expect_pickle_error(tensor_pickle(6, 0, {(int64_t{1} << 61) - 1}, {0}), {"memory"});
  expect_pickle_error(tensor_pickle(6, 0, {0, big, big}, {0, 0, 0}), {"reaches past"});
}

TEST(BadInput, Case24_SumOverTensorsWraps) {
  PickleBuilder builder;
  builder.raw("}(");
  // 8 x 2^61 bytes is 2^64; and 1,000 x 1 MB of 24 bytes, each tensor harmless.
  for (int i = 0; i < 8; ++i) builder.unicode(std::to_string(i)).tensor("0", 6, 0, {int64_t{1} << 59}, {0});
  expect_pickle_error(builder.raw("u").stop(), {"memory"});
  PickleBuilder many;
  many.raw("}(");
  for (int i = 0; i < 1000; ++i) many.unicode(std::to_string(i)).tensor("0", 6, 0, {1 << 18}, {0});
  expect_pickle_error(many.raw("u").stop(), {"memory"});
}

TEST(BadInput, Case25_SixtyFiveDimensions) {
  expect_pickle_error(tensor_pickle(6, 0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), {"65 dimensions"});
  const auto most = tensor_pickle(6, 0, std::vector<int64_t>(64, 1), std::vector<int64_t>(64, 1));
  EXPECT_EQ(read(make_checkpoint(most, {small_storage()})).tensors[0].tensor.rank(), 64u);
}

TEST(BadInput, Case26_UnsupportedTensors) {
  constexpr auto kUnsupported = ErrorCode::kUnsupported;
  expect_pickle_error(tensor_pickle(6, 0, {6}, {1}, "ComplexFloatStorage"), {"6 x complex64", "24 bytes"});
  expect_error(make_checkpoint(tensor_pickle(3, 0, {3}, {1}, "ComplexFloatStorage"), {small_storage()}),
               {"none of the 1 tensors", "'w', is complex64"}, kUnsupported);
  expect_error(make_checkpoint(tensor_pickle(24, 0, {24}, {1}, "QInt8Storage"), {small_storage()}), {"qint8"},
               kUnsupported);
  expect_pickle_error(tensor_pickle(6, 0, {6}, {1}, "TernaryStorage"), {"'torch.TernaryStorage'"});
  expect_pickle_error(tensor_pickle(6, 0, {6}, {1}, "float32"), {"persistent id"});
  PickleBuilder view;  // what part of another storage it is
  view.raw("(").unicode("storage").global("torch", "FloatStorage").unicode("0").unicode("cpu").integer(6).raw(")tQ");
  expect_pickle_error(dict_of(view), {"a storage is a view of another"}, kUnsupported);
  for (const auto& [name, type] : {std::pair("_rebuild_sparse_tensor", "sparse"),
                                   {"_rebuild_qtensor", "quantized"},
                                   {"_rebuild_meta_tensor_no_storage", "meta"}})
    expect_error(make_checkpoint(dict_of(PickleBuilder().global("torch._utils", name).raw(")R"))), {"'w'", type},
                 kUnsupported);
  const auto from_type = [](const PickleBuilder& arguments) {
    return dict_of(PickleBuilder().global("torch._tensor", "_rebuild_from_type_v2").raw(arguments.part()));
  };
  expect_pickle_error(from_type(PickleBuilder().raw(")R")), {"0 arguments"});
  expect_pickle_error(from_type(PickleBuilder().raw("(NNNNtR")), {"(function, type, arguments, attributes)"});
  expect_pickle_error(from_type(PickleBuilder()
                                    .raw("(")
                                    .global("torch._tensor", "_rebuild_from_type_v2")
                                    .global("torch", "Tensor")
                                    .raw(")}tR")),
                      {"a type within another"});
  expect_pickle_error(
      from_type(PickleBuilder().raw("(").global("torch", "device").global("torch", "Tensor").raw(")}tR")),
      {"an object without weights instead of a tensor"});
  expect_pickle_error(dict_of(PickleBuilder().global("torch", "Tensor").raw(")R")), {"torch.Tensor is not a function"});
  expect_pickle_error(dict_of(PickleBuilder().global("collections", "OrderedDict").raw("K\x01\x85R")),
                      {"a dict is made from an int"});
  expect_pickle_error(dict_of(PickleBuilder().global("torch._utils", "_rebuild_parameter").raw("(G12345678\x89NtR")),
                      {"a parameter is made from a float"});
  for (const char* arguments : {")R", "(NK\x01))tR", "(K\x01K\x01K\x01K\x01tR"})
    expect_pickle_error(dict_of(PickleBuilder().global("torch._utils", "_rebuild_tensor").raw(arguments)),
                        {"argument"});
  expect_pickle_error(dict_of(PickleBuilder().global("torch", "Size").raw("K\x01\x85R")),
                      {"torch.Size is made from an int"});
  EXPECT_EQ(read(make_checkpoint(PickleBuilder()
                                     .global("collections", "OrderedDict")
                                     .raw("}")
                                     .unicode("w")
                                     .tensor("0", 6, 0, {6}, {1})
                                     .raw("s\x85R")
                                     .stop(),
                                 {small_storage()}))
                .tensors.size(),
            1u);
}

/// The arguments of constructors, each wrong in one place.
TEST(BadInput, Case26_ArgumentsOfOtherKinds) {
  const auto v2 = [](const std::string& storage, const std::string& offset, const std::string& size,
                     const std::string& stride) {
    PickleBuilder value;
    value.global("torch._utils", "_rebuild_tensor_v2")
        .raw("(")
        .raw(storage)
        .raw(offset)
        .raw(size)
        .raw(stride)
        .raw("\x89");
    return dict_of(value.ordered_dict().raw("tR"));
  };
  const std::string storage = PickleBuilder().storage("0", 6).part();
  const std::string zero = PickleBuilder().integer(0).part(), none = "N";
  const std::string six = PickleBuilder().tuple({6}).part(), one = PickleBuilder().tuple({1}).part();
  EXPECT_EQ(read(make_checkpoint(v2(storage, zero, six, one), {small_storage()})).tensors.size(), 1u);
  const std::vector<std::string> kParts = {"a tensor's arguments are not (storage, offset, size, stride, ...)"};
  expect_pickle_error(v2(none, zero, six, one), kParts);
  expect_pickle_error(v2(storage, none, six, one), kParts);
  expect_pickle_error(v2(storage, zero, none, one), kParts);
  expect_pickle_error(v2(storage, zero, six, none), kParts);

  const auto from_type = [](const std::string& function, const std::string& type, const std::string& arguments) {
    PickleBuilder value;
    value.global("torch._tensor", "_rebuild_from_type_v2").raw("(").raw(function).raw(type).raw(arguments).raw("}tR");
    return dict_of(value);
  };
  const std::string v2_function = PickleBuilder().global("torch._utils", "_rebuild_tensor_v2").part();
  const std::string type = PickleBuilder().global("torch", "Tensor").part();
  const std::vector<std::string> kTyped = {"a tensor's arguments are not (function, type, arguments, attributes)"};
  expect_pickle_error(from_type(none, type, six), kTyped);
  expect_pickle_error(from_type(v2_function, none, six), kTyped);
  expect_pickle_error(from_type(v2_function, type, none), kTyped);

  expect_pickle_error(dict_of(PickleBuilder().global("torch._utils", "_rebuild_parameter").raw("(N\x89}tR")),
                      {"a parameter is made from None"});
  expect_pickle_error(dict_of(PickleBuilder().global("collections", "OrderedDict").raw("(NtR")),
                      {"a dict is made from None instead of nothing or a dict"});
  expect_pickle_error(dict_of(PickleBuilder().global("collections", "OrderedDict").raw("(}}tR")),
                      {"a dict is made from"});
  expect_pickle_error(dict_of(PickleBuilder().global("_codecs", "encode").raw("(").unicode("a").raw("NtR")),
                      {"_codecs.encode is not called with two strings"});
}

/// What stands for a storage, each part of another kind.
TEST(BadInput, Case26_PersistentIdsOfOtherKinds) {
  const auto id = [](const std::string& what, const std::string& type, const std::string& key, const std::string& place,
                     const std::string& count) {
    PickleBuilder value;
    value.global("torch._utils", "_rebuild_tensor_v2")
        .raw("((")
        .raw(what)
        .raw(type)
        .raw(key)
        .raw(place)
        .raw(count)
        .raw("tQ");
    return dict_of(value.integer(0).tuple({6}).tuple({1}).raw("\x89").ordered_dict().raw("tR"));
  };
  const std::string what = PickleBuilder().unicode("storage").part(), key = PickleBuilder().unicode("0").part();
  const std::string type = PickleBuilder().global("torch", "FloatStorage").part();
  const std::string place = PickleBuilder().unicode("cpu").part(), count = PickleBuilder().integer(6).part(),
                    none = "N";
  EXPECT_EQ(read(make_checkpoint(id(what, type, key, place, count), {small_storage()})).tensors.size(), 1u);
  const std::vector<std::string> kParts = {
      "a persistent id is not (\"storage\", type, key, location, number of elements)"};
  expect_pickle_error(id(none, type, key, place, count), kParts);
  expect_pickle_error(id(place, type, key, place, count), kParts);
  expect_pickle_error(id(what, none, key, place, count), kParts);
  expect_pickle_error(id(what, PickleBuilder().global("torch", "Tensor").part(), key, place, count), kParts);
  expect_pickle_error(id(what, type, none, place, count), kParts);
  expect_pickle_error(id(what, type, key, none, count), kParts);
  expect_pickle_error(id(what, type, key, place, none), kParts);
  expect_pickle_error(id(what, type, key, place, PickleBuilder().integer(-1).part()), kParts);
  // Of a CUDA device it is the same.
  const std::string cuda = PickleBuilder().global("torch.cuda", "FloatStorage").part();
  EXPECT_EQ(read(make_checkpoint(id(what, cuda, key, place, count), {small_storage()})).tensors.size(), 1u);
}

/// _rebuild_tensor_v3 says the type beside the storage's bytes; metadata has the bits of conjugated tensors.
TEST(BadInput, Case26_TypesAndMetadataOfTensors) {
  const auto v3 = [](const PickleBuilder& type, const PickleBuilder& metadata) {
    PickleBuilder value;
    value.global("torch._utils", "_rebuild_tensor_v3").raw("(").storage("0", 24, "ByteStorage").integer(0);
    value.tuple({6}).tuple({1}).raw("\x89").ordered_dict().raw(type.part()).raw(metadata.part());
    return dict_of(value.raw("tR"));
  };
  const PickleBuilder none, empty = PickleBuilder().raw("}"), type = PickleBuilder().global("torch", "float32");
  for (const PickleBuilder& metadata : {none, empty, PickleBuilder().raw("N")}) {
    const Checkpoint checkpoint = read(make_checkpoint(v3(type, metadata), {small_storage()}));
    EXPECT_EQ(checkpoint.tensors.at(0).tensor.data<float>()[5], 5.0f);
  }
  expect_pickle_error(v3(PickleBuilder().raw("N"), empty), {"a tensor's type is not a torch.dtype"});
  expect_pickle_error(v3(PickleBuilder().global("torch", "Tensor"), empty), {"a tensor's type is not a torch.dtype"});
  expect_pickle_error(v3(type, PickleBuilder().tuple({})), {"a tensor's metadata is a tuple"});
  const PickleBuilder conjugated = PickleBuilder().raw("}").unicode("conj").raw("\x88s");
  expect_error(make_checkpoint(v3(type, conjugated), {small_storage()}), {"'w', is conjugated or negated"},
               ErrorCode::kUnsupported);
}

TEST(BadInput, Case27_ManyTensorsOnOneStorage) {
  // Legal. As PyTorch's pickler writes it, all that it memoises included.
  constexpr int kCount = kSanitized ? 100'000 : 1'000'000;
  PickleBuilder pickle;
  pickle.raw("}").unicode("names").raw("(").global("torch._utils", "_rebuild_tensor_v2").raw("q\x01");
  pickle.unicode("storage").raw("q\x02").global("torch", "FloatStorage").raw("q\x03").unicode("0").raw("q\x04");
  pickle.unicode("cpu").raw("q\x05").global("collections", "OrderedDict").raw("q\x06ts");
  pickle.unicode("state_dict").raw("}(");
  uint32_t memo = 7;
  std::string ops;
  const auto add = [&](std::string_view code) { ops += code; };
  const auto put = [&](std::string_view code) {  // and memoise, as the pickler does
    add(code);
    add("r");
    append_le(ops, memo++);
  };
  for (int i = 0; i < kCount; ++i) {
    if (i % 1000 == 0 && i != 0) add("u(");  // as it batches
    add("X\x07\0\0\0"sv);
    put(fmt::format("{:07}", i));
    put("h\x01((h\x02h\x03h\x04h\x05K\x06t");
    add("QK");
    ops += static_cast<char>(i % 6);
    put("K\x01\x85");
    put("K\x01\x85");
    put("\x89h\x06)R");
    put("t");
    put("R");
  }
  const Checkpoint checkpoint = read(make_checkpoint(pickle.raw(ops).raw("us").stop(), {small_storage()}));
  ASSERT_EQ(checkpoint.tensors.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(checkpoint.tensors.back().name, fmt::format("{:07}", kCount - 1));
  EXPECT_EQ(checkpoint.tensors.back().tensor.data<float>()[0], (kCount - 1) % 6);
}

TEST(BadInput, Case28_ZeroElementsAndScalars) {
  const auto pickle = PickleBuilder()
                          .raw("}(")
                          .unicode("empty")
                          .tensor("1", 0, 0, {0}, {1})
                          .unicode("flat")
                          .tensor("0", 6, 0, {3, 0, 2}, {1, 1, 1})
                          .unicode("scalar")
                          .tensor("0", 6, 4, {}, {})
                          .raw("u")
                          .stop();
  const Checkpoint checkpoint = read(make_checkpoint(pickle, {small_storage(), ""}));
  ASSERT_EQ(checkpoint.tensors.size(), 3u);
  EXPECT_EQ(checkpoint.tensors[0].tensor.numel(), 0);
  EXPECT_FALSE(checkpoint.tensors[0].tensor.empty());
  EXPECT_EQ(checkpoint.tensors[1].tensor.shape(), (Shape{3, 0, 2}));
  EXPECT_EQ(checkpoint.tensors[2].tensor.rank(), 0u);
  EXPECT_EQ(checkpoint.tensors[2].tensor.data<float>()[0], 4.0f);
}

TEST(BadInput, Case29_Truncation) {
  const std::string whole = make_checkpoint(small_pickle(), {small_storage(), std::string(4000, 'x')});
  for (size_t part = 0; part < 256; ++part) expect_error(whole.substr(0, whole.size() * part / 256), {});
  for (size_t cut = 1; cut <= 1024; ++cut) expect_error(whole.substr(0, whole.size() - cut), {});
}

TEST(BadInput, EveryByteChanged) {
  // Many changes are harmless (padding, dates); none may crash. Sanitizer builds give this test its teeth.
  const std::string whole = small_checkpoint();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      const TempFile file(damaged);
      try {
        read_checkpoint(file.path());
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(file.path().string()), std::string::npos) << error.what();
      }
    }
  }
}

TEST(BadInput, EveryPickleByteChanged) {
  // The same with a correct checksum, so that the pickle machine sees it.
  const std::string whole = small_pickle();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int byte = 0; byte < 256; byte += 3) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(byte);
      try {
        read(make_checkpoint(damaged, {small_storage()}));
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      }
    }
  }
}

TEST(BadInput, Case30_WrongCrc) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[2].crc = 0x12345678;
  expect_error(make_zip(records), {"'archive/data/0'", "CRC", "12345678"});
  records[2].deflate = true;
  expect_error(make_zip(records), {"'archive/data/0'", "CRC"});
  records = checkpoint_records(small_pickle(), {small_storage()});
  records[0].crc = 1;
  expect_error(make_zip(records), {"'archive/data.pkl'", "CRC"});
}

TEST(BadInput, Case31_CentralAndLocalHeaderDisagree) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[2].central_size = 20;
  expect_error(make_zip(records), {"disagree", "'archive/data/0'"});
  std::string renamed = small_checkpoint();
  renamed[renamed.find("archive/data/0")] = 'A';
  expect_error(renamed, {"disagree"});
  std::string method = small_checkpoint();
  method[8] = 8;
  expect_error(method, {"disagree", "at byte 0"});
}

TEST(BadInput, Case32_TwoPicklesOrFolders) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records.push_back(records[0]);
  expect_error(make_zip(records), {"two records are named 'archive/data.pkl'"});
  records.back().name = "other/data.pkl";
  expect_error(make_zip(records), {"not all in one folder"});
}

template <typename T>
void put_le(std::string& file, size_t place, T value) {
  std::string bytes;
  append_le(bytes, value);
  file.replace(place, bytes.size(), bytes);
}

TEST(BadInput, DirectoriesThatCountWrongly) {
  const std::string good = small_checkpoint();
  const size_t end = good.size() - 22, last = good.rfind("PK\x01\x02");
  const auto with_count = [&](uint16_t count) {
    std::string file = good;
    for (const size_t place : {end + 8, end + 10}) put_le(file, place, count);
    return file;
  };
  expect_error(with_count(1000), {"1000 records do not fit in a central directory of"});
  expect_error(with_count(3), {"bytes too many in the central directory, at byte " + std::to_string(last)});
  expect_error(with_count(0), {"bytes too many"});
  std::string split = good;
  put_le(split, end + 4, uint16_t{1});
  expect_error(split, {"split or commented archive"});
}

TEST(BadInput, RecordsThatLieElsewhere) {
  const std::string good = small_checkpoint();
  const size_t end = good.size() - 22, directory = good.find("PK\x01\x02");
  std::string behind = "PK\x03\x04" + good;  // all offsets are right, but no record lies at byte 0
  put_le(behind, end + 4 + 16, static_cast<uint32_t>(directory + 4));
  for (size_t at = directory + 4; at < end; at = behind.find("PK\x01\x02", at + 4))
    put_le(behind, at + 42, load_le<uint32_t>(&behind[at + 42]) + 4);
  expect_error(behind, {"no record starts at byte 0"});
  std::string longer = good;  // the last record
  for (const size_t header : {good.rfind("PK\x03\x04") + 18, good.rfind("PK\x01\x02") + 20})
    for (const size_t place : {header, header + 4}) put_le(longer, place, uint32_t{3});
  expect_error(longer, {"'archive/version' (3 bytes at byte", "runs into the central directory"});
  put_le(longer, good.rfind("PK\x03\x04") + 28, uint16_t{0xFFFF});
  expect_error(longer, {"the local header at byte", "runs into the central directory"});
}

/// Zeros in all checksums are torch.save's way to have none; one zero among others is damage.
TEST(BadInput, ChecksumsThatAreZero) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[0].crc = 0;
  expect_error(make_zip(records), {"is damaged", "not 00000000"});
  for (TestRecord& record : records) record.crc = 0;
  EXPECT_EQ(read(make_zip(records)).tensors[0].tensor.data<float>()[5], 5.0f);
  const std::string file = make_zip(records);
  expect_error(file.substr(0, file.size() - 1), {"cut off"});
}

TEST(BadInput, ArchivesOfTorchExportAreNamed) {
  expect_error(
      make_zip({{"m/data/weights/weight_0", "1234"}, {"m/models/model.json", "{}"}, {"m/archive_format", "pt2"}}),
      {"PyTorch export archive (.pt2", "torch.export.load(path)"}, ErrorCode::kUnsupported);
  expect_error(make_zip({{"version", "8"}, {"serialized_exported_program.json", "{}"}}), {".pt2"},
               ErrorCode::kUnsupported);
}

TEST(BadInput, Case33_DeflateBomb) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[0].deflate = records[2].deflate = true;
  EXPECT_EQ(read(make_zip(records)).tensors[0].tensor.data<float>()[5], 5.0f);  // deflate itself is legal
  auto bomb = checkpoint_records(tensor_pickle(int64_t{64} << 20, 0, {1}, {1}), {std::string(256 << 20, '\0')});
  bomb[2].deflate = true;
  expect_error(make_zip(bomb), {"memory"});
  records[2].central_size = 0x7FFFFFFF;
  expect_error(make_zip(records), {"zip"});
  records = checkpoint_records(small_pickle(), {small_storage()});
  records[2].method = 8;  // what is there is not deflated
  expect_error(make_zip(records), {"'archive/data/0'", "does not expand to its 24 bytes"});
}

TEST(BadInput, Case34_OverlappingRecords) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  auto second = records[2];
  second.central_offset = 0;
  second.name = "archive/data/1";
  records.push_back(second);
  expect_error(make_zip(records), {"disagree"});
  // The very same header twice, under the same name, is caught as an overlap.
  records.back().name = records[0].name;
  records.back().data = records[0].data;
  expect_error(make_zip(records), {"overlaps"});
}

TEST(BadInput, Case35_UnsafeNames) {
  for (const auto name :
       {"archive/../../x"sv, "../x"sv, "/etc/x"sv, "archive\\x"sv, "archive/.."sv, "archive/\0"sv, ""sv}) {
    auto records = checkpoint_records(small_pickle(), {small_storage()});
    records.push_back({std::string(name), "x"});
    expect_error(make_zip(records), {"unsafe record name"});
  }
}

TEST(BadInput, Case36_Zip64AndTwoEnds) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[2].central_size = 0xFFFFFFFF;
  expect_error(make_zip(records), {"contradictory sizes"});  // no ZIP64 field
  std::string huge;
  append_le(huge, uint16_t{1});
  append_le(huge, uint16_t{16});
  append_le(huge, uint64_t{1} << 63);
  append_le(huge, uint64_t{1} << 63);
  records[2].central_extra = huge;
  expect_error(make_zip(records), {"disagree"});
  const std::string file = small_checkpoint();
  expect_error(file + file.substr(file.size() - 22), {"central directory"});
  expect_error(file + file, {"zip"});
}

TEST(BadInput, Case36_Zip64EndRecords) {
  std::string good = small_checkpoint();
  const size_t end = good.size() - 22, locator = end + 56;
  std::string record("PK\x06\x06");
  append_le(record, uint64_t{56 - 12});
  append_le(record, uint32_t{45 << 16 | 45});
  append_le(record, uint64_t{0});  // both disks
  for (int i = 0; i < 2; ++i) append_le(record, uint64_t{load_le<uint16_t>(&good[end + 10])});
  append_le(record, uint64_t{load_le<uint32_t>(&good[end + 12])});
  append_le(record, uint64_t{load_le<uint32_t>(&good[end + 16])});
  record += "PK\x06\x07";
  append_le(record, uint32_t{0});
  append_le(record, uint64_t{end});
  append_le(record, uint32_t{1});
  good.insert(end, record);
  EXPECT_EQ(read(good).tensors[0].tensor.data<float>()[5], 5.0f);
  const auto changed = [&](std::initializer_list<size_t> places) {
    std::string file = good;
    for (const size_t place : places) file[place] ^= 1;
    return file;
  };
  for (const size_t place :
       {end, end + 4, end + 16, end + 20, end + 24, end + 32, locator + 4, locator + 8, locator + 16})
    expect_error(changed({place}), {"ZIP64 end record is not directly before its locator"});
  for (const auto& places : {std::initializer_list<size_t>{end + 24, end + 32}, {end + 40}, {end + 48}})
    expect_error(changed(places), {"the ZIP64 end record at byte", "and the plain one disagree"});
}

TEST(BadInput, Case37_EncryptedOrUnknownMethod) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[2].flags = 1;
  expect_error(make_zip(records), {"encrypted", "'archive/data/0'"}, ErrorCode::kUnsupported);
  records[2].flags = 0;
  records[2].method = 14;
  expect_error(make_zip(records), {"compression method 14"}, ErrorCode::kUnsupported);
}

TEST(BadInput, Case38_BigEndian) {
  auto records = checkpoint_records(small_pickle(), {small_storage()});
  records[1].data = "big";
  expect_error(make_zip(records), {"byteorder", "'big'"}, ErrorCode::kUnsupported);
}

TEST(BadInput, Case39_OtherFormats) {
  constexpr auto kUnsupported = ErrorCode::kUnsupported;
  auto script = checkpoint_records(small_pickle(), {small_storage()});
  script.push_back({"archive/code/__torch__.py", "pass"});
  script.push_back({"archive/constants.pkl", PickleBuilder().raw(")").stop()});
  expect_error(make_zip(script), {"TorchScript"}, kUnsupported);
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  expect_error(tar, {"tar archive"}, kUnsupported);
  const std::string safetensors("\x02\0\0\0\0\0\0\0{}", 10);  // read as what it is: see safetensors_test.cc
  expect_error(safetensors, {"safetensors", "no tensors"});
  expect_error("\x80\x02}.", {"bare pickle"}, kUnsupported);
  expect_error("\x80\x05}.", {"bare pickle"}, kUnsupported);
  expect_error("\x80\x06}.", {"not a PyTorch checkpoint"});
  expect_error("\x80", {"not a PyTorch checkpoint"});
  expect_error("\x1f\x8b\x08", {"is a gzip file"}, kUnsupported);
  expect_error("\x89HDF\r\n", {"is an HDF5 file"}, kUnsupported);
  expect_error("EFFDETOM", {"is a compiled model"}, kUnsupported);
  expect_error("{\"a\": 1}", {"is a JSON file", "\"weight_map\""}, kUnsupported);
  expect_error("<!DOCTYPE html><title>404</title>", {"HTML", "download"}, kUnsupported);
  expect_error("version https://git-lfs.github.com/spec/v1\n", {"Git LFS pointer"}, kUnsupported);
  expect_error("\x89PNG", {"not a PyTorch checkpoint"});
  expect_error("", {"empty"});
  expect_error(make_zip({{"weights.npy", "x"}}), {"one folder"});
  expect_error(make_zip({{"archive/weights.npy", "x"}}), {"'archive/data.pkl'", "missing"});
}

TEST(BadInput, Case40_Polyglot) {
  expect_error(small_pickle() + small_checkpoint(), {"bare pickle"}, ErrorCode::kUnsupported);
  // A zip in front of the zip, with the second's offsets adjusted or not.
  expect_error("PK\x03\x04" + small_checkpoint(), {"zip"});
}

TEST(BadInput, MemoryBombsInThePickle) {
  for (const auto op : kSanitized ? "]"sv : "N]()"sv)
    expect_error(make_checkpoint(PickleBuilder().raw(std::string(30 << 20, op)).stop()), {});
}

}  // namespace
}  // namespace effdet::checkpoint
