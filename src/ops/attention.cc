// Attention: products of queries and keys, their Softmax, and products with values. It is a graph of MatMul and
// Softmax.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ops/operators.h"
#include "ops/speller.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMostHeads = 1 << 16;

/// What the optional output of scores holds.
enum class AttentionScores : int64_t { kProducts, kCapped, kMasked, kProbabilities };

enum AttentionInput : size_t { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kValidKeys };

/// The one of two dimensions that is known.
int64_t known_of(const InferContext& c, int64_t a, int64_t b, std::string_view what) {
  if (a >= 0 && b >= 0 && a != b) node_error(c.node, "{} {} and {}", what, a, b);
  return a >= 0 ? a : b;
}

/// Sizes of a node's tensors; -1: not known.
struct AttentionSizes {
  bool has_heads_axis;  ///< [batch, heads, length, size], not [batch, length, heads * size]
  int64_t batch, query_heads, heads, queries, keys, past, size, value_size;

  int64_t all_keys() const { return keys >= 0 && past >= 0 ? past + keys : -1; }
  Shape scores() const { return {batch, query_heads, queries, all_keys()}; }
  bool known() const {
    return std::ranges::all_of(
        std::initializer_list<int64_t>{batch, query_heads, heads, queries, keys, past, size, value_size},
        [](int64_t n) { return n >= 0; });
  }
};

/// An input as [batch, heads, length, size]. The attribute says how many heads one of three dimensions has.
Shape with_heads(const InferContext& c, size_t input, std::string_view attribute) {
  const Shape& shape = *c.shape(input);
  if (shape.size() == 4) return shape;
  const int64_t heads = c.node.get_int(attribute, 0);
  if (heads < 1) node_error(c.node, "{} is {} for inputs of three dimensions", attribute, heads);
  if (shape[2] % heads != 0 && shape[2] >= 0)
    node_error(c.node, "input {} of shape {} has not {} heads", input, shape_text(shape), heads);
  return {shape[0], heads, shape[1], shape[2] < 0 ? -1 : shape[2] / heads};
}

void check_attention_types(const InferContext& c) {
  require_float(c);
  require_float(c, kValue);
  for (const size_t i : {size_t{kKey}, size_t{kPastKey}})
    if (c.has(i) && c.dtype(i) != c.dtype(kQuery))
      node_error(c.node, "queries of {} and keys of {}", dtype_name(c.dtype(kQuery)), dtype_name(c.dtype(i)));
  if (c.has(kPastValue) && c.dtype(kPastValue) != c.dtype(kValue))
    node_error(c.node, "values of {} and of {}", dtype_name(c.dtype(kValue)), dtype_name(c.dtype(kPastValue)));
  if (c.has(kMask) && c.dtype(kMask) != DType::kBool && c.dtype(kMask) != c.dtype(kQuery))
    fail(ErrorCode::kUnsupported, "{}: a mask of {} is not supported, only bool and {}", node_label(c.node),
         dtype_name(c.dtype(kMask)), dtype_name(c.dtype(kQuery)));
  if (c.has(kPastKey) != c.has(kPastValue)) node_error(c.node, "past keys and past values go together");
  if (c.has(kValidKeys)) {
    if (c.dtype(kValidKeys) != DType::kI64)
      node_error(c.node, "nonpad_kv_seqlen of {}", dtype_name(c.dtype(kValidKeys)));
    if (c.has(kPastKey)) node_error(c.node, "nonpad_kv_seqlen does not go together with past keys");
  }
}

