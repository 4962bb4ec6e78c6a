// The server's certificate: loads the module for TLS, and looks for a renewed one.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "server/message.h"
#include "server/tls_module.h"

namespace effdet::server {

/// One thread uses it.
class Certificate {
 public:
  /// Throws Error(kUsage) where one of the files is not named, Error(kIo) and Error(kBadInput) where they are not there
  /// or no certificate and its key, Error(kUnsupported) where the module is missing.
  Certificate(std::string file, std::string key_file, std::function<void(const std::string&)> on_note,
              Clock::duration between_looks = std::chrono::seconds(10));

  /// A connection's encryption; nullptr: no memory. Files that have changed are read again, not more often than once in
  /// `between_looks`: where they are broken the old certificate goes on, and the note says so.
  std::unique_ptr<TlsSession> accept();

 private:
  using FileTimes = std::pair<std::filesystem::file_time_type, std::filesystem::file_time_type>;

  FileTimes times() const;
  void load();
  void load_if_changed();

  const std::string file_, key_file_;
  const std::function<void(const std::string&)> on_note_;
  const Clock::duration between_looks_;
  FileTimes loaded_;
  Clock::time_point looked_;
  std::shared_ptr<TlsContext> context_;
};

}  // namespace effdet::server
