// Checkpoints as PyTorch and trainers write them, in every element type and container.
#include "checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/test_files.h"
#include "effdet/file_kind.h"
#include "support/test_folder.h"

namespace effdet::checkpoint {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(EFFDET_SOURCE_DIR) / "testdata/checkpoint";

std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint.tensors) names.push_back(name);
  return names;
}

const Tensor& find(const Checkpoint& checkpoint, std::string_view name) {
  for (const NamedTensor& named : checkpoint.tensors)
    if (named.name == name) return named.tensor;
  fail(ErrorCode::kInternal, "the test expects a tensor {}", name);
}

/// Element values as doubles, whatever the type.
std::vector<double> values_of(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kF64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

/// As make_checkpoints.py fills its tensors: (i - 3) / 4 for the i-th element.
std::vector<double> ramp(int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back((i - 3) / 4.0);
  return values;
}

std::string wrapped(std::string_view key, std::string_view name) {
  return PickleBuilder().raw("}").unicode(key).raw("}").unicode(name).tensor("0", 6, 0, {6}, {1}).raw("ss").stop();
}

TEST(Checkpoint, GoldenTypes) {
  const Checkpoint checkpoint = read_checkpoint(kGolden / "types.pth");
  EXPECT_EQ(checkpoint.container, "");
  EXPECT_EQ(names_of(checkpoint), (std::vector<std::string>{"float32", "float16", "bfloat16", "float64", "int64",
                                                            "int32", "int16", "int8", "uint8", "bool", "uint16"}));
  for (const char* name : {"float32", "float16", "bfloat16", "float64"}) {
    const Tensor& tensor = find(checkpoint, name);
    EXPECT_EQ(dtype_name(tensor.dtype()), name);
    EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
    EXPECT_EQ(values_of(tensor), ramp(6));
  }
  for (const char* name : {"int64", "int32", "int16", "int8", "uint8", "uint16"}) {
    const Tensor& tensor = find(checkpoint, name);
    EXPECT_EQ(dtype_name(tensor.dtype()), name);
    EXPECT_EQ(values_of(tensor), (std::vector<double>{0, 1, 2, 100}));
  }
  EXPECT_EQ(values_of(find(checkpoint, "bool")), (std::vector<double>{1, 0, 1}));
}

TEST(Checkpoint, GoldenLayouts) {
  const Checkpoint checkpoint = read_checkpoint(kGolden / "layouts.pth");
  EXPECT_EQ(find(checkpoint, "channels_last").shape(), (Shape{2, 3, 2, 2}));
  EXPECT_EQ(values_of(find(checkpoint, "channels_last")), ramp(24));
  EXPECT_EQ(find(checkpoint, "transposed").shape(), (Shape{3, 2}));
  EXPECT_EQ(values_of(find(checkpoint, "transposed")), (std::vector<double>{-.75, 0, -.5, .25, -.25, .5}));
  EXPECT_EQ(values_of(find(checkpoint, "step")), (std::vector<double>{-.75, -.25, .25}));
  EXPECT_EQ(values_of(find(checkpoint, "expanded")), (std::vector<double>{7, 7, 7, 8, 8, 8}));
  EXPECT_EQ(values_of(find(checkpoint, "scalar")), (std::vector<double>{5}));
  EXPECT_EQ(find(checkpoint, "scalar").rank(), 0u);
  EXPECT_EQ(find(checkpoint, "empty").shape(), (Shape{0, 4}));
  EXPECT_EQ(values_of(find(checkpoint, "parameter")), ramp(2));
  // Two views into one storage, in place.
  const auto head = find(checkpoint, "shared.head").data<float>(), tail = find(checkpoint, "shared.tail").data<float>();
  EXPECT_EQ(head.data() + 2, tail.data());
  EXPECT_EQ(values_of(find(checkpoint, "shared.tail")), (std::vector<double>{-.25, 0, .25, .5}));
}

/// Strided views are gathered element by element, of each size that an element has.
TEST(Checkpoint, TransposedTensorsOfEverySizeOfElement) {
  const auto expect_gathered = [](auto element, std::string_view type) {
    std::string storage;
    for (int i = 0; i < 6; ++i) append_le(storage, static_cast<decltype(element)>(i));
    const auto pickle = PickleBuilder().raw("}").unicode("w").tensor("0", 6, 0, {3, 2}, {1, 3}, type).raw("s").stop();
    const Checkpoint checkpoint = read(make_checkpoint(pickle, {storage}));
    EXPECT_EQ(values_of(find(checkpoint, "w")), (std::vector<double>{0, 3, 1, 4, 2, 5})) << type;
  };
  expect_gathered(uint8_t{}, "ByteStorage");
  expect_gathered(int16_t{}, "ShortStorage");
  expect_gathered(int32_t{}, "IntStorage");
  expect_gathered(int64_t{}, "LongStorage");
  expect_gathered(double{}, "DoubleStorage");
}

/// Before torch 0.4 tensors were rebuilt from four arguments.
TEST(Checkpoint, TensorsOfTheFirstKind) {
  PickleBuilder value;
  value.raw("}").unicode("w").global("torch._utils", "_rebuild_tensor").raw("(").storage("0", 6).integer(1);
  const std::string pickle = value.tuple({2}).tuple({3}).raw("tRs").stop();
  EXPECT_EQ(values_of(find(read(make_checkpoint(pickle, {small_storage()})), "w")), (std::vector<double>{1, 4}));
}

TEST(Checkpoint, GoldenTrainerFile) {
  const Checkpoint plain = read_checkpoint(kGolden / "trainer.pth");
  EXPECT_EQ(plain.container, "state_dict");
  EXPECT_EQ(names_of(plain), (std::vector<std::string>{"weight", "bias", "bn.num_batches_tracked"}));
  EXPECT_EQ(values_of(find(plain, "bias")), (std::vector<double>{1, 1}));
  const Checkpoint ema = read_checkpoint(kGolden / "trainer.pth", {.use_ema = true});
  EXPECT_EQ(ema.container, "state_dict_ema");
  EXPECT_EQ(values_of(find(ema, "bias")), (std::vector<double>{2, 2}));
}

/// "name=value ..." in the order of the file.
std::string hints_of(const Checkpoint& checkpoint) {
  std::string text;
  for (const Hint& hint : checkpoint.hints) text += hint.name + "=" + hint.value + " ";
  return text;
}

TEST(Checkpoint, GoldenHintsOfTheModel) {
  EXPECT_EQ(hints_of(read_checkpoint(kGolden / "hints.pth")),
            "arch=\"tf_efficientdet_d0\" args.model=\"tf_efficientdet_d0\" args.redundant_bias=false "
            "args.mean=[0.5,0.25,0.125] config.name=\"tf_efficientdet_d1\" config.image_size=[640,512] "
            "config.norm_kwargs.eps=0.001 config.aspect_ratios=[1.0,2.0] hyper_parameters.img_size=512 "
            "hyper_parameters.model_architecture=\"tf_efficientdet_d2\" ");
  EXPECT_EQ(hints_of(read_checkpoint(kGolden / "hints.safetensors")),
            "arch=\"tf_efficientdet_d0\" config.norm_kwargs.eps=0.001 config.redundant_bias=false ");
  EXPECT_EQ(hints_of(read_checkpoint(kGolden / "types.pth")), "");
}

TEST(Checkpoint, HintsOfMetadataThatIsJson) {
  std::string metadata =
      R"("config":"{\"sizes\":[1,[2,3]],\"none\":null,\"list\":[null],\"of\":[{}],\"a\":{\"b\":1.5}}")";
  metadata += R"(,"broken":"{not","list":"[1]","words":"a b",")" + std::string(1000, 'k') + R"(":"1","long":")" +
              std::string(1000, 'x') + "\"";
  const std::string header =
      R"({"__metadata__":{)" + metadata + R"(},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file;
  append_le(file, static_cast<uint64_t>(header.size()));
  std::string hints = hints_of(read(file + header + std::string(4, '\0')));
  EXPECT_EQ(hints, "config.a.b=1.5 config.sizes=[1,[2,3]] broken=\"{not\" list=\"[1]\" words=\"a b\" ");
}

TEST(Checkpoint, HintsAreOfTextNumbersAndLists) {
  PickleBuilder pickle;
  pickle.raw("}(").unicode("args").raw("}(");
  pickle.unicode("infinite")
      .raw(std::string("G\x7F\xF0\0\0\0\0\0\0", 9))
      .unicode("half")
      .raw(std::string("G\x3F\xE0\0\0\0\0\0\0", 9));
  pickle.unicode("none").raw("N").unicode("flag").raw("\x88").unicode("holds none").raw("]Na");
  pickle.integer(5).integer(6);  // a key that is no text
  pickle.unicode("pair").tuple({1, 2}).raw("u").unicode("model").raw("}").unicode("w");
  EXPECT_EQ(hints_of(read(make_checkpoint(pickle.tensor("0", 6, 0, {6}, {1}).raw("su").stop(), {small_storage()}))),
            "args.half=0.5 args.flag=true args.pair=[1,2] ");
}

TEST(Checkpoint, HintsStayFewAndShallow) {
  PickleBuilder many, deep;
  many.raw("}(").unicode("args").raw("}(");
  for (int i = 0; i < 2000; ++i) many.unicode(std::to_string(i)).integer(1);
  many.unicode("long").unicode(std::string(1000, 'x')).raw("u").unicode("model").raw("}").unicode("w");
  EXPECT_EQ(read(make_checkpoint(many.tensor("0", 6, 0, {6}, {1}).raw("su").stop(), {small_storage()})).hints.size(),
            512u);
  // A namespace that is its own attribute.
  deep.raw("}(").unicode("args").global("argparse", "Namespace").raw(")\x81q\x05}").unicode("args").raw("h\x05sb");
  deep.unicode("model").raw("}").unicode("w").tensor("0", 6, 0, {6}, {1}).raw("su");
  EXPECT_EQ(hints_of(read(make_checkpoint(deep.stop(), {small_storage()}))), "");
}

/// Texts that are long or no UTF-8, and lists that are long or deep, are none.
TEST(Checkpoint, HintsThatAreLeftOut) {
  PickleBuilder pickle;
  pickle.raw("}(").unicode("args").raw("}(");
  pickle.unicode("long").unicode(std::string(257, 'x')).unicode("NUL").unicode(std::string("a\0b", 3));
  pickle.unicode(std::string(257, 'k')).integer(1).unicode("deep").raw("]]]]]aaaa").unicode("flat").raw("]]]aa");
  pickle.unicode("many").raw("](");
  for (int i = 0; i < 33; ++i) pickle.integer(i);
  pickle.raw("e").unicode("fine").unicode(std::string(3, 'x')).raw("u").unicode("model").raw("}").unicode("w");
  EXPECT_EQ(hints_of(read(make_checkpoint(pickle.tensor("0", 6, 0, {6}, {1}).raw("su").stop(), {small_storage()}))),
            "args.flat=[[[]]] args.fine=\"xxx\" ");
}

TEST(Checkpoint, GoldenForeignTensorsDoNotSpoilTheRest) {
  for (const char* name : {"foreign.pth", "foreign_legacy.pth"}) {
    const Checkpoint checkpoint = read_checkpoint(kGolden / name);
    EXPECT_EQ(names_of(checkpoint), (std::vector<std::string>{"w", "tagged", "z"})) << name;
    EXPECT_EQ(values_of(find(checkpoint, "z")), ramp(3));
    EXPECT_EQ(values_of(find(checkpoint, "tagged")), ramp(2));
    std::string foreign;
    for (const ForeignTensor& tensor : checkpoint.foreign) foreign += tensor.name + "=" + tensor.type + " ";
    EXPECT_EQ(foreign, "sparse=sparse quantized=quantized float8=float8_e4m3fn complex=complex64 ");
    ASSERT_EQ(checkpoint.foreign_beside.size(), 2u);
    EXPECT_EQ(checkpoint.foreign_beside[0].type, "meta");
    EXPECT_EQ(checkpoint.foreign_beside[1].type, "float8_e8m0fnu");
    EXPECT_EQ(checkpoint.foreign_beside_count, 2u);
  }
  const Checkpoint tensors = read_checkpoint(kGolden / "foreign.safetensors");
  EXPECT_EQ(names_of(tensors), (std::vector<std::string>{"w"}));
  ASSERT_EQ(tensors.foreign.size(), 2u);
  EXPECT_EQ(tensors.foreign[0].type, "C64");
  EXPECT_EQ(tensors.foreign[1].type, "F8_E5M2");
}

TEST(Checkpoint, GoldenWithoutChecksums) {
  const Checkpoint checkpoint = read_checkpoint(kGolden / "no_crc.pth");
  EXPECT_EQ(values_of(find(checkpoint, "w")), ramp(6));
  EXPECT_FALSE(checkpoint.has_checksums);
  EXPECT_TRUE(read_checkpoint(kGolden / "types.pth").has_checksums);
}

TEST(Checkpoint, ContainersInOrderOfPreference) {
  for (const char* key : {"state_dict", "model", "state_dict_ema", "model_ema", "ema"}) {
    const auto file = make_checkpoint(wrapped(key, "w"), {small_storage()});
    EXPECT_EQ(read(file).container, key);
    EXPECT_EQ(read(file, {.use_ema = true}).container, key);
  }
}

TEST(Checkpoint, ContainersMayBeNested) {
  const auto nested = [](const std::vector<std::string>& keys) {
    PickleBuilder builder;
    builder.raw("}");
    for (const auto& key : keys) builder.unicode(key).raw("}");
    builder.unicode("w").tensor("0", 6, 0, {6}, {1}).raw("s");
    for (size_t i = 0; i < keys.size(); ++i) builder.raw("s");
    return make_checkpoint(builder.stop(), {small_storage()});
  };
  EXPECT_EQ(read(nested({"model_state_dict"})).container, "model_state_dict");
  EXPECT_EQ(read(nested({"ema", "module"})).container, "ema.module");
  EXPECT_EQ(read(nested({"checkpoint", "model", "state_dict"})).container, "checkpoint.model.state_dict");
  expect_error(nested(std::vector<std::string>(20, "model")), {"nested without end"});
  expect_error(nested({"optimizer"}), {"'optimizer' holds a dict instead of a tensor"});
}

TEST(Checkpoint, PrefixesThatAllKeysHaveAreStripped) {
  const auto names = [](const std::vector<std::string>& keys, bool use_ema = false) {
    PickleBuilder builder;
    builder.raw("}(");
    for (const auto& key : keys) builder.unicode(key).tensor("0", 6, 0, {6}, {1});
    return names_of(read(make_checkpoint(builder.raw("u").stop(), {small_storage()}), {.use_ema = use_ema}));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({"module.a", "module.b"}), (Names{"a", "b"}));
  EXPECT_EQ(names({"module.a", "b"}), (Names{"module.a", "b"}));
  EXPECT_EQ(names({"module._orig_mod.a"}), (Names{"a"}));
  EXPECT_EQ(names({"_orig_mod.module.a"}), (Names{"a"}));
  EXPECT_EQ(names({"module.model.a", "module.anchors.boxes"}), (Names{"a"}));
  EXPECT_EQ(names({"model.a", "anchors.boxes", "anchor_labeler.anchors.boxes"}), (Names{"a"}));
  EXPECT_EQ(names({"anchors.boxes"}), (Names{"anchors.boxes"}));
  EXPECT_EQ(names({"module."}), (Names{"module."}));
  EXPECT_EQ(names({"model.model.a", "model.anchor_labeler.anchors.boxes"}), (Names{"a"})) << "Lightning";
  EXPECT_EQ(names({"n_averaged", "module.a"}), (Names{"a"})) << "AveragedModel";
  Names trainer{"criterion.pos_weight", "anchors.boxes"}, inner;
  for (int i = 0; i < 20; ++i) trainer.push_back("model." + inner.emplace_back("w" + std::to_string(i)));
  EXPECT_EQ(names(trainer), inner) << "a loss beside the network";
  trainer.push_back("val_metric.total");
  EXPECT_EQ(names(trainer), trainer) << "more than one of twenty";
  EXPECT_EQ(names({"model.a", "ema_model.b"}), (Names{"a"}));
  EXPECT_EQ(names({"model.a", "ema_model.module.b"}, true), (Names{"b"}));
}

TEST(Checkpoint, InertObjectsBesideTheWeights) {
  const auto file = PickleBuilder()
                        .raw("}(")
                        .unicode("args")
                        .global("argparse", "Namespace")
                        .raw(")\x81}bNa")  // appended to as a list
                        .unicode("best")
                        .global("numpy.core.multiarray", "scalar")
                        .global("numpy", "dtype")
                        .unicode("f8")
                        .raw("\x85R")
                        .global("_codecs", "encode")
                        .unicode("x")
                        .unicode("latin1")
                        .raw("\x86R\x86R")
                        .unicode("state_dict")
                        .raw("}")
                        .unicode("w")
                        .tensor("0", 6, 0, {6}, {1})
                        .raw("su")
                        .stop();
  EXPECT_EQ(names_of(read(make_checkpoint(file, {small_storage()}))), (std::vector<std::string>{"w"}));
}

/// Made by protocol 2: each a call with no, one or two arguments, some of them filled afterwards.
TEST(Checkpoint, InertObjectsOfPython) {
  struct Case {
    const char *module, *name, *rest;
  };
  constexpr const char* kEmptyList = "]\x85R";
  for (const Case& c : {Case{"__builtin__", "bytes", ")R"},
                        {"builtins", "bytes", ")R"},
                        {"__builtin__", "set", kEmptyList},
                        {"__builtin__", "frozenset", kEmptyList},
                        {"builtins", "frozenset", kEmptyList},
                        {"__builtin__", "slice", "K\x01K\x02N\x87R"},
                        {"builtins", "slice", "K\x01K\x02N\x87R"},
                        {"__builtin__", "xrange", "K\x01K\x02K\x01\x87R"},
                        {"builtins", "range", "K\x01K\x02K\x01\x87R"},
                        {"collections", "deque",
                         ")K\x03\x86R(K\x01K\x02"
                         "e"},
                        {"datetime", "date", "N\x85R"},
                        {"datetime", "timedelta", "K\x01K\x02K\x03\x87R"},
                        {"datetime", "timezone", "N\x85R"}}) {
    const auto file = PickleBuilder()
                          .raw("}(")
                          .unicode("beside")
                          .global(c.module, c.name)
                          .raw(c.rest)
                          .unicode("state_dict")
                          .raw("}")
                          .unicode("w")
                          .tensor("0", 6, 0, {6}, {1})
                          .raw("su")
                          .stop();
    EXPECT_EQ(names_of(read(make_checkpoint(file, {small_storage()}))), (std::vector<std::string>{"w"}))
        << c.module << "." << c.name;
  }
}

TEST(Checkpoint, RoundTripOfEveryType) {
  std::vector<NamedTensor> tensors;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI64, DType::kI32, DType::kI16,
                            DType::kI8, DType::kU8, DType::kBool}) {
    std::vector<float> values = {0, 1, 1, 0, 1, 0};
    const auto tensor = Tensor::from<float>({2, 1, 3}, values).to(dtype);
    tensors.push_back({"layer." + std::string(dtype_name(dtype)), tensor});
  }
  tensors.push_back({"scalar", Tensor::scalar<int64_t>(-7)});
  tensors.push_back({"none", Tensor(DType::kF32, {0, 5})});
  tensors.push_back({"\xc3\xa4", Tensor::scalar(1.5f)});
  const TempFile file;
  write_checkpoint(file.path(), tensors);
  const Checkpoint back = read_checkpoint(file.path());
  EXPECT_EQ(back.path, file.path().string());
  ASSERT_EQ(back.tensors.size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor &wrote = tensors[i].tensor, &got = back.tensors[i].tensor;
    EXPECT_EQ(back.tensors[i].name, tensors[i].name);
    EXPECT_EQ(got.dtype(), wrote.dtype());
    EXPECT_EQ(got.shape(), wrote.shape());
    EXPECT_TRUE(std::equal(got.bytes().begin(), got.bytes().end(), wrote.bytes().begin(), wrote.bytes().end()));
  }
}

