// Dispatches requests.
#include "server/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "effdet/error.h"
#include "eval/json_reader.h"
#include "server/compression.h"
#include "server/http_error.h"
#include "server/inference_job.h"
#include "server/metrics.h"
#include "server/page.h"

namespace effdet::server {
namespace {

/// Takes as long for a token that is nearly right as for any other of its length.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

void check_model_name(const std::string& name) {
  constexpr size_t kLongest = 128;
  const bool good = !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, is_name_character);
  if (!good || name == "." || name == "..")
    throw Error(ErrorCode::kUsage, "model name '" + name + "': expected letters, digits, '_', '-' and '.'");
}

Answer health_answer(bool is_good, const char* name, bool is_json) {
  Answer answer;
  answer.status = is_good ? 200 : 503;
  if (!is_good) answer.fields.emplace_back("Retry-After", "1");
  if (is_json) {
    answer.text = fmt::format("{{\"{}\":{}}}\n", name, is_good);
  } else {
    answer.content_type = "text/plain";
    answer.text = is_good ? "ok\n" : "not ready\n";
  }
  return answer;
}

Answer json_answer(std::string text) {
  Answer answer;
  answer.text = std::move(text);
  return answer;
}

Answer text_answer(const char* type, std::string text) {
  Answer answer;
  answer.content_type = type;
  answer.text = std::move(text);
  return answer;
}

}  // namespace

Service::Service(std::vector<ServedModel> models, const ServerOptions& options, std::shared_ptr<MemoryBudget> budget)
    : options_(options),
      budget_(std::move(budget)),
      regions_(options.shared_memory ? std::make_shared<SharedRegions>() : nullptr) {
  for (const ServedModel& served : models) {
    check_model_name(served.name);
    if (std::ranges::any_of(models_, [&](const auto& other) { return other->name() == served.name; }))
      throw Error(ErrorCode::kUsage, "two models are called '" + served.name + "': give one another name");
    models_.push_back(host(served));
    requested_[served.name] = {served.layout, served.queue};
  }
}

Service::~Service() {
  // A job holds its model: where the last one let it go, a stream's thread would wait for itself.
  loader_.finish();
  for (const auto& model : models_) model->queue().finish();
}

std::shared_ptr<HostedModel> Service::host(const ServedModel& served) const {
  const Scheduling scheduling{.layout = served.layout.value_or(options_.layout),
                              .limits = {.jobs = served.queue.value_or(options_.queue), .bytes = options_.queue_bytes},
                              .batching = {.most = std::max<size_t>(options_.preferred_batch, 1),
                                           .wait = std::chrono::microseconds(options_.queue_delay_us)}};
  return std::make_shared<HostedModel>(served, scheduling, options_.detect);
}

std::vector<Interface> Service::interfaces() const {
  std::vector<Interface> all;
  const std::lock_guard lock(models_mutex_);
  for (const auto& model : models_) {
    all.push_back({model, false});
    if (model->takes_pictures()) all.push_back({model, true});
  }
  return all;
}

Interface Service::find(const std::string& name) const {
  // A model's own name goes before another's name for pictures.
  for (const bool pictures : {false, true})
    for (const Interface& one : interfaces())
      if (one.pictures == pictures && one.name() == name) return one;
  throw HttpError(404, "model '{}' is not found", name);
}

bool Service::is_authorized(const Request& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (options_.token.empty()) return true;
  const std::string_view given = request.authorization;
  return given.size() > kScheme.size() && given.starts_with(kScheme) &&
         same_secret(given.substr(kScheme.size()), options_.token);
}

/// Others must not wait for the thread of the connections.
uint64_t Service::most_body(const Route& route) const {
  constexpr uint64_t kMostSmall = 64 << 10;
  return route.is_small() ? std::min(options_.most_body, kMostSmall) : options_.most_body;
}

void Service::check_body(const Route& route, uint64_t bytes) const {
  if (const uint64_t most = most_body(route); bytes > most)
    throw HttpError(413, "the body has {} bytes, more than the {} that are allowed", bytes, most);
}