/// Nothing where a rank is not known.
std::optional<AttentionSizes> attention_sizes(const InferContext& c) {
  check_attention_types(c);
  for (const size_t i : {size_t{kQuery}, size_t{kKey}, size_t{kValue}})
    if (!c.shape(i)) return std::nullopt;
  const size_t rank = c.shape(kQuery)->size();
  for (const size_t i : {size_t{kQuery}, size_t{kKey}, size_t{kValue}})
    if ((rank != 3 && rank != 4) || c.shape(i)->size() != rank)
      node_error(c.node, "input {} of shape {}, not three or four dimensions as all have", i, shape_text(*c.shape(i)));
  const Shape q = with_heads(c, kQuery, "q_num_heads"), k = with_heads(c, kKey, "kv_num_heads"),
              v = with_heads(c, kValue, "kv_num_heads");
  AttentionSizes sizes{.has_heads_axis = rank == 4,
                       .batch = known_of(c, q[0], known_of(c, k[0], v[0], "batches of"), "batches of"),
                       .query_heads = q[1],
                       .heads = known_of(c, k[1], v[1], "heads of keys and values:"),
                       .queries = q[2],
                       .keys = known_of(c, k[2], v[2], "numbers of keys and values:"),
                       .past = 0,
                       .size = known_of(c, q[3], k[3], "queries and keys of sizes"),
                       .value_size = v[3]};
  if (sizes.query_heads > kMostHeads) node_error(c.node, "{} heads", sizes.query_heads);
  if (sizes.heads == 0 || (sizes.heads > 0 && sizes.query_heads >= 0 && sizes.query_heads % sizes.heads != 0))
    node_error(c.node, "{} heads of queries for {} of keys", sizes.query_heads, sizes.heads);
  if (!c.has(kPastKey)) return sizes;
  if (!c.shape(kPastKey) || !c.shape(kPastValue)) {
    sizes.past = -1;
    return sizes;
  }
  const Shape &key = *c.shape(kPastKey), &value = *c.shape(kPastValue);
  if (key.size() != 4 || value.size() != 4)
    node_error(c.node, "past keys of shape {} and values of {}", shape_text(key), shape_text(value));
  for (const Shape* past : {&key, &value}) {
    known_of(c, (*past)[0], sizes.batch, "past batches of");
    known_of(c, (*past)[1], sizes.heads, "past heads:");
  }
  known_of(c, key[3], sizes.size, "past keys of sizes");
  known_of(c, value[3], sizes.value_size, "past values of sizes");
  sizes.past = known_of(c, key[2], value[2], "numbers of past keys and values:");
  return sizes;
}

void check_attention_mask(const InferContext& c, const AttentionSizes& sizes) {
  if (c.shape(kValidKeys) && (c.shape(kValidKeys)->size() != 1))
    node_error(c.node, "nonpad_kv_seqlen of shape {}", shape_text(*c.shape(kValidKeys)));
  if (!c.shape(kMask) || c.shape(kMask)->empty()) return;
  Shape mask = *c.shape(kMask);
  const Shape scores = sizes.scores();
  if (mask.back() == 1 && scores.back() > 1)
    fail(ErrorCode::kUnsupported,
         "{}: a mask of one key for {} is not supported: PyTorch, which exports it, means all keys by it, ONNX the "
         "first",
         node_label(c.node), scores.back());
  if (mask.back() >= 0 && scores.back() > mask.back()) mask.back() = scores.back();  // the rest is masked
  if (is_known(mask) && is_known(scores) && broadcast(c.node, mask, scores) != scores)
    node_error(c.node, "a mask of shape {} for scores of {}", shape_text(*c.shape(kMask)), shape_text(scores));
}

/// How far a query sees: from `left` keys before its own to `right` behind it. A number below 0: all.
struct AttentionWindow {
  int64_t left = -1, right = -1;

  static AttentionWindow of(const ir::Node& node) {
    AttentionWindow window{node.get_int("left_window_size", -1), node.get_int("right_window_size", -1)};
    if (window.left < -1 || window.right < -1)
      node_error(node, "a window of {} keys to the left and {} to the right", window.left, window.right);
    if (node.get_int("is_causal", 0) != 0) window.right = 0;
    return window;
  }
  bool is_bounded() const { return left >= 0 || right >= 0; }
};

