// merge: the shards of a run to the results of the whole.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "detections_text.h"
#include "effdet/dataset.h"
#include "effdet/detect_images.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "effdet/result_format.h"
#include "output_paths.h"
#include "partial_run.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// A shard's file itself, or those of a results file that was given to `validate --shard`. Throws Error(kIo).
std::vector<fs::path> shards_of(const std::string& name) {
  const fs::path path(name);
  const std::string start = path.filename().string() + ".shard-";
  const auto is_shard = [&](const std::string& file) { return file.starts_with(start) && !is_unfinished_output(file); };
  std::vector<fs::path> found;
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (is_shard(entry->path().filename().string())) found.push_back(path.parent_path() / entry->path().filename());
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    throw Error(ErrorCode::kIo, fmt::format("{}: cannot read the folder: {}", folder.string(), error.message()));
  if (found.empty()) found.push_back(path);
  std::ranges::sort(found);
  return found;
}

/// Whether it is a shard of a list; what is no shard may be results that were joined before.
bool is_list(const fs::path& shard) try { return is_shard_of_list(shard); } catch (const Error& error) {
  if (error.code() != ErrorCode::kBadInput || shard.filename().string().find(".shard-") != std::string::npos) throw;
  throw Error(ErrorCode::kBadInput,
              fmt::format("{}: neither a shard nor a name that there are shards of: no {}.shard-* "
                          "lies beside it",
                          shard.string(), shard.filename().string()));
}

nlohmann::json report_json(const ValidateReport& report) {
  nlohmann::json json = evaluation_json(report.evaluation);
  json["images_total"] = report.total;
  json["complete"] = report.evaluation.images == report.total;
  json["failures"] = failures_json(report.failures);
  return json;
}

int merge_results(const std::string& program, const std::vector<fs::path>& shards, MergeOptions& options, bool json) {
  options.on_failure = [](const ImageFailure& failure) { warn(failure.message); };
  const ValidateReport report = merge_shards(shards, options);
  if (!report.warning.empty()) warn_of(program, report.warning);
  if (json) {
    fmt::print("{}", json_text(report_json(report)));
  } else {
    print_evaluation_of_run(report.evaluation);
  }
  return end_of_run(program, {report.evaluation.images, report.failures.size(), report.total}, StopRequest(),
                    options.results.empty() ? "the numbers" : "numbers and results");
}

/// Of `effdet detect`.
int merge_found(const std::string& program, const std::vector<fs::path>& shards, const std::string& results,
                const std::string& format, bool json) {
  const DetectImagesReport report = merge_detections(
      shards, results, [](const ImageFailure& failure) { warn(failure.message); }, format);
  if (!report.warning.empty()) warn_of(program, report.warning);
  json ? print_detections_json(report) : print_detections(report, results);
  return end_of_run(program, {report.images.size(), report.failures.size(), report.total}, StopRequest(),
                    "the results");
}

}  // namespace

int run_merge(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Joins the shards of 'validate --shard' or 'effdet detect --shard': results file and numbers are "
                   "those of one run, to the bit. Shards that do not belong together, or overlap, are refused; missing "
                   "ones are named.",
                   "effdet merge r.json --results r.json   # all of r.json.shard-*\n"
                   "effdet merge r.json.shard-0-of-2 other/r.json.shard-1-of-2 --root coco_data --json\n"
                   "effdet merge found/detections.json --results found/detections.json");
  std::vector<std::string> names;
  std::string root, annotations, results;
  ImagePlaceOptions images;
  bool json = false;
  line.add_option("shards", names, "files of shards, or the results file that they are parts of")
      ->required()
      ->type_name("FILE...");
  line.add_option("--root", root, "the data set's folder; default: the one that the shards had")->type_name("DIR");
  line.add_option("--annotations", annotations, "COCO's file, instead of the one in the folder")->type_name("FILE");
  images.add_to(line);
  line.add_output("--results", results, "write the results of the whole here");
  std::string format = "json";
  line.add_option("--format", format, "of 'effdet detect': the form of the results, as its --format")
      ->check(CLI::IsMember(result_formats()).description(""))
      ->capture_default_str()
      ->type_name("F");
  line.add_json(json);
  if (!line.read()) return 0;
  std::vector<fs::path> shards;
  for (const std::string& name : names) {
    const std::vector<fs::path> files = shards_of(name);
    shards.insert(shards.end(), files.begin(), files.end());
  }
  for (const fs::path& shard : shards) refuse_same_file("--results", results, "shards", shard.string());
  if (is_list(shards.front())) {
    if (!root.empty() || !annotations.empty() || images.given())
      throw Error(ErrorCode::kUsage,
                  "--root, --annotations, --images and --list are of data sets; these shards are of 'effdet detect'");
    return merge_found(line.program(), shards, results, format, json);
  }
  MergeOptions options{.results = results, .root = root, .annotations = annotations};
  options.on_note = warn;
  DataSource place;
  images.fill(place);
  options.images = place.images;
  options.listed = std::move(place.listed);
  return merge_results(line.program(), shards, options, json);
}

}  // namespace effdet::cli
