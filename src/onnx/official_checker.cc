// Runs the official ONNX checker on a file.
#include "onnx/official_checker.h"

#include <onnx/checker.h>

#include <new>

#include "base/error.h"
#include "onnx/model_file.h"

namespace effdet::onnx {

void check_onnx(const std::filesystem::path& path) {
  const auto model = load_model(path);
  if (model->ir_version() > 8 || own_opset(*model) > 17)
    fail(ErrorCode::kUnsupported, "{}: IR version {} with opset {} is newer than the checker of this build",
         path.string(), model->ir_version(), own_opset(*model));
  try {
    pb::checker::check_model(*model);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // its messages have several lines, the first says what is wrong
    const std::string text = error.what();
    bad_input("{}: the ONNX checker says: {}", path.string(), text.substr(0, text.find('\n')));
  }
}

}  // namespace effdet::onnx
