// What browsers see: the authorization request, the consent page, the way back.
#include "sandbox/oauth.h"

#include <algorithm>

#include "sandbox/consent_page.h"
#include "sandbox/oauth_wire.h"

namespace calhost::sandbox {
namespace {

constexpr std::string_view kName = "Google";
constexpr std::string_view kStyle = "../../../style.css";
constexpr std::string_view kStyleOfDecision = "../../../../style.css";

net::Response error_page(std::string_view code, std::string_view sentence, std::string_view style) {
    return consent_answer(400, render_error(kName, code, sentence, style));
}

}  // namespace

net::Response OAuth::send_back(const Ticket& ticket, std::string_view name, std::string value,
                               std::string description) const {
    net::Query query;
    query.add(std::string(name), std::move(value));
    if (!description.empty()) query.add("error_description", std::move(description));
    if (!ticket.state.empty()) query.add("state", ticket.state);
    query.add("iss", world_->options.issuer);
    return no_store(net::Response::redirect(with_query(ticket.redirect_uri, query)));
}

/// Fills `error` with an OAuth code that may travel back to the client; fails for what may not,
/// because nobody knows yet whether the redirect URI is the client's own.
Result<Ticket> OAuth::read_ticket(const net::Query& query, std::string& error) const {
    if (query.get("client_id") != world_->options.client_id)
        return fail(ErrorCode::invalid, "invalid_client");
    Ticket ticket;
    ticket.redirect_uri = query.get("redirect_uri");
    if (!is_known_redirect(world_->options, ticket.redirect_uri))
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
        return error_page(ticket.error().message, "The request of this application is not valid.",
                          kStyle);
    if (error == "invalid_request")
        return send_back(*ticket, "error", error,
                         "PKCE with code_challenge_method=S256 is required.");
    if (!error.empty()) return send_back(*ticket, "error", error);
    if (world_->accounts.empty())
        return error_page("no_account", "The sandbox has no account yet.", kStyle);

    ConsentPage consent;
    consent.provider = kName;
    consent.style = kStyle;
    consent.action = "auth/decision";
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
    consent.ticket = grants_->keep(std::move(*ticket));
    return consent_answer(200, render_consent(consent));
}

net::Response OAuth::decide(const net::Request& request) {
    const auto refused = [](std::string_view sentence) {
        return error_page("invalid_request", sentence, kStyleOfDecision);
    };
    const auto form = request.form();
    const auto kept = form ? grants_->take(form->get("ticket")) : std::nullopt;
    if (!kept) return refused("This page was used before or is too old. Start again.");
    const Ticket& ticket = *kept;
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
    const bool gives_refresh_token =
        ticket.is_offline && (!grants_->has_consented(email) || ticket.wants_consent);
    auto code = grants_->consent(ticket, email, granted, gives_refresh_token);
    return send_back(ticket, "code", std::move(code));
}

}  // namespace calhost::sandbox
