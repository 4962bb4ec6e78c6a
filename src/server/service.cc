// Dispatches requests.
#include "server/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <nlohmann/json.hpp>

#include "effdet/error.h"
#include "eval/json_reader.h"
#include "server/compression.h"
#include "server/http_error.h"
#include "server/inference.h"
#include "server/metrics.h"
#include "server/page.h"
#include "server/text.h"

namespace effdet::server {
namespace {

/// HTTP's status for an error of the library. What a client can mend is its fault; the rest must not be told.
Answer answer_of(const Error& error, bool picture) {
  switch (error.code()) {
    case ErrorCode::kUsage:
    case ErrorCode::kBadInput:
      return error_answer(400, error.what());
    case ErrorCode::kUnsupported:
      return error_answer(picture ? 415 : 400, error.what());
    case ErrorCode::kOutOfMemory:
      return error_answer(503, "the server's memory is used up: try again later");
    default:
      return error_answer(500, "the server failed on this request");
  }
}

/// An inference that waits for a stream, or runs.
class InferenceJob final : public Job, public PendingAnswer {
 public:
  InferenceJob(Interface interface, Endpoint endpoint, std::shared_ptr<Request> request, const ServerOptions& options,
               Service::Done done)
      : interface_(std::move(interface)),
        endpoint_(endpoint),
        request_(std::move(request)),
        options_(options),
        done_(std::move(done)) {}

  void run(size_t stream) override {
    if (canceled_.exchange(true)) return;
    const Clock::time_point begin = Clock::now();
    Work work;
    std::optional<Failure> failure;
    Answer answer = guarded(stream, work, failure);
    const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
    work.seconds.queue = seconds(begin - request_->arrival);
    work.seconds.total = seconds(Clock::now() - request_->arrival);
    if (failure) {
      interface_.statistics().add_failure(*failure, work.seconds.total);
    } else {
      interface_.statistics().add_success(work.seconds, work.inferences);
    }
    // The answer's bytes are counted until they are sent.
    if (!request_->reservation.grow(answer.body_bytes()))
      answer = error_answer(503, "the server's memory for answers is used up: try again later");
    answer.request = std::move(request_);
    std::exchange(done_, nullptr)(std::move(answer));
  }

  void cancel() override {
    if (canceled_.exchange(true)) return;  // a stream has it
    interface_.model->queue().cancel(*this);
    done_ = nullptr;  // what it holds belongs to the caller's thread
    interface_.statistics().add_failure(Failure::kCanceled, 0);
  }

 private:
  Answer work_of(Stream& stream, Work& work) {
    HostedModel& model = *interface_.model;
    if (const std::string* timeout = request_->target.find("timeout")) check_timeout(*request_, microseconds(*timeout));
    decompress_body(*request_, options_.most_body);
    if (endpoint_ == Endpoint::kDetect) return detect_picture(model, stream, request_, options_.most_pixels, work);
    if (interface_.pictures) return infer_pictures(model, stream, request_, options_.most_pixels, work);
    return infer_tensors(model, stream, request_, work);
  }

  Answer guarded(size_t stream, Work& work, std::optional<Failure>& failure) {
    try {
      Answer answer = work_of(interface_.model->stream(stream), work);
      compress_answer(answer, request_->accept_encoding);
      return answer;
    } catch (const HttpError& error) {
      failure = error.status() == 503 ? Failure::kTimeout : Failure::kOther;
      return error_answer(error.status(), error.what());
    } catch (const Error& error) {
      failure = Failure::kOther;
      return answer_of(error, interface_.pictures);
    } catch (const std::bad_alloc&) {
      failure = Failure::kOther;
      return error_answer(503, "the server's memory is used up: try again later");
    } catch (const std::exception&) {
      failure = Failure::kOther;
      return error_answer(500, "the server failed on this request");
    }
  }

  static uint64_t microseconds(const std::string& text) {
    const auto value = whole_number<uint64_t>(text);
    if (!value) throw HttpError(400, "timeout={}: expected a number of microseconds", text);
    return *value;
  }

