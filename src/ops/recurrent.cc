// LSTM, GRU and RNN: layers that go through a sequence step by step, forwards, backwards or both.
#include "ops/recurrent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "base/ascii.h"
#include "base/checked.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// What tells the three apart.
struct Kind {
  std::string_view op;
  int64_t gates;  ///< rows of weights for each hidden value
  std::array<std::string_view, 3> activations;
};
constexpr Kind kKinds[] = {
    {"LSTM", 4, {"Sigmoid", "Tanh", "Tanh"}}, {"GRU", 3, {"Sigmoid", "Tanh", ""}}, {"RNN", 1, {"Tanh", "", ""}}};

const Kind& kind_of(const ir::Node& node) { return *std::ranges::find(kKinds, node.op, &Kind::op); }

size_t activation_count(const Kind& kind) { return kind.op == "LSTM" ? 3 : kind.op == "GRU" ? 2 : 1; }

bool is_batch_first(const ir::Node& node) { return node.get_int("layout", 0) != 0; }

int64_t direction_count(const ir::Node& node) {
  const std::string direction = node.get_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    node_error(node, "direction is '{}'", direction);
  return direction == "bidirectional" ? 2 : 1;
}

/// Fails unless input i, where it is present, has the shape.
void require(const InferContext& c, size_t i, const Shape& shape) {
  if (c.has(i) && c.shape(i) && is_known(*c.shape(i)) && *c.shape(i) != shape)
    node_error(c.node, "input {} has the shape {}, not {}", i, shape_text(*c.shape(i)), shape_text(shape));
}

std::vector<std::string> strings_of(const ir::Node& node, std::string_view name) {
  const ir::Attribute* found = node.find(name);
  if (found == nullptr) return {};
  const auto* values = std::get_if<std::vector<std::string>>(found);
  if (values == nullptr) node_error(node, "attribute '{}' is no list of strings", name);
  return *values;
}
std::vector<float> floats_of(const ir::Node& node, std::string_view name) {
  const ir::Attribute* found = node.find(name);
  if (found == nullptr) return {};
  const auto* values = std::get_if<std::vector<float>>(found);
  if (values == nullptr) node_error(node, "attribute '{}' is no list of floats", name);
  return *values;
}

using Function = std::function<double(double)>;

/// ONNX's activation of that name; alpha and beta with its defaults where they are absent.
Function function_of(const ir::Node& node, std::string name, std::optional<float> alpha, std::optional<float> beta) {
  name = lower_case(std::move(name));
  const auto a = [&](double otherwise) { return alpha ? double{*alpha} : otherwise; };
  const auto b = [&](double otherwise) { return beta ? double{*beta} : otherwise; };
  if (name == "sigmoid") return [](double x) { return 1 / (1 + std::exp(-x)); };
  if (name == "tanh") return [](double x) { return std::tanh(x); };
  if (name == "relu") return [](double x) { return x < 0 ? 0 : x; };
  if (name == "affine") return [p = a(1), q = b(0)](double x) { return p * x + q; };
  if (name == "leakyrelu") return [p = a(0.01)](double x) { return x < 0 ? p * x : x; };
  if (name == "thresholdedrelu") return [p = a(1)](double x) { return x > p ? x : 0; };
  if (name == "scaledtanh") return [p = a(1), q = b(1)](double x) { return p * std::tanh(q * x); };
  if (name == "hardsigmoid") return [p = a(0.2), q = b(0.5)](double x) { return std::clamp(p * x + q, 0.0, 1.0); };
  if (name == "elu") return [p = a(1)](double x) { return x < 0 ? p * std::expm1(x) : x; };
  if (name == "softsign") return [](double x) { return x / (1 + std::abs(x)); };
  if (name == "softplus") return [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  node_error(node, "there is no activation '{}'", name);
}

/// The functions of one direction.
std::vector<Function> functions_of(const ir::Node& node, int64_t direction) {
  const Kind& kind = kind_of(node);
  const size_t count = activation_count(kind), directions = static_cast<size_t>(direction_count(node));
  const auto names = strings_of(node, "activations");
  const auto alphas = floats_of(node, "activation_alpha"), betas = floats_of(node, "activation_beta");
  if (!names.empty() && names.size() != count * directions)
    node_error(node, "{} activations, not {}", names.size(), count * directions);
  std::vector<Function> functions;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = static_cast<size_t>(direction) * count + i;
    const auto number = [&](const std::vector<float>& list) {
      return at < list.size() ? std::optional(list[at]) : std::nullopt;
    };
    functions.push_back(
        function_of(node, names.empty() ? std::string(kind.activations[i]) : names[at], number(alphas), number(betas)));
  }
  return functions;
}

