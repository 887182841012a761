// What browsers see: the authorization request, the consent page, the way back.
#include "sandbox/oauth.h"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/url.hpp>

#include "base/encoding.h"
#include "sandbox/consent_page.h"

namespace calhost::sandbox {
namespace {

constexpr std::string_view kStyle = "../../../style.css";
constexpr std::string_view kStyleOfDecision = "../../../../style.css";

net::Response page(int status, std::string html) {
    auto response = net::Response::html(status, std::move(html));
    // form-action stays open: browsers would hold it against the redirect back to the host.
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; base-uri 'none'; "
                         "frame-ancestors 'none'");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("Referrer-Policy", "no-referrer");
    return response;
}

bool is_loopback(std::string_view uri) {
    const auto url = boost::urls::parse_uri(uri);
    if (!url || url->has_fragment() || url->has_userinfo()) return false;
    const auto host = url->encoded_host();
    return (url->scheme() == "http" || url->scheme() == "https") &&
           (host == "127.0.0.1" || host == "localhost" || host == "[::1]");
}

bool is_challenge(std::string_view text) {
    return text.size() == 43 && std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_';
           });
}

std::string with_query(std::string_view uri, const net::Query& query) {
    return std::string(uri) + (uri.find('?') == std::string_view::npos ? '?' : '&') +
           query.to_string();
}

}  // namespace

bool OAuth::is_known_redirect(std::string_view uri) const {
    const auto& known = world_->options.redirect_uris;
    if (known.empty()) return is_loopback(uri);
    return std::ranges::find(known, uri) != known.end();
}

net::Response OAuth::send_back(const Ticket& ticket, std::string_view name, std::string value,
                               std::string description) const {
    net::Query query;
    query.add(std::string(name), std::move(value));
    if (!description.empty()) query.add("error_description", std::move(description));
    if (!ticket.state.empty()) query.add("state", ticket.state);
    query.add("iss", world_->options.issuer);
    auto response = net::Response::redirect(with_query(ticket.redirect_uri, query));
    response.headers.set("Cache-Control", "no-store");
    return response;
}

/// Fills `error` with an OAuth code that may travel back to the client; fails for what may not,
/// because nobody knows yet whether the redirect URI is the client's own.
Result<OAuth::Ticket> OAuth::read_ticket(const net::Query& query, std::string& error) const {
    if (query.get("client_id") != world_->options.client_id)
        return fail(ErrorCode::invalid, "invalid_client");
    Ticket ticket;
    ticket.redirect_uri = query.get("redirect_uri");
    if (!is_known_redirect(ticket.redirect_uri))
        return fail(ErrorCode::invalid, "redirect_uri_mismatch");
    for (const auto& scope : split_scopes(query.get("scope"))) {
        auto canonical = canonical_scope(scope);
        if (canonical.empty()) return fail(ErrorCode::invalid, "invalid_scope");
        if (std::ranges::find(ticket.scopes, canonical) == ticket.scopes.end())
            ticket.scopes.push_back(std::move(canonical));
    }
    ticket.state = query.get("state");
    ticket.challenge = query.get("code_challenge");
    ticket.login_hint = query.get("login_hint");
    ticket.is_offline = query.get("access_type") == "offline";
    const auto prompts = split_scopes(query.get("prompt"));
    ticket.wants_consent = std::ranges::find(prompts, "consent") != prompts.end();
    ticket.includes_granted = query.get("include_granted_scopes") == "true";
    ticket.expires = world_->clock.now() + world_->options.code_life;
    if (query.get("response_type") != "code")
        error = "unsupported_response_type";
    else if (ticket.scopes.empty())
        error = "invalid_scope";
    else if (query.get("code_challenge_method") != "S256" || !is_challenge(ticket.challenge))
        error = "invalid_request";
    else if (query.get("prompt") == "none")
        error = "interaction_required";
    return ticket;
}

