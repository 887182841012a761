#include "connect/token_endpoint.h"

#include <fmt/format.h>

#include <array>

#include "base/json.h"
#include "plugin/http_object.h"

namespace calhost::connect {
namespace {

using plugin::ProviderInfo;

constexpr std::array kOperatorFaults{"invalid_client", "unauthorized_client",
                                     "unsupported_grant_type", "invalid_scope",
                                     "redirect_uri_mismatch"};

net::ClientRequest form_request(const std::string& url, const net::Query& form) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = url;
    request.body = form.to_string();
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.headers.set("Accept", "application/json");
    return request;
}

ErrorCode code_of(std::string_view error) {
    if (std::ranges::find(kOperatorFaults, error) != kOperatorFaults.end())
        return ErrorCode::misconfigured;
    if (error == "invalid_grant" || error == "interaction_required" || error == "consent_required")
        return ErrorCode::needs_reauth;
    return ErrorCode::invalid_response;
}

std::unexpected<Error> refused(const ProviderInfo& provider, ErrorCode code,
                               const std::string& error) {
    if (code == ErrorCode::misconfigured)
        return fail(
            code,
            fmt::format(
                "{} refuses this host ({}). The operator must check its client id and secret.",
                provider.title, error));
    if (code == ErrorCode::needs_reauth)
        return fail(code, fmt::format("{} refused the grant ({}).", provider.title, error));
    if (code == ErrorCode::unavailable)
        return fail(code, fmt::format("{} cannot answer for the moment.", provider.title));
    return fail(ErrorCode::invalid_response,
                fmt::format("{} refused the request.", provider.title));
}

/// The error of an answer that is not 200; only known words are repeated.
std::unexpected<Error> failure_of(Services& services, const ProviderInfo& provider,
                                  const net::ClientResponse& answer) {
    const auto wait = plugin::retry_after_of(answer.headers, services.clock.now());
    if (answer.status == 429 || (answer.status == 503 && wait))
        return std::unexpected(
            Error{ErrorCode::rate_limited, fmt::format("{} asks to wait.", provider.title), wait});
    if (answer.status >= 500)
        return fail(ErrorCode::unavailable,
                    fmt::format("{} answered {}.", provider.title, answer.status));
    const auto body = json::parse(answer.body);
    const std::string error(body ? json::text_of(*body, "error") : std::string_view());
    const bool is_word = error.size() <= 40 && std::ranges::all_of(error, [](char c) {
                             return c == '_' || (c >= 'a' && c <= 'z');
                         });
    auto* const own = services.providers.find(provider.id);
    const auto known = own != nullptr ? own->classify_token_error(answer) : std::nullopt;
    if (!error.empty() && is_word) return refused(provider, known.value_or(code_of(error)), error);
    return fail(ErrorCode::invalid_response,
                fmt::format("{} answered {} without saying why.", provider.title, answer.status));
}

std::optional<Timestamp> expiry(const json::value& body, Timestamp now) {
    const auto* seconds = json::find(body, "expires_in");
    if (seconds == nullptr || !seconds->is_number()) return std::nullopt;
    boost::system::error_code ec;
    const auto value = seconds->to_number<std::int64_t>(ec);
    if (ec || value < 0 || value > 366LL * 86'400) return std::nullopt;
    return now + std::chrono::seconds{value};
}

Result<Grant> read_grant(Services& services, const ProviderInfo& provider,
                         const net::ClientResponse& answer) {
    if (answer.status != 200) return failure_of(services, provider, answer);
    const auto body = json::parse(answer.body);
    const auto token = body ? json::text_of(*body, "access_token") : std::string_view();
    if (token.empty())
        return fail(ErrorCode::invalid_response,
                    fmt::format("{} answered without a usable token.", provider.title));
    Grant grant;
    grant.access_token = Secret(std::string(token));
    grant.refresh_token = Secret(std::string(json::text_of(*body, "refresh_token")));
    grant.scopes = json::text_of(*body, "scope");
    grant.expires_at = expiry(*body, services.clock.now());
    return grant;
}

Task<Result<Grant>> ask(Services& services, const ProviderInfo& provider, net::Query form) {
    form.add("client_id", provider.client_id);
    form.add("client_secret", std::string(provider.client_secret.expose()));
    auto answer = co_await services.transport.send(form_request(provider.endpoints.token, form));
    if (!answer) co_return fail(answer.error());
    co_return read_grant(services, provider, *answer);
}

}  // namespace

Task<Result<Grant>> exchange_code(Services& services, const ProviderInfo& provider,
                                  const std::string& redirect_uri, const Secret& code,
                                  const Secret& verifier) {
    net::Query form;
    form.add("grant_type", "authorization_code");
    form.add("code", std::string(code.expose()));
    form.add("redirect_uri", redirect_uri);
    form.add("code_verifier", std::string(verifier.expose()));
    return ask(services, provider, std::move(form));
}

Task<Result<Grant>> refresh_grant(Services& services, const ProviderInfo& provider,
                                  const Secret& refresh_token) {
    net::Query form;
    form.add("grant_type", "refresh_token");
    form.add("refresh_token", std::string(refresh_token.expose()));
    return ask(services, provider, std::move(form));
}

Task<Result<void>> revoke_token(Services& services, const ProviderInfo& provider,
                                const Secret& token) {
    if (provider.endpoints.revoke.empty() || token.empty()) co_return Result<void>{};
    net::Query form;
    form.add("token", std::string(token.expose()));
    auto answer = co_await services.transport.send(form_request(provider.endpoints.revoke, form));
    if (!answer) co_return fail(answer.error());
    // RFC 7009 section 2.2: 200 even for an unknown token; Google says 400 `invalid_token`.
    if (answer->status < 300 || answer->status == 400) co_return Result<void>{};
    co_return failure_of(services, provider, *answer);
}

}  // namespace calhost::connect
