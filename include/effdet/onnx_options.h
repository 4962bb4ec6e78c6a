// Options for changing, comparing and writing ONNX models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effdet {

/// Where the weights of a written model go.
enum class WeightPlacement {
  kInside,   ///< into the model's file
  kBeside,   ///< weights of 1 KiB and more into a file beside it, <model>.data (always if they exceed protobuf's 2 GiB)
  kLeftOut,  ///< weights of 1 KiB and more are left empty, for viewers
};

/// Versions of ONNX's operator set that models are written for.
inline constexpr int64_t kLowestOpset = 11, kHighestOpset = 22;

struct SimplifyOptions {
  bool fuse_batch_norm = true;        ///< fold BatchNormalization, Mul, Add, ... after a Conv into its weights
  bool fold_constants = true;         ///< replace nodes whose inputs are constant by their outputs
  std::set<std::string> skip_passes;  ///< names of passes to skip, of OnnxModel::simplify_passes()
  /// Constant folding keeps a node if its output would make the file larger by more than this, in bytes.
  uint64_t largest_growth = uint64_t{1} << 20;
  /// Called with each node that was kept for that reason, and by how many bytes the file would have grown.
  std::function<void(const std::string& node, uint64_t bytes)> on_growth;
  /// New shapes for inputs, by name. The name "" stands for the only input.
  std::map<std::string, std::vector<int64_t>> input_shapes;
  /// Called after each pass that changed the graph, with one line: its name, and the number of nodes before and after.
  std::function<void(std::string_view line)> on_change;
};

/// Changes to a graph, applied in the order of the members. All names are those of the unchanged model. A tensor is
/// given by its own name, by "node" for the first output of a node, or by "node:1" for another output.
struct GraphEdits {
  /// Initializers and their new values, as text: "0" for all elements, or "1,2,3" with one value for each. Type and
  /// shape stay.
  std::vector<std::pair<std::string, std::string>> initializers;
  struct AttributeEdit {
    std::string node, attribute, value;
  };
  /// Attributes and their new values, as text: a number, a list "[1,1]", or else a string. An existing attribute keeps
  /// its type.
  std::vector<AttributeEdit> attributes;
  /// Nodes to remove. Consumers of such a node's first output then read its first input.
  std::vector<std::string> removed_nodes;
  /// Tensors, and the name of an Identity node to insert between the tensor and its consumers.
  std::vector<std::pair<std::string, std::string>> identities;
  /// Tensors that become the graph's inputs. Nodes that only precede them are dropped.
  std::vector<std::string> extract_from;
  std::vector<std::string> outputs;        ///< replace the graph's outputs; empty: these stay
  std::vector<std::string> extra_outputs;  ///< become outputs in addition
  bool all_outputs = false;                ///< every node's first output becomes a graph output
  /// Tensors or nodes: old and new name.
  std::vector<std::pair<std::string, std::string>> renames;
};

/// How OnnxModel::check() compares two models.
struct CheckOptions {
  int runs = 1;       ///< number of random inputs
  uint64_t seed = 0;  ///< of the random inputs
  /// Largest accepted difference of a tensor whose producers' inputs were equal, relative to the tensor's largest
  /// magnitude. At least 1e-2 for float16 tensors and 4e-2 for bfloat16 ones.
  double tolerance = 1e-4;
  uint64_t memory_limit = UINT64_MAX;  ///< most bytes that the process may use
};

/// Result of OnnxModel::check().
struct ModelCheck {
  bool same = false;      ///< every output is accepted
  double difference = 0;  ///< largest difference found, relative to the largest magnitude of the compared tensor;
                          ///< infinite for another type or shape
  size_t nodes = 0;       ///< of the checked model
  size_t unchanged = 0;   ///< nodes with an identical counterpart in the original; these are not run
  size_t parts = 0;       ///< subgraphs that differ from the original, run against what they replace
  size_t reduced = 0;     ///< of these, subgraphs that were run on smaller feature maps than the model's
  /// Whether both models were run from end to end, because comparing subgraphs was inconclusive: on images of
  /// 128 x 128 pixels, or on their own input size.
  enum class Whole { kNot, kReduced, kFull };
  Whole whole = Whole::kNot;
  size_t opaque = 0;                   ///< nodes whose operator or types are unknown; compared, but not run
  std::vector<std::string> operators;  ///< of these nodes
  std::vector<std::string> unchecked;  ///< outputs that depend on such a node and so were not compared
};

}  // namespace effdet
