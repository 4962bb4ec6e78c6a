// evaluate: COCO numbers of a results file.
#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "effdet/dataset.h"

namespace effdet::cli {

int run_evaluate(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Evaluates a COCO results file as pycocotools does, on the images that it has results of.",
                   "effdet evaluate coco_data/annotations/instances_val2017.json results.json");
  std::string annotations, results;
  bool json = false;
  line.add_option("annotations", annotations, "instances_*.json")->required()->type_name("FILE");
  line.add_option("results", results, "COCO results")->required()->type_name("FILE");
  line.add_json(json);
  if (!line.read()) return 0;
  print_evaluation(evaluate_results(annotations, results), json);
  return 0;
}

}  // namespace effdet::cli
