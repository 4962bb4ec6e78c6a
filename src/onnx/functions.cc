// Puts the bodies of a model's functions in the place of their calls.
#include "onnx/functions.h"

#include <map>
#include <set>

#include "base/error.h"
#include "onnx/opset_changes.h"
#include "onnx/subgraph.h"

namespace effdet::onnx {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<pb::NodeProto>;

constexpr int kMostNesting = 100;
constexpr int64_t kMostNodes = 100'000;
constexpr uint64_t kMostBytes = uint64_t{64} << 20;
/// Names of calls inside calls grow with each: longer ones are cut.
constexpr size_t kLongestPrefix = 200;

// Fields that are younger than the library's copy of onnx.proto; it keeps them without knowing them.
constexpr int kNodeOverload = 8, kFunctionOverload = 13, kFunctionDefaults = 11;

/// The contents of a length-delimited field that the message's type does not know.
std::vector<std::string> unknown_fields(const google::protobuf::Message& message, int number) {
  std::vector<std::string> contents;
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i)
    if (fields.field(i).number() == number &&
        fields.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      contents.push_back(fields.field(i).length_delimited());
  return contents;
}

std::string unknown_string(const google::protobuf::Message& message, int number) {
  const auto contents = unknown_fields(message, number);
  return contents.empty() ? "" : contents.back();
}

/// What a call and a function are matched by.
struct Key {
  std::string domain, name, overload;
  auto operator<=>(const Key&) const = default;
};

struct Function {
  pb::FunctionProto* proto = nullptr;
  std::map<std::string, pb::AttributeProto> defaults;
  enum class State { kNew, kOpen, kExpanded } state = State::kNew;
  bool fits = true;  ///< into the model's operator sets
};

/// The values of a graph or function, to make names that are none of them.
class Names {
 public:
  void add(const std::string& name) { taken_.insert(name); }
  void add(const Nodes& nodes) {
    for (const auto& node : nodes) {
      for (const auto& list : {node.input(), node.output()})
        for (const std::string& name : list) taken_.insert(name);
      InnerNames inner;
      for (const auto& attribute : node.attribute()) collect_names(attribute, inner);
      taken_.merge(inner.defined);
    }
  }
  std::string make(const std::string& base) {
    std::string name = base;
    for (int& i = next_[base]; !taken_.insert(name).second;) name = base + "_" + std::to_string(++i);
    return name;
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> next_;
};

class Inliner {
 public:
  Inliner(pb::ModelProto& model, const std::string& file) : model_(model), file_(file) {
    for (auto& proto : *model.mutable_functions()) add(proto);
    for (auto& [key, function] : functions_) function.fits = fits(function);
  }

  void run() {
    pb::GraphProto& graph = *model_.mutable_graph();
    Names names;
    names.add(*graph.mutable_node());
    for (const auto& input : graph.input()) names.add(input.name());
    for (const auto& tensor : graph.initializer()) names.add(tensor.name());
    expand(*graph.mutable_node(), names, 0);
    std::set<Key> called;
    collect_calls(graph.node(), called);
    keep(called);
  }

 private:
  static std::string label(const Key& key) {
    return fmt::format("{}.{}{}{}", key.domain, key.name, key.overload.empty() ? "" : ":", key.overload);
  }

  static Key key_of(const pb::NodeProto& node) {
    return {canonical_domain(node.domain()), node.op_type(), unknown_string(node, kNodeOverload)};
  }

  void add(pb::FunctionProto& proto) {
    const Key key{canonical_domain(proto.domain()), proto.name(), unknown_string(proto, kFunctionOverload)};
    const auto [place, is_new] = functions_.emplace(key, Function{&proto, {}});
    if (!is_new) bad_input("{}: function '{}' is defined twice", file_, label(key));
    for (const std::string& bytes : unknown_fields(proto, kFunctionDefaults)) {
      pb::AttributeProto attribute;
      if (!attribute.ParseFromString(bytes))
        bad_input("{}: function '{}' has a default that is no attribute", file_, label(key));
      place->second.defaults[attribute.name()] = attribute;
    }
  }

