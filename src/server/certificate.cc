// Finds libeffdet_tls.so, and gives it the files.
#include "server/certificate.h"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/shared_library.h"

namespace effdet::server {
namespace {

const TlsModule& tls_module() {
  static const auto& module = module_table<TlsModule>(
      reinterpret_cast<const void*>(&tls_module), "libeffdet_tls.so", kTlsModuleEntry, kTlsModuleVersion,
      "TLS needs libeffdet_tls.so and OpenSSL (Debian: libssl3; to build it libssl-dev)");
  return module;
}

void check_readable(const std::string& file) {
  errno = 0;
  if (!std::ifstream(file)) fail(ErrorCode::kIo, "{}: {}", file, std::generic_category().message(errno));
}

}  // namespace

Certificate::Certificate(std::string file, std::string key_file, std::function<void(const std::string&)> on_note,
                         Clock::duration between_looks)
    : file_(std::move(file)),
      key_file_(std::move(key_file)),
      on_note_(std::move(on_note)),
      between_looks_(between_looks) {
  if (file_.empty() || key_file_.empty())
    fail(ErrorCode::kUsage, "a certificate needs its key, and a key its certificate");
  load();
}

Certificate::FileTimes Certificate::times() const {
  std::error_code ignored;
  return {std::filesystem::last_write_time(file_, ignored), std::filesystem::last_write_time(key_file_, ignored)};
}

void Certificate::load() {
  looked_ = Clock::now();
  loaded_ = times();
  check_readable(file_);
  check_readable(key_file_);
  std::string error;
  auto context = tls_module().load(file_, key_file_, error);
  if (context == nullptr) fail(ErrorCode::kBadInput, "{}", error);
  context_ = std::move(context);
}

void Certificate::load_if_changed() {
  if (Clock::now() - looked_ < between_looks_) return;
  looked_ = Clock::now();
  if (times() == loaded_) return;
  std::string note = "the certificate was read again";
  try {
    load();
  } catch (const Error& error) {
    note = std::string("the certificate was not read again: ") + error.what();
  }
  if (on_note_) on_note_(note);
}

std::unique_ptr<TlsSession> Certificate::accept() {
  load_if_changed();
  return context_->accept();
}

}  // namespace effdet::server
