#include "simulation/provider_reader.h"

#include "crypto/crypto.h"

namespace calhost::simulation {
namespace {

net::ClientResponse ask(test::TestHost& host, net::ClientRequest request) {
    return test::must(host.time.wait(host.transport.ask(std::move(request))));
}

net::ClientResponse post_form(test::TestHost& host, std::string_view path, net::Query form) {
    form.add("client_id", "sandbox-client");
    form.add("client_secret", "sandbox-secret");
    net::ClientRequest request;
    request.method = "POST";
    request.url = std::string(test::kSandboxOrigin) + std::string(path);
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = form.to_string();
    return ask(host, std::move(request));
}

net::ClientResponse get(test::TestHost& host, std::string_view path, const net::Query& query,
                        net::Headers headers = {}) {
    net::ClientRequest request;
    request.url = std::string(test::kSandboxOrigin) + std::string(path) + "?" + query.to_string();
    request.headers = std::move(headers);
    return ask(host, std::move(request));
}

/// A token of another grant than the host's.
std::string own_token(test::TestHost& host, const std::string& account) {
    const auto callback = std::string(test::kHostUrl) + "/api/calendar/callback/google";
    const auto pkce = crypto::make_pkce(host.random);
    net::Query query;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"client_id", "sandbox-client"},
             {"redirect_uri", callback},
             {"response_type", "code"},
             {"scope", "https://www.googleapis.com/auth/calendar"},
             {"state", "observer"},
             {"code_challenge", pkce.challenge},
             {"code_challenge_method", "S256"},
             {"auto", "allow"},
             {"login_hint", account}})
        query.add(name, value);
    const std::string back(get(host, "/o/oauth2/v2/auth", query).headers.get("Location"));
    net::Query form;
    form.add("grant_type", "authorization_code");
    form.add("code", std::string(net::Query::parse(back.substr(back.find('?') + 1))->get("code")));
    form.add("redirect_uri", callback);
    form.add("code_verifier", std::string(pkce.verifier.expose()));
    const auto answer = post_form(host, "/token", form);
    return std::string(json::text_of(*json::parse(answer.body), "access_token"));
}

}  // namespace

json::array read_provider_events(test::TestHost& host, const std::string& account,
                                 calendar::Window window) {
    net::Query query;
    query.add("singleEvents", "true");
    query.add("maxResults", "2500");
    query.add("timeMin", format_rfc3339(window.start));
    query.add("timeMax", format_rfc3339(window.finish));
    const auto answer = get(host, "/calendar/v3/calendars/primary/events", query,
                            {{"Authorization", "Bearer " + own_token(host, account)}});
    if (answer.status != 200) throw std::runtime_error(answer.body);
    return json::find(*json::parse(answer.body), "items")->as_array();
}

bool is_live_at_provider(test::TestHost& host, const std::string& refresh_token) {
    net::Query form;
    form.add("grant_type", "refresh_token");
    form.add("refresh_token", refresh_token);
    return post_form(host, "/token", form).status == 200;
}

}  // namespace calhost::simulation
