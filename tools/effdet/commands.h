// The commands: one run function each, in cmd_<name>.cc, and the table that lists them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace effdet::cli {

/// Each takes its own arguments: argv[0] is the name for messages ("effdet atc", or "atc" when invoked by that name).
/// Returns the exit code; throws effdet::Error, which main() turns into one line and the code's value.
int run_pth2onnx(int argc, char** argv);
int run_onnxsim(int argc, char** argv);
int run_edit(int argc, char** argv);
int run_graph(int argc, char** argv);
int run_modify_onnx(int argc, char** argv);
int run_atc(int argc, char** argv);
int run_preprocess(int argc, char** argv);
int run_get_info(int argc, char** argv);
int run_benchmark(int argc, char** argv);
int run_ais_bench(int argc, char** argv);
int run_postprocess(int argc, char** argv);
int run_validate(int argc, char** argv);
int run_merge(int argc, char** argv);
int run_detect(int argc, char** argv);
int run_init(int argc, char** argv);
int run_download(int argc, char** argv);
int run_info(int argc, char** argv);
int run_quantize(int argc, char** argv);
int run_profile(int argc, char** argv);
int run_bench(int argc, char** argv);
int run_compare(int argc, char** argv);
int run_run(int argc, char** argv);
int run_scenes(int argc, char** argv);
int run_convert(int argc, char** argv);
int run_evaluate(int argc, char** argv);
int run_manual(int argc, char** argv);
int run_serve(int argc, char** argv);

struct Command {
  std::string_view name;
  std::string_view tool;     ///< name of the original tool, a link of which runs this command; "" for none
  std::string_view group;    ///< heading in the list of commands
  std::string_view summary;  ///< one line
  int (*run)(int argc, char** argv);
};

/// In the order of the pipeline.
std::span<const Command> commands();
/// By name or by the original tool's name, with or without ".py"; nullptr for none.
const Command* find_command(std::string_view name);
/// The name of the command that is nearest to a mistyped one; "" where none is near.
std::string nearest_command(std::string_view name);

}  // namespace effdet::cli
