// CANN's own atc, which compiles for cards where it is installed.
#pragma once

#include <string>

namespace effdet::cli {

/// The card that --soc_version names ("Ascend310P3"), or "" where it names none.
std::string card_version(int argc, char** argv);

/// Runs CANN's atc with the same arguments, in this process' streams, and gives its exit code. Where it made a model of
/// an ONNX file that our exporter wrote, the metadata are kept beside the model, for commands that run it. Throws Error
/// with atc's code where it is not installed.
int run_cann_atc(int argc, char** argv, const std::string& soc_version);

}  // namespace effdet::cli
