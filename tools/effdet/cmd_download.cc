// download: published weights, for use without a network later.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/checkpoint.h"
#include "effdet/error.h"

namespace effdet::cli {
namespace {

void list_models(bool json) {
  nlohmann::json names = nlohmann::json::array();
  for (const std::string& model : model_names())
    if (has_release(model)) names.push_back(model);
  if (json) return fmt::print("{}", json_text(names));
  for (const auto& name : names) fmt::print("{}\n", name.get<std::string>());
}

}  // namespace

int run_download(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Downloads the weights that effdet's authors published, and prints the file's path. Files that are "
      "in the folder already are not downloaded again; interrupted downloads are resumed. Other commands do "
      "the same where --checkpoint is a model's name.",
      "effdet download tf_efficientdet_d0\n"
      "effdet download tf_efficientdet_d7 --mirror https://mirror.example.org/effdet --cache weights\n"
      "effdet download --list");
  std::vector<std::string> models;
  std::string folder, largest;
  DownloadOptions options;
  bool list = false, json = false;
  line.add_option("models", models, "variants, such as tf_efficientdet_d0")->type_name("MODEL");
  auto* url = line.add_option("--url", options.url, "the file's own address")->type_name("URL");
  line.add_option("--mirror", options.mirror, "address of a folder with the same files; default: EFFDET_MIRROR")
      ->excludes(url)
      ->type_name("URL");
  line.add_option("--cache", folder, "folder for the files; default: $XDG_CACHE_HOME/effdet or ~/.cache/effdet")
      ->type_name("DIR");
  line.add_option("--max-size", largest, "refuse larger files")->default_str("1GB")->type_name("SIZE");
  line.add_option("--timeout", options.stall_seconds, "give up after so many seconds below 1000 bytes a second")
      ->capture_default_str()
      ->transform(between(1, 3600))
      ->type_name("S");
  line.add_flag("--list", list, "print the models that have published weights");
  line.add_json(json);
  if (!line.read()) return 0;
  if (list) return list_models(json), 0;
  if (models.empty() && !options.url.empty()) models = {"download"};
  if (models.empty() || (models.size() > 1 && !options.url.empty()))
    throw Error(ErrorCode::kUsage,
                models.empty() ? "a model's name, --url or --list is required" : "--url is the address of one model");

  options.folder = folder;
  if (!largest.empty()) options.max_bytes = parse_bytes("--max-size", largest);
  nlohmann::json files = nlohmann::json::array();
  for (const std::string& model : models) {
    files.push_back(download_with_progress(model, options));
    if (!json) fmt::print("{}\n", files.back().get<std::string>());
  }
  if (json) fmt::print("{}", json_text(files));
  return 0;
}

}  // namespace effdet::cli