void Service::check_route(const Request& request, std::optional<uint64_t> length) const {
  const Route route = find_route(request.target);
  const bool is_open = route.endpoint == Endpoint::kLive || route.endpoint == Endpoint::kReady ||
                       route.endpoint == Endpoint::kPage;  // which asks for the token
  if (!is_open && !is_authorized(request))
    throw HttpError(401, "this server wants a token: send 'Authorization: Bearer TOKEN'");
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  if (!(route.by_post() ? request.method == "POST" : is_get))
    throw HttpError(405, "{} is not possible here, only {}", request.method, route.by_post() ? "POST" : "GET");
  check_body(route, length.value_or(0));
  if (!is_known_encoding(request.content_encoding))
    throw HttpError(415, "Content-Encoding: this server reads gzip and deflate");
  if (route.endpoint == Endpoint::kRepository) {
    if (!options_.open_model) throw HttpError(400, "this server's models are those that it was started with");
    return;
  }
  if (route.model.empty()) return;
  find(route.model);
  if ((route.endpoint == Endpoint::kDetect || route.endpoint == Endpoint::kInfer) && draining_)
    throw HttpError(503, "the server is about to end");
}

std::optional<Answer> Service::refusal(const Request& request, std::optional<uint64_t> length) const {
  try {
    check_route(request, length);
    return std::nullopt;
  } catch (const HttpError& error) {
    Answer answer = error_answer(error.status(), error.what());
    if (error.status() == 405) answer.fields.emplace_back("Allow", request.method == "POST" ? "GET, HEAD" : "POST");
    return answer;
  }
}

Answer Service::answer_now(const Route& route) const {
  const auto chosen = [&] { return route.model.empty() ? interfaces() : std::vector<Interface>{find(route.model)}; };
  switch (route.endpoint) {
    case Endpoint::kPage:
      return text_answer("text/html; charset=utf-8", std::string(kPage));
    case Endpoint::kLive:
      return health_answer(true, "live", route.is_json);
    case Endpoint::kReady:
      return health_answer(!draining_, "ready", route.is_json);
    case Endpoint::kModelReady:
      return health_answer(!draining_, "ready", true);
    case Endpoint::kMetrics:
      return text_answer("text/plain; version=0.0.4",
                         metrics_text(interfaces(), {requests_, connections_, budget_->used()}));
    case Endpoint::kServer:
      return json_answer(server_metadata(regions_ != nullptr));
    case Endpoint::kIndex:
      return json_answer(repository_index(chosen()));
    case Endpoint::kModel:
      return json_answer(model_metadata(find(route.model)));
    case Endpoint::kConfig:
      return json_answer(model_config(find(route.model)));
    case Endpoint::kStatistics:
      return json_answer(model_statistics(chosen()));
    case Endpoint::kSharedStatus:
      return json_answer(regions(route) != nullptr ? regions(route)->status(route.region) : "[]\n");
    default:
      throw HttpError(404, "there is nothing at this path");
  }
}

/// Loading and unloading happen away from the thread of the connections.
class Service::LoadJob final : public Job, public PendingAnswer {
 public:
  LoadJob(Service& service, std::string name, bool unloads, Done done)
      : service_(service), name_(std::move(name)), unloads_(unloads), done_(std::move(done)) {}

  void run(size_t) override {
    Answer answer;
    try {
      unloads_ ? service_.unload(name_) : service_.load(name_);
      answer = json_answer("{}\n");
    } catch (const HttpError& error) {
      answer = error_answer(error.status(), error.what());
    } catch (const std::bad_alloc&) {
      answer = not_loaded(ErrorCode::kOutOfMemory, "memory ran out");
    } catch (const Error& error) {
      answer = not_loaded(error.code(), error.what());
    }
    std::exchange(done_, nullptr)(std::move(answer));
  }
  void fail() override { std::exchange(done_, nullptr)(out_of_memory_answer()); }
  void cancel() override {}  // the answer goes nowhere; the model is there

 private:
  /// What the library says names files: the log alone has it.
  Answer not_loaded(ErrorCode code, const char* reason) const {
    service_.note(fmt::format("model '{}' was not loaded: {}", name_, reason));
    if (code == ErrorCode::kOutOfMemory) return out_of_memory_answer();
    return error_answer(400, fmt::format("model '{}' could not be loaded; the server's log says why", name_));
  }

  Service& service_;
  std::string name_;
  bool unloads_;
  Done done_;
};

void Service::note(const std::string& text) const {
  if (options_.on_note) options_.on_note(text);
}

void Service::load(const std::string& name) {
  try {
    check_model_name(name);
  } catch (const Error& error) {
    throw HttpError(400, "{}", error.what());
  }
  ServedModel served{.name = name, .model = options_.open_model(name)};
  if (const auto asked = requested_.find(name); asked != requested_.end()) {
    served.layout = asked->second.layout;
    served.queue = asked->second.queue;
  }
  std::shared_ptr<HostedModel> model = host(served), old = model;
  {
    const std::lock_guard lock(models_mutex_);
    const auto found = std::ranges::find(models_, name, [](const auto& one) { return one->name(); });
    if (found == models_.end()) {
      models_.push_back(std::move(model));
      old = nullptr;
    } else {
      std::swap(*found, old);
    }
  }
  if (old != nullptr) old->queue().finish();
  note(fmt::format("model '{}' was loaded", name));
}

