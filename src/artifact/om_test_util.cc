// Small compiled models, and files taken apart and put together again with other contents.
#include "artifact/om_test_util.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "artifact/om_file.h"
#include "base/file.h"
#include "compiler/compile.h"
#include "support/test_folder.h"

namespace effdet::artifact {
namespace {

using Ints = std::vector<int64_t>;

Tensor waves(Shape shape, float phase = 0) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = 0.5f * std::sin(phase += 1.7f);
  return tensor;
}

/// Adds layers with constants of their own.
struct Layers {
  ir::Graph graph;
  int count = 0;

  ir::ValueId conv(ir::ValueId x, Shape weights, int64_t stride = 1, int64_t group = 1) {
    const std::string name = "conv" + std::to_string(count++);
    const int64_t out = weights[0], kernel = weights[2], pad = kernel / 2;
    const ir::ValueId w = graph.add_constant(name + "_w", waves(std::move(weights), static_cast<float>(count)));
    const ir::ValueId b = graph.add_constant(name + "_b", waves({out}));
    return graph.add_node("Conv", name, {x, w, b},
                          {{"strides", Ints{stride, stride}}, {"pads", Ints{pad, pad, pad, pad}}, {"group", group}});
  }
  ir::ValueId swish(ir::ValueId x) {
    const std::string name = "swish" + std::to_string(count++);
    return graph.add_node("Mul", name, {x, graph.add_node("Sigmoid", name + "_gate", {x})});
  }
  ir::ValueId scale(ir::ValueId x, float factor) {
    const std::string name = "scale" + std::to_string(count++);
    return graph.add_node("Mul", name, {x, graph.add_constant(name + "_factor", Tensor::scalar(factor))});
  }
};

}  // namespace

OmParts take_apart(const std::vector<std::byte>& file) {
  OmParts parts{};
  std::memcpy(&parts.header, file.data(), sizeof parts.header);
  om::GetProgram(file.data() + parts.header.program_offset)->UnPackTo(&parts.program);
  parts.weights.assign(file.begin() + static_cast<ptrdiff_t>(parts.header.weights_offset), file.end());
  return parts;
}

std::vector<std::byte> put_together(const OmParts& parts) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(om::Program::Pack(builder, &parts.program));
  return put_together(parts.header, std::as_bytes(builder.GetBufferSpan()), parts.weights);
}

std::vector<std::byte> put_together(OmHeader header, std::span<const std::byte> program,
                                    std::span<const std::byte> weights) {
  header.program_bytes = program.size();
  header.weights_offset = sizeof header + aligned_bytes(program.size());
  header.weights_bytes = weights.size();
  header.file_bytes = header.weights_offset + header.weights_bytes;
  std::vector<std::byte> file(header.file_bytes);
  std::memcpy(file.data(), &header, sizeof header);
  std::ranges::copy(program, file.begin() + sizeof header);
  std::ranges::copy(weights, file.begin() + static_cast<ptrdiff_t>(header.weights_offset));
  seal(file);
  return file;
}

std::vector<std::byte> with_shapes_off_boundary(const std::vector<std::byte>& file) {
  OmHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<const std::byte> old = std::span(file).subspan(header.program_offset, header.program_bytes);
  std::vector<std::byte> program(old.begin(), old.end());
  for (const om::Value* value : *om::GetProgram(old.data())->values()) {
    program.resize((program.size() + 7) / 8 * 8);  // the count has 4 bytes, and the numbers follow
    const auto* list = reinterpret_cast<const std::byte*>(value->shape());
    const auto* table = reinterpret_cast<const flatbuffers::Table*>(value);
    const auto field = reinterpret_cast<const std::byte*>(table->GetAddressOf(om::Value::VT_SHAPE)) - old.data();
    const uint32_t distance = static_cast<uint32_t>(program.size() - static_cast<size_t>(field));
    std::memcpy(program.data() + field, &distance, sizeof distance);
    program.insert(program.end(), list, list + sizeof(uint32_t) + value->shape()->size() * sizeof(int64_t));
  }
  return put_together(header, program, std::span(file).subspan(header.weights_offset));
}

void seal(std::vector<std::byte>& file) {
  OmHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<const std::byte> rest[] = {std::span(file).subspan(sizeof header)};
  header.checksum = om_checksum(header, rest);
  std::memcpy(file.data(), &header, sizeof header);
}

Program tiny_program() {
  Layers layers;
  const ir::ValueId x = layers.graph.add_input("x", DType::kF32, {1, 2, 2, 2});
  layers.graph.outputs = {layers.graph.add_node("Relu", "y", {layers.scale(x, 0.5f)})};
  return compiler::compile(layers.graph);
}

