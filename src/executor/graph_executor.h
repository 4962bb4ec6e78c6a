// Runs a graph, or a compiled model, on tensors by name: node by node on the reference kernels, or compiled.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "effdet/host_tensor.h"
#include "effdet/model_options.h"
#include "ir/graph.h"
#include "runtime/engine.h"

namespace effdet::executor {

/// The work of the public Executor. Not thread-safe.
class GraphExecutor {
 public:
  using Plans = std::vector<std::shared_ptr<const runtime::Engine>>;
  using Observer = std::function<void(const HostTensor& tensor, const std::string& node, const std::string& op)>;

  struct Options {
    bool reference = true;                      ///< the reference kernels, whose graph may have unknown dimensions
    int threads = 0;                            ///< 0: as many as EFFDET_NUM_THREADS or the processor says
    Precision precision = Precision::kFloat32;  ///< to compile a graph for
  };

  /// A graph, which is compiled for the shapes of the inputs that run() gets, if it is compiled.
  GraphExecutor(ir::Graph graph, const Options& options);
  /// The plans of a compiled model.
  GraphExecutor(const Plans& plans, const Options& options);

  /// Of a compiled model the first plan's, until run() chooses another.
  const ir::Graph& graph() const { return graph_; }

  /// The public Executor says what this does and throws.
  std::vector<HostTensor> run(std::span<const HostTensor> inputs, const Observer& observer);

 private:
  using ValueObserver = std::function<void(ir::ValueId, const Tensor&)>;

  int thread_count() const;
  void choose_plan(std::span<const Tensor> inputs);
  std::vector<Tensor> bind(std::span<const HostTensor> given) const;
  void prepare_session(std::span<const Tensor> inputs);
  std::vector<Tensor> run_native(std::span<const Tensor> inputs, const ValueObserver& observe);
  std::vector<Tensor> run_reference(std::span<const Tensor> inputs, const ValueObserver& observe);
  /// The graph whose values are observed.
  const ir::Graph& running() const;

  Options options_;
  ir::Graph graph_;
  Plans plans_;                                      // of a compiled model
  std::shared_ptr<const runtime::Engine> compiled_;  // what the session runs
  std::map<std::string, Shape> session_shapes_;
  std::unique_ptr<runtime::Session> session_;
  std::unique_ptr<ThreadPool> threads_;
};

}  // namespace effdet::executor