void Service::unload(const std::string& name) {
  std::shared_ptr<HostedModel> old;
  {
    const std::lock_guard lock(models_mutex_);
    const auto found = std::ranges::find(models_, name, [](const auto& one) { return one->name(); });
    if (found == models_.end()) throw HttpError(404, "model '{}' is not found", name);
    old = std::move(*found);
    models_.erase(found);
  }
  old->queue().finish();
  note(fmt::format("model '{}' was unloaded", name));
}

/// Clients may send parameters with files and configurations, which this server does not take.
void check_load_parameters(std::string_view body) {
  if (body.empty()) return;
  eval::JsonReader reader(body, "request");
  reader.read_object([&](std::string_view key) {
    if (key != "parameters") return reader.skip();
    reader.read_object([&](std::string_view parameter) {
      if (parameter != "unload_dependents") reader.error("models are loaded from the server's own files alone");
      reader.skip();
    });
  });
  reader.finish();
}

std::shared_ptr<PendingAnswer> Service::queue_loading(const Route& route, const std::shared_ptr<Request>& request,
                                                      Done& done) {
  check_load_parameters(request->body.text());
  auto job = std::make_shared<LoadJob>(*this, route.model, route.action == "unload", std::move(done));
  if (!loader_.submit(job)) throw HttpError(503, "other models are being loaded: try again later");
  return job;
}

std::shared_ptr<PendingAnswer> Service::queue_inference(const Route& route, const std::shared_ptr<Request>& request,
                                                        Done& done) {
  const Urgency urgency =
      urgency_of(*request, route.endpoint == Endpoint::kInfer, {options_.priority_levels, options_.queue_seconds});
  while (true) {
    Interface interface = find(route.model);
    if (route.endpoint == Endpoint::kDetect) interface.pictures = true;
    if (route.endpoint == Endpoint::kDetect && !interface.model->takes_pictures())
      throw HttpError(400, "model '{}' does not tell how pictures become its input: send tensors", route.model);
    auto job = std::make_shared<InferenceJob>(interface, route.endpoint, request, options_, urgency, done);
    WorkQueue& queue = interface.model->queue();
    if (queue.submit(job, {.level = urgency.level, .bytes = request->reservation.bytes()})) return job;
    if (queue.closed()) continue;  // another model has just taken over
    interface.statistics().add_failure(Failure::kRejected, 0);
    throw HttpError(503, "{} requests of {} bytes wait for model '{}', and no more may: try again later",
                    queue.waiting(), queue.waiting_bytes(), interface.model->name());
  }
}

SharedRegions* Service::regions(const Route& route) const { return route.is_cuda ? nullptr : regions_.get(); }

Answer Service::change_regions(const Route& route, const Request& request) const {
  SharedRegions* regions = this->regions(route);
  if (route.action == "unregister") {
    if (regions != nullptr) regions->remove(route.region);  // clients do so before they begin, whatever is offered
  } else if (regions != nullptr) {
    regions->add(route.region, request.body.text());
  } else if (route.is_cuda) {
    throw HttpError(400, "shared memory of GPUs is not offered, only that of the system");
  } else {
    refuse_shared_memory();
  }
  return json_answer("{}\n");
}

std::optional<Answer> Service::handle(std::shared_ptr<Request> request, std::shared_ptr<PendingAnswer>& pending,
                                      Done done) {
  try {
    const Route route = find_route(request->target);
    request->regions = regions_;
    if (route.is_small()) {
      check_body(route, request->body.size());  // which chunks do not announce
      decompress_body(*request, most_body(route));
    }
    if (route.endpoint == Endpoint::kRepository) {
      pending = queue_loading(route, request, done);
    } else if (route.endpoint == Endpoint::kInfer || route.endpoint == Endpoint::kDetect) {
      pending = queue_inference(route, request, done);
    } else if (route.endpoint == Endpoint::kSharedChange) {
      return change_regions(route, *request);
    } else {
      return answer_now(route);
    }
    return std::nullopt;
  } catch (const HttpError& error) {
    return error_answer(error.status(), error.what());
  } catch (const Error& error) {
    return error_answer(400, error.what());
  } catch (const std::bad_alloc&) {
    return out_of_memory_answer();
  }
}

}  // namespace effdet::server
