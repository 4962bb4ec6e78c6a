// Writes a graph in pieces, weights straight from memory, beside the file where they are too large for it.
#include "onnx/writer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <climits>
#include <limits>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "ir/messages.h"
#include "onnx/attribute.h"
#include "onnx/subgraph.h"

namespace effdet::onnx {
namespace {

namespace io = google::protobuf::io;

// Tags of length-delimited fields that are written by hand: field number * 8 + 2.
constexpr uint32_t kModelGraph = 7 * 8 + 2;        // ModelProto.graph
constexpr uint32_t kGraphInitializer = 5 * 8 + 2;  // GraphProto.initializer
constexpr uint32_t kTensorRawData = 9 * 8 + 2;     // TensorProto.raw_data

/// Bytes of a length-delimited field with a one-byte tag, tag and length included.
uint64_t field_size(uint64_t length) { return 1 + io::CodedOutputStream::VarintSize64(length) + length; }

std::string field_header(uint32_t tag, uint64_t length) {
  std::string header;
  {
    io::StringOutputStream stream(&header);
    io::CodedOutputStream out(&stream);
    out.WriteTag(tag);
    out.WriteVarint64(length);
  }
  return header;
}

/// Whether a declared type says what is known of the value, and maybe more.
bool agrees(const ir::Value& value, const pb::TypeProto& declared) {
  if (value.dtype == DType::kUnknown) return true;
  const auto& type = declared.tensor_type();
  if (!declared.has_tensor_type() || type.elem_type() != proto_of_dtype(value.dtype)) return false;
  return type.has_shape() == value.shape.has_value() && (!value.shape || shape_of(type) == *value.shape);
}

void put_type(const ir::Value& value, pb::ValueInfoProto& proto) {
  proto.set_name(value.name);
  if (value.declared) {
    if (!proto.mutable_type()->ParseFromString(*value.declared))
      fail(ErrorCode::kInternal, "the type of '{}' does not parse any more", value.name);
    if (agrees(value, proto.type())) return;
    proto.clear_type();
  }
  if (value.dtype == DType::kUnknown) return;
  auto* type = proto.mutable_type()->mutable_tensor_type();
  type->set_elem_type(proto_of_dtype(value.dtype));
  if (!value.shape) return;
  auto* shape = type->mutable_shape();  // present even without dimensions: a scalar
  for (int64_t dim : *value.shape) {
    auto* out = shape->add_dim();
    if (dim >= 0) out->set_dim_value(dim);
  }
}

/// The same for an output of the graph: dimensions that are not known are those that the file declared.
void put_output_type(const ir::Value& value, pb::ValueInfoProto& proto) {
  put_type(value, proto);
  pb::TypeProto declared;
  if (!value.declared || value.dtype == DType::kUnknown || !declared.ParseFromString(*value.declared)) return;
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  const auto& tensor = declared.tensor_type();
  if (!declared.has_tensor_type() || tensor.elem_type() != type.elem_type() || !tensor.has_shape()) return;
  if (!value.shape) {
    *type.mutable_shape() = tensor.shape();
  } else if (tensor.shape().dim_size() == type.shape().dim_size()) {
    for (int i = 0; i < tensor.shape().dim_size(); ++i)
      if ((*value.shape)[static_cast<size_t>(i)] < 0) *type.mutable_shape()->mutable_dim(i) = tensor.shape().dim(i);
  }
}

/// The names under which a node's graphs read values, where these have others by now.
Renames renames_of(const ir::Graph& graph, const ir::Node& node) {
  Renames renames;
  const size_t operands = node.inputs.size() - node.captures.size();
  for (size_t i = 0; i < node.captures.size(); ++i)
    if (const std::string& name = graph.value(node.inputs[operands + i]).name; name != node.captures[i])
      renames[node.captures[i]] = name;
  return renames;
}

/// The place for an attribute: the file may have said something of it already.
pb::AttributeProto& attribute_named(pb::NodeProto& proto, const std::string& name) {
  for (auto& attribute : *proto.mutable_attribute())
    if (attribute.name() == name) return attribute;
  return *proto.add_attribute();
}

void put_node(const ir::Graph& graph, const ir::Node& node, pb::NodeProto& proto) {
  const auto name = [&](ir::ValueId id) { return id == ir::kNoValue ? std::string() : graph.value(id).name; };
  if (node.extra && !proto.ParseFromString(*node.extra))
    fail(ErrorCode::kInternal, "node '{}' does not parse any more", node.name);
  proto.set_op_type(node.op);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  proto.set_name(node.name);
  for (size_t i = 0; i + node.captures.size() < node.inputs.size(); ++i) proto.add_input(name(node.inputs[i]));
  for (ir::ValueId id : node.outputs) proto.add_output(name(id));
  const Renames renames = renames_of(graph, node);
  for (const auto& [key, attribute] : node.attributes) {
    pb::AttributeProto& put = attribute_named(proto, key);
    put_attribute(key, attribute, put);
    if (!renames.empty()) rename_values(put, renames);
  }
}

/// Whether there is something to say of a value that only nodes see.
bool has_type(const ir::Value& value) {
  return value.dtype == DType::kUnknown ? value.declared != nullptr : value.shape.has_value();
}

/// The graph without its weights.
pb::GraphProto skeleton(const ir::Graph& graph) {
  pb::GraphProto proto;
  proto.set_name(graph.name.empty() ? "graph" : graph.name);  // the checker wants a name
  for (const ir::Node& node : graph.nodes) put_node(graph, node, *proto.add_node());
  for (ir::ValueId id : graph.inputs) put_type(graph.value(id), *proto.add_input());
  for (ir::ValueId id : graph.outputs) put_output_type(graph.value(id), *proto.add_output());
  const std::set<ir::ValueId> outputs(graph.outputs.begin(), graph.outputs.end());
  for (const ir::Node& node : graph.nodes)
    for (ir::ValueId id : node.outputs)
      if (id != ir::kNoValue && has_type(graph.value(id)) && !outputs.contains(id))
        put_type(graph.value(id), *proto.add_value_info());
  return proto;
}

/// The functions that are still needed: all, where a node calls one, or may do so in a graph of its own.
std::vector<pb::FunctionProto> functions_of(const ir::Graph& graph) {
  std::vector<pb::FunctionProto> functions(graph.functions.size());
  std::set<std::string> domains;
  for (size_t i = 0; i < functions.size(); ++i) {
    if (!functions[i].ParseFromString(*graph.functions[i]))
      fail(ErrorCode::kInternal, "a function does not parse any more");
    domains.insert(functions[i].domain());
  }
  const bool needed = std::ranges::any_of(graph.nodes, [&](const ir::Node& node) {
    return ir::has_opaque_attribute(node) || domains.contains(node.domain);
  });
  return needed ? functions : std::vector<pb::FunctionProto>();
}

/// Versions of other domains' operator sets: those that nodes need, and all where it does not show who needs them.
std::map<std::string, int64_t> imports_of(const ir::Graph& graph) {
  std::map<std::string, int64_t> imports;
  if (graph.ir_version > 0) imports = graph.imports;
  for (const ir::Node& node : graph.nodes) {
    const auto known = graph.imports.find(node.domain);
    if (!node.domain.empty()) imports[node.domain] = known == graph.imports.end() ? 1 : known->second;
  }
  return imports;
}

/// The model without its graph.
pb::ModelProto envelope(const ir::Graph& graph) {
  pb::ModelProto model;
  // What ONNX pairs with these opsets.
  const int64_t least = graph.opset >= 21 ? 10 : graph.opset >= 19 ? 9 : graph.opset >= 15 ? 8 : 7;
  std::vector<pb::FunctionProto> functions = functions_of(graph);
  model.set_ir_version(std::max(least, graph.ir_version));
  model.set_producer_name("effdet");
  auto* own = model.add_opset_import();
  own->set_domain("");
  own->set_version(graph.opset);
  for (const auto& [domain, version] : imports_of(graph)) {
    auto* import = model.add_opset_import();
    import->set_domain(domain);
    import->set_version(version);
  }
  for (pb::FunctionProto& function : functions) *model.add_functions() = std::move(function);
  for (const auto& [key, value] : graph.metadata) {
    auto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

/// An initializer: the message's small part, and the tensor whose bytes follow it.
struct Initializer {
  std::string header;
  const Tensor* tensor;   ///< null: the header is all
  bool external = false;  ///< the header says where the bytes lie

  bool has_bytes() const { return tensor != nullptr && !external; }
  uint64_t size() const { return header.size() + (has_bytes() ? field_size(tensor->byte_size()) : 0); }
};

/// A TensorProto under another name: of a field that comes twice, the last one counts.
std::string named(const std::string& tensor, const std::string& name) {
  pb::TensorProto proto;
  proto.set_name(name);
  return tensor + proto.SerializePartialAsString();
}

std::vector<Initializer> initializers_of(const ir::Graph& graph,
                                         uint64_t limit = std::numeric_limits<uint64_t>::max()) {
  std::vector<Initializer> initializers;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.initializer) initializers.push_back({named(*value.initializer, value.name), nullptr});
    if (!value.constant || value.constant->byte_size() >= limit) continue;
    pb::TensorProto header;
    put_tensor_header(value.name, *value.constant, header);
    initializers.push_back({header.SerializeAsString(), &*value.constant});
  }
  return initializers;
}

uint64_t total_size(const std::vector<Initializer>& initializers) {
  uint64_t size = 0;
  for (const Initializer& initializer : initializers) size += field_size(initializer.size());
  return size;
}

/// An initializer of the same name, type and shape that is zero everywhere.
void put_empty(const std::string& name, const Tensor& tensor, pb::SparseTensorProto& proto) {
  for (int64_t dim : tensor.shape()) proto.add_dims(dim);
  proto.mutable_values()->set_name(name);
  proto.mutable_values()->set_data_type(proto_of_dtype(tensor.dtype()));
  proto.mutable_values()->add_dims(0);
  proto.mutable_indices()->set_data_type(pb::TensorProto::INT64);
  proto.mutable_indices()->add_dims(0);
}

/// Shapes and the like stay in the model: programs look at them before they open other files.
constexpr uint64_t kSmallestExternal = 1024;
void put_empty_weights(const ir::Graph& graph, pb::GraphProto& proto) {
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.constant && value.constant->byte_size() >= kSmallestExternal)
      put_empty(value.name, *value.constant, *proto.add_sparse_initializer());
  }
}

