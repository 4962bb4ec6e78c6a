// Finds the files of a calibration, and quantizes where --precision asks for it.
#include "calibration_options.h"

#include <fmt/format.h>

#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/file_kind.h"
#include "effdet/image.h"
#include "effdet/onnx_model.h"
#include "input_paths.h"

namespace effdet::cli {

namespace fs = std::filesystem;

namespace {

void quantize(OnnxModel& model, const CalibrationOptions& calibration, int threads) {
  QuantizeOptions options{.threads = threads};
  calibration.fill(options);
  QuantizeProgress progress;
  progress.attach(options);
  model.quantize(options);
}

}  // namespace

std::vector<fs::path> calibration_files(const std::vector<std::string>& paths) {
  const auto calibrates = [](const fs::path& path) { return is_image_name(path) || extension_of(path) == ".bin"; };
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    if (!is_folder(path)) {
      files.emplace_back(path);
      continue;
    }
    std::vector<fs::path> inside = files_of(path, calibrates);
    if (const fs::path images = image_folder(path); inside.empty() && is_folder(images))
      inside = files_of(images, calibrates);
    if (inside.empty())
      throw Error(ErrorCode::kUsage,
                  fmt::format("{}: no pictures or .bin files to calibrate with in this folder, which is no data "
                              "set with images either: {}",
                              path, dataset_layouts()));
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

CLI::Option* CalibrationOptions::add_to(CommandLine& line) {
  CLI::Option* calibration =
      line.add_option("--calibration", paths_,
                      "images to learn the ranges of 8-bit maps from: folders, image files, roots of data sets, or "
                      "preprocess's .bin files")
          ->expected(1, 1 << 20)
          ->type_name("PATH");
  line.add_option("--calibration-images", images_, "use at most so many of them")
      ->capture_default_str()
      ->transform(between(1, 1000000))
      ->needs(calibration)
      ->type_name("N");
  line.add_option("--seed", seed_, "chooses which, where there are more")
      ->capture_default_str()
      ->transform(whole_number())
      ->needs(calibration)
      ->type_name("N");
  return calibration;
}

void CalibrationOptions::fill(QuantizeOptions& options) const {
  options.calibration = calibration_files(paths_);
  options.calibration_images = static_cast<size_t>(images_);
  options.seed = seed_;
}

void QuantizeProgress::attach(QuantizeOptions& options) {
  options.progress = [this](std::string_view stage, size_t done, size_t total) { bars_.update(stage, done, total); };
  options.on_note = warn;
  options.on_failure = [](const ImageFailure& failure) { warn(failure.message); };
}

CompiledModel open_model(const std::string& file, const ModelOptions& options, const CalibrationOptions& calibration,
                         int threads) {
  const Precision precision = options.precision.value_or(Precision::kFloat32);
  if (calibration.given() && precision != Precision::kInt8)
    throw Error(ErrorCode::kUsage, "--calibration is for --precision int8");
  const auto require_no_calibration = [&] {
    if (calibration.given())
      throw Error(
          ErrorCode::kUsage,
          fmt::format("{}: is an 8-bit model, which has the ranges of its maps; leave --calibration out", file));
  };
  if (file_kind(file) == FileKind::kCompiled) {
    CompiledModel model = CompiledModel::open(file, options);
    require_no_calibration();
    return model;
  }
  if (options.device.starts_with("cuda") && precision != Precision::kInt8) return CompiledModel::open(file, options);
  OnnxModel model = OnnxModel::open(file, options);
  if (model.is_quantized()) {
    require_no_calibration();
    if (options.precision && precision != Precision::kInt8)
      warn(fmt::format("{}: is an 8-bit model: --precision is that of the layers that are not quantized", file));
  } else if (precision == Precision::kInt8) {
    if (!calibration.given())
      throw Error(
          ErrorCode::kUsage,
          fmt::format("{}: --precision int8 needs --calibration: images that tell the ranges of its maps", file));
    quantize(model, calibration, threads);
  }
  return CompiledModel::compile(model, {.precision = precision});
}

}  // namespace effdet::cli