  /// Adds the operator sets that the model does not import yet; false where one of another version matters.
  bool fits(const Function& function) {
    for (const auto& import : function.proto->opset_import()) {
      const std::string domain = canonical_domain(import.domain());
      const pb::OperatorSetIdProto* own = nullptr;
      for (const auto& candidate : model_.opset_import())
        if (canonical_domain(candidate.domain()) == domain) own = &candidate;
      if (own == nullptr) {
        *model_.add_opset_import() = import;
      } else if (own->version() != import.version() &&
                 (!domain.empty() || any_changes(function.proto->node(), own->version(), import.version()))) {
        return false;
      }
    }
    return true;
  }

  static bool any_changes(const Nodes& nodes, int64_t a, int64_t b) {
    for (const auto& node : nodes) {
      if (canonical_domain(node.domain()).empty() && meaning_changes(node.op_type(), a, b)) return true;
      for (const auto& attribute : node.attribute()) {
        bool found = false;
        for_each_graph(attribute,
                       [&](const pb::GraphProto& graph) { found = found || any_changes(graph.node(), a, b); });
        if (found) return true;
      }
    }
    return false;
  }

  /// Replaces the calls among some nodes and in their graphs.
  void expand(Nodes& nodes, Names& names, int depth) {
    Nodes expanded;
    for (auto& node : nodes) {
      for (auto& attribute : *node.mutable_attribute())
        for_each_graph(attribute, [&](pb::GraphProto& graph) { expand(*graph.mutable_node(), names, depth); });
      const Key key = key_of(node);
      const auto found = functions_.find(key);
      if (found == functions_.end() || !found->second.fits) {
        expanded.Add(std::move(node));
        continue;
      }
      prepare(found->first, found->second, depth + 1);
      instantiate(node, found->first, found->second, names, expanded);
    }
    nodes.Swap(&expanded);
  }

  /// Replaces the calls in a function's own nodes.
  void prepare(const Key& key, Function& function, int depth) {
    if (function.state == Function::State::kExpanded) return;
    if (function.state == Function::State::kOpen) bad_input("{}: function '{}' calls itself", file_, label(key));
    if (depth > kMostNesting)
      fail(ErrorCode::kUnsupported, "{}: functions are nested deeper than {} times at '{}'", file_, kMostNesting,
           label(key));
    function.state = Function::State::kOpen;
    Names names;
    names.add(function.proto->node());
    for (const std::string& input : function.proto->input()) names.add(input);
    expand(*function.proto->mutable_node(), names, depth);
    function.state = Function::State::kExpanded;
  }

  /// Appends a function's nodes as one call wants them.
  void instantiate(const pb::NodeProto& call, const Key& key, const Function& function, Names& names, Nodes& nodes) {
    const pb::FunctionProto& proto = *function.proto;
    if (call.input_size() > proto.input_size() || call.output_size() > proto.output_size())
      bad_input("{}: node '{}' calls function '{}' with {} inputs and {} outputs; it has {} and {}", file_,
                label_of(call), label(key), call.input_size(), call.output_size(), proto.input_size(),
                proto.output_size());
    const std::string own = label_of(call), prefix = (own.empty() ? proto.name() : own).substr(0, kLongestPrefix) + "/";
    Renames renames;
    for (int i = 0; i < proto.input_size(); ++i)
      renames[proto.input(i)] = i < call.input_size() ? call.input(i) : std::string();
    std::vector<std::pair<std::string, std::string>> copies;  // a value of the function under a second name
    for (int i = 0; i < call.output_size(); ++i) {
      if (call.output(i).empty()) continue;
      if (!renames.emplace(proto.output(i), call.output(i)).second)
        copies.emplace_back(renames[proto.output(i)], call.output(i));
    }
    const auto own_name = [&](const std::string& name) -> const std::string& {
      const auto found = renames.find(name);
      return found != renames.end() ? found->second : renames[name] = names.make(prefix + name);
    };
    for (const auto& body : proto.node()) {
      take(key, body);
      pb::NodeProto& node = *nodes.Add();
      node = body;
      if (!node.name().empty()) node.set_name(prefix + node.name());
      for (std::string& input : *node.mutable_input()) input = read(input, renames, key);
      InnerNames inner;
      for (const auto& attribute : node.attribute()) collect_names(attribute, inner);
      for (const std::string& name : inner.defined) own_name(name);
      for (auto& attribute : *node.mutable_attribute()) rename_values(attribute, renames, true);
      settle_attributes(node, call, function);  // a graph that the call gives reads values by the caller's names
      for (std::string& output : *node.mutable_output())
        if (!output.empty()) output = own_name(output);
    }
    for (const auto& [from, to] : copies) {
      pb::NodeProto& node = *nodes.Add();
      node.set_op_type("Identity");
      node.set_name(names.make(prefix + "copy"));
      node.add_input(from);
      node.add_output(to);
    }
  }