/// Readers that map the file find every element type aligned.
constexpr uint64_t kExternalAlignment = 64;

/// The part of a header that sends the reader to another file.
std::string external_reference(const std::string& location, uint64_t offset, uint64_t length) {
  pb::TensorProto proto;
  proto.set_data_location(pb::TensorProto::EXTERNAL);
  const auto put = [&](const char* key, const std::string& value) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  put("location", location);
  put("offset", std::to_string(offset));
  put("length", std::to_string(length));
  return proto.SerializePartialAsString();
}

/// Writes the large weights to a file of their own, called `name`, and lets their headers say so.
void write_external(std::vector<Initializer>& initializers, const std::string& name, AtomicFile& file) {
  uint64_t offset = 0;
  for (Initializer& initializer : initializers) {
    if (initializer.tensor == nullptr) continue;
    const uint64_t size = initializer.tensor->byte_size();
    if (size < kSmallestExternal) continue;
    const uint64_t padding = (kExternalAlignment - offset % kExternalAlignment) % kExternalAlignment;
    file.write(std::string(padding, '\0'));
    offset += padding;
    initializer.header += external_reference(name, offset, size);
    initializer.external = true;
    file.write(initializer.tensor->bytes());
    offset += size;
  }
}

/// The file for weights beside a model. A pipe or a device has nothing beside it.
std::filesystem::path external_path(const std::filesystem::path& model) {
  std::error_code ignored;
  if (std::filesystem::is_other(model, ignored))
    fail(ErrorCode::kUsage, "{}: is no regular file, so that no file with the weights can lie beside it",
         model.string());
  return model.string() + ".data";
}

}  // namespace