std::vector<Inferred> infer_recurrent(const InferContext& c) {
  require_float(c);
  require_same_types(c, 4);
  for (size_t i = 5; i < c.inputs.size(); ++i)
    if (c.has(i) && c.dtype(i) != c.dtype(0)) node_error(c.node, "input {} is {}", i, dtype_name(c.dtype(i)));
  if (c.has(4) && c.dtype(4) != DType::kI32) node_error(c.node, "sequence_lens is {}", dtype_name(c.dtype(4)));
  functions_of(c.node, direction_count(c.node) - 1);
  const size_t outputs = c.node.op == "LSTM" ? 3 : 2;
  if (!c.shape(0) || !c.shape(1) || !c.shape(2) || !is_known(*c.shape(0)) || !is_known(*c.shape(2)))
    return std::vector<Inferred>(outputs, {c.dtype(0), std::nullopt});
  const auto [steps, batch, inputs, hidden, directions] = recurrent_sizes(c);
  const bool batch_first = is_batch_first(c.node);
  const Shape all = batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden};
  const Shape last = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  std::vector<Inferred> result(outputs, {c.dtype(0), last});
  result[0].shape = all;
  return result;
}

/// One direction of a layer, in double precision.
class Direction {
 public:
  Direction(const EvalContext& c, const RecurrentSizes& sizes, int64_t index)
      : kind_(kind_of(c.node)),
        sizes_(sizes),
        functions_(functions_of(c.node, index)),
        clip_(c.node.get_float("clip", 0)),
        couples_(c.node.get_int("input_forget", 0) != 0),
        resets_later_(c.node.get_int("linear_before_reset", 0) != 0) {
    const auto part = [&](size_t i, int64_t values) -> std::vector<double> {
      if (!c.has(i)) return std::vector<double>(static_cast<size_t>(values), 0.0);
      const Tensor wide = c.input(i).to(DType::kF64);
      const auto all = wide.data<double>().subspan(static_cast<size_t>(index * values), static_cast<size_t>(values));
      return {all.begin(), all.end()};
    };
    const int64_t rows = kind_.gates * sizes.hidden;
    w_ = part(1, rows * sizes.inputs);
    r_ = part(2, rows * sizes.hidden);
    bias_ = part(3, 2 * rows);
    if (kind_.op == "LSTM") peepholes_ = part(7, 3 * sizes.hidden);
  }

  /// One step of one sample: the state h, and of an LSTM c, become those after it.
  void step(const double* x, std::vector<double>& h, std::vector<double>& c) const {
    if (kind_.op == "LSTM") return step_lstm(x, h, c);
    if (kind_.op == "GRU") return step_gru(x, h);
    std::vector<double> next(h.size());
    for (int64_t i = 0; i < sizes_.hidden; ++i) next[static_cast<size_t>(i)] = f(0, of_input(x, i) + of_state(h, i));
    h = next;
  }

 private:
  double f(size_t function, double x) const {
    return functions_[function](clip_ > 0 ? std::clamp(x, -double{clip_}, double{clip_}) : x);
  }
  double of_input(const double* x, int64_t row) const {
    double sum = bias_[static_cast<size_t>(row)];
    for (int64_t i = 0; i < sizes_.inputs; ++i) sum += w_[static_cast<size_t>(row * sizes_.inputs + i)] * x[i];
    return sum;
  }
  double of_state(const std::vector<double>& h, int64_t row) const {
    double sum = bias_[static_cast<size_t>(kind_.gates * sizes_.hidden + row)];
    for (size_t i = 0; i < h.size(); ++i) sum += r_[static_cast<size_t>(row) * h.size() + i] * h[i];
    return sum;
  }

  /// Gates in the order input, output, forget, cell.
  void step_lstm(const double* x, std::vector<double>& h, std::vector<double>& c) const {
    const int64_t n = sizes_.hidden;
    std::vector<double> next(h.size());
    for (int64_t k = 0; k < n; ++k) {
      const auto i = static_cast<size_t>(k);
      const auto sum = [&](int64_t gate) { return of_input(x, gate * n + k) + of_state(h, gate * n + k); };
      const auto peephole = [&](int64_t gate) { return peepholes_[static_cast<size_t>(gate * n + k)]; };
      const double in = f(0, sum(0) + peephole(0) * c[i]);
      const double forget = couples_ ? 1 - in : f(0, sum(2) + peephole(2) * c[i]);
      const double cell = forget * c[i] + in * f(1, sum(3));
      next[i] = f(0, sum(1) + peephole(1) * cell) * functions_[2](cell);
      c[i] = cell;
    }
    h = next;
  }

  /// Gates in the order update, reset, hidden.
  void step_gru(const double* x, std::vector<double>& h) const {
    const int64_t n = sizes_.hidden;
    std::vector<double> update(h.size()), reset(h.size()), kept(h.size()), next(h.size());
    for (int64_t k = 0; k < n; ++k) {
      const auto i = static_cast<size_t>(k);
      update[i] = f(0, of_input(x, k) + of_state(h, k));
      reset[i] = f(0, of_input(x, n + k) + of_state(h, n + k));
      kept[i] = reset[i] * h[i];
    }
    for (int64_t k = 0; k < n; ++k) {
      const auto i = static_cast<size_t>(k);
      const double state = resets_later_ ? reset[i] * of_state(h, 2 * n + k) : of_state(kept, 2 * n + k);
      next[i] = (1 - update[i]) * f(1, of_input(x, 2 * n + k) + state) + update[i] * h[i];
    }
    h = next;
  }

