// Between libeffdet_server and its module for TLS, which alone is linked with OpenSSL and is loaded with the first
// certificate: linked, OpenSSL would add a third to the time in which every command starts. The module knows no
// sockets: bytes go in and come out. Both are of one build, so that classes cross the border; exceptions do not.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace effdet::server {

constexpr int kTlsModuleVersion = 1;
constexpr const char* kTlsModuleEntry = "effdet_tls_module";

enum class TlsState {
  kGood,
  kWantsInput,  ///< what the client has sent so far does not suffice
  kEnded,       ///< the client has said its end
  kBroken,      ///< error() says why
};

/// The server's side of one connection.
class TlsSession {
 public:
  virtual ~TlsSession() = default;
  /// What came from the client.
  virtual void receive(std::span<const std::byte> bytes) = 0;
  /// Again until it is kGood, with output sent and input received between.
  virtual TlsState handshake() = 0;
  /// Fills a part of `to`, of so many bytes.
  virtual TlsState read(std::span<std::byte> to, size_t& bytes) = 0;
  /// Whether there is something to read, and whether the client has ended; takes nothing.
  virtual TlsState look() = 0;
  /// Encrypts all of it.
  virtual TlsState write(std::span<const std::byte> bytes) = 0;
  /// Says the end to the client.
  virtual void end() = 0;
  /// Whether bytes that were received have not been looked at.
  virtual bool has_input() const = 0;
  /// What is to be sent to the client; empty: nothing.
  virtual std::vector<std::byte> take_output() = 0;
  virtual std::string error() const = 0;
};

/// A certificate and its key.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  /// nullptr: no memory.
  virtual std::unique_ptr<TlsSession> accept() = 0;
};

struct TlsModule {
  int version;
  /// Files in PEM. nullptr where they are none, or do not fit each other: error names the file.
  std::shared_ptr<TlsContext> (*load)(const std::string& certificate, const std::string& key, std::string& error);
};

}  // namespace effdet::server