  std::string read(const std::string& name, const Renames& renames, const Key& key) const {
    if (name.empty()) return name;
    const auto found = renames.find(name);
    if (found == renames.end())
      bad_input("{}: function '{}' reads '{}' before a node makes it", file_, label(key), name);
    return found->second;
  }

  /// Puts the call's attributes, or defaults, in the place of references; what neither has is absent.
  void settle_attributes(pb::NodeProto& node, const pb::NodeProto& call, const Function& function) {
    google::protobuf::RepeatedPtrField<pb::AttributeProto> settled;
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.ref_attr_name().empty()) {
        for_each_graph(attribute, [&](pb::GraphProto& graph) {
          for (auto& inner : *graph.mutable_node()) settle_attributes(inner, call, function);
        });
        settled.Add(std::move(attribute));
      } else if (const pb::AttributeProto* found = find(attribute.ref_attr_name(), call, function)) {
        const std::string name = attribute.name();
        *settled.Add() = *found;
        settled.rbegin()->set_name(name);
      }
    }
    node.mutable_attribute()->Swap(&settled);
  }

  static const pb::AttributeProto* find(const std::string& name, const pb::NodeProto& call, const Function& function) {
    for (const auto& attribute : call.attribute())
      if (attribute.name() == name) return &attribute;
    const auto found = function.defaults.find(name);
    return found == function.defaults.end() ? nullptr : &found->second;
  }

  void take(const Key& key, const pb::NodeProto& node) {
    bytes_ += node.ByteSizeLong();
    if (++nodes_ > kMostNodes || bytes_ > kMostBytes)
      fail(ErrorCode::kUnsupported, "{}: functions come to more than {} nodes or {} MB where they are called, at '{}'",
           file_, kMostNodes, kMostBytes >> 20, label(key));
  }

  void collect_calls(const Nodes& nodes, std::set<Key>& called) const {
    for (const auto& node : nodes) {
      const auto found = functions_.find(key_of(node));
      if (found != functions_.end() && called.insert(found->first).second)
        collect_calls(found->second.proto->node(), called);
      for (const auto& attribute : node.attribute())
        for_each_graph(attribute, [&](const pb::GraphProto& graph) { collect_calls(graph.node(), called); });
    }
  }

  /// Drops the functions that nobody calls any more.
  void keep(const std::set<Key>& called) {
    google::protobuf::RepeatedPtrField<pb::FunctionProto> kept;
    for (auto& [key, function] : functions_)
      if (called.contains(key)) kept.Add(std::move(*function.proto));
    model_.mutable_functions()->Swap(&kept);
  }

  pb::ModelProto& model_;
  const std::string& file_;
  std::map<Key, Function> functions_;
  int64_t nodes_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

void inline_functions(pb::ModelProto& model, const std::string& file) {
  if (model.functions_size() > 0) Inliner(model, file).run();
}

}  // namespace effdet::onnx
