// Adds the limits, each with what it is by default.
#include "serve_limits.h"

namespace effdet::cli {

void ServeLimits::add_to(CommandLine& line, ServerOptions& options) {
  line.add_option("--max-body", most_body_, "size of a request, at most")->capture_default_str()->type_name("BYTES");
  line.add_option("--max-header", options.most_header, "bytes of a request's header, at most")
      ->capture_default_str()
      ->transform(between(1024, 64 << 10))
      ->type_name("BYTES");
  line.add_option("--max-pixels", options.most_pixels, "pixels of a picture, at most")
      ->capture_default_str()
      ->transform(between(1, 1'000'000'000))
      ->type_name("N");
  line.add_option("--max-connections", options.most_connections, "connections at the same time, at most")
      ->capture_default_str()
      ->transform(between(1, 1'000'000))
      ->type_name("N");
  const auto add_seconds = [&](const char* flag, double& value, const char* text) {
    line.add_option(flag, value, text)->capture_default_str()->transform(between(0, 86400))->type_name("S");
  };
  add_seconds("--idle-timeout", options.idle_seconds, "seconds after which a connection without a request is closed");
  add_seconds("--header-timeout", options.header_seconds, "seconds for a request's header, and for TLS before it");
  add_seconds("--body-timeout", options.body_seconds, "seconds for a request's body, and for sending its answer");
  line.add_option("--max-memory", most_memory_, "of all requests, pictures and answers, at most")
      ->capture_default_str()
      ->type_name("BYTES");
  add_seconds("--drain-timeout", options.drain_seconds, "seconds for accepted requests after SIGTERM");
}

void ServeLimits::apply(ServerOptions& options) const {
  options.most_body = parse_bytes("--max-body", most_body_);
  options.most_memory = parse_bytes("--max-memory", most_memory_);
}

}  // namespace effdet::cli