TEST(Checkpoint, WritingIsDeterministic) {
  const std::vector<NamedTensor> tensors = {{"a", Tensor::scalar(1.0f)}, {"b", Tensor(DType::kI64, {3})}};
  const TempFile first, second;
  write_checkpoint(first.path(), tensors);
  write_checkpoint(second.path(), tensors);
  EXPECT_EQ(read_file(first.path()), read_file(second.path()));
}

TEST(Checkpoint, WritingRefusesWhatTorchCannotRead) {
  const TempFile file("before");
  const auto code_of = [&](const std::vector<NamedTensor>& tensors) {
    try {
      write_checkpoint(file.path(), tensors);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  const Tensor one = Tensor::scalar(1.0f);
  EXPECT_EQ(code_of({{"a", one}, {"a", one}}), ErrorCode::kUsage);
  EXPECT_EQ(code_of({{"\xff", one}}), ErrorCode::kUsage);
  EXPECT_EQ(code_of({{"a", Tensor::scalar<uint16_t>(1)}}), ErrorCode::kUnsupported);
  EXPECT_EQ(read_file(file.path()), "before");
}

TEST(FileKind, ByContentThenByName) {
  const auto kind = [](std::string_view content, std::string_view suffix = ".x") {
    return file_kind(TempFile(content, suffix).path());
  };
  EXPECT_EQ(kind("EFFDETOM, and more"), FileKind::kCompiled);
  EXPECT_EQ(kind("IMOD, and more"), FileKind::kCompiled);  // of CANN
  EXPECT_EQ(kind(small_checkpoint()), FileKind::kCheckpoint);
  EXPECT_EQ(kind("\x80\x02\x8a\x0a"), FileKind::kCheckpoint);                       // from before archives
  EXPECT_EQ(kind(std::string("\x08\x01\0\0\0\0\0\0{", 9)), FileKind::kCheckpoint);  // safetensors
  EXPECT_EQ(kind("\x08\x07\x12"), FileKind::kOnnx);
  EXPECT_EQ(kind("\x08\x80"), FileKind::kUnknown);
  EXPECT_EQ(kind(std::string("\x08\0", 2)), FileKind::kUnknown);
  EXPECT_EQ(kind("\x08\x40"), FileKind::kUnknown);
  EXPECT_EQ(kind("\x08"), FileKind::kUnknown);
  EXPECT_EQ(kind(std::string("\x09\x01\0\0\0\0\0\0[", 9)), FileKind::kUnknown);
  EXPECT_EQ(kind(""), FileKind::kUnknown);
  for (const char* suffix : {".pth", ".pt", ".tar", ".safetensors", ".index.json"})
    EXPECT_EQ(kind("?", suffix), FileKind::kCheckpoint) << suffix;
  EXPECT_EQ(kind("?", ".onnx"), FileKind::kOnnx);
  EXPECT_EQ(kind("?", ".om"), FileKind::kCompiled);
  EXPECT_EQ(kind("{}", ".json"), FileKind::kUnknown);
  EXPECT_EQ(file_kind(test::TestFolder("kind").path()), FileKind::kCheckpoint);  // sharded
}

TEST(Checkpoint, MissingFile) {
  try {
    read_checkpoint("no/such/file.pth");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
}

TEST(Checkpoint, SharedTrainedCheckpoint) {
  const char* shared = std::getenv("EFFDET_SHARED");
  const auto path = std::filesystem::path(shared ? shared : EFFDET_SOURCE_DIR "/../shared") /
                    "checkpoints/tf_efficientdet_d0_256_coco.pth";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const Checkpoint checkpoint = read_checkpoint(path);
  const Tensor& stem = find(checkpoint, "backbone.conv_stem.weight");
  EXPECT_EQ(stem.shape(), (Shape{32, 3, 3, 3}));
  EXPECT_EQ(stem.dtype(), DType::kF32);
  EXPECT_EQ(find(checkpoint, "backbone.bn1.num_batches_tracked").dtype(), DType::kI64);
}

}  // namespace
}  // namespace effdet::checkpoint
