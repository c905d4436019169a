#include "proxy/server/signals.h"

#include <signal.h>

#include "proxy/base/log.h"
#include "proxy/server/server.h"

namespace convoy::server {

class Signals::Watch {
 public:
  Watch(Server& server, int number) : server_(server), handle_(new uv_signal_t) {
    uv_signal_init(server.loop().uv(), handle_);
    handle_->data = this;
    uv_signal_start(
        handle_, [](uv_signal_t* h, int n) { static_cast<Watch*>(h->data)->onSignal(n); }, number);
    uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
  }
  // libuv needs the handle until its loop has turned once more.
  ~Watch() {
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* h) { delete reinterpret_cast<uv_signal_t*>(h); });
  }

 private:
  void onSignal(int number) {
    event::Loop::TurnScope turn(server_.loop());
    if (number == SIGUSR1) return server_.reopenLogs();
    if (number == SIGHUP) {
      return base::logWarning(
          "SIGHUP is ignored: SIGTERM ends this node, SIGUSR1 reopens its logs");
    }
    server_.drainAndStop();
  }

  Server& server_;
  uv_signal_t* const handle_;
};

Signals::Signals(Server& server) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a log past `ulimit -f` is an error like a full disk
  const int numbers[kWatched] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
  for (size_t i = 0; i < kWatched; ++i) watches_[i] = std::make_unique<Watch>(server, numbers[i]);
}

Signals::~Signals() = default;

}  // namespace convoy::server
