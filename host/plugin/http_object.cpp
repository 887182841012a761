#include "plugin/http_object.h"

#include <fmt/format.h>

#include <algorithm>

#include <boost/url/parse.hpp>

#include "net/url.h"
#include "plugin/http_options.h"

namespace calhost::plugin {
namespace {

std::unexpected<Error> no_url(const ProviderInfo& provider) {
    return fail(ErrorCode::invalid,
                fmt::format("provider {} asked for something that is no URL; write "
                            "ctx.http:get(\"/path\"), with a colon",
                            provider.id));
}

std::unexpected<Error> foreign_host(const ProviderInfo& provider, std::string_view host) {
    return fail(ErrorCode::forbidden,
                fmt::format("provider {} may not call the host {}", provider.id, host));
}

/// "https://*.icloud.com" stands for every host below icloud.com, on that scheme's own port.
bool is_granted(const Account& account, const net::Url& url) {
    return std::ranges::any_of(account.origins, [&](std::string granted) {
        const auto star = granted.find("://*.");
        if (star != std::string::npos) granted.erase(star + 3, 2);
        const auto origin = net::Url::parse(granted);
        if (!origin || origin->is_tls != url.is_tls || origin->port != url.port) return false;
        return star == std::string::npos ? origin->host == url.host
                                         : url.host.ends_with("." + origin->host);
    });
}

/// A path on the account's origin, or an absolute link on one that its credentials may go to.
Result<std::string> url_of_account(const ProviderInfo& provider, const Account& account,
                                   std::string_view url) {
    const auto base = net::Url::parse(account.url);
    if (!base) return no_url(provider);
    std::string whole(url);
    if (url.starts_with('/'))
        whole = fmt::format("{}://{}{}", base->is_tls ? "https" : "http", base->authority(), url);
    const auto parsed = net::Url::parse(whole);
    if (!parsed) return no_url(provider);
    if (is_granted(account, *parsed)) return whole;
    return fail(ErrorCode::forbidden,
                fmt::format("The address leads to another host, {}, where the password may not go. "
                            "If the account is there, enter that address.",
                            parsed->authority()));
}

/// A path below the base address, or an absolute link on a granted host.
Result<std::string> absolute_url(const HttpCall& call, std::string_view url) {
    const auto& provider = call.provider;
    if (const auto* account = call.access.account(); account != nullptr)
        return url_of_account(provider, *account, url);
    if (url.starts_with('/')) return provider.endpoints.api + std::string(url);
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || (parsed->scheme() != "https" && parsed->scheme() != "http"))
        return no_url(provider);
    const std::string host(parsed->encoded_host_and_port());
    if (!provider.hosts().contains(host)) return foreign_host(provider, host);
    return std::string(url);
}

Task<Result<lua::Push>> run(std::shared_ptr<HttpCall> call, net::ClientRequest request) {
    auto answer = co_await send_for_provider(*call, std::move(request));
    if (!answer) co_return fail(answer.error());
    const Timestamp now = call->clock.now();
    co_return push_http_answer(std::move(*answer), now);
}

Task<Result<lua::Push>> refuse(Error error) { co_return fail(std::move(error)); }

/// Reads the arguments while they are there, then waits.
Task<Result<lua::Push>> begin(const std::weak_ptr<HttpCall>& weak, std::string method,
                              std::string_view url, const lua::Reader& options) {
    auto call = weak.lock();
    if (call == nullptr)
        return refuse({ErrorCode::cancelled, "ctx.http belongs to a call that is over"});
    auto absolute = absolute_url(*call, url);
    if (!absolute) return refuse(absolute.error());
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = std::move(*absolute);
    request.is_user_address = call->access.account() != nullptr;
    if (auto read = read_options(options, request); !read) return refuse(read.error());
    return run(std::move(call), std::move(request));
}

}  // namespace

lua::Push push_http_answer(net::ClientResponse answer, Timestamp now) {
    return [answer = std::move(answer), now](lua::Writer& writer) {
        writer.begin_table(0, 4);
        writer.field("status", answer.status);
        writer.field("body", answer.body);
        writer.open_field("headers", 0, static_cast<int>(answer.headers.size()));
        for (const auto& [name, value] : answer.headers) {
            std::string lower = name;
            std::ranges::transform(lower, lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            });
            writer.field(lower, value);
        }
        writer.close_field("headers");
        if (const auto wait = retry_after_of(answer.headers, now))
            writer.field("retry_after", std::chrono::ceil<std::chrono::seconds>(*wait).count());
    };
}

lua::Ref make_http_object(lua::State& state, const std::shared_ptr<HttpCall>& call) {
    const std::weak_ptr<HttpCall> weak = call;
    return state.make_table([&](lua::Table& table) {
        for (const auto& [name, method] : kHttpVerbs)
            table.waiting(name, [weak, verb = std::string(method)](lua::Call& lua_call) {
                check_options(lua_call, 3, HttpCallForm::verb);
                return begin(weak, verb, lua_call.argument(2).string(), lua_call.argument(3));
            });
        table.waiting("request", [weak](lua::Call& lua_call) {
            check_options(lua_call, 2, HttpCallForm::request);
            const auto options = lua_call.argument(2);
            return begin(weak, std::string(options.string_field("method")),
                         options.string_field("url"), options);
        });
    });
}

}  // namespace calhost::plugin
