// Wraps the naive kernels of src/ops as the implementation that runs anything.
#include "kernels/ref/reference.h"

#include <cstring>

#include "ops/op.h"

namespace effdet::kernels {
namespace {

class Reference : public Kernel {
 public:
  explicit Reference(const PlanContext& c)
      : node_(c.node),
        opset_(c.opset),
        inputs_(c.inputs.begin(), c.inputs.end()),
        outputs_(c.outputs.begin(), c.outputs.end()) {
    for (ValueInfo& info : inputs_) constants_.push_back(info.constant != nullptr ? *info.constant : Tensor());
  }

  void run(const RunContext& context) const override {
    std::vector<Tensor> tensors(inputs_.size());
    std::vector<const Tensor*> pointers(inputs_.size(), nullptr);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i].present) continue;
      // Not owned: the arena outlives the call.
      tensors[i] = constants_[i].empty() ? Tensor(inputs_[i].dtype, inputs_[i].shape,
                                                  {std::shared_ptr<const std::byte>(), context.inputs[i]})
                                         : constants_[i];
      pointers[i] = &tensors[i];
    }
    const std::vector<Tensor> results = ops::evaluate_node(node_, opset_, pointers, &context.threads);
    for (size_t i = 0; i < outputs_.size() && i < results.size(); ++i) {
      if (context.outputs[i] == nullptr || results[i].byte_size() == 0) continue;
      // The program has room for what inference said before the content of the inputs was known.
      if (results[i].dtype() != outputs_[i].dtype || results[i].shape() != outputs_[i].shape)
        fail(ErrorCode::kInternal, "{}: output {} has the shape {}, not {}", ops::node_label(node_), i,
             shape_text(results[i].shape()), shape_text(outputs_[i].shape));
      std::memcpy(context.outputs[i], results[i].bytes().data(), results[i].byte_size());
    }
  }

 private:
  ir::Node node_;
  int64_t opset_;
  std::vector<ValueInfo> inputs_, outputs_;
  std::vector<Tensor> constants_;
};

}  // namespace

Plan plan_reference(const PlanContext& context) {
  if (ops::find_operator(context.node.domain, context.node.op) == nullptr) return {nullptr, "no such operator"};
  return {std::make_unique<Reference>(context), ""};
}

}  // namespace effdet::kernels
