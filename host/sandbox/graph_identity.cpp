// What browsers see of Microsoft's identity platform, and what it says about itself.
#include "sandbox/graph_identity.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "sandbox/consent_page.h"
#include "sandbox/oauth_wire.h"

namespace calhost::sandbox::graph {
namespace {

constexpr std::string_view kStyle = "../../../style.css";
constexpr std::string_view kStyleOfDecision = "../../../../style.css";
constexpr std::string_view kPrefix = "https://graph.microsoft.com/";

struct Known {
    std::string_view name;
    std::string_view words;
};
constexpr auto kKnown = std::to_array<Known>({
    {"openid", "Sign you in"},
    {"profile", "See your basic profile"},
    {"email", "See your e-mail address"},
    {"offline_access", "Keep access to what you let it see"},
    {"User.Read", "Sign you in and read your profile"},
    {"Calendars.Read", "Read your calendars"},
    {"Calendars.ReadWrite", "Have full access to your calendars"},
    {"Calendars.Read.Shared", "Read calendars you can access"},
    {"Calendars.ReadWrite.Shared", "Read and write calendars you can access"},
    {"MailboxSettings.Read", "Read your mailbox settings"},
    {"MailboxSettings.ReadWrite", "Read and write your mailbox settings"},
});

std::string_view short_name(std::string_view scope) {
    return scope.starts_with(kPrefix) ? scope.substr(kPrefix.size()) : scope;
}

const Known* find_scope(std::string_view scope) {
    const auto found = std::ranges::find(kKnown, short_name(scope), &Known::name);
    return found == kKnown.end() ? nullptr : &*found;
}

/// Whether an account may sign in at an address for that tenant.
bool fits(std::string_view tenant, const Account& account) {
    const bool is_personal = account.tenant == kConsumers;
    if (tenant == "common") return true;
    if (tenant == "organizations") return !is_personal;
    if (tenant == "consumers") return is_personal;
    const auto at = account.email.find('@');
    return tenant == account.tenant ||
           (!is_personal && tenant == std::string_view(account.email).substr(at + 1));
}

net::Response error_page(std::string_view code, std::string_view sentence,
                         std::string_view style = kStyle) {
    return consent_answer(400, render_error("Microsoft", code, sentence, style));
}

net::Response send_back(const Ticket& ticket, std::string_view name, std::string value,
                        std::string description = {}) {
    net::Query query;
    query.add(std::string(name), std::move(value));
    if (!description.empty()) query.add("error_description", std::move(description));
    if (!ticket.state.empty()) query.add("state", ticket.state);
    return no_store(net::Response::redirect(with_query(ticket.redirect_uri, query)));
}

net::Response send_declined(const Ticket& ticket) {
    return send_back(ticket, "error", "access_denied",
                     "AADSTS65004: User declined to consent to access the app.");
}

/// What travels back to the client when the request is wrong.
struct Mistake {
    std::string_view error;
    std::string_view description;
};
std::optional<Mistake> mistake_of(const net::Query& query, const Ticket& ticket) {
    if (query.get("response_type") != "code")
        return Mistake{"unsupported_response_type",
                       "AADSTS70005: response_type must be 'code' here."};
    if (ticket.scopes.empty())
        return Mistake{"invalid_request", "AADSTS900144: The request must contain 'scope'."};
    for (const auto& scope : ticket.scopes)
        if (find_scope(scope) == nullptr)
            return Mistake{"invalid_scope",
                           "AADSTS70011: The provided value for the input parameter 'scope' is "
                           "not valid."};
    if (query.get("code_challenge_method") != "S256" || !is_challenge(ticket.challenge))
        return Mistake{"invalid_request",
                       "AADSTS9002325: Proof Key for Code Exchange is required (S256)."};
    if (const auto mode = query.get("response_mode"); !mode.empty() && mode != "query")
        return Mistake{"invalid_request", "AADSTS900144: The sandbox knows response_mode=query."};
    if (!ticket.login_hint.empty() && query.get("prompt") == "select_account")
        return Mistake{"invalid_request",
                       "AADSTS90023: login_hint and prompt=select_account exclude each other."};
    if (query.get("prompt") == "none")
        return Mistake{"interaction_required", "AADSTS50058: The user must sign in."};
    return std::nullopt;
}

}  // namespace

bool allows(const Scopes& granted, std::initializer_list<std::string_view> wanted) {
    return std::ranges::any_of(granted, [&](const std::string& scope) {
        return std::ranges::find(wanted, short_name(scope)) != wanted.end();
    });
}

std::optional<net::Response> Identity::serve(const net::Request& request) {
    const std::string_view path = request.path;
    const auto slash = path.find('/', 1);
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string tenant(path.substr(1, slash - 1));
    const auto rest = path.substr(slash);
    const bool is_get = request.method == "GET";
    const bool is_post = request.method == "POST";
    if (rest == "/oauth2/v2.0/authorize" && is_get) return authorize(request, tenant);
    if (rest == "/oauth2/v2.0/authorize/decision" && is_post) return decide(request, tenant);
    if (rest == "/oauth2/v2.0/token" && is_post) return token(request, tenant);
    if (rest == "/v2.0/.well-known/openid-configuration" && is_get) return metadata(tenant);
    return std::nullopt;
}

net::Response Identity::authorize(const net::Request& request, const std::string& tenant) {
    const auto& query = request.query;
    if (query.get("client_id") != world_->options.client_id)
        return error_page("unauthorized_client",
                          "AADSTS700016: The application was not found in the directory.");
    Ticket ticket;
    ticket.redirect_uri = query.get("redirect_uri");
    if (!is_known_redirect(world_->options, ticket.redirect_uri))
        return error_page("invalid_request",
                          "AADSTS50011: The redirect URI is none of the application's.");
    ticket.scopes = split_scopes(query.get("scope"));
    ticket.state = query.get("state");
    ticket.nonce = query.get("nonce");
    ticket.challenge = query.get("code_challenge");
    ticket.login_hint = query.get("login_hint");
    ticket.tenant = tenant;
    if (const auto mistake = mistake_of(query, ticket))
        return send_back(ticket, "error", std::string(mistake->error),
                         std::string(mistake->description));

    ConsentPage consent{.provider = "Microsoft",
                        .style = std::string(kStyle),
                        .action = "authorize/decision",
                        .client_id = world_->options.client_id};
    const auto* hinted = world_->find_account(ticket.login_hint);
    if (hinted != nullptr && !fits(tenant, *hinted))
        return error_page("invalid_request",
                          "AADSTS50020: This account does not exist in the tenant.");
    for (const auto& [email, account] : world_->accounts)
        if (fits(tenant, account))
            consent.accounts.push_back(
                {email, account.name,
                 hinted != nullptr ? &account == hinted : consent.accounts.empty()});
    if (consent.accounts.empty())
        return error_page("no_account", "The sandbox has no account of this tenant.");
    for (const auto& scope : ticket.scopes)
        consent.scopes.push_back({scope, std::string(find_scope(scope)->words), true});

    // For command lines; the real one has no such parameter.
    const auto automatic = query.get("auto");
    if (automatic == "deny") return send_declined(ticket);
    if (automatic == "allow") {
        const auto chosen =
            std::ranges::find(consent.accounts, true, &ConsentPage::Choice::is_chosen);
        return finish(ticket, *world_->find_account(chosen->email),
                      {ticket.scopes.begin(), ticket.scopes.end()});
    }
    consent.ticket = grants_->keep(std::move(ticket));
    return consent_answer(200, render_consent(consent));
}

net::Response Identity::decide(const net::Request& request, const std::string& tenant) {
    const auto form = request.form();
    const auto ticket = form ? grants_->take(form->get("ticket")) : std::nullopt;
    if (!ticket || ticket->tenant != tenant)
        return error_page("invalid_request",
                          "This page was used before or is too old. Start again.",
                          kStyleOfDecision);
    if (form->get("decision") != "allow") return send_declined(*ticket);
    auto* account = world_->find_account(form->get("account"));
    if (account == nullptr || !fits(tenant, *account))
        return error_page("invalid_request", "There is no such account.", kStyleOfDecision);
    // All or nothing: a person cannot untick one scope here.
    return finish(*ticket, *account, {ticket->scopes.begin(), ticket->scopes.end()});
}

net::Response Identity::finish(const Ticket& ticket, Account& account, const Scopes& granted) {
    account.needs_interaction = false;
    auto code =
        grants_->consent(ticket, account.email, granted, granted.contains("offline_access"));
    return send_back(ticket, "code", std::move(code));
}

net::Response Identity::metadata(const std::string& tenant) const {
    const auto own = world_->options.issuer + "/" + tenant;
    return net::Response::json(
        200,
        boost::json::object{
            {"issuer", world_->options.issuer + "/" +
                           (tenant == "common" ? std::string("{tenantid}") : tenant) + "/v2.0"},
            {"authorization_endpoint", own + "/oauth2/v2.0/authorize"},
            {"token_endpoint", own + "/oauth2/v2.0/token"},
            {"userinfo_endpoint", world_->options.issuer + "/oidc/userinfo"},
            {"response_types_supported", boost::json::array{"code"}},
            {"response_modes_supported", boost::json::array{"query"}},
            {"subject_types_supported", boost::json::array{"pairwise"}},
            {"id_token_signing_alg_values_supported", boost::json::array{"HS256"}},
            {"token_endpoint_auth_methods_supported",
             boost::json::array{"client_secret_post", "client_secret_basic"}},
            {"scopes_supported",
             boost::json::array{"openid", "profile", "email", "offline_access"}}});
}

}  // namespace calhost::sandbox::graph
