// serve: models behind HTTP and gRPC, until a signal asks for the end.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli.h"
#include "commands.h"
#include "device_option.h"
#include "effdet/compiled_model.h"
#include "effdet/error.h"
#include "effdet/server.h"
#include "effdet/text_file.h"
#include "input_paths.h"
#include "serve_schedule.h"
#include "signals.h"
#include "status_line.h"
#include "stream_options.h"

namespace effdet::cli {
namespace {

struct ServeArguments {
  std::vector<std::string> models;
  std::string folder;
  bool allow_load = false;
  ModelOptions options;
  StreamOptions streams;
  ServeSchedule schedule;
  ServerOptions server;
  std::string most_body = "64MiB", most_memory = "1GiB", token_file, log_format = "text";
  int threads = 0;
};

/// Files by the names of their models.
class ModelFiles {
 public:
  /// arguments: "NAME=FILE"; a file alone is called by its name without the extension. folder: "", or one of .om files.
  ModelFiles(const std::vector<std::string>& arguments, const std::string& folder) : folder_(folder) {
    for (const std::string& argument : arguments) {
      const size_t equals = argument.find('=');
      if (equals == std::string::npos) {
        files_.emplace_back(std::filesystem::path(argument).stem().string(), argument);
      } else {
        files_.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
      }
    }
    if (folder.empty()) return;
    for (const std::filesystem::path& file :
         files_of(folder, [](const auto& path) { return extension_of(path) == ".om"; }))
      files_.emplace_back(file.stem().string(), file.string());
  }

  const std::vector<std::pair<std::string, std::string>>& all() const { return files_; }
  /// Also of files that have come into the folder since. The name has no slash. Throws Error(kUsage).
  std::string find(const std::string& name) const {
    for (const auto& [known, file] : files_)
      if (known == name) return file;
    const std::filesystem::path file = std::filesystem::path(folder_) / (name + ".om");
    if (folder_.empty() || !is_there(file)) throw Error(ErrorCode::kUsage, "there is no file for it");
    return file.string();
  }

