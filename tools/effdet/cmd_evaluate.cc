// evaluate: COCO numbers of a results file.
#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "effdet/dataset.h"

namespace effdet::cli {

int run_evaluate(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Evaluates a COCO results file as pycocotools does, on all images of the annotation file. Invalid boxes "
      "and annotations of categories that are not listed are skipped and counted.",
      "effdet evaluate coco_data/annotations/instances_val2017.json results.json\n"
      "effdet evaluate instances.json results.json --only-images-with-results --json");
  std::string annotations, results;
  EvaluateOptions options;
  bool json = false;
  line.add_option("annotations", annotations, "instances_*.json")->required()->type_name("FILE");
  line.add_option("results", results, "COCO results")->required()->type_name("FILE");
  line.add_flag("--only-images-with-results", options.only_images_with_results,
                "leave out images without results, as validate and postprocess do");
  line.add_flag("--strict", options.strict, "refuse files with records that are otherwise left out");
  line.add_json(json);
  if (!line.read()) return 0;
  const Evaluation evaluation = evaluate_results(annotations, results, options);
  for (const std::string& note : evaluation.notes) warn(note);
  print_evaluation(evaluation, json);
  return 0;
}

}  // namespace effdet::cli
