// C interface: the log's handler.
#include "effdet/log.h"

#include <string>

#include "api/c/call.h"

using namespace effdet;
using namespace effdet::api;

static_assert(static_cast<int>(LogLevel::kDebug) == EFFDET_LOG_DEBUG &&
              static_cast<int>(LogLevel::kInfo) == EFFDET_LOG_INFO &&
              static_cast<int>(LogLevel::kWarning) == EFFDET_LOG_WARNING);

effdet_status effdet_set_log(effdet_log_function function, void* user) {
  return call([&] {
    if (function == nullptr) return set_log_handler({});
    set_log_handler([function, user](LogLevel level, std::string_view text) {
      function(static_cast<effdet_log_level>(level), one_line(text).c_str(), user);
    });
  });
}
