// Compiled models whose checksum is right and whose content is not: refused, or run without harm.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <random>

#include "artifact/om_file.h"
#include "artifact/om_test_util.h"
#include "base/error.h"
#include "runtime/engine.h"

namespace effdet::artifact {
namespace {

using Space = Placement::Space;
using Change = std::function<void(om::ProgramT&)>;

constexpr int64_t kHuge = int64_t{1} << 62;

om::NodeT& step(om::ProgramT& p, const std::string& op) {
  for (auto& node : p.nodes)
    if (node->op == op) return *node;
  throw std::out_of_range(op);
}

om::AttributeT& attribute(om::NodeT& node, const std::string& name) {
  for (auto& found : node.attributes)
    if (found->name == name) return *found;
  node.attributes.push_back(std::make_unique<om::AttributeT>());
  node.attributes.back()->name = name;
  return *node.attributes.back();
}

void set(om::NodeT& node, const std::string& name, std::vector<int64_t> values) {
  om::AttributeT& a = attribute(node, name);
  a.kind = 3;
  a.integers = std::move(values);
}
void set(om::NodeT& node, const std::string& name, int64_t value) {
  om::AttributeT& a = attribute(node, name);
  a.kind = 0;
  a.integer = value;
}
void set(om::NodeT& node, const std::string& name, const std::string& text) {
  om::AttributeT& a = attribute(node, name);
  a.kind = 2;
  a.text = text;
}

om::ValueT& value_in(om::ProgramT& p, Space space) {
  for (auto& value : p.values)
    if (value->space == static_cast<uint8_t>(space)) return *value;
  throw std::out_of_range("space");
}

/// Reads the file and, where that succeeds, runs it on both sets of kernels. Whether it was read.
bool load_and_run(const std::vector<std::byte>& file) {
  try {
    const Program program = read_om(write_test_om(file)).at(0);
    uint64_t bytes = program.arena_bytes;
    for (const auto* ids : {&program.graph.inputs, &program.graph.outputs})
      for (ir::ValueId id : *ids) bytes += value_bytes(program.graph.value(id));
    if (bytes > (32 << 20)) return true;  // legal, and too large for a test
    std::vector<Tensor> inputs;
    for (ir::ValueId id : program.graph.inputs)
      inputs.emplace_back(program.graph.value(id).dtype, *program.graph.value(id).shape);
    for (bool reference_only : {false, true}) {
      try {
        runtime::Session(std::make_shared<runtime::Engine>(program, reference_only), 1).run(inputs);
      } catch (const Error&) {
        // A step that no kernel takes, or that the values refuse.
      }
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Each change to a good file is refused.
void expect_refused(const OmParts& good, const std::vector<std::pair<std::string, Change>>& cases) {
  for (const auto& [name, change] : cases) {
    OmParts parts = take_apart(put_together(good));
    change(parts.program);
    const auto file = put_together(parts);
    EXPECT_THROW(read_om(write_test_om(file)), Error) << name;
    load_and_run(file);
  }
}

void expect_refused(const std::vector<std::pair<std::string, Change>>& cases) {
  expect_refused(take_apart(om_bytes(small_program())), cases);
}

/// The value that a step of that operator makes.
om::ValueT& output_of(om::ProgramT& p, const std::string& op) {
  return *p.values.at(static_cast<size_t>(step(p, op).outputs.at(0)));
}

TEST(BadInput, Case68_HostileLayouts) {
  const Change cases[] = {
      [](om::ProgramT& p) { output_of(p, "DepthwiseConv").layout = 3; },
      [](om::ProgramT& p) { output_of(p, "DepthwiseConv").layout = 255; },
      [](om::ProgramT& p) { output_of(p, "DepthwiseConv").layout = 1; },  // it lies NHWC
      [](om::ProgramT& p) { output_of(p, "SqueezeExcite").layout = 2; },  // no map
      [](om::ProgramT& p) { value_in(p, Space::kWeights).layout = 2; },
      [](om::ProgramT& p) { value_in(p, Space::kInput).layout = 2; },
  };
  const OmParts good = take_apart(om_bytes(small_program()));
  for (size_t i = 0; i < std::size(cases); ++i) {
    OmParts parts = take_apart(put_together(good));
    cases[i](parts.program);
    const auto file = put_together(parts);
    EXPECT_THROW(read_om(write_test_om(file)), Error) << i;
  }
}

TEST(BadInput, Case68_HostileValues) {
  std::vector<std::pair<std::string, Change>> cases;
  const std::vector<Space> spaces = {Space::kArena, Space::kWeights, Space::kInput, Space::kOutput};
  for (Space space : spaces) {
    const std::string where = "space " + std::to_string(static_cast<int>(space));
    for (uint64_t offset : {uint64_t{1}, uint64_t{63}, uint64_t{1} << 20, uint64_t{1} << 40, uint64_t{1} << 63,
                            UINT64_MAX - 63, UINT64_MAX})
      cases.emplace_back(where + " offset " + std::to_string(offset),
                         [=](om::ProgramT& p) { value_in(p, space).offset += offset; });
    for (int64_t dim : {int64_t{-1}, int64_t{0}, int64_t{7}, int64_t{1} << 31, kHuge, INT64_MAX, INT64_MIN})
      cases.emplace_back(where + " dimension " + std::to_string(dim),
                         [=](om::ProgramT& p) { value_in(p, space).shape[0] = dim; });
    cases.emplace_back(where + " shape whose product wraps", [=](om::ProgramT& p) {
      value_in(p, space).shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
    });
    cases.emplace_back(where + " shape with a zero beside huge numbers", [=](om::ProgramT& p) {
      value_in(p, space).shape = {0, kHuge, kHuge, kHuge};
    });
    cases.emplace_back(where + " rank 9", [=](om::ProgramT& p) { value_in(p, space).shape.assign(9, 1); });
    cases.emplace_back(where + " rank 0", [=](om::ProgramT& p) { value_in(p, space).shape.clear(); });
    cases.emplace_back(where + " unknown type", [=](om::ProgramT& p) { value_in(p, space).dtype = 200; });
    cases.emplace_back(where + " double", [=](om::ProgramT& p) { value_in(p, space).dtype = 3; });
    cases.emplace_back(where + " int8", [=](om::ProgramT& p) { value_in(p, space).dtype = 4; });
    cases.emplace_back(where + " no name", [=](om::ProgramT& p) { value_in(p, space).name.clear(); });
    for (uint8_t other = 0; other < 7; ++other)
      if (other != static_cast<uint8_t>(space))
        cases.emplace_back(where + " becomes " + std::to_string(other),
                           [=](om::ProgramT& p) { value_in(p, space).space = other; });
  }
  cases.emplace_back("two of one name", [](om::ProgramT& p) { p.values[0]->name = p.values[1]->name; });
  cases.emplace_back("no values", [](om::ProgramT& p) { p.values.clear(); });
  expect_refused(cases);
}

TEST(BadInput, Case68_HostileReferences) {
  std::vector<std::pair<std::string, Change>> cases;
  for (int32_t id : {-2, INT32_MIN, INT32_MAX, 10000}) {
    const std::string name = std::to_string(id);
    cases.emplace_back("reads " + name, [=](om::ProgramT& p) { p.nodes[1]->inputs[0] = id; });
    cases.emplace_back("writes " + name, [=](om::ProgramT& p) { p.nodes[1]->outputs[0] = id; });
    cases.emplace_back("input " + name, [=](om::ProgramT& p) { p.inputs[0] = id; });
    cases.emplace_back("output " + name, [=](om::ProgramT& p) { p.outputs[0] = id; });
  }
  cases.emplace_back("graph input -1", [](om::ProgramT& p) { p.inputs[0] = -1; });
  cases.emplace_back("graph output -1", [](om::ProgramT& p) { p.outputs[0] = -1; });
  cases.emplace_back("no outputs", [](om::ProgramT& p) { p.outputs.clear(); });
  cases.emplace_back("no inputs", [](om::ProgramT& p) { p.inputs.clear(); });
  cases.emplace_back("an output twice", [](om::ProgramT& p) { p.outputs = {p.outputs[0], p.outputs[0]}; });
  cases.emplace_back("an input twice", [](om::ProgramT& p) { p.inputs = {p.inputs[0], p.inputs[0]}; });
  cases.emplace_back("outputs exchanged", [](om::ProgramT& p) { std::swap(p.outputs[0], p.outputs[1]); });
  cases.emplace_back("output is the input", [](om::ProgramT& p) { p.outputs[0] = p.inputs[0]; });
  cases.emplace_back("steps in the wrong order", [](om::ProgramT& p) { std::swap(p.nodes[0], p.nodes[1]); });
  cases.emplace_back("a step twice",
                     [](om::ProgramT& p) { p.nodes.push_back(std::make_unique<om::NodeT>(*p.nodes[0])); });
  cases.emplace_back("a step reads what it writes",
                     [](om::ProgramT& p) { p.nodes[1]->inputs[0] = p.nodes[1]->outputs[0]; });
  cases.emplace_back("writes its input", [](om::ProgramT& p) { p.nodes[0]->outputs[0] = p.inputs[0]; });
  cases.emplace_back("writes its weights", [](om::ProgramT& p) { p.nodes[0]->outputs[0] = p.nodes[0]->inputs[1]; });
  for (const char* op : {"Conv", "DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "SqueezeExcite", "Mix",
                         "MaxPool", "Activation", "Hardmax"}) {
    const std::string name = op;
    cases.emplace_back(name + " without outputs", [=](om::ProgramT& p) { step(p, name).outputs.clear(); });
    cases.emplace_back(name + " with its first output absent", [=](om::ProgramT& p) { step(p, name).outputs[0] = -1; });
    cases.emplace_back(name + " without inputs", [=](om::ProgramT& p) { step(p, name).inputs.clear(); });
    cases.emplace_back(name + " with its first input absent", [=](om::ProgramT& p) { step(p, name).inputs[0] = -1; });
    cases.emplace_back(name + " of another type", [=](om::ProgramT& p) { step(p, name).op = "Nonsense"; });
    cases.emplace_back(name + " of another domain", [=](om::ProgramT& p) { step(p, name).domain = "org.evil"; });
    cases.emplace_back(name + " with many inputs",
                       [=](om::ProgramT& p) { step(p, name).inputs.resize(100, step(p, name).inputs[0]); });
    cases.emplace_back(name + " with many outputs", [=](om::ProgramT& p) { step(p, name).outputs.resize(3, -1); });
  }
  expect_refused(cases);
}

TEST(BadInput, Case68_HostileAttributes) {
  using Ints = std::vector<int64_t>;
  std::vector<std::pair<std::string, Change>> cases;
  for (const char* op : {"Conv", "DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "MaxPool", "AveragePool"}) {
    const std::string name = op;
    const auto change = [&](const std::string& what, const std::string& key, const Ints& values) {
      cases.emplace_back(name + " " + what, [=](om::ProgramT& p) { set(step(p, name), key, values); });
    };
    change("kernel 0", "kernel_shape", {0, 0});
    change("kernel -1", "kernel_shape", {-1, -1});
    change("kernel huge", "kernel_shape", {kHuge, 3});
    change("kernel above the map", "kernel_shape", {500, 500});
    change("kernel of one number", "kernel_shape", {3});
    change("kernel of no number", "kernel_shape", {});
    change("stride 0", "strides", {0, 1});
    change("stride INT64_MIN", "strides", {INT64_MIN, INT64_MIN});
    change("stride of three numbers", "strides", {1, 1, 1});
    change("pads INT64_MIN", "pads", {INT64_MIN, 0, 0, 0});
    change("pads INT64_MAX", "pads", {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX});
    change("pads of two numbers", "pads", {1, 1});
    change("pads as large as the kernel", "pads", {3, 3, 3, 3});
    change("a window wholly in the padding", "pads", {1, 1, 1, 9});
    for (const char* key : {"layout", "output_layout"}) {
      cases.emplace_back(name + " unknown " + key, [=](om::ProgramT& p) { set(step(p, name), key, "nchwc"); });
      cases.emplace_back(name + " a number as " + key, [=](om::ProgramT& p) { set(step(p, name), key, 1); });
    }
  }
  for (const char* op : {"DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "MaxPool", "Mix"})
    cases.emplace_back(std::string(op) + " with two layouts",
                       [op](om::ProgramT& p) { set(step(p, op), "output_layout", "nchw"); });
  for (const char* op :
       {"Conv", "DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "Mix", "Activation", "SqueezeExcite"})
    cases.emplace_back(std::string(op) + " unknown activation",
                       [op](om::ProgramT& p) { set(step(p, op), "activation", "softmax"); });
  for (int64_t channels : {int64_t{0}, int64_t{-1}, int64_t{17}, int64_t{1} << 21, INT64_MAX, INT64_MIN})
    cases.emplace_back("out_channels " + std::to_string(channels),
                       [=](om::ProgramT& p) { set(step(p, "Conv"), "out_channels", channels); });
  for (size_t count : {0u, 1u, 3u, 5u, 1000u})
    cases.emplace_back("Mix with " + std::to_string(count) + " weights",
                       [=](om::ProgramT& p) { attribute(step(p, "Mix"), "weights").reals.assign(count, 1.0f); });
  for (size_t count : {1u, 5u, 6u})
    cases.emplace_back("Mix of " + std::to_string(count) + " maps", [=](om::ProgramT& p) {
      step(p, "Mix").inputs.resize(count, step(p, "Mix").inputs[0]);
      attribute(step(p, "Mix"), "weights").reals.assign(count, 1.0f);
      if (count == 1) set(step(p, "Mix"), "size", Ints{4, 4});
    });
  cases.emplace_back("Mix weights that are integers", [](om::ProgramT& p) {
    set(step(p, "Mix"), "weights", Ints{1, 1});
  });
  for (int64_t side : {int64_t{0}, int64_t{-1}, int64_t{9}, int64_t{1} << 40, INT64_MAX})
    cases.emplace_back("Mix of size " + std::to_string(side), [=](om::ProgramT& p) {
      set(step(p, "Mix"), "size", Ints{side, side});
    });
  cases.emplace_back("an attribute of unknown kind",
                     [](om::ProgramT& p) { attribute(step(p, "Conv"), "strides").kind = 77; });
  cases.emplace_back("Hardmax becomes a Reshape by its own data", [](om::ProgramT& p) {
    om::NodeT& node = step(p, "Hardmax");
    node.op = "Reshape";
    node.inputs.push_back(node.inputs[0]);
  });
  for (const int group : {-1, 0, 7})
    cases.emplace_back("Conv in groups that its channels have not",
                       [group](om::ProgramT& p) { set(step(p, "Conv"), "group", group); });
  cases.emplace_back("Hardmax becomes a Conv of group 0", [](om::ProgramT& p) {
    om::NodeT& node = step(p, "Hardmax");
    node.op = "Conv";
    node.inputs.push_back(node.inputs[0]);
    set(node, "group", 0);
  });
  cases.emplace_back("Hardmax becomes a Softmax over axis 99", [](om::ProgramT& p) {
    om::NodeT& node = step(p, "Hardmax");
    node.op = "Softmax";
    set(node, "axis", 99);
  });
  cases.emplace_back("Hardmax becomes a Transpose of another order", [](om::ProgramT& p) {
    om::NodeT& node = step(p, "Hardmax");
    node.op = "Transpose";
    set(node, "perm", Ints{0, 2, 3, 1});
  });
  cases.emplace_back("a Transpose of axes that do not exist", [](om::ProgramT& p) {
    set(step(p, "Transpose"), "perm", Ints{0, 9, -3, kHuge});
  });
  for (const char* program :
       {"", "relu", "relu x0;tanh t0", "softmax x0", "relu x0 x0", "add x0", "add x0 x9", "mul x0 t0", "clip x0 x0 1",
        "relu x1", "relu x-1", "relu x99999999999999999999", "add x0 1.0.0", "add x0 x1; ", "add x0 x1 "})
    cases.emplace_back("Elementwise by '" + std::string(program) + "'",
                       [=](om::ProgramT& p) { set(step(p, "Elementwise"), "program", program); });
  std::string endless = "add x0 x1";
  for (int i = 0; i < 1000; ++i) endless += "; neg t0";
  cases.emplace_back("Elementwise of many steps",
                     [=](om::ProgramT& p) { set(step(p, "Elementwise"), "program", endless.c_str()); });
  for (const char* op : {"Conv", "DepthwiseConv", "MatMul", "ConvTranspose"})
    for (const char* text : {"relu;", "relu; ", "swish; add x0 x1", "relu; nothing x0", "; relu x0", "relu; relu t0"})
      cases.emplace_back(std::string(op) + " with '" + text + "' after it",
                         [=](om::ProgramT& p) { set(step(p, op), "activation", text); });
  for (int64_t side : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, INT64_MAX})
    cases.emplace_back("ConvTranspose of size " + std::to_string(side), [=](om::ProgramT& p) {
      set(step(p, "ConvTranspose"), "size", Ints{side, side});
    });
  cases.emplace_back("ConvTranspose with pads as large as its kernel", [](om::ProgramT& p) {
    set(step(p, "ConvTranspose"), "pads", Ints{3, 0, 0, 0});
  });
  for (int64_t channels : {int64_t{0}, int64_t{-1}, int64_t{17}, INT64_MAX})
    cases.emplace_back("MatMul to rows of " + std::to_string(channels),
                       [=](om::ProgramT& p) { set(step(p, "MatMul"), "out_channels", channels); });
  expect_refused(cases);
}

TEST(BadInput, Case69_OverlappingArenas) {
  expect_refused({
      {"all at the beginning",
       [](om::ProgramT& p) {
         for (auto& value : p.values)
           if (value->space == static_cast<uint8_t>(Space::kArena)) value->offset = 0;
       }},
      {"an arena of no bytes", [](om::ProgramT& p) { p.arena_bytes = 0; }},
      {"an arena that is too short", [](om::ProgramT& p) { p.arena_bytes -= 1; }},
      {"an arena larger than what is in it", [](om::ProgramT& p) { p.arena_bytes += 64; }},
      {"an arena that nothing could hold", [](om::ProgramT& p) { p.arena_bytes = UINT64_MAX; }},
  });
  const OmParts good = take_apart(om_bytes(small_program()));
  for (const auto& value : good.program.values)
    if (value->space == static_cast<uint8_t>(Space::kWeights)) {
      OmParts parts = take_apart(put_together(good));
      parts.weights.resize(value->offset);  // from here on the weights are missing
      EXPECT_FALSE(load_and_run(put_together(parts))) << value->name;
    }
}

TEST(HostileProgram, ImpossibleMicroBatches) {
  expect_refused({
      {"none", [](om::ProgramT& p) { p.micro_batches = 0; }},
      {"less than none", [](om::ProgramT& p) { p.micro_batches = -1; }},
      {"more than a tensor has values", [](om::ProgramT& p) { p.micro_batches = int64_t{1} << 40; }},
      {"more than a number holds", [](om::ProgramT& p) { p.micro_batches = INT64_MAX; }},
  });
}

TEST(HostileProgram, UnknownAttributesChangeNothing) {
  // The reference runs fused operators as ONNX ones: attributes that only those know must not reach them.
  for (const char* op :
       {"Conv", "DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "MaxPool", "Mix", "Activation"}) {
    OmParts parts = take_apart(om_bytes(small_program()));
    om::NodeT& node = step(parts.program, op);
    set(node, "dilations", std::vector<int64_t>{2, 2});
    if (op != std::string("Conv")) set(node, "group", 7);
    set(node, "ceil_mode", 1);
    set(node, "auto_pad", "SAME_UPPER");
    EXPECT_TRUE(load_and_run(put_together(parts))) << op;
  }
}

TEST(HostileProgram, ManyTensorsInOnePlace) {
  // A chain whose tensors share two places: checking it must not compare each with each.
  OmParts parts = take_apart(om_bytes(tiny_program()));
  om::ProgramT& p = parts.program;
  constexpr int kSteps = 50'000;
  const om::ValueT shape = *p.values[static_cast<size_t>(p.inputs[0])];
  p.nodes.clear();
  p.values.resize(1);
  *p.values[0] = shape;
  p.inputs = {0};
  for (int i = 1; i <= kSteps; ++i) {
    auto value = std::make_unique<om::ValueT>(shape);
    value->name = "t" + std::to_string(i);
    value->space = static_cast<uint8_t>(i < kSteps ? Space::kArena : Space::kOutput);
    value->offset = i < kSteps ? static_cast<uint64_t>(i % 2) * 64 : 0;
    p.values.push_back(std::move(value));
    auto node = std::make_unique<om::NodeT>();
    node->op = "Relu";
    node->name = "n";
    node->inputs = {i - 1};
    node->outputs = {i};
    p.nodes.push_back(std::move(node));
  }
  p.outputs = {kSteps};
  p.arena_bytes = 128;
  EXPECT_NO_THROW(read_om(write_test_om(put_together(parts))));
}

/// Changes one thing of a program at random: mostly to something near, or at a limit.
class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  void change(om::ProgramT& p) {
    om::NodeT& node = *p.nodes[below(p.nodes.size())];
    om::ValueT& value = *p.values[below(p.values.size())];
    switch (below(14)) {
      case 0:
        return mutate(value.offset, 64);
      case 1:
        return value.shape.empty() ? value.shape.push_back(1) : mutate(value.shape[below(value.shape.size())], 1);
      case 2:
        value.dtype = static_cast<uint8_t>(below(14));
        return;
      case 3:
        value.space = static_cast<uint8_t>(below(6));
        return;
      case 4:
        return change_ids(node.inputs, p.values.size());
      case 5:
        return change_ids(node.outputs, p.values.size());
      case 6:
        return below(4) != 0 ? mutate(p.arena_bytes, 64) : static_cast<void>(p.micro_batches = below(5));
      case 7:
        return change_ids(below(2) != 0 ? p.inputs : p.outputs, p.values.size());
      case 8: {
        const om::NodeT& other = *p.nodes[below(p.nodes.size())];
        node.op = other.op;
        node.domain = other.domain;
        return;
      }
      case 9: {  // the same shape on both sides, so that inference agrees
        om::ValueT& other = *p.values[below(p.values.size())];
        value.shape = other.shape;
        return;
      }
      case 10: {
        static const char* const kOps[] = {"Relu", "Identity", "Softmax", "Transpose", "Concat", "MaxPool", "Shape"};
        node.op = kOps[below(std::size(kOps))];
        node.domain.clear();
        return;
      }
      default:
        return change_attribute(node);
    }
  }

  size_t below(size_t limit) { return random_() % limit; }

 private:
  template <typename T>
  void mutate(T& number, int64_t unit) {
    static constexpr int64_t kLimits[] = {0,         1,        -1, 2, 16, 1 << 20, int64_t{1} << 31, int64_t{1} << 40,
                                          INT64_MAX, INT64_MIN};
    const size_t choice = below(16);
    const uint64_t step = static_cast<uint64_t>(unit) * (1 + below(3));
    number = static_cast<T>(choice < std::size(kLimits) ? static_cast<uint64_t>(kLimits[choice])
                            : choice < 13               ? static_cast<uint64_t>(number) + step
                                                        : static_cast<uint64_t>(number) - step);
  }

  void change_ids(std::vector<int32_t>& ids, size_t values) {
    const auto id = static_cast<int32_t>(below(values + 1)) - 1;
    const size_t choice = below(4);
    if (choice == 0 || ids.empty()) {
      ids.push_back(id);
    } else if (choice == 1) {
      ids.pop_back();
    } else {
      ids[below(ids.size())] = id;
    }
  }

  void change_attribute(om::NodeT& node) {
    static const char* const kNames[] = {"kernel_shape", "strides", "pads",  "out_channels", "size",
                                         "layout",       "perm",    "alpha", "dilations",    "ceil_mode"};
    if (node.attributes.empty() || below(8) == 0) {
      set(node, kNames[below(std::size(kNames))], static_cast<int64_t>(below(4)));
      return;
    }
    om::AttributeT& a = *node.attributes[below(node.attributes.size())];
    if (below(16) == 0) a.kind = static_cast<uint8_t>(below(7));
    if (a.kind == 2 && a.name != "program") a.text = below(2) != 0 ? "nhwc" : "nchw";
    if (a.name == "program" && !a.text.empty()) a.text[below(a.text.size())] = "x0t1; .e9"[below(10)];
    if (a.kind == 0) mutate(a.integer, 1);
    if (a.kind == 4 && below(2) != 0) a.reals.resize(below(6), 1.0f);
    if (a.kind == 3 && !a.integers.empty()) mutate(a.integers[below(a.integers.size())], 1);
    if (a.kind == 3 && below(16) == 0) a.integers.resize(below(6), 1);
  }

  std::mt19937 random_;
};

/// Calls f(i) for i = 0, 1, ... below `count`, for a few seconds at most.
void repeat(int count, const std::function<void(int)>& f) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  for (int i = 0; i < count && std::chrono::steady_clock::now() < end; ++i) f(i);
}

TEST(HostileProgram, RandomChangesOfTheProgram) {
  const auto good = om_bytes(small_program());
  int accepted = 0;
  repeat(3000, [&](int i) {
    OmParts parts = take_apart(good);
    Mutator mutator(static_cast<uint32_t>(i));
    for (size_t changes = 1 + mutator.below(3); changes > 0; --changes) mutator.change(parts.program);
    accepted += load_and_run(put_together(parts));
  });
  EXPECT_GT(accepted, 0) << "changes that only ever break a program test nothing of what runs it";
}

TEST(HostileProgram, RandomChangesOfTheBytes) {
  const auto good = om_bytes(small_program());
  const size_t end = take_apart(good).header.weights_offset;
  repeat(3000, [&](int i) {
    auto bad = good;
    std::mt19937 random(static_cast<uint32_t>(i));
    for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
      static constexpr uint8_t kBytes[] = {0, 1, 0x7F, 0x80, 0xFF};
      const size_t at = random() % 8 == 0 ? random() % sizeof(OmHeader) : sizeof(OmHeader) + random() % (end - 64);
      bad[at] = std::byte{random() % 2 != 0 ? static_cast<uint8_t>(random()) : kBytes[random() % std::size(kBytes)]};
    }
    seal(bad);
    load_and_run(bad);
  });
}

TEST(BadInput, Case68_HostilePlans) {
  const OmParts good = take_apart(om_bytes(three_plans()));
  EXPECT_EQ(read_om(write_test_om(put_together(good))).size(), 3u);
  const std::vector<std::pair<std::string, Change>> cases = {
      {"a plan twice", [](om::ProgramT& p) { p.plans.push_back(std::make_unique<om::ProgramT>(*p.plans[0])); }},
      {"the first plan again",
       [](om::ProgramT& p) {
         om::ProgramT first = p;
         first.plans.clear();
         p.plans.push_back(std::make_unique<om::ProgramT>(first));
       }},
      {"plans of a plan",
       [](om::ProgramT& p) { p.plans[0]->plans.push_back(std::make_unique<om::ProgramT>(*p.plans[1])); }},
      {"too many",
       [](om::ProgramT& p) {
         for (int i = 0; i < 300; ++i) p.plans.push_back(std::make_unique<om::ProgramT>(*p.plans[0]));
       }},
      {"another target", [](om::ProgramT& p) { p.plans[1]->target = "cuda"; }},
      {"another input's name", [](om::ProgramT& p) { p.plans[1]->values[p.plans[1]->inputs[0]]->name = "other"; }},
      {"another output's name", [](om::ProgramT& p) { p.plans[1]->values[p.plans[1]->outputs[0]]->name = "other"; }},
      {"an output less",
       [](om::ProgramT& p) {
         for (auto& value : p.plans[0]->values)
           if (value->space == static_cast<uint8_t>(Space::kOutput) && value->offset == p.plans[0]->outputs.size() - 1)
             value->space = static_cast<uint8_t>(Space::kArena), value->offset = 0;
         p.plans[0]->outputs.pop_back();
       }},
      {"no steps", [](om::ProgramT& p) { p.plans[1]->nodes.clear(); }},
      {"an arena that is too small", [](om::ProgramT& p) { p.plans[1]->arena_bytes = 64; }},
      {"an arena that is too large", [](om::ProgramT& p) { p.plans[1]->arena_bytes = uint64_t{1} << 40; }},
      {"weights elsewhere", [](om::ProgramT& p) { value_in(*p.plans[1], Space::kWeights).offset = uint64_t{1} << 40; }},
      {"a shape of its own", [](om::ProgramT& p) { value_in(*p.plans[1], Space::kArena).shape[0] = 7; }},
  };
  expect_refused(good, cases);
}

}  // namespace
}  // namespace effdet::artifact
