// preprocess: images of a data set to the files that the benchmark reads.
#include <fmt/format.h>

#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "progress.h"

namespace effdet::cli {
namespace {

void print_report(const PreprocessReport& report, const std::string& folder, bool json) {
  if (json) {
    fmt::print("{}", json_text({{"written", report.written},
                                {"skipped", report.skipped},
                                {"failures", failures_json(report.failures)},
                                {"notes", report.notes},
                                {"seconds", report.seconds}}));
    return;
  }
  for (const std::string& note : report.notes) warn(note);
  for (const std::string& name : report.skipped)
    warn(fmt::format("{}: skipped, a side is under 32 pixels", one_line(name)));
  fmt::print("[INFO] {} images written to {} in {:.2f} s ({:.1f} images/s)\n", report.written, folder, report.seconds,
             static_cast<double>(report.written) / report.seconds);
}

}  // namespace

int run_preprocess(int argc, char** argv) {
  CommandLine line(argc, argv, "Letterboxes and normalises a data set's images into raw float32 files.",
                   "preprocess --root=coco_data --bin-save=bin_save\n"
                   "preprocess --root coco_data --bin-save bin_save -m tf_efficientdet_d0 --img-size 256");
  DatasetOptions dataset;
  std::string folder;
  int batch_size = 1, threads = 0;
  bool json = false;
  dataset.add_to(line);
  line.add_option("--bin-save,--bin_save", folder, "folder for the files; made where missing")
      ->required()
      ->type_name("DIR");
  line.add_option("-b,--batch-size,--batch_size", batch_size, "accepted for compatibility; each image is one file")
      ->transform(between(1, 65536))
      ->type_name("N");
  line.add_threads(threads);
  line.add_json(json);
  if (!line.read()) return 0;
  const DataSource data = dataset.source();

  make_output_folder(folder);
  PreprocessReport report;
  {
    ProgressBar bar("preprocess");
    const auto progress = [&](size_t done, size_t total) { bar.update(done, total); };
    report = preprocess_dataset(data, folder, dataset.input(), threads, progress,
                                [](const ImageFailure& failure) { warn(failure.message); });
  }
  print_report(report, folder, json);
  const size_t failed = report.failures.size();
  if (failed > 0)
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} of {} images could not be used", failed, report.written + failed));
  return 0;
}

}  // namespace effdet::cli
