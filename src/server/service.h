// From a request to its answer: finds the work, refuses what must not be done, queues the rest.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "effdet/server.h"
#include "server/message.h"
#include "server/metadata.h"
#include "server/route.h"
#include "server/shared_regions.h"

namespace effdet::server {

/// Any thread may call it.
class Service {
 public:
  /// Called once, by a stream's thread.
  using Done = std::function<void(Answer)>;

  /// Throws as Server.
  Service(std::vector<ServedModel> models, const ServerOptions& options, std::shared_ptr<MemoryBudget> budget);

  /// Finishes what was accepted.
  ~Service();

  /// Before the body is read, of which `length` bytes are announced (nothing: it comes in chunks). Nothing where the
  /// request may go on, else why not.
  std::optional<Answer> refusal(const Request& request, std::optional<uint64_t> length) const;
  /// Answers at once, or later by `done`, and then sets pending.
  std::optional<Answer> handle(std::shared_ptr<Request> request, std::shared_ptr<PendingAnswer>& pending, Done done);

  /// From now on it is not ready.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  void count_request() { ++requests_; }
  void count_connections(uint64_t now) { connections_ = now; }
  const std::shared_ptr<MemoryBudget>& budget() const { return budget_; }

 private:
  class LoadJob;

  std::vector<Interface> interfaces() const;
  Interface find(const std::string& name) const;
  void check_route(const Request& request, std::optional<uint64_t> length) const;
  uint64_t most_body(const Route& route) const;
  void check_body(const Route& route, uint64_t bytes) const;
  Answer answer_now(const Route& route) const;
  bool is_authorized(const Request& request) const;
  std::shared_ptr<PendingAnswer> queue_inference(const Route& route, const std::shared_ptr<Request>& request,
                                                 Done& done);
  std::shared_ptr<PendingAnswer> queue_loading(const Route& route, const std::shared_ptr<Request>& request, Done& done);
  std::shared_ptr<HostedModel> host(const ServedModel& served) const;
  void load(const std::string& name);
  void unload(const std::string& name);
  /// nullptr: such memory is not offered.
  SharedRegions* regions(const Route& route) const;
  Answer change_regions(const Route& route, const Request& request) const;
  void note(const std::string& text) const;

  ServerOptions options_;
  std::shared_ptr<MemoryBudget> budget_;
  const std::shared_ptr<SharedRegions> regions_;  // nullptr: shared memory is off
  mutable std::mutex models_mutex_;
  std::vector<std::shared_ptr<HostedModel>> models_;  // under models_mutex_
  struct Requested {
    std::optional<StreamLayout> layout;
    std::optional<size_t> queue;
  };
  std::map<std::string, Requested> requested_;  // of single models, for those that are loaded anew
  WorkQueue loader_{1, {.jobs = 8}};            // loads and unloads, one after the other
  std::atomic<bool> draining_ = false;
  std::atomic<uint64_t> requests_ = 0, connections_ = 0;
};

}  // namespace effdet::server
