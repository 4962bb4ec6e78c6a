// The functions of libcurl that are used here.
#pragma once

#include <curl/curl.h>

#include "base/shared_library.h"

namespace effdet::fetch {

constexpr long kConnectSeconds = 15;
constexpr long kLeastSpeed = 1000;  ///< bytes a second, on average; less is a stall

/// Names and types are those of its header.
struct Curl {
  SharedLibrary library{"libcurl.so.4", "libcurl4"};
  decltype(curl_global_init)* global_init = library.function<decltype(curl_global_init)>("curl_global_init");
  decltype(curl_easy_init)* init = library.function<decltype(curl_easy_init)>("curl_easy_init");
  decltype(curl_easy_cleanup)* cleanup = library.function<decltype(curl_easy_cleanup)>("curl_easy_cleanup");
  decltype(curl_easy_setopt)* setopt = library.function<decltype(curl_easy_setopt)>("curl_easy_setopt");
  decltype(curl_easy_perform)* perform = library.function<decltype(curl_easy_perform)>("curl_easy_perform");
  decltype(curl_easy_getinfo)* getinfo = library.function<decltype(curl_easy_getinfo)>("curl_easy_getinfo");
  decltype(curl_easy_strerror)* strerror = library.function<decltype(curl_easy_strerror)>("curl_easy_strerror");

  Curl() { global_init(CURL_GLOBAL_DEFAULT); }
};

/// Loaded with the first call. Throws Error(kIo) where libcurl is not there.
const Curl& curl();

}  // namespace effdet::fetch
