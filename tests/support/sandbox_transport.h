/// The way from a host under test to a simulated provider, in process, with a place for faults.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "base/timeout.h"
#include "net/message.h"
#include "sandbox/provider.h"

namespace calhost::test {

inline constexpr std::string_view kSandboxOrigin = "http://sandbox.test";
inline constexpr std::string_view kGraphOrigin = "http://graph.test";

/// *Thread*: one.
class SandboxTransport final : public net::Transport {
  public:
    using Answer = Result<net::ClientResponse>;
    /// Called before the sandbox sees the request; an answer is given in its place.
    using Before = std::function<Task<std::optional<Answer>>(net::ClientRequest&)>;
    /// Called with the sandbox's answer on its way back; may change it.
    using After = std::function<Task<void>(const net::ClientRequest&, Answer&)>;

    SandboxTransport(sandbox::Provider& provider, Timers& timers)
        : providers_{{kSandboxOrigin, &provider}}, timers_(&timers) {}

    /// Another simulated provider, at an origin of its own.
    void add(std::string_view origin, sandbox::Provider& provider) {
        providers_.emplace_back(origin, &provider);
    }

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
        const auto found = std::ranges::find_if(
            providers_, [&](const auto& one) { return request.url.starts_with(one.first); });
        if (found == providers_.end())
            co_return fail(ErrorCode::unavailable, "No such host: " + request.url);
        net::Request inner;
        inner.method = request.method;
        inner.target = request.url.substr(found->first.size());
        const auto question = inner.target.find('?');
        inner.path = inner.target.substr(0, question);
        if (auto path = percent_decode(inner.path)) inner.path = *path;
        if (question != std::string::npos)
            inner.query = net::Query::parse(inner.target.substr(question + 1)).value();
        inner.headers = request.headers;
        inner.body = request.body;
        auto outcome = co_await found->second->serve(inner);
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

    std::vector<std::pair<std::string_view, sandbox::Provider*>> providers_;
    Timers* timers_;
};

}  // namespace calhost::test