 private:
  std::string folder_;
  std::vector<std::pair<std::string, std::string>> files_;
};

/// Each connection is a descriptor, and the usual limit of 1024 is soft.
void allow_many_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // what it refuses, it refuses to the connections beyond
}

std::string read_token(const std::string& file) {
  std::string token = read_text_file(file);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const bool plain = std::ranges::all_of(token, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (token.empty() || !plain) throw Error(ErrorCode::kBadInput, file + ": expected one line, a token without spaces");
  return token;
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%FT%T", &parts);
  return fmt::format("{}.{:03}Z", text, milliseconds);
}

void log_text(const ServedRequest& request) {
  const auto word = [](const std::string& text) { return text.empty() ? "-" : one_line(text); };
  print_stderr("{} {} {} {} {} in {} out {:.1f} ms {}{}{}\n", utc_now(), word(request.method), word(request.path),
               request.status, request.received, request.sent, request.seconds * 1e3, word(request.id),
               request.error.empty() ? "" : ": ", one_line(request.error));
}

void log_json(const ServedRequest& request) {
  nlohmann::ordered_json line = {{"time", utc_now()},          {"id", request.id},
                                 {"method", request.method},   {"path", request.path},
                                 {"status", request.status},   {"bytes_received", request.received},
                                 {"bytes_sent", request.sent}, {"milliseconds", request.seconds * 1e3}};
  if (!request.traceparent.empty()) line["traceparent"] = request.traceparent;
  if (!request.error.empty()) line["error"] = request.error;
  print_stderr("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void add_limits(CommandLine& line, ServeArguments& arguments) {
  ServerOptions& server = arguments.server;
  line.add_option("--max-body", arguments.most_body, "size of a request, at most")
      ->capture_default_str()
      ->type_name("BYTES");
  line.add_option("--max-memory", arguments.most_memory, "of all requests, pictures and answers, at most")
      ->capture_default_str()
      ->type_name("BYTES");
  line.add_option("--drain-timeout", server.drain_seconds, "seconds for accepted requests after SIGTERM")
      ->capture_default_str()
      ->check(between(0, 86400))
      ->type_name("S");
}

int serve(const std::string& program, ServeArguments& arguments) {
  ServerOptions& options = arguments.server;
  options.most_body = parse_bytes("--max-body", arguments.most_body);
  options.most_memory = parse_bytes("--max-memory", arguments.most_memory);
  if (!arguments.token_file.empty()) options.token = read_token(arguments.token_file);
  if (arguments.log_format == "text") options.on_request = log_text;
  if (arguments.log_format == "json") options.on_request = log_json;
  const ModelFiles files(arguments.models, arguments.folder);
  if (files.all().empty() && arguments.folder.empty())
    throw Error(ErrorCode::kUsage, "no model: give files, or --models with a folder of .om files");
  if (files.all().empty()) throw Error(ErrorCode::kUsage, arguments.folder + ": no .om files");
  std::vector<ServedModel> models;
  for (const auto& [name, file] : files.all()) models.push_back({name, CompiledModel::open(file, arguments.options)});
  if (arguments.allow_load)
    options.open_model = [&](const std::string& name) {
      return CompiledModel::open(files.find(name), arguments.options);
    };
  options.on_note = [&](const std::string& text) { print_stderr("{}: {}\n", program, one_line(text)); };
  options.layout = arguments.streams.resolve(models.front().model, arguments.threads);
  arguments.schedule.apply(options, models);
  allow_many_connections();

  const StopRequest stop;
  Server server(models, options);
  for (const ServedModel& served : models) fmt::print("{}: model '{}'\n", program, served.name);
  const std::string host = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  fmt::print("{}: ready on {}\n", program,
             options.unix_socket.empty()
                 ? fmt::format("http{}://{}:{}", options.certificate.empty() ? "" : "s", host, server.port())
                 : options.unix_socket);
  if (server.grpc_port() >= 0) fmt::print("{}: gRPC on {}:{}\n", program, host, server.grpc_port());
  std::fflush(stdout);
  while (!stop.requested()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  server.stop();
  if (!server.wait()) throw Error(ErrorCode::kIo, "requests were not finished within --drain-timeout");
  return 0;
}

}  // namespace

int run_serve(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Serves models over HTTP: pictures by curl, tensors by the Open Inference Protocol (KServe v2), a "
                   "page at /. SIGTERM ends it when accepted requests are answered.",
                   "effdet serve d0.om\n"
                   "effdet serve small=d0.om large=d7.om --host 0.0.0.0 --port 8080 --streams auto\n"
                   "curl --data-binary @dog.jpg 'localhost:8000/v2/models/d0/detect?score=0.5'");
  ServeArguments arguments;
  ServerOptions& server = arguments.server;
  line.add_option("models", arguments.models,
                  "compiled models, ONNX models or checkpoints, each with its name before it")
      ->type_name("[NAME=]FILE");
  line.add_option("--models", arguments.folder, "folder whose .om files are served, too")->type_name("DIR");
  line.add_flag("--allow-load", arguments.allow_load,
                "clients may load these models anew and unload them, and load what has come into the folder");
  line.add_option("--host", server.host, "address to listen on; 0.0.0.0 or :: for all")
      ->capture_default_str()
      ->type_name("ADDRESS");
  line.add_option("-p,--port", server.port, "0: any free one, which the first lines tell")
      ->capture_default_str()
      ->check(between(0, 65535))
      ->type_name("N");
  line.add_option("--grpc-port", server.grpc_port,
                  "also serves the protocol over gRPC, at this port of the same address; 0: any free one")
      ->check(between(0, 65535))
      ->type_name("N");
  line.add_option("--unix-socket", server.unix_socket, "path of a socket to listen on instead of address and port")
      ->excludes("--host")
      ->excludes("--port")
      ->excludes("--grpc-port")
      ->type_name("PATH");
  server.detect.score_threshold = 0.3f;
  line.add_option("--score", server.detect.score_threshold,
                  "pictures: leave out detections with a lower score; ?score= of a request goes before")
      ->capture_default_str()
      ->type_name("S");
  arguments.streams.add_to(line);
  arguments.schedule.add_to(line, server);
  add_limits(line, arguments);
  line.add_option("--token-file", arguments.token_file,
                  "file with a token that clients must send: Authorization: Bearer")
      ->type_name("FILE");
  CLI::Option* certificate =
      line.add_option("--cert", server.certificate,
                      "certificate in PEM, with those of its issuers behind it: HTTPS, and gRPC over TLS")
          ->type_name("FILE");
  line.add_option("--key", server.key, "its private key in PEM")->type_name("FILE")->needs(certificate);
  certificate->needs("--key");
  line.add_option("--log-format", arguments.log_format, "a line for each request on standard error: text, json, none")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json", "none"}))
      ->type_name("FORMAT");
  line.add_model_options(arguments.options);
  line.add_precision(arguments.options);
  add_device(line, arguments.options);
  line.add_threads(arguments.threads);
  if (!line.read()) return 0;
  return serve(line.program(), arguments);
}

}  // namespace effdet::cli
