/// The way from a host under test to a simulated provider, in process, with a place for faults.
#pragma once

#include <functional>
#include <optional>

#include "base/encoding.h"
#include "base/timeout.h"
#include "net/message.h"
#include "sandbox/provider.h"

namespace calhost::test {

inline constexpr std::string_view kSandboxOrigin = "http://sandbox.test";

/// *Thread*: one.
class SandboxTransport final : public net::Transport {
  public:
    using Answer = Result<net::ClientResponse>;
    /// Called before the sandbox sees the request; an answer is given in its place.
    using Before = std::function<Task<std::optional<Answer>>(net::ClientRequest&)>;
    /// Called with the sandbox's answer on its way back; may change it.
    using After = std::function<Task<void>(const net::ClientRequest&, Answer&)>;

    SandboxTransport(sandbox::Provider& provider, Timers& timers)
        : provider_(&provider), timers_(&timers) {}

    Task<Answer> send(net::ClientRequest request) override {
        ++count;
        const auto limit = request.timeout;
        return with_timeout(*timers_, limit, exchange(std::move(request)));
    }

    Before before;
    After after;
    int count = 0;  ///< requests so far

    /// The sandbox's own answer, past the hooks.
    Task<Answer> ask(net::ClientRequest request) {
        net::Request inner;
        inner.method = request.method;
        inner.target = request.url.substr(kSandboxOrigin.size());
        const auto question = inner.target.find('?');
        inner.path = inner.target.substr(0, question);
        if (auto path = percent_decode(inner.path)) inner.path = *path;
        if (question != std::string::npos)
            inner.query = net::Query::parse(inner.target.substr(question + 1)).value();
        inner.headers = request.headers;
        inner.body = request.body;
        auto outcome = co_await provider_->serve(inner);
        if (outcome.cut == sandbox::Cut::reset)
            co_return fail(ErrorCode::unavailable, "The connection was reset.");
        if (outcome.cut == sandbox::Cut::truncate)
            co_return fail(ErrorCode::invalid_response, "The answer was cut off.");
        co_return net::ClientResponse{outcome.response.status, outcome.response.headers,
                                      outcome.response.body};
    }

  private:
    Task<Answer> exchange(net::ClientRequest request) {
        if (before)
            if (auto answer = co_await before(request)) co_return std::move(*answer);
        auto answer = co_await ask(request);
        if (after) co_await after(request, answer);
        co_return answer;
    }

    sandbox::Provider* provider_;
    Timers* timers_;
};

}  // namespace calhost::test
