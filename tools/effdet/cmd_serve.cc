// serve: models behind HTTP and gRPC, until a signal asks for the end.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "cli.h"
#include "commands.h"
#include "device_option.h"
#include "effdet/compiled_model.h"
#include "effdet/error.h"
#include "effdet/server.h"
#include "effdet/text_file.h"
#include "input_paths.h"
#include "serve_limits.h"
#include "serve_log.h"
#include "serve_schedule.h"
#include "service_manager.h"
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
  ServeLimits limits;
  std::string token_file, log_format = "text";
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

/// "https://example.org:8080", as browsers send it; what is not would never match. CLI11 wants the fault as text.
std::string check_origin(const std::string& origin) {
  const size_t host = origin.starts_with("https://") ? 8 : origin.starts_with("http://") ? 7 : std::string::npos;
  const bool is_plain = std::ranges::all_of(origin, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (origin == "*" || (is_plain && host < origin.size() && origin.find('/', host) == std::string::npos)) return "";
  return "expected an origin like https://example.org, without a slash at its end, or '*'";
}

/// Where clients find it.
std::string place_of(const ServerOptions& options, const Server& server, const std::string& host) {
  if (!options.unix_socket.empty()) return options.unix_socket;
  const char* scheme = options.certificate.empty() ? "http" : "https";
  if (options.listening_socket < 0) return fmt::format("{}://{}:{}", scheme, host, server.port());
  const std::string port = server.port() > 0 ? fmt::format(", port {}", server.port()) : "";
  return fmt::format("the service manager's socket by {}{}", scheme, port);
}

int serve(const std::string& program, ServeArguments& arguments) {
  ServerOptions& options = arguments.server;
  arguments.limits.apply(options);
  if (!arguments.token_file.empty()) options.token = read_token(arguments.token_file);
  options.on_request = request_log(arguments.log_format);
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

  options.listening_socket = inherited_socket();
  const StopRequest stop;
  const MemoryErrorsAreThrown for_requests;
  Server server(models, options);
  for (const ServedModel& served : models) fmt::print("{}: model '{}'\n", program, served.name);
  const std::string host = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
  fmt::print("{}: ready on {}\n", program, place_of(options, server, host));
  if (server.grpc_port() >= 0) fmt::print("{}: gRPC on {}:{}\n", program, host, server.grpc_port());
  flush_stdout();
  notify_service_manager("READY=1");
  while (!stop.requested()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  notify_service_manager("STOPPING=1");
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
      ->transform(between(0, 65535))
      ->type_name("N");
  line.add_option("--grpc-port", server.grpc_port,
                  "also serves the protocol over gRPC, at this port of the same address; 0: any free one")
      ->transform(between(0, 65535))
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
      ->check(real_between(0, 1))
      ->type_name("S");
  arguments.streams.add_to(line);
  arguments.schedule.add_to(line, server);
  arguments.limits.add_to(line, server);
  line.add_flag("--shared-memory", server.shared_memory,
                "clients on this machine may pass tensors in POSIX shared memory (Triton's extension)");
  line.add_option("--token-file", arguments.token_file,
                  "file with a token that clients must send: Authorization: Bearer")
      ->type_name("FILE");
  CLI::Option* certificate =
      line.add_option("--cert", server.certificate,
                      "certificate in PEM, with those of its issuers behind it: HTTPS, and gRPC over TLS")
          ->type_name("FILE");
  line.add_option("--key", server.key, "its private key in PEM")->type_name("FILE")->needs(certificate);
  certificate->needs("--key");
  line.add_option("--cors", server.cors_origin, "pages of this origin may be clients; '*': all pages")
      ->check(check_origin)
      ->type_name("ORIGIN");
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
