#include "api/idempotency.h"

#include <fmt/format.h>

#include "api/problem.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "storage/idempotency.h"

namespace calhost::api {
namespace {

using storage::IdempotentCall;

constexpr std::chrono::hours kMemory{24};
constexpr std::chrono::minutes kLease{2};
constexpr std::size_t kLongestKey = 255;
constexpr std::size_t kLargestAnswer = 256U << 10U;
constexpr std::string_view kHeader = "Idempotency-Key";

/// Visible ASCII.
bool is_key(std::string_view key) {
    return !key.empty() && key.size() <= kLongestKey &&
           std::ranges::all_of(key, [](char c) { return c > ' ' && c < 127; });
}

std::string id_of(const net::Request& request, const accounts::Principal& principal) {
    return hex_encode(crypto::sha256(fmt::format("{}\n{}\n{}\n{}", principal.name(), request.method,
                                                 request.path, request.headers.get(kHeader))));
}

/// What has to be the same for the calls to be the same. It is kept sealed, since a body may hold a
/// password, whose bare hash could be guessed at.
std::string fingerprint_of(const net::Request& request) {
    const auto question = std::min(request.target.find('?'), request.target.size());
    return hex_encode(
        crypto::sha256(fmt::format("{}\n{}", request.target.substr(question), request.body)));
}

std::string seal(Context& context, const std::string& id, const json::object& call) {
    const crypto::Place place{"idempotency_keys", "sealed_call", id, ""};
    return context.services.keys.current()->seal(Secret(json::serialize(call)), place,
                                                 context.services.random);
}

Result<json::value> unseal(Context& context, const IdempotentCall& call) {
    auto plain = context.services.keys.current()->open(
        call.sealed_call, {"idempotency_keys", "sealed_call", call.id, ""});
    if (!plain) return fail(plain.error());
    return json::parse(plain->expose());
}

bool may_be_kept(const net::Response& response) {
    return !response.stream && response.body.size() <= kLargestAnswer &&
           !response.headers.get("Cache-Control").contains("no-store") &&
           !response.headers.has("Set-Cookie");
}

json::object answer_record(const net::Response& response) {
    json::object headers;
    for (const auto* name : {"Content-Type", "Location"})
        if (response.headers.has(name)) headers[name] = response.headers.get(name);
    return {{"status", response.status}, {"headers", std::move(headers)}, {"body", response.body}};
}

net::Response read_answer(const json::value& record) {
    net::Response response;
    response.status = static_cast<int>(record.at("status").as_int64());
    response.body = json::text_of(record, "body");
    for (const auto& header : record.at("headers").as_object())
        response.headers.set(header.key(), std::string(header.value().as_string()));
    response.headers.set("Idempotent-Replayed", "true");
    return response;
}

net::Response in_use(const net::Request& request) {
    auto response = problem(409, "idempotency_key_in_use",
                            "The call with this Idempotency-Key is still running. Try again.",
                            request.request_id);
    response.headers.set("Retry-After", "1");
    return response;
}

net::Response not_kept(const net::Request& request) {
    return problem(409, "idempotency_answer_not_kept",
                   "The call with this Idempotency-Key was done, and its answer was not kept "
                   "because it held a secret. Look at what is there, then use a new key.",
                   request.request_id);
}

/// The call was seen before.
net::Response repeat(Context& context, const net::Request& request, const IdempotentCall& known) {
    const auto call = unseal(context, known);
    if (!call) {
        log::error("sealed answer does not open", {{"reason", call.error().message}});
        return not_kept(request);
    }
    if (json::text_of(*call, "fingerprint") != fingerprint_of(request))
        return problem(422, "idempotency_key_reused",
                       "This Idempotency-Key was used for a call with another body. Use a new one.",
                       request.request_id);
    if (!known.is_done) return in_use(request);
    const auto* answer = json::find(*call, "answer");
    return answer == nullptr ? not_kept(request) : read_answer(*answer);
}

/// Stores the answer, or lets the key go.
Task<> settle(Context& context, IdempotentCall call, std::string fingerprint,
              const net::Response& response) {
    const bool is_kept = may_be_kept(response);
    const bool is_done = response.status < 400 && (is_kept || response.status == 201);
    if (is_done) {
        json::object record{{"fingerprint", std::move(fingerprint)}};
        if (is_kept) record["answer"] = answer_record(response);
        call.sealed_call = seal(context, call.id, record);
        call.expires_at = context.services.clock.now() + kMemory;
    }
    auto settled = co_await context.services.database.write_for<bool>([&](storage::Sql& sql) {
        return is_done ? storage::finish_call(sql, call)
                       : storage::release_call(sql, call.id, call.fence);
    });
    if (!settled)
        log::warning("the answer of an idempotent call was not stored",
                     {{"reason", settled.error().message}});
    else if (!*settled)
        log::warning("an idempotent call outlived its lease");
}

}  // namespace

bool is_idempotent_call(const net::Request& request) {
    return request.headers.has(kHeader) && request.method != "GET" && request.method != "HEAD";
}

Task<net::Response> answer_once(Context& context, net::Request& request,
                                accounts::Principal principal, UserFunction function) {
    if (!is_key(request.headers.get(kHeader)))
        co_return invalid_fields(
            {{std::string(kHeader), "Idempotency-Key has 1 to 255 visible ASCII characters."}},
            request.request_id);
    const auto now = context.services.clock.now();
    IdempotentCall call{.id = id_of(request, principal),
                        .fence = new_id(context.services.random),
                        .expires_at = now + kLease};
    auto fingerprint = fingerprint_of(request);
    call.sealed_call = seal(context, call.id, {{"fingerprint", fingerprint}});
    auto known = co_await context.services.database.write_for<std::optional<IdempotentCall>>(
        [&](storage::Sql& sql) { return storage::claim_call(sql, call, now); });
    if (!known) co_return host_problem(known.error(), request.request_id);
    if (*known) co_return repeat(context, request, **known);
    co_await context.services.crash_points.reach("idempotency.claimed");
    auto response = co_await function(context, request, std::move(principal));
    co_await context.services.crash_points.reach("idempotency.answered");
    co_await settle(context, std::move(call), std::move(fingerprint), response);
    co_return response;
}

}  // namespace calhost::api
