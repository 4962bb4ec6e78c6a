// What files say of a model: its options, metadata beside a compiled model, CANN's header, names of classes.
#include "ascend/model_metadata.h"
#include "effdet/cann_model.h"
#include "effdet/checkpoint.h"
#include "effdet/error.h"
#include "input_file.h"
#include "kernels/ascend/offline_model.h"
#include "model/metadata.h"
#include "model/settings.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

/// The program of a model that CANN compiled: one node, which takes four pictures of 128 x 128 pixels.
artifact::Program offline_program() {
  artifact::Program plan;
  plan.graph.add_input("images", DType::kU8, {4, 128, 128, 3});
  plan.graph.nodes.push_back(kernels::ascend::node_of({.path = "model.om"}));
  return plan;
}

}  // namespace

/// Lines "option=value", as --config takes them: what a model may have, its metadata can say.
void settings(Bytes input) {
  model::ModelConfig config = model::default_config(*model::find_variant("tf_efficientdet_d0"));
  const bool is_model = read([&] {
    std::string_view text = text_of(input);
    for (int lines = 0; !text.empty() && lines < 100; ++lines) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const size_t equals = std::min(line.find('='), line.size());
      const std::string_view value = line.substr(std::min(equals + 1, line.size()));
      model::apply_setting({std::string(line.substr(0, equals)), std::string(value)}, config);
    }
    model::check_config(config);
  });
  if (!is_model) return;
  try {
    if (model::parse_metadata(model::metadata_of(config), "input") != model::info_of(config))
      finding("metadata say something else than the model that they are of");
  } catch (const Error& error) {
    finding(std::string("the metadata of a legal model: ") + error.what());
  }
}

/// MODEL.metadata.json, of a model of five bytes.
void model_metadata(Bytes input) {
  static const std::filesystem::path model = write_input("described/model.om", "model");
  const std::filesystem::path file = write_input("described/model.om.metadata.json", text_of(input));
  for (const std::filesystem::path& named : {std::filesystem::path(), file})
    read([&] {
      std::vector<artifact::Program> plans = {offline_program()};
      ascend::complete_metadata(plans, model, named);
      model::parse_metadata(plans[0].graph.metadata, "input");
    });
}

void cann_header(Bytes input) { read_file_of(input, cann_model); }

void class_names(Bytes input) { read_file_of(input, read_class_names); }

}  // namespace effdet::fuzz
