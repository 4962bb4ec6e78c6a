// postprocess: dumped outputs to detections and COCO numbers.
#include <fmt/format.h>

#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "effdet/checkpoint.h"
#include "effdet/dataset.h"
#include "progress.h"

namespace effdet::cli {

int run_postprocess(int argc, char** argv) {
  CommandLine line(argc, argv, "Decodes the outputs that the benchmark dumped and evaluates them.",
                   "postprocess --root=./coco_data --omfile=./result/dumpOutput_device0\n"
                   "postprocess --root coco_data --omfile dump -m tf_efficientdet_d0 --img-size 256");
  DatasetOptions dataset;
  PostprocessOptions options;
  std::string dumps, results;
  int threads = 0;
  bool json = false;
  dataset.add_to(line);
  line.add_option("--omfile", dumps, "folder of the dumped outputs")->required()->type_name("DIR");
  line.add_option("--num-classes,--num_classes", options.num_classes,
                  "number of classes; default: inferred from the files' sizes")
      ->transform(between(1, 100000))
      ->type_name("N");
  line.add_anchor_options(options.anchors);
  line.add_output("--results", results, "write COCO results here");
  line.add_soft_nms(options.detect);
  std::string class_names;
  add_category_map(line, options.classes);
  line.add_option("--class-names", class_names, "text file with one class name a line")->type_name("FILE");
  line.add_threads(threads);
  line.add_json(json);
  if (!line.read()) return 0;
  const DataSource data = dataset.source();

  options.input = dataset.input();
  options.results = results;
  options.on_note = warn;
  if (!class_names.empty()) options.classes.names = read_class_names(class_names);
  Evaluation evaluation;
  {
    ProgressBar bar("postprocess");
    evaluation =
        postprocess_dumps(data, dumps, options, threads, [&](size_t done, size_t total) { bar.update(done, total); });
  }
  if (json) return print_evaluation(evaluation, json), 0;
  print_evaluation_of_run(evaluation);
  return 0;
}

}  // namespace effdet::cli
