// Names of devices, and the numbers that the original tools have instead.
#include "device_option.h"

#include <fmt/format.h>

#include <algorithm>

#include "effdet/cann_model.h"
#include "effdet/error.h"

namespace effdet::cli {

CLI::Option* add_device(CommandLine& line, std::string& device) {
  return line
      .add_option("--device", device,
                  "where a model runs: cpu; a GPU: cuda, cuda:1 (compiles, tested in host form, never run on a GPU); a "
                  "compiled model also on the cards of AscendCL: ascend, ascend:1, ascend:0,1")
      ->type_name("NAME");
}

void add_metadata(CommandLine& line, std::filesystem::path& metadata) {
  line.add_option(
          "--metadata", metadata,
          "the ONNX file that a compiled model was made from, for models of CANN, which do not say what they are; "
          "not needed where MODEL.metadata.json is beside it")
      ->type_name("FILE");
}

void add_device(CommandLine& line, ModelOptions& options) {
  add_device(line, options.device);
  add_metadata(line, options.metadata);
}

CompiledModel load_numbered(const std::string& model, const std::string& device,
                            const std::filesystem::path& metadata) {
  const bool is_number = !device.empty() && device.find_first_not_of("0123456789,") == std::string::npos;
  if (!is_number) return CompiledModel::load(model, device, metadata);
  if (cann_model(model)) return CompiledModel::load(model, "ascend:" + device, metadata);
  CompiledModel own = CompiledModel::load(model, "", metadata);
  return own.device() == "cpu" ? own : CompiledModel::load(model, own.device() + ":" + device, metadata);
}

int card_count(const std::string& device) {
  return device.starts_with("ascend") ? 1 + static_cast<int>(std::ranges::count(device, ',')) : 1;
}

}  // namespace effdet::cli