net::Response OAuth::authorize(const net::Request& request) {
    std::string error;
    auto ticket = read_ticket(request.query, error);
    if (!ticket)
        return page(400, render_error(ticket.error().message,
                                      "The request of this application is not valid.", kStyle));
    if (error == "invalid_request")
        return send_back(*ticket, "error", error,
                         "PKCE with code_challenge_method=S256 is required.");
    if (!error.empty()) return send_back(*ticket, "error", error);
    if (world_->accounts.empty())
        return page(400, render_error("no_account", "The sandbox has no account yet.", kStyle));

    ConsentPage consent;
    consent.client_id = world_->options.client_id;
    const bool knows_hint = world_->find_account(ticket->login_hint) != nullptr;
    for (const auto& [email, account] : world_->accounts)
        consent.accounts.push_back(
            {email, account.name,
             knows_hint ? email == ticket->login_hint : consent.accounts.empty()});
    for (const auto& scope : ticket->scopes)
        consent.scopes.push_back(
            {scope, std::string(describe_scope(scope)), is_identity_scope(scope)});

    // For command lines; the real one has no such parameter.
    const auto automatic = request.query.get("auto");
    if (automatic == "deny") return send_back(*ticket, "error", "access_denied");
    if (automatic == "allow") {
        const auto chosen =
            std::ranges::find(consent.accounts, true, &ConsentPage::Choice::is_chosen);
        return finish(*ticket, chosen->email, {ticket->scopes.begin(), ticket->scopes.end()});
    }
    const auto now = world_->clock.now();
    std::erase_if(tickets_, [now](const auto& entry) { return entry.second.expires <= now; });
    consent.ticket = new_token(world_->random);
    tickets_.emplace(consent.ticket, std::move(*ticket));
    return page(200, render_consent(consent));
}

net::Response OAuth::decide(const net::Request& request) {
    const auto refused = [](std::string_view sentence) {
        return page(400, render_error("invalid_request", sentence, kStyleOfDecision));
    };
    const auto form = request.form();
    const auto found = form ? tickets_.find(form->get("ticket")) : tickets_.end();
    if (found == tickets_.end()) return refused("This page was used before. Start again.");
    const Ticket ticket = std::move(found->second);
    tickets_.erase(found);
    if (ticket.expires <= world_->clock.now()) return refused("This page is too old. Start again.");
    if (form->get("decision") != "allow") return send_back(ticket, "error", "access_denied");
    const auto* account = world_->find_account(form->get("account"));
    if (account == nullptr) return refused("There is no such account.");

    Scopes granted;
    for (const auto& scope : ticket.scopes)
        if (is_identity_scope(scope)) granted.insert(scope);
    for (const auto& [name, value] : *form)
        if (name == "scope" && std::ranges::find(ticket.scopes, value) != ticket.scopes.end())
            granted.insert(value);
    if (granted.empty()) return send_back(ticket, "error", "access_denied");
    return finish(ticket, account->email, granted);
}

net::Response OAuth::finish(const Ticket& ticket, const std::string& email, const Scopes& granted) {
    auto& consent = consents_[email];
    const bool is_first = consent.empty();
    Grant grant;
    grant.email = email;
    grant.scopes = granted;
    if (ticket.includes_granted) grant.scopes.insert(consent.begin(), consent.end());
    grant.number = ++last_grant_;
    consent.insert(granted.begin(), granted.end());

    Code code;
    code.ticket = ticket;
    code.grant = grant.number;
    code.gives_refresh_token = ticket.is_offline && (is_first || ticket.wants_consent);
    code.expires = world_->clock.now() + world_->options.code_life;
    grants_.emplace(grant.number, std::move(grant));
    // The slash is Google's: clients that forget to escape it find out here.
    const auto text = "4/" + new_token(world_->random);
    codes_.emplace(text, std::move(code));
    world_->ledger.add(
        {.method = "oauth.consent", .account = email, .detail = join_scopes(granted)});
    return send_back(ticket, "code", text);
}

}  // namespace calhost::sandbox
