// convert: a data set in another format.
#include <fmt/format.h>

#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "partial_run.h"
#include "progress.h"

namespace effdet::cli {

int run_convert(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Writes a data set in another format, with its images, and says what that format does not hold.",
                   "effdet convert coco_data --to yolo --out yolo_data\n"
                   "effdet convert VOCdevkit/VOC2012 --split train --to coco --out coco_data --link");
  DataSourceOptions data_source;
  ConvertOptions options;
  std::string out;
  bool json = false;
  data_source.add_to(line, "root");
  line.add_option("--to", options.format, "format to write: " + dataset_formats())->required()->type_name("NAME");
  line.add_option("--out", out, "root of the new data set; made where missing, must be empty")
      ->required()
      ->type_name("DIR");
  line.add_flag("--link", options.link, "symbolic links to the images instead of copies");
  line.add_json(json);
  if (!line.read()) return 0;

  ConvertReport report;
  {
    ProgressBar bar("convert");
    report = convert_dataset(
        data_source.source(), out, options, [&](size_t done, size_t total) { bar.update(done, total); },
        [](const ImageFailure& failure) { warn(failure.message); });
  }
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
