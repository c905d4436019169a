#include "test/proxy/http/manager_fixture.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "proxy/observe/log_writer.h"

namespace convoy::http {

namespace {

class ScriptedFilter final : public Filter {
 public:
  explicit ScriptedFilter(FilterScript& script)
      : script_(script), exchange_(std::make_shared<Exchange>()) {
    script_.exchanges.push_back(exchange_);
  }

  FilterVerdict onRequestHead(RequestHead& head, bool end) override {
    Exchange& e = *exchange_;
    e.context = &context();
    e.method = head.method;
    e.target = head.target;
    e.events += "head ";
    if (script_.listens) e.context->setResponseFlowListener(&e);
    return request(script_.on_head, end);
  }
  FilterVerdict onRequestBody(std::string_view& bytes, bool end) override {
    exchange_->body += bytes;
    exchange_->events.append("body:").append(bytes.size() < 20 ? bytes : "...").append(" ");
    return request(script_.on_body, end);
  }
  FilterVerdict onRequestTrailers(HeaderList& trailers) override {
    for (const HeaderField& field : trailers) {
      exchange_->trailers.append(field.name).append(": ").append(field.value).append("\n");
    }
    exchange_->events += "trailers ";
    return request(script_.on_body, true);
  }
  FilterVerdict onResponseHead(ResponseHead& head, bool) override {
    exchange_->events += std::to_string(head.status) + " ";
    return call(script_.on_response);
  }
  FilterVerdict onResponseBody(std::string_view&, bool) override {
    return call(script_.on_response_body);
  }
  FilterVerdict onResponseTrailers(HeaderList&) override {
    return call(script_.on_response_trailers);
  }
  void onStreamEnd() override {
    exchange_->events += "over";
    exchange_->over = true;
    exchange_->info = context().info();
    exchange_->context = nullptr;
  }

 private:
  FilterVerdict call(const FilterScript::Hook& hook) {
    return hook ? hook(*exchange_) : FilterVerdict::Continue;
  }
  FilterVerdict request(const FilterScript::Hook& hook, bool end) {
    if (!end) return call(hook);
    exchange_->request_ended = true;
    exchange_->events += "end ";
    return call(script_.on_end ? script_.on_end : hook);
  }

  FilterScript& script_;
  const std::shared_ptr<Exchange> exchange_;
};

class ScriptedFactory final : public FilterFactory {
 public:
  explicit ScriptedFactory(FilterScript& script) : script_(script) {}
  Filter* create(base::Arena& arena) override { return arena.make<ScriptedFilter>(script_); }

 private:
  FilterScript& script_;
};

}  // namespace

void Exchange::sendHead(uint16_t status, BodyLength length, bool end) {
  ResponseHead head;
  head.status = status;
  head.body = length;
  context->sendResponseHead(head, end);
}

void Exchange::answer(uint16_t status, std::string_view text) {
  sendHead(status, {BodyLength::Kind::Known, text.size()}, text.empty());
  if (!text.empty() && context != nullptr) sendBody(text, true);
}

// A real log file, so that lines are those that people get.
class ManagerHarness::Log {
 public:
  explicit Log(event::Loop& loop) : writer_(registry_), loop_(loop) {
    path_ = testing::TempDir() + "manager_log." + std::to_string(::getpid());
    ::unlink(path_.c_str());
    auto file = writer_.open(path_);
    CONVOY_ASSERT(file.ok());
    file_ = *std::move(file);
  }
  ~Log() { ::unlink(path_.c_str()); }

