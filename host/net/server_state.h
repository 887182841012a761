/// What the server and its sessions share.
#pragma once

#include <set>

#include "base/signal.h"
#include "net/counts.h"
#include "net/server.h"
#include "net/socket.h"
#include "net/tls.h"

namespace calhost::net {

class Session;

/// *Thread*: one worker's.
struct ServerState {
    ServerState(Executor executor_, ServerOptions options_, Server::Handler handler_,
                ProblemWriter problem_, const Clock& clock_, Timers& timers_, Random& random_,
                std::shared_ptr<ServerCounts> counts_)
        : executor(executor_),
          options(std::move(options_)),
          handler(std::move(handler_)),
          problem(std::move(problem_)),
          clock(clock_),
          timers(timers_),
          random(random_),
          counts(std::move(counts_)) {}

    Executor executor;
    ServerOptions options;
    Server::Handler handler;
    ProblemWriter problem;
    const Clock& clock;
    Timers& timers;
    Random& random;
    std::shared_ptr<ServerCounts> counts;

    Networks trusted;
    std::optional<ServerTls> tls;
    Acceptor acceptor{executor};
    std::set<Session*> sessions;
    std::size_t turned_away = 0;  ///< connections that are being told 503
    bool is_stopping = false;
    std::chrono::nanoseconds stop_at = std::chrono::nanoseconds::max();
    Signal drained;

    /// The Date field's value, made once a second.
    std::string_view date();
    void enter(Session* session) { sessions.insert(session); }
    void leave(Session* session);
    /// Wakes who waits for the last connection, if this was it.
    void note_end();
    [[nodiscard]] bool is_empty() const { return sessions.empty() && turned_away == 0; }

  private:
    std::chrono::sys_seconds date_second_{};
    std::string date_;
};

}  // namespace calhost::net