/// Attention(Q, K, V, mask, past keys, past values, valid keys of each image) -> Y, keys, values, scores
std::vector<Inferred> infer_attention(const InferContext& c) {
  const auto sizes = attention_sizes(c);
  AttentionWindow::of(c.node);
  const int64_t mode = c.node.get_int("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) node_error(c.node, "qk_matmul_output_mode is {}", mode);
  const DType type = c.dtype(kQuery), value_type = c.dtype(kValue);
  if (!sizes) return {{type, std::nullopt}, {type, std::nullopt}, {value_type, std::nullopt}, {type, std::nullopt}};
  const AttentionSizes& s = *sizes;
  check_attention_mask(c, s);
  const int64_t width = s.query_heads >= 0 && s.value_size >= 0 ? s.query_heads * s.value_size : -1;
  return {{type, s.has_heads_axis ? Shape{s.batch, s.query_heads, s.queries, s.value_size}
                                  : Shape{s.batch, s.queries, width}},
          {type, Shape{s.batch, s.heads, s.all_keys(), s.size}},
          {value_type, Shape{s.batch, s.heads, s.all_keys(), s.value_size}},
          {type, s.scores()}};
}

/// Spells one node.
class AttentionSpeller {
 public:
  AttentionSpeller(Speller& s, const AttentionSizes& sizes)
      : s_(s), sizes_(sizes), type_(s.info(kQuery).dtype), window_(AttentionWindow::of(s.node())) {}

  SpelledOut spell() {
    const ir::ValueId query = heads_apart(kQuery, sizes_.query_heads, sizes_.queries, sizes_.size);
    const ir::ValueId key = with_past(heads_apart(kKey, sizes_.heads, sizes_.keys, sizes_.size), kPastKey);
    const ir::ValueId value = with_past(heads_apart(kValue, sizes_.heads, sizes_.keys, sizes_.value_size), kPastValue);
    const ir::ValueId kept_key = output(1) ? s_.add("Identity", {key}) : ir::kNoValue;
    const ir::ValueId kept_value = output(2) ? s_.add("Identity", {value}) : ir::kNoValue;
    const ir::ValueId weights = probabilities(products(query, for_each_query_head(key)));
    ir::ValueId values = for_each_query_head(value);
    if (s_.info(kValue).dtype != type_) values = s_.add("CastLike", {values, s_.input(kQuery)});
    const ir::ValueId kept_scores = output(3) ? s_.add("Identity", {scores_}) : ir::kNoValue;
    return s_.finished({heads_together(s_.add("MatMul", {weights, values})), kept_key, kept_value, kept_scores});
  }

 private:
  bool output(size_t i) const { return i < s_.node().outputs.size() && s_.node().outputs[i] != ir::kNoValue; }
  ir::ValueId number(double x) { return s_.constant(Tensor::scalar(x).to(type_)); }
  ir::ValueId minus_infinity() { return number(-std::numeric_limits<double>::infinity()); }
  ir::ValueId ints(const Shape& list) {
    return s_.constant(Tensor::from<int64_t>({static_cast<int64_t>(list.size())}, list));
  }
  ir::ValueId transposed(ir::ValueId x, Shape order) { return s_.add("Transpose", {x}, {{"perm", std::move(order)}}); }

  ir::ValueId heads_apart(size_t input, int64_t heads, int64_t length, int64_t size) {
    if (sizes_.has_heads_axis) return s_.input(input);
    return transposed(s_.add("Reshape", {s_.input(input), ints({sizes_.batch, length, heads, size})}), {0, 2, 1, 3});
  }

  ir::ValueId heads_together(ir::ValueId x) {
    if (sizes_.has_heads_axis) return x;
    return s_.add("Reshape", {transposed(x, {0, 2, 1, 3}),
                              ints({sizes_.batch, sizes_.queries, sizes_.query_heads * sizes_.value_size})});
  }

  ir::ValueId with_past(ir::ValueId x, size_t past) {
    return s_.has(past) ? s_.add("Concat", {s_.input(past), x}, {{"axis", int64_t{2}}}) : x;
  }

  /// Neighbouring heads of queries share one of keys and values.
  ir::ValueId for_each_query_head(ir::ValueId x) {
    if (sizes_.query_heads == sizes_.heads) return x;
    Shape shared;
    for (int64_t i = 0; i < sizes_.query_heads; ++i) shared.push_back(i / (sizes_.query_heads / sizes_.heads));
    return s_.add("Gather", {x, ints(shared)}, {{"axis", int64_t{1}}});
  }

  /// The scale is shared between both factors, as its definition says, against overflow of 16-bit floats.
  ir::ValueId products(ir::ValueId query, ir::ValueId key) {
    const double scale = s_.node().attributes.contains("scale") ? s_.node().get_float("scale", 1)
                                                                : 1 / std::sqrt(static_cast<double>(sizes_.size));
    const ir::ValueId root = number(std::sqrt(scale));
    return s_.add("MatMul", {s_.add("Mul", {query, root}), s_.add("Mul", {transposed(key, {0, 1, 3, 2}), root})});
  }

  ir::ValueId probabilities(ir::ValueId scores) {
    keep(AttentionScores::kProducts, scores);
    if (const float cap = s_.node().get_float("softcap", 0); cap > 0)
      scores = s_.add("Mul", {s_.add("Tanh", {s_.add("Div", {scores, number(cap)})}), number(cap)});
    keep(AttentionScores::kCapped, scores);
    const ir::ValueId masked = mask(scores);
    keep(AttentionScores::kMasked, masked);
    ir::ValueId result = s_.add("Softmax", {masked}, {{"axis", int64_t{-1}}});
    if (masked != scores) {  // a query that sees no key gets zeros
      const ir::ValueId most = s_.add("ReduceMax", {masked, ints({-1})});
      result = s_.add("Where", {s_.add("IsInf", {most}, {{"detect_positive", int64_t{0}}}), number(0), result});
    }
    keep(AttentionScores::kProbabilities, result);
    return result;
  }

  void keep(AttentionScores mode, ir::ValueId scores) {
    if (s_.node().get_int("qk_matmul_output_mode", 0) == static_cast<int64_t>(mode)) scores_ = scores;
  }

  ir::ValueId mask(ir::ValueId scores) {
    if (s_.has(kMask)) scores = given_mask(scores);
    if (window_.is_bounded()) scores = only(within_window(), scores);
    if (s_.has(kValidKeys)) scores = only(s_.add("Less", {places_of_keys(), valid_keys()}), scores);
    return scores;
  }

  ir::ValueId only(ir::ValueId seen, ir::ValueId scores) { return s_.add("Where", {seen, scores, minus_infinity()}); }

  /// Keys that the mask does not reach are masked.
  ir::ValueId given_mask(ir::ValueId scores) {
    const InputInfo& info = s_.info(kMask);
    const bool is_bool = info.dtype == DType::kBool;
    ir::ValueId mask = s_.input(kMask);
    Shape rest = *info.shape;
    if (!rest.empty() && rest.back() < sizes_.all_keys()) {
      rest.back() = sizes_.all_keys() - rest.back();
      const ir::ValueId hidden = is_bool ? s_.constant(Tensor::scalar(false)) : minus_infinity();
      mask = s_.add("Concat", {mask, s_.add("Expand", {hidden, ints(rest)})}, {{"axis", int64_t{-1}}});
    }
    return is_bool ? only(mask, scores) : s_.add("Add", {scores, mask});
  }

  /// start, start + 1... As a node: a constant would be outside of the budgets that nodes have.
  ir::ValueId counted(int64_t count, int64_t start) {
    const auto scalar = [&](int64_t n) { return s_.constant(Tensor::scalar(n)); };
    return s_.add("Range", {scalar(start), scalar(start + count), scalar(1)});
  }
  ir::ValueId places_of_keys() { return counted(sizes_.all_keys(), 0); }
  ir::ValueId valid_keys() { return s_.add("Reshape", {s_.input(kValidKeys), ints({sizes_.batch, 1, 1, 1})}); }

  /// Which keys lie in each query's window. Queries go on behind past keys; with padding, the last one lies at the last
  /// valid key.
  ir::ValueId within_window() {
    const int64_t first = s_.has(kValidKeys) ? -sizes_.queries : sizes_.past;
    ir::ValueId places = s_.add("Reshape", {counted(sizes_.queries, first), ints({sizes_.queries, 1})});
    if (s_.has(kValidKeys)) places = s_.add("Add", {places, valid_keys()});
    const ir::ValueId ahead = s_.add("Sub", {places, places_of_keys()});  // of a key
    const auto bound = [&](const char* op, int64_t n) { return s_.add(op, {ahead, s_.constant(Tensor::scalar(n))}); };
    if (window_.left < 0) return bound("GreaterOrEqual", -window_.right);
    if (window_.right < 0) return bound("LessOrEqual", window_.left);
    return s_.add("And", {bound("GreaterOrEqual", -window_.right), bound("LessOrEqual", window_.left)});
  }

  Speller& s_;
  const AttentionSizes& sizes_;
  DType type_;
  AttentionWindow window_;
  ir::ValueId scores_ = ir::kNoValue;  ///< for the optional output
};

std::optional<SpelledOut> spell_attention(Speller& s) {
  const auto sizes = attention_sizes(s.context());
  if (!sizes || !sizes->known() || (s.has(kMask) && (!s.info(kMask).shape || !is_known(*s.info(kMask).shape))))
    return std::nullopt;
  return AttentionSpeller(s, *sizes).spell();
}

}  // namespace

std::span<const Operator> attention_operators() {
  static constexpr Card kAttention{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "Attention", 3, 7, infer_attention, evaluate_spelled_out, kAttention, 23, 4, false, spell_attention}};
  return kOperators;
}

}  // namespace effdet::ops
