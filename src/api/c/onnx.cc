// C interface: from a checkpoint to ONNX, and what can be done with that.
#include "api/c/call.h"
#include "api/c/detections.h"
#include "api/c/model.h"
#include "effdet/onnx_model.h"
#include "effdet/quantize.h"

using namespace effdet;
using namespace effdet::api;

struct effdet_onnx {
  OnnxModel model;
};

effdet_status effdet_onnx_open(const char* path, const effdet_model_options* options, effdet_onnx** onnx) {
  return call([&] {
    need(onnx, "onnx");
    *onnx = new effdet_onnx{OnnxModel::open(need_text(path, "path"), model_options(options))};
  });
}

effdet_status effdet_onnx_write(const effdet_onnx* onnx, const char* path) {
  return call([&] { need(onnx, "onnx").model.write(need_text(path, "path")); });
}

void effdet_onnx_free(effdet_onnx* onnx) { delete onnx; }

effdet_status effdet_onnx_simplify(effdet_onnx* onnx) {
  return call([&] { need(onnx, "onnx").model.simplify(); });
}

effdet_status effdet_onnx_raise_opset(effdet_onnx* onnx, int opset) {
  return call([&] { need(onnx, "onnx").model.raise_opset(opset); });
}

effdet_status effdet_onnx_append_nms(effdet_onnx* onnx, const effdet_detect_options* options) {
  return call([&] { need(onnx, "onnx").model.append_nms(detect_options(options)); });
}

void effdet_quantize_options_init(effdet_quantize_options* options) {
  if (!options) return;
  const QuantizeOptions defaults;
  *options = {.size = sizeof(*options), .calibration_images = defaults.calibration_images, .keep = defaults.keep};
}

effdet_status effdet_onnx_quantize(effdet_onnx* onnx, const effdet_quantize_options* options) {
  return call([&] {
    const effdet_quantize_options given = taken(options, effdet_quantize_options_init, "effdet_quantize_options");
    QuantizeOptions own;
    own.calibration_images = given.calibration_images;
    own.seed = given.seed;
    own.weights_only = given.weights_only != 0;
    own.keep = given.keep;
    own.threads = threads(given.threads);
    if (given.validation) own.validation = given.validation;
    own.calibration = list_of<std::filesystem::path>(given.calibration, given.num_calibration, "calibration");
    const QuantizeReport report = need(onnx, "onnx").model.quantize(own);
    if (!report.passed)
      fail(ErrorCode::kMismatch, "no choice of layers keeps {} of float32's mAP: the model stays as it was", own.keep);
  });
}

effdet_status effdet_onnx_compile(const effdet_onnx* onnx, effdet_precision precision, effdet_model** model) {
  return call([&] {
    need(model, "model");
    CompileOptions options;
    if (precision == EFFDET_BFLOAT16)
      options.precision = Precision::kBfloat16;
    else if (precision != EFFDET_PRECISION_DEFAULT && precision != EFFDET_FLOAT32)
      fail(ErrorCode::kUsage, "precision: {} is none of effdet_precision", static_cast<int>(precision));
    *model = handle_of(CompiledModel::compile(need(onnx, "onnx").model, options));
  });
}