  Interface interface_;
  Endpoint endpoint_;
  std::shared_ptr<Request> request_;
  const ServerOptions& options_;
  Service::Done done_;
  std::atomic<bool> canceled_ = false;  // or begun
};

/// Takes as long for a token that is nearly right as for any other of its length.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

void check_model_name(const std::string& name) {
  constexpr size_t kLongest = 128;
  const bool good = !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
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
    : options_(options), budget_(std::move(budget)) {
  for (const ServedModel& served : models) {
    check_model_name(served.name);
    if (std::ranges::any_of(models_, [&](const auto& other) { return other->name() == served.name; }))
      throw Error(ErrorCode::kUsage, "two models are called '" + served.name + "': give one another name");
    models_.push_back(host(served));
  }
}

Service::~Service() {
  // A job holds its model: where the last one let it go, a stream's thread would wait for itself.
  loader_.finish();
  for (const auto& model : models_) model->queue().finish();
}

std::shared_ptr<HostedModel> Service::host(const ServedModel& served) const {
  return std::make_shared<HostedModel>(served.name, served.model, options_.layout, options_.detect, options_.queue);
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

void Service::check_route(const Request& request, std::optional<uint64_t> length) const {
  const Route route = find_route(request.target);
  const bool is_open = route.endpoint == Endpoint::kLive || route.endpoint == Endpoint::kReady ||
                       route.endpoint == Endpoint::kPage;  // which asks for the token
  if (!is_open && !is_authorized(request))
    throw HttpError(401, "this server wants a token: send 'Authorization: Bearer TOKEN'");
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  if (!(route.by_post() ? request.method == "POST" : is_get))
    throw HttpError(405, "{} is not possible here, only {}", request.method, route.by_post() ? "POST" : "GET");
  if (length.value_or(0) > options_.most_body)
    throw HttpError(413, "the body has {} bytes, more than the {} that are allowed", *length, options_.most_body);
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
      return json_answer(server_metadata());
    case Endpoint::kIndex:
      return json_answer(repository_index(chosen()));
    case Endpoint::kModel:
      return json_answer(model_metadata(find(route.model)));
    case Endpoint::kConfig:
      return json_answer(model_config(find(route.model)));
    case Endpoint::kStatistics:
      return json_answer(model_statistics(chosen()));
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
    } catch (const std::exception& error) {
      // What the library says names files.
      service_.note(fmt::format("model '{}' was not loaded: {}", name_, error.what()));
      answer = error_answer(400, fmt::format("model '{}' could not be loaded; the server's log says why", name_));
    }
    std::exchange(done_, nullptr)(std::move(answer));
  }
  void cancel() override {}  // the answer goes nowhere; the model is there

 private:
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
  std::shared_ptr<HostedModel> model = host({name, options_.open_model(name)}), old = model;
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
  auto job = std::make_shared<LoadJob>(*this, route.model, request->target.path.back() == "unload", std::move(done));
  if (!loader_.submit(job)) throw HttpError(503, "other models are being loaded: try again later");
  return job;
}

std::shared_ptr<PendingAnswer> Service::queue_inference(const Route& route, const std::shared_ptr<Request>& request,
                                                        Done& done) {
  while (true) {
    Interface interface = find(route.model);
    if (route.endpoint == Endpoint::kDetect) interface.pictures = true;
    if (route.endpoint == Endpoint::kDetect && !interface.model->takes_pictures())
      throw HttpError(400, "model '{}' does not tell how pictures become its input: send tensors", route.model);
    auto job = std::make_shared<InferenceJob>(interface, route.endpoint, request, options_, done);
    WorkQueue& queue = interface.model->queue();
    if (queue.submit(job)) return job;
    if (queue.closed()) continue;  // another model has just taken over
    interface.statistics().add_failure(Failure::kRejected, 0);
    throw HttpError(503, "{} requests wait for model '{}', which is all that may: try again later", queue.waiting(),
                    interface.model->name());
  }
}

std::optional<Answer> Service::handle(std::shared_ptr<Request> request, std::shared_ptr<PendingAnswer>& pending,
                                      Done done) {
  try {
    const Route route = find_route(request->target);
    if (route.endpoint == Endpoint::kRepository) {
      pending = queue_loading(route, request, done);
    } else if (route.endpoint == Endpoint::kInfer || route.endpoint == Endpoint::kDetect) {
      pending = queue_inference(route, request, done);
    } else {
      return answer_now(route);
    }
    return std::nullopt;
  } catch (const HttpError& error) {
    return error_answer(error.status(), error.what());
  } catch (const Error& error) {
    return error_answer(400, error.what());
  }
}

}  // namespace effdet::server
