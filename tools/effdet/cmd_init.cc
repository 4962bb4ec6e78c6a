// init: a random checkpoint.
#include <fmt/format.h>

#include <filesystem>

#include "cli.h"
#include "commands.h"
#include "effdet/checkpoint.h"
#include "output_paths.h"

namespace effdet::cli {

int run_init(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Writes a random checkpoint whose activations stay in a natural range, as a trained one's do; PyTorch "
      "loads it too. The same seed gives the same file.",
      "effdet init tf_efficientdet_d7 --out d7.pth\n"
      "effdet init tf_efficientdet_d0 --out shapes.pth --num-classes 6 --seed 3");
  ModelOptions options;
  std::string out;
  uint64_t seed = 0;
  int threads = 0;
  line.add_option("model", options.model, "variant, such as tf_efficientdet_d0")->required()->type_name("MODEL");
  line.add_option("--out", out, "the file to write; default: MODEL.pth")->type_name("FILE");
  line.add_option("--seed", seed, "of the random numbers")
      ->capture_default_str()
      ->transform(whole_number())
      ->type_name("N");
  line.add_option("--num-classes", options.num_classes, "default: 90, as for COCO")
      ->transform(between(1, 100000))
      ->type_name("N");
  line.add_config_options(options, "the variant's");
  line.add_anchor_options(options.anchors);
  line.add_threads(threads);
  if (!line.read()) return 0;
  set_default_threads(threads);

  if (out.empty()) out = options.model + ".pth";
  prepare_output(out);
  init_checkpoint(options, seed, out);
  fmt::print("{}: {}, seed {}, {}\n", shown_output(out), options.model, seed, written_text(out));
  return 0;
}

}  // namespace effdet::cli
