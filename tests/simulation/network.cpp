#include "simulation/network.h"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

namespace calhost::simulation {
namespace {

/// Tells the invariants, however the request ends: a crash destroys it in the middle.
struct Ending {
    Invariants* invariants;
    const Sent* sent;
    ~Ending() {
        for (auto& invariant : *invariants) invariant->ended(*sent);
    }
};

constexpr std::string_view kBearer = "Bearer ";

/// The path without the host and what follows `?`.
std::string path_of(const std::string& url) {
    const auto path = url.substr(test::kSandboxOrigin.size());
    return path.substr(0, path.find('?'));
}

net::ClientResponse status_answer(const Fault& fault) {
    net::ClientResponse answer{.status = fault.status, .headers = {}, .body = {}};
    answer.headers.set("Content-Type", "application/json; charset=UTF-8");
    answer.body =
        fmt::format(R"({{"error":{{"code":{},"message":"broken on purpose"}}}})", fault.status);
    if (fault.retry_after)
        answer.headers.set("Retry-After", std::to_string(fault.retry_after->count()));
    return answer;
}

}  // namespace

Sent Network::describe(const net::ClientRequest& request) {
    Sent sent{.method = request.method, .path = path_of(request.url)};
    sent.time = scene_->host->time.now();
    if (const auto field = request.headers.get("Authorization"); field.starts_with(kBearer))
        sent.access_token = field.substr(kBearer.size());
    const auto form = net::Query::parse(request.body);
    if (form && sent.path == "/token") sent.refresh_token = form->get("refresh_token");
    if (form && sent.path == "/revoke") sent.revoked_token = form->get("token");
    for (auto& row : stored_connections(*scene_->host)) {
        const bool carries_its_token =
            (!sent.access_token.empty() && row.access_token == sent.access_token) ||
            (!sent.refresh_token.empty() && row.refresh_token == sent.refresh_token);
        if (carries_its_token) sent.connection = std::move(row);
    }
    return sent;
}

Task<std::optional<Network::Answer>> Network::carry(net::ClientRequest& request) {
    const Sent sent = describe(request);
    for (auto& invariant : *invariants_) invariant->sent(sent);
    const Ending ending{invariants_, &sent};
    auto answer = co_await exchange(request, sent);
    const auto cancelled = co_await boost::asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != boost::asio::cancellation_type::none)
        co_return fail(ErrorCode::cancelled, "Nobody waits any more.");
    trace_->add(fmt::format(
        "  answer {} {} {}", sent.method, sent.path,
        answer ? std::to_string(answer->status) : std::string(to_string(answer.error().code))));
    if (answer)
        for (auto& invariant : *invariants_) invariant->answered(sent, *answer);
    co_return answer;
}

Task<Network::Answer> Network::exchange(const net::ClientRequest& request, const Sent& sent) {
    const Fault fault = faults_->next(!sent.access_token.empty());
    trace_->add(fmt::format("  send {} {} fault {} {} {} ms", sent.method, sent.path,
                            to_string(fault.kind), fault.status, fault.delay.count()));
    if (fault.kind != Fault::Kind::none) co_return co_await break_it(request, sent, fault);
    co_await scene_->host->time.sleep(milliseconds{20});
    co_return co_await ask(request, sent);
}

Task<Network::Answer> Network::break_it(const net::ClientRequest& request, const Sent& sent,
                                        const Fault& fault) {
    using enum Fault::Kind;
    auto& time = scene_->host->time;
    if (fault.kind == status) {
        co_await time.sleep(milliseconds{20});
        co_return status_answer(fault);
    }
    Answer answer = fail(ErrorCode::unavailable, "The connection was reset.");
    if (fault.kind == reset) {
        co_await time.sleep(fault.delay);
        co_return answer;
    }
    co_await time.sleep(fault.delay / 2);
    auto whole = co_await ask(request, sent);
    co_await time.sleep(fault.delay / 2);
    if (fault.kind == slow) co_return whole;
    if (fault.kind == truncated)
        answer = fail(ErrorCode::invalid_response, "The answer was cut off.");
    co_return answer;
}

Task<Network::Answer> Network::ask(const net::ClientRequest& request, const Sent& sent) {
    auto answer = co_await scene_->host->transport.ask(request);
    if (answer && sent.path == "/token")
        if (const auto form = net::Query::parse(request.body))
            scene_->known.learn(*form, {answer->status, answer->headers, answer->body});
    co_return answer;
}

}  // namespace calhost::simulation
