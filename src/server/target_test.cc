// Targets of requests: paths, queries, and what is none.
#include "server/target.h"

#include <gtest/gtest.h>

#include "server/http_error.h"
#include "server/route.h"

namespace effdet::server {
namespace {

TEST(Target, IsDecoded) {
  const Target target = parse_target("/v2/models/a%20b/?classes=dining+table,%63ar&score=.5&&x");
  EXPECT_EQ(target.path, (std::vector<std::string>{"v2", "models", "a b"}));
  EXPECT_EQ(*target.find("classes"), "dining table,car");
  EXPECT_EQ(*target.find("x"), "");
  EXPECT_EQ(target.find("y"), nullptr);
  EXPECT_TRUE(parse_target("/").path.empty());
}

TEST(BadInput, Case95_PathsThatNameNothing) {
  for (const char* text : {"", "*", "v2", "http://a/b", "//", "/a//b", "/./a", "/a/..", "/%2e%2e/a", "/a%2fb", "/a%5cb",
                           "/a%", "/a%4", "/a%zz", "/a%00", "/a%0d%0ab", "/a?b=%"})
    EXPECT_THROW(parse_target(text), HttpError) << text;
}

TEST(Route, OfPaths) {
  EXPECT_EQ(find_route(parse_target("/v2/models/stats")).endpoint, Endpoint::kStatistics);
  const Route route = find_route(parse_target("/v2/models/d0/versions/1/infer"));
  EXPECT_EQ(route.endpoint, Endpoint::kInfer);
  EXPECT_EQ(route.model, "d0");
  for (const char* text : {"/v3", "/v2/models", "/v2/models/d0/versions", "/v2/models/d0/versions/2",
                           "/v2/models/a/b/infer", "/v2/models/d0/infer/x"})
    EXPECT_THROW(find_route(parse_target(text)), HttpError) << text;
}

}  // namespace
}  // namespace effdet::server