  void addTo(const std::shared_ptr<ManagerRuntime>& runtime, std::string_view text) {
    AccessLogSpec spec;
    spec.text_format = text;
    auto format = LogFormat::compile(spec);
    CONVOY_ASSERT(format.ok());
    auto sink = std::make_unique<observe::LogSink>(file_, loop_);
    sinks_.emplace_back(runtime, sink.get());
    runtime->access_logs.push_back(std::make_unique<AccessLogger>(
        std::make_shared<const LogFormat>(*std::move(format)), std::move(sink), loop_.clock()));
  }
  std::string read() {
    for (const auto& [runtime, sink] : sinks_) {
      if (!runtime.expired()) sink->handOver();
    }
    writer_.flush();
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

 private:
  observe::MetricRegistry registry_;
  observe::LogWriter writer_;
  event::Loop& loop_;
  std::string path_;
  std::shared_ptr<observe::LogFile> file_;
  // A sink goes with its runtime, and hands over what it has then.
  std::vector<std::pair<std::weak_ptr<ManagerRuntime>, observe::LogSink*>> sinks_;
};

ManagerHarness::ManagerHarness(test::TestLoop& loop, test::SimulatedClock& clock)
    : loop_(loop), simulated_(clock), log_(std::make_unique<Log>(loop.loop())) {
  router.on_end = [](Exchange& exchange) {
    exchange.answer(200, exchange.target);
    return FilterVerdict::Pause;
  };
  configure();
}

ManagerHarness::~ManagerHarness() {
  clients_.clear();
  run();
}

void ManagerHarness::expectAllDone() {
  for (const auto& client : clients_) {
    if (client->manager != nullptr) client->manager->closeNow();
  }
  run();
  EXPECT_EQ(open_, 0U);
  EXPECT_EQ(metrics_.downstream_cx_active.value(), 0);
  EXPECT_EQ(metrics_.downstream_rq_active.value(), 0);
  EXPECT_EQ(metrics_.downstream_cx_total.value(), metrics_.downstream_cx_destroy.value());
  EXPECT_EQ(metrics_.downstream_rq_total.value(), metrics_.downstream_rq_completed.value());
  for (const auto& exchange : router.exchanges) EXPECT_TRUE(exchange->over);
  uint64_t lines = 0;
  for (const char c : log()) lines += c == '\n' ? 1 : 0;
  EXPECT_EQ(lines, metrics_.downstream_rq_total.value());
}

std::shared_ptr<ManagerRuntime> ManagerHarness::configure(
    const std::function<void(ConnectionManagerSpec&)>& edit) {
  auto spec = std::make_shared<ConnectionManagerSpec>();
  spec->generate_request_id = false;
  spec->server_name = "convoy";
  if (edit) edit(*spec);
  auto runtime = std::make_shared<ManagerRuntime>(loop(), spec, metrics_, routes);
  runtime->buffer_limit = buffer_limit_;
  runtime->send_queue = std::min(runtime->send_queue, buffer_limit_);
  for (size_t i = filters_.size(); i > 0; --i) {
    runtime->filters.push_back(std::make_unique<ScriptedFactory>(*filters_[i - 1]));
  }
  runtime->filters.push_back(terminal ? terminal() : std::make_unique<ScriptedFactory>(router));
  log_->addTo(runtime, log_format_);
  slot_->current = runtime;
  return runtime;
}

FilterScript& ManagerHarness::addFilter() {
  return *filters_.emplace_back(std::make_unique<FilterScript>());
}

Client& ManagerHarness::connect() {
  Client& client = *clients_.emplace_back(std::make_unique<Client>());
  client.manager = new ConnectionManager(slot_, *this);
  ++open_;
  auto [near, far] = test::InMemoryConnection::pair(loop(), client.on, *client.manager, pipe_);
  client.connection = std::move(near);
  client.manager->start(std::move(far));
  run();
  return client;
}

void ManagerHarness::onConnectionDone(ConnectionManager& manager) {
  for (const auto& client : clients_) {
    if (client->manager == &manager) client->manager = nullptr;
  }
  --open_;
  loop().destroyAtEndOfTurn(std::unique_ptr<ConnectionManager>(&manager));
}

void ManagerHarness::send(Client& client, std::string_view bytes) {
  client.send(bytes);
  run();
}

std::string ManagerHarness::received(Client& client) {
  run();
  std::string text = client.take();
  for (size_t at = text.find("date: "); at != std::string::npos; at = text.find("date: ", at)) {
    text.erase(at, text.find('\n', at) + 1 - at);
  }
  return text;
}

void ManagerHarness::advance(event::Duration time) {
  simulated_.advance(time);
  run();
}

std::string ManagerHarness::log() {
  return log_->read();
}

std::string ManagerHarness::counters() const {
  std::string text;
  const auto add = [&text](std::string_view name, auto value) {
    if (value == 0 || name.find("_http1_") != std::string_view::npos ||
        name.find("_http2_error.") != std::string_view::npos) {
      return;
    }
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(std::to_string(value));
  };
  using Add = decltype(add);
  struct Visitor {
    void operator()(std::string_view name, const observe::Counter& counter,
                    std::string_view) const {
      if (name != "downstream_cx_rx_bytes_total") add(name, counter.value());
    }
    void operator()(std::string_view name, const observe::Gauge& gauge, std::string_view) const {
      add(name, gauge.value());
    }
    void operator()(std::string_view, const observe::Histogram&, std::string_view) const {}
    const Add& add;
  };
  ManagerMetrics::visit(metrics_, Visitor{add});
  return text;
}

}  // namespace convoy::http
