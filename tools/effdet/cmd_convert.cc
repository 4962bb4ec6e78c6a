// convert: a data set in another format.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "partial_run.h"
#include "progress.h"
#include "temporary_folder.h"
#include "whole_folder.h"

namespace effdet::cli {
namespace {

/// Throws as WholeFolder, Error(kIo) where nobody can see what is in it, and Error(kUsage) where something is in it
/// that would be lost.
WholeFolder new_folder(const std::string& path) {
  WholeFolder folder(path);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder.target(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!is_unfinished_output(name) && !is_temporary_folder(name))
      throw Error(ErrorCode::kUsage,
                  fmt::format("--out: {} is not empty (it has '{}'); give a new folder for the converted data set",
                              path, name));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(ErrorCode::kIo, fmt::format("--out: {}: cannot read the folder: {}", path, error.message()));
  return folder;
}

}  // namespace

int run_convert(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Writes a data set in another format, with its images, and says what that format does not hold.",
                   "effdet convert coco_data --to yolo --out yolo_data\n"
                   "effdet convert VOCdevkit/VOC2012 --split train --to coco --out coco_data --link\n"
                   "effdet convert cvat_yolo --split train --to coco --out coco_data --number-images");
  DataSourceOptions data_source;
  ConvertOptions options;
  std::string out;
  bool json = false;
  data_source.add_to(line, "root");
  line.add_option("--to-split", options.split, "name of the split that is written; default: that of --split")
      ->type_name("NAME");
  line.add_option("--to", options.format, "format to write: " + dataset_formats())->required()->type_name("NAME");
  line.add_option("--out", out, "root of the new data set; made where missing, must be empty")
      ->required()
      ->type_name("DIR");
  line.add_flag("--link", options.link, "symbolic links to the images instead of copies");
  line.add_flag("--number-images", options.number_images,
                "ids 1, 2, ... for images whose ids are names, as many programs want them in COCO's files");
  line.add_json(json);
  if (!line.read()) return 0;

  const WholeFolder whole = new_folder(out);
  const DataSource data = data_source.source();
  ConvertReport report;
  whole.write([&](const std::filesystem::path& folder) {
    ProgressBar bar("convert");
    report = convert_dataset(
        data, folder, options, [&](size_t done, size_t total) { bar.update(done, total); },
        [](const ImageFailure& failure) { warn(failure.message); });
  });
  if (json) {
    fmt::print("{}", json_text({{"images", report.images},
                                {"annotations", report.annotations},
                                {"categories", report.categories},
                                {"notes", report.notes},
                                {"failures", failures_json(report.failures)},
                                {"root", out}}));
  } else {
    for (const std::string& note : report.notes) warn(note);
    fmt::print("[INFO] {} images, {} annotations and {} categories written to {}\n", report.images, report.annotations,
               report.categories, out);
  }
  return end_of_run(line.program(), {report.images, report.failures.size(), report.images + report.failures.size()},
                    StopRequest(), "the annotations in " + out);
}

}  // namespace effdet::cli
