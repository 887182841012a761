#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "plugin/http_object.h"

namespace calhost::plugin {
namespace {

/// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) { return method != "POST" && method != "PATCH"; }

/// The provider did not do the work and wants us to slow down.
bool is_throttled(const ProviderInfo& provider, const net::ClientResponse& answer) {
    if (answer.status == 429) return true;
    if (answer.status == 503 && answer.headers.has("Retry-After")) return true;
    const auto words = provider.throttled.find(answer.status);
    if (words == provider.throttled.end()) return false;
    return std::ranges::any_of(words->second, [&](const auto& word) {
        return answer.body.find(fmt::format("\"{}\"", word)) != std::string::npos;
    });
}

/// Full jitter: anything up to 0.5, 1, 2, 4 seconds.
milliseconds backoff(Random& random, int repeats) {
    return milliseconds{random_below(random, 500ULL << repeats) + 1};
}

std::unexpected<Error> still_blocked(Timestamp until, Timestamp now) {
    return std::unexpected(Error{.code = ErrorCode::rate_limited,
                                 .message = "The provider asked to wait before the next call.",
                                 .retry_after = until - now});
}

/// What to do after one attempt.
struct Verdict {
    bool again = false;
    milliseconds wait{0};
};

Task<Verdict> judge(HttpCall& call, const net::ClientRequest& request,
                    const Result<net::ClientResponse>& answer, int repeats) {
    const bool may_repeat = repeats < kRepeats;
    if (!answer) {
        const bool safe = is_idempotent(request.method) && is_transient(answer.error().code);
        co_return Verdict{may_repeat && safe, backoff(call.random, repeats)};
    }
    const bool throttled = is_throttled(call.provider, *answer);
    const bool broken = answer->status >= 500 && is_idempotent(request.method);
    if (!throttled && !broken) co_return Verdict{};
    const auto asked = retry_after_of(answer->headers, call.clock.now());
    if (asked) co_await call.access.block_until(call.clock.now() + *asked);
    const auto wait = std::max(asked.value_or(milliseconds{0}), backoff(call.random, repeats));
    co_return Verdict{may_repeat && wait <= kLongestWait, wait};
}

/// A proxy's or a hotel's sign-in page comes with status 200, and would pass for a deletion. Some
/// servers name that type with an empty body.
bool is_web_page(const net::ClientResponse& answer) {
    return answer.status >= 200 && answer.status < 300 && !answer.body.empty() &&
           answer.headers.get("Content-Type").starts_with("text/html");
}

/// How many calls of one account may be on their way at once.
int in_flight(const ProviderInfo& provider) {
    const auto* most = provider.can.if_contains("in_flight");
    const bool is_given = most != nullptr && most->is_int64() && most->get_int64() > 0;
    return is_given ? static_cast<int>(most->get_int64()) : kInFlight;
}

std::optional<Error> blocked(const HttpCall& call) {
    const auto now = call.clock.now();
    const auto until = call.access.blocked_until();
    if (!until || *until <= now) return std::nullopt;
    return still_blocked(*until, now).error();
}

Task<Result<net::ClientResponse>> send_once(HttpCall& call, net::ClientRequest request,
                                            bool was_refused) {
    const auto pass =
        co_await call.lanes.enter(call.access.connection_id(), in_flight(call.provider));
    if (auto error = blocked(call)) co_return fail(std::move(*error));
    auto token = co_await call.access.token(was_refused);
    if (!token) co_return fail(token.error());
    // The refresh itself may have been told to wait while the old token still lives.
    if (auto error = blocked(call)) co_return fail(std::move(*error));
    if (!token->empty())
        request.headers.set("Authorization", call.provider.auth.kind == "basic"
                                                 ? "Basic " + base64_encode(token->expose())
                                                 : fmt::format("Bearer {}", token->expose()));
    co_return co_await call.transport.send(std::move(request));
}

}  // namespace

Task<Result<net::ClientResponse>> send_for_provider(HttpCall& call, net::ClientRequest request) {
    bool was_refused = false;
    for (int repeats = 0;; ++repeats) {
        auto answer = co_await send_once(call, request, was_refused);
        if (answer && answer->status == 401 && !was_refused) {
            was_refused = true;  // once: a second 401 with a fresh token is an answer
            continue;
        }
        // Errors of our own side (no token, blocked) are no attempt at the provider.
        const bool is_ours = !answer && !is_transient(answer.error().code);
        if (is_ours || (!answer && answer.error().code == ErrorCode::rate_limited))
            co_return answer;
        const Verdict verdict = co_await judge(call, request, answer, repeats);
        if (!verdict.again && answer && is_web_page(*answer))
            co_return fail(ErrorCode::invalid_response,
                           "A web page came in place of the provider's answer.");
        if (!verdict.again) co_return answer;
        log::info("provider call repeated", {{"provider", call.provider.id},
                                             {"connection_id", call.access.connection_id()},
                                             {"status", answer ? answer->status : 0},
                                             {"wait_ms", verdict.wait.count()}});
        co_await call.timers.sleep(verdict.wait);
    }
}

}  // namespace calhost::plugin