namespace {

ir::Graph small_graph() {
  Layers l;
  const ir::ValueId x = l.graph.add_input("x", DType::kF32, {1, 3, 8, 8});
  const ir::ValueId stem = l.swish(l.conv(x, {16, 3, 3, 3}));
  const ir::ValueId deep = l.swish(l.conv(stem, {16, 1, 3, 3}, 1, 16));
  const ir::ValueId mean = l.graph.add_node("GlobalAveragePool", "mean", {deep});
  const ir::ValueId gate =
      l.graph.add_node("Sigmoid", "gate", {l.conv(l.swish(l.conv(mean, {4, 16, 1, 1})), {16, 4, 1, 1})});
  const ir::ValueId block =
      l.graph.add_node("Add", "block", {l.conv(l.graph.add_node("Mul", "gated", {deep, gate}), {16, 16, 1, 1}), stem});
  const ir::ValueId down = l.graph.add_node(
      "MaxPool", "down", {block}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
  const float factors[] = {1, 1, 2, 2};
  const ir::ValueId scales = l.graph.add_constant("scales", Tensor::from<float>({4}, factors));
  const ir::ValueId up = l.graph.add_node(
      "Resize", "up", {down, ir::kNoValue, scales},
      {{"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}});
  const ir::ValueId sum = l.swish(l.graph.add_node("Add", "sum", {l.scale(block, 0.25f), l.scale(up, 0.75f)}));
  // An activation by itself, after an operator that only the reference runs.
  const ir::ValueId odd =
      l.graph.add_node("Relu", "relu", {l.graph.add_node("Hardmax", "hardmax", {down}, {{"axis", int64_t{1}}})});
  // As fusion would make it of a larger map.
  const auto constant = [&](const char* name, Shape shape) {
    return l.graph.add_constant(name, waves(std::move(shape)));
  };
  const ir::ValueId wide = l.graph.add_node("ExpandDepthwise", "wide",
                                            {down, constant("wide_w", {2, 16, 16}), constant("wide_b", {32}),
                                             constant("wide_dw", {3, 3, 20}), constant("wide_db", {20})},
                                            {{"out_channels", int64_t{20}},
                                             {"kernel_shape", Ints{3, 3}},
                                             {"pads", Ints{1, 1, 1, 1}},
                                             {"expand_activation", "swish"},
                                             {"activation", "relu"}},
                                            std::string(ir::kFusedDomain));
  const ir::ValueId deep_block = l.graph.add_node("DepthwisePointwise", "deep_block",
                                                  {down, constant("deep_dw", {3, 3, 16}), constant("deep_db", {16}),
                                                   constant("deep_w", {1, 16, 16}), constant("deep_b", {16}), down},
                                                  {{"out_channels", int64_t{16}},
                                                   {"kernel_shape", Ints{3, 3}},
                                                   {"pads", Ints{1, 1, 1, 1}},
                                                   {"depthwise_activation", "relu6"},
                                                   {"activation", "swish"}},
                                                  std::string(ir::kFusedDomain));
  // Upsampling, a pool, a program of steps, and products of rows.
  const ir::ValueId larger = l.graph.add_node("ConvTranspose", "larger", {down, constant("larger_w", {16, 3, 3, 3})},
                                              {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
  const ir::ValueId pooled = l.graph.add_node("AveragePool", "pooled", {larger}, {{"kernel_shape", Ints{2, 2}}});
  const ir::ValueId product = l.graph.add_node("Mul", "product", {pooled, constant("factors", {3, 1, 1})});
  const ir::ValueId bent = l.graph.add_node("Max", "bent", {product, l.graph.add_node("Tanh", "tanh", {pooled})});
  const ir::ValueId rows = l.graph.add_node("MatMul", "rows", {bent, constant("rows_w", {6, 7})});
  l.graph.outputs = {l.conv(sum, {5, 16, 1, 1}), odd, wide, deep_block, l.graph.add_node("Elu", "elu", {rows})};
  l.graph.metadata = {{"effdet.test", "yes"}};
  return l.graph;
}

}  // namespace

Program small_program() { return compiler::compile(small_graph()); }

std::vector<Program> three_plans() {
  const ir::Graph graph = small_graph();
  std::vector<std::map<std::string, Shape>> shapes;
  for (const int64_t batch : {1, 2, 4}) {
    Shape shape = *graph.value(graph.inputs[0]).shape;
    shape[0] = batch;
    shapes.push_back({{graph.value(graph.inputs[0]).name, shape}});
  }
  return compiler::compile_plans(graph, {}, shapes);
}

std::vector<std::byte> om_bytes(std::span<const Program> plans) {
  const std::filesystem::path path = write_test_om({});
  write_om(plans, path);
  const MappedFile file(path);
  return {file.bytes().begin(), file.bytes().end()};
}

std::filesystem::path write_test_om(const std::vector<std::byte>& content) {
  static const test::TestFolder folder("om");  // one for all: some tests write thousands of files
  const std::filesystem::path path = folder / "test.om";
  write_file(path, content, /*sync=*/false);
  return path;
}

}  // namespace effdet::artifact