  const Kind& kind_;
  RecurrentSizes sizes_;
  std::vector<Function> functions_;
  float clip_;
  bool couples_, resets_later_;
  std::vector<double> w_, r_, bias_, peepholes_;
};

/// The values of a tensor as doubles, or zeros where it is absent.
std::vector<double> doubles_of(const EvalContext& c, size_t i, int64_t count) {
  if (!c.has(i)) return std::vector<double>(static_cast<size_t>(count), 0.0);
  const Tensor wide = c.input(i).to(DType::kF64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

void evaluate_recurrent(const EvalContext& c) {
  const RecurrentSizes s = recurrent_sizes({c.node, c.opset, input_infos(c)});
  const bool batch_first = is_batch_first(c.node), reverse = c.node.get_string("direction", "forward") == "reverse";
  const auto x = doubles_of(c, 0, 0);
  const auto h0 = doubles_of(c, 5, s.directions * s.batch * s.hidden),
             c0 = doubles_of(c, 6, s.directions * s.batch * s.hidden);
  std::vector<Tensor> results;
  for (const Tensor& output : c.outputs)
    results.push_back(output.empty() ? Tensor() : Tensor(DType::kF64, output.shape()));
  const auto write = [&](size_t output, int64_t at, const std::vector<double>& values) {
    if (output >= results.size() || results[output].empty()) return;
    std::ranges::copy(values, results[output].mutable_data<double>().begin() + at * s.hidden);
  };
  for (int64_t d = 0; d < s.directions; ++d) {
    const Direction direction(c, s, d);
    const bool backwards = reverse || d == 1;
    for (int64_t b = 0; b < s.batch; ++b) {
      const int64_t length = c.has(4) ? c.input(4).data<int32_t>()[static_cast<size_t>(b)] : s.steps;
      if (length < 0 || length > s.steps) node_error(c.node, "a sequence of {} steps among {}", length, s.steps);
      const int64_t state = batch_first ? b * s.directions + d : d * s.batch + b;
      const auto initial = [&](const std::vector<double>& all) {
        return std::vector<double>(all.begin() + state * s.hidden, all.begin() + (state + 1) * s.hidden);
      };
      std::vector<double> h = initial(h0), cell = initial(c0);
      for (int64_t i = 0; i < length; ++i) {
        const int64_t t = backwards ? length - 1 - i : i;
        direction.step(x.data() + (batch_first ? b * s.steps + t : t * s.batch + b) * s.inputs, h, cell);
        write(0, batch_first ? (b * s.steps + t) * s.directions + d : (t * s.directions + d) * s.batch + b, h);
      }
      write(1, state, h);
      write(2, state, cell);
    }
  }
  for (size_t i = 0; i < results.size(); ++i)
    if (!results[i].empty()) c.output(i) = results[i];  // evaluate_node turns them into the outputs' type
}

}  // namespace

RecurrentSizes recurrent_sizes(const InferContext& c) {
  const Kind& kind = kind_of(c.node);
  if (c.shape(0)->size() != 3 || c.shape(1)->size() != 3 || c.shape(2)->size() != 3)
    node_error(c.node, "inputs 0 to 2 have no 3 dimensions");
  const Shape &x = *c.shape(0), &r = *c.shape(2);
  const bool batch_first = is_batch_first(c.node);
  const RecurrentSizes s{x[batch_first ? 1 : 0], x[batch_first ? 0 : 1], x[2], r[2], direction_count(c.node)};
  if (c.node.get_int("hidden_size", s.hidden) != s.hidden)
    node_error(c.node, "hidden_size is {}, but the weights have {}", c.node.get_int("hidden_size", 0), s.hidden);
  const auto rows = checked_mul(static_cast<uint64_t>(s.hidden), static_cast<uint64_t>(2 * kind.gates));
  if (!rows || *rows > static_cast<uint64_t>(kMaxElements)) node_error(c.node, "{} hidden values", s.hidden);
  const int64_t gates = kind.gates * s.hidden;
  require(c, 1, {s.directions, gates, s.inputs});
  require(c, 2, {s.directions, gates, s.hidden});
  require(c, 3, {s.directions, 2 * gates});
  require(c, 4, {s.batch});
  const Shape state = batch_first ? Shape{s.batch, s.directions, s.hidden} : Shape{s.directions, s.batch, s.hidden};
  require(c, 5, state);
  require(c, 6, state);
  require(c, 7, {s.directions, 3 * s.hidden});
  return s;
}

bool is_plain_recurrent(const ir::Node& node) {
  return node.find("activations") == nullptr && node.get_float("clip", 0) == 0 &&
         node.get_int("input_forget", 0) == 0 && !is_batch_first(node);
}

std::span<const Operator> recurrent_operators() {
  static constexpr Card kLSTM{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "LSTM", 3, 8, infer_recurrent, evaluate_recurrent, kLSTM, 7, 3},
      {"", "GRU", 3, 6, infer_recurrent, evaluate_recurrent, kLSTM, 7, 2},
      {"", "RNN", 3, 6, infer_recurrent, evaluate_recurrent, kLSTM, 7, 2},
  };
  return kOperators;
}

}  // namespace effdet::ops
