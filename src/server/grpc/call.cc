// The course of a call. gRPC's threads bring messages and cancellations, streams' threads bring answers.
#include "server/grpc/call.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "server/grpc/read_infer.h"
#include "server/http_error.h"
#include "server/text.h"

namespace effdet::server::grpc_module {
namespace {

constexpr size_t kMostInFlight = 16;  // messages of a stream whose answers are not written yet
constexpr uint64_t kMostSmall = 64 << 10;

grpc::StatusCode code_of(int status) {
  switch (status) {
    case 400:
    case 415:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case 401:
      return grpc::StatusCode::UNAUTHENTICATED;
    case 404:
      return grpc::StatusCode::NOT_FOUND;
    case 413:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 501:
      return grpc::StatusCode::UNIMPLEMENTED;
    case 503:
      return grpc::StatusCode::UNAVAILABLE;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

/// One line of ASCII, short enough for a header.
grpc::Status status_of(int status, const std::string& error) {
  constexpr size_t kMostText = 1024;
  std::string text = error.substr(0, kMostText);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return {code_of(status), text};
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

grpc::Slice whole(const grpc::ByteBuffer& message) {
  grpc::Slice slice;
  if (!message.DumpToSingleSlice(&slice).ok()) throw HttpError(400, "the message could not be read");
  return slice;
}

}  // namespace

Call::Call(CallsShared& shared, grpc::GenericCallbackServerContext& context)
    : shared_(shared), context_(context), method_(find_method(context.method())) {
  gate_->call = this;
  id_ = shared_.host.request_id(metadata("x-request-id"));
  if (const std::string parent = metadata("traceparent"); is_plain_id(parent)) traceparent_ = parent;
  context_.AddInitialMetadata("x-request-id", id_);
  bool is_one_too_many = false;
  {
    const std::lock_guard lock(shared_.mutex);
    is_one_too_many = shared_.calls.size() >= shared_.most_calls;
    shared_.calls.insert(this);
    draining_ = shared_.draining;
  }
  if (is_one_too_many) {
    refuse(503, "too many calls are open: try again later");
  } else if (method_ == nullptr) {
    refuse(501, "the service has no such method");
  } else if (const auto refused = shared_.host.refusal(metadata("authorization")); refused && !method_->is_open) {
    refuse(refused->status, refused->error);
  } else {
    begin();
  }
}

std::string Call::metadata(const char* name) const {
  const auto found = context_.client_metadata().find(name);
  return found == context_.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
}

void Call::refuse(int status, const std::string& error) {
  shared_.host.log({.id = id_,
                    .path = context_.method(),
                    .traceparent = traceparent_,
                    .error = error,
                    .status = status,
                    .begin = begin_});
  const std::lock_guard lock(gate_->mutex);
  if (!ended_) end(status_of(status, error));
}

std::chrono::system_clock::time_point Call::message_limit() const {
  using std::chrono::system_clock;
  return system_clock::now() +
         std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(shared_.message_seconds));
}

void Call::begin() {
  const std::lock_guard lock(gate_->mutex);
  if (ended_) return;  // by drain()
  if (method_->kind == Kind::kStream) return proceed();
  if (draining_) return end(status_of(503, "the server is about to end"));
  reading_ = true;
  StartRead(&incoming_);
  alarm_.Set(message_limit(), [gate = gate_](bool is_over) {
    const std::lock_guard late(gate->mutex);
    if (is_over && gate->call != nullptr && gate->call->reading_ && !gate->call->ended_)
      gate->call->end({grpc::StatusCode::DEADLINE_EXCEEDED, "the request's message took too long"});
  });
}

void Call::drain() {
  const std::lock_guard lock(gate_->mutex);
  draining_ = true;
  if (method_ == nullptr || ended_) return;
  if (method_->kind == Kind::kStream) return proceed();
  if (exchanges_.empty()) end(status_of(503, "the server is about to end"));
}

void Call::OnReadDone(bool is_good) {
  std::unique_lock lock(gate_->mutex);
  reading_ = false;
  if (ended_) return;
  if (!is_good) {
    has_read_all_ = true;
    if (method_->kind != Kind::kStream) return end(status_of(400, "the call has no message"));
    return proceed();
  }
  if (draining_) return proceed();
  const auto exchange = std::make_shared<Exchange>();
  exchanges_.push_back(exchange);
  grpc::ByteBuffer message;
  message.Swap(&incoming_);
  lock.unlock();
  handle(exchange, message);
  lock.lock();
  proceed();
}

void Call::handle(const std::shared_ptr<Exchange>& exchange, const grpc::ByteBuffer& message) {
  exchange->record = {.id = id_,
                      .path = context_.method(),
                      .traceparent = traceparent_,
                      .received = message.Length(),
                      .begin = method_->kind == Kind::kStream ? Clock::now() : begin_};
  std::optional<Answer> answer;
  std::shared_ptr<PendingAnswer> pending;
  int status = 200;
  std::string error;
  try {
    answer = shared_.host.handle(request_of(*exchange, message), pending, [gate = gate_, exchange](Answer late) {
      const std::lock_guard lock(gate->mutex);
      if (gate->call == nullptr || exchange->is_done) return;
      gate->call->deliver(*exchange, std::move(late));
      gate->call->proceed();
    });
  } catch (const HttpError& failure) {
    status = failure.status();
    error = failure.what();
  } catch (const std::bad_alloc&) {
    status = 503;
    error = kOutOfMemory;
  } catch (const std::exception&) {
    status = 500;
    error = "the server failed on this request";
  }
  std::unique_lock lock(gate_->mutex);
  if (exchange->is_done) {
    lock.unlock();
    if (pending != nullptr) pending->cancel();  // nothing happens where it is answered
    return;
  }
  if (!error.empty()) return fail(*exchange, status, error);
  if (answer) return deliver(*exchange, std::move(*answer));
  exchange->pending = std::move(pending);
  expect(exchange);
}

std::shared_ptr<Request> Call::request_of(Exchange& exchange, const grpc::ByteBuffer& message) {
  const bool is_small = method_->kind == Kind::kSmall;
  if (is_small && message.Length() > kMostSmall)
    throw HttpError(413, "the message has {} bytes, more than the {} that are allowed", message.Length(), kMostSmall);
  const std::shared_ptr<Request> request = shared_.host.new_request();
  request->reservation.pay(message.Length());
  const auto slice = std::make_shared<const grpc::Slice>(whole(message));
  request->authorization = metadata("authorization");
  request->arrival = Clock::now();
  if (is_small) {
    const std::string bytes(reinterpret_cast<const char*>(slice->begin()), slice->size());
    request->method = method_->verb;
    const nlohmann::json fields = shared_.schema.decode(std::string(method_->name) + "Request", bytes);
    request->target.path = method_->path(fields);
    if (method_->sends_request) shared_.host.add_body(*request, fields.dump());
    return request;
  }
  request->method = "POST";
  read_infer({reinterpret_cast<const std::byte*>(slice->begin()), slice->size()}, slice, *request);
  exchange.names = {request->target.path[2], request->message->id};
  limit_time(*request);
  return request;
}

/// Work that begins after the client's deadline is for nobody.
void Call::limit_time(Request& request) const {
  using std::chrono::microseconds, std::chrono::system_clock;
  const system_clock::time_point deadline = context_.deadline();
  if (deadline == system_clock::time_point::max()) return;
  const auto left = std::chrono::duration_cast<microseconds>(deadline - system_clock::now()).count();
  const auto most = static_cast<uint64_t>(std::max<int64_t>(left, 1));
  std::optional<uint64_t>& timeout = request.message->timeout_us;
  timeout = timeout.value_or(0) == 0 ? most : std::min(*timeout, most);
}

/// Answers when the timeout is over, not when a stream would have come to it.
void Call::expect(const std::shared_ptr<Exchange>& exchange) {
  const auto deadline = exchange->pending->deadline();
  if (!deadline) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  exchange->alarm.Set(std::chrono::system_clock::now() + left,
                      [gate = gate_, weak = std::weak_ptr(exchange)](bool is_over) {
                        const std::shared_ptr<Exchange> exchange = weak.lock();  // which has the alarm, that keeps this
                        if (!is_over || exchange == nullptr) return;
                        std::unique_lock lock(gate->mutex);
                        const std::shared_ptr<PendingAnswer> pending = exchange->pending;
                        if (gate->call == nullptr || exchange->is_done || pending == nullptr) return;
                        lock.unlock();
                        std::optional<Answer> answer = pending->expire();
                        lock.lock();
                        if (!answer || gate->call == nullptr || exchange->is_done) return;
                        gate->call->deliver(*exchange, std::move(*answer));
                        gate->call->proceed();
                      });
}

void Call::deliver(Exchange& exchange, Answer answer) {
  try {
    exchange.record.status = answer.status;
    if (method_->kind == Kind::kSmall) {
      exchange.reply =
          buffer_of(shared_.schema.encode(std::string(method_->name) + "Response", method_->answer(answer)));
    } else if (!answer.error.empty()) {
      return fail(exchange, answer.status, answer.error);
    } else {
      exchange.reply = infer_reply(exchange.names, std::make_shared<const Answer>(std::move(answer)),
                                   method_->kind == Kind::kStream);
    }
    complete(exchange);
  } catch (const HttpError& failure) {
    fail(exchange, failure.status(), failure.what());
  }
}

void Call::fail(Exchange& exchange, int status, const std::string& error) {
  exchange.record.status = status;
  exchange.record.error = error;
  exchange.status = status_of(status, error);
  // The client's own clock may not have told it yet.
  if (status == 503 && std::chrono::system_clock::now() >= context_.deadline())
    exchange.status = {grpc::StatusCode::DEADLINE_EXCEEDED, exchange.status.error_message()};
  if (method_->kind == Kind::kStream) exchange.reply = error_reply(exchange.names, exchange.status.error_message());
  complete(exchange);
}

void Call::complete(Exchange& exchange) {
  exchange.is_done = true;
  exchange.pending = nullptr;
  exchange.alarm.Cancel();
  exchange.record.sent = exchange.reply.Length();
  shared_.host.log(exchange.record);
}

/// Writes, reads or ends, whatever comes next.
void Call::proceed() {
  if (ended_) return;
  const bool is_stream = method_->kind == Kind::kStream;
  if (!exchanges_.empty() && exchanges_.front()->is_done && !writing_) {
    Exchange& next = *exchanges_.front();
    if (!is_stream && !next.status.ok()) return end(next.status);
    limit_writing(next);
    if (!is_stream) {
      ended_ = true;
      return StartWriteAndFinish(&next.reply, grpc::WriteOptions(), grpc::Status::OK);
    }
    writing_ = true;
    StartWrite(&next.reply);
  }
  if (!is_stream) return;
  if (exchanges_.empty() && has_read_all_) return end(grpc::Status::OK);
  if (exchanges_.empty() && draining_) return end(status_of(503, "the server is about to end"));
  if (reading_ || has_read_all_ || draining_ || exchanges_.size() >= kMostInFlight) return;
  reading_ = true;
  StartRead(&incoming_);
}

/// Who does not read an answer must not keep its memory for ever.
void Call::limit_writing(Exchange& exchange) {
  exchange.write_alarm.Set(message_limit(), [gate = gate_](bool is_over) {
    const std::lock_guard lock(gate->mutex);
    if (is_over && gate->call != nullptr) gate->call->context_.TryCancel();
  });
}

void Call::end(const grpc::Status& status) {
  ended_ = true;
  Finish(status);
}

void Call::OnWriteDone(bool is_good) {
  const std::lock_guard lock(gate_->mutex);
  if (ended_) return;
  writing_ = false;
  exchanges_.pop_front();
  if (!is_good) return end(grpc::Status::CANCELLED);
  proceed();
}

void Call::OnCancel() {
  constexpr int kClientHasLeft = 499;
  std::vector<std::shared_ptr<PendingAnswer>> pending;
  {
    const std::lock_guard lock(gate_->mutex);
    for (const auto& exchange : exchanges_) {
      if (exchange->is_done) continue;
      pending.push_back(exchange->pending);
      exchange->record.status = kClientHasLeft;
      complete(*exchange);
    }
    if (!ended_) end(grpc::Status::CANCELLED);
  }
  for (const auto& one : pending)
    if (one != nullptr) one->cancel();
}

void Call::OnDone() {
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->call = nullptr;
  }
  CallsShared& shared = shared_;
  {
    const std::lock_guard lock(shared.mutex);
    shared.calls.erase(this);
    if (shared.calls.empty()) shared.is_empty.notify_all();
  }
  delete this;
}

}  // namespace effdet::server::grpc_module