std::vector<std::filesystem::path> write_onnx(const ir::Graph& graph, const std::filesystem::path& path,
                                              WeightPlacement weights) {
  const bool leave_out = weights == WeightPlacement::kLeftOut;
  pb::GraphProto proto = skeleton(graph);
  if (leave_out) put_empty_weights(graph, proto);
  const std::string model = envelope(graph).SerializeAsString(), nodes = proto.SerializeAsString();
  std::vector<Initializer> initializers =
      initializers_of(graph, leave_out ? kSmallestExternal : std::numeric_limits<uint64_t>::max());
  const auto message_size = [&] { return model.size() + field_size(nodes.size() + total_size(initializers)); };
  std::vector<std::filesystem::path> files{path};
  std::optional<AtomicFile> data;
  if (weights == WeightPlacement::kBeside || message_size() > INT_MAX) {
    files.push_back(external_path(path));
    data.emplace(files.back());
    write_external(initializers, files.back().filename().string(), *data);
  }
  if (message_size() > INT_MAX)
    fail(ErrorCode::kUnsupported, "{}: a model of {} bytes besides its weights does not fit into protobuf's 2 GiB",
         path.string(), message_size());

  AtomicFile file(path);
  file.write(model);
  file.write(field_header(kModelGraph, nodes.size() + total_size(initializers)));
  file.write(nodes);
  for (const Initializer& initializer : initializers) {
    file.write(field_header(kGraphInitializer, initializer.size()));
    file.write(initializer.header);
    if (!initializer.has_bytes()) continue;
    file.write(field_header(kTensorRawData, initializer.tensor->byte_size()));
    file.write(initializer.tensor->bytes());
  }
  if (data) data->commit();  // first: a model never refers to what is not there yet
  file.commit();
  return files;
}

}  // namespace effdet::onnx
