#include "sandbox/grants.h"

#include <algorithm>

#include "crypto/crypto.h"
#include "sandbox/oauth_wire.h"

namespace calhost::sandbox {

std::string Grants::keep(Ticket ticket) {
    const auto now = world_->clock.now();
    std::erase_if(tickets_, [now](const auto& entry) { return entry.second.expires <= now; });
    ticket.expires = now + world_->options.code_life;
    auto name = new_token(world_->random);
    tickets_.emplace(name, std::move(ticket));
    return name;
}

std::optional<Ticket> Grants::take(std::string_view name) {
    const auto found = tickets_.find(name);
    if (found == tickets_.end()) return std::nullopt;
    Ticket ticket = std::move(found->second);
    tickets_.erase(found);
    if (ticket.expires <= world_->clock.now()) return std::nullopt;
    return ticket;
}

bool Grants::has_consented(std::string_view email) const { return consents_.contains(email); }

std::string Grants::consent(const Ticket& ticket, const std::string& email, const Scopes& granted,
                            bool gives_refresh_token) {
    auto& consent = consents_[email];
    Grant grant;
    grant.email = email;
    grant.scopes = granted;
    grant.nonce = ticket.nonce;
    if (ticket.includes_granted) grant.scopes.insert(consent.begin(), consent.end());
    grant.number = ++last_grant_;
    consent.insert(granted.begin(), granted.end());

    Code code;
    code.ticket = ticket;
    code.grant = grant.number;
    code.gives_refresh_token = gives_refresh_token;
    code.expires = world_->clock.now() + world_->options.code_life;
    grants_.emplace(grant.number, std::move(grant));
    auto text = std::string(rules_->code_prefix) + new_token(world_->random);
    codes_.emplace(text, std::move(code));
    world_->ledger.add(
        {.method = "oauth.consent", .account = email, .detail = join_scopes(granted)});
    return text;
}

std::expected<Grant*, Refusal> Grants::redeem(std::string_view text, std::string_view redirect_uri,
                                              std::string_view verifier) {
    const auto found = codes_.find(text);
    if (found == codes_.end()) return std::unexpected(Refusal::unknown);
    Code& code = found->second;
    if (code.is_used) {
        // RFC 6749 section 4.1.2: somebody has the code who should not.
        end(code.grant);
        return std::unexpected(Refusal::used);
    }
    const auto grant = grants_.find(code.grant);
    if (code.expires <= world_->clock.now() || grant == grants_.end())
        return std::unexpected(Refusal::expired);
    if (redirect_uri != code.ticket.redirect_uri) return std::unexpected(Refusal::wrong_redirect);
    if (verifier.empty()) return std::unexpected(Refusal::no_verifier);
    if (!is_verifier(verifier) ||
        !crypto::equal(crypto::pkce_challenge(verifier), code.ticket.challenge))
        return std::unexpected(Refusal::wrong_verifier);
    code.is_used = true;
    world_->ledger.add({.method = "token.exchange", .account = grant->second.email});
    if (code.gives_refresh_token) give_refresh_token(code.grant);
    return &grant->second;
}

bool Grants::gives_refresh_token(std::string_view code) const {
    const auto found = codes_.find(code);
    return found != codes_.end() && found->second.gives_refresh_token;
}

std::expected<Grant*, Refusal> Grants::find_refresh(std::string_view token) {
    const auto found = refresh_tokens_.find(token);
    if (found == refresh_tokens_.end()) return std::unexpected(Refusal::unknown);
    Grant& grant = grants_.at(found->second);
    if (grant.refresh_expires <= world_->clock.now()) return std::unexpected(Refusal::expired);
    if (grant.refresh_token != token && settings.rotates_refresh_tokens)
        return std::unexpected(Refusal::used);
    return &grant;
}

std::string Grants::give_access_token(const Grant& grant) {
    auto token = std::string(rules_->access_prefix) + new_token(world_->random);
    access_tokens_[token] = {grant.number, world_->clock.now() + world_->options.token_life};
    return token;
}

void Grants::give_refresh_token(std::uint64_t number) {
    Grant& grant = grants_.at(number);
    grant.refresh_token = std::string(rules_->refresh_prefix) + new_token(world_->random);
    prolong(grant);
    if (settings.refresh_life) grant.refresh_expires = world_->clock.now() + *settings.refresh_life;
    refresh_tokens_[grant.refresh_token] = number;
    std::vector<std::uint64_t> live;
    for (const auto& [other, that] : grants_)
        if (that.email == grant.email && !that.refresh_token.empty()) live.push_back(other);
    if (live.size() > rules_->max_refresh_tokens) end(live.front());
}

void Grants::prolong(Grant& grant) {
    if (!settings.refresh_life) grant.refresh_expires = world_->clock.now() + rules_->refresh_life;
}

const Grant* Grants::authenticate(const net::Request& request) const {
    const auto found = access_tokens_.find(bearer_of(request));
    if (found == access_tokens_.end() || found->second.expires <= world_->clock.now())
        return nullptr;
    const auto& grant = grants_.at(found->second.grant);
    return world_->find_account(grant.email) == nullptr ? nullptr : &grant;
}

std::string Grants::owner_of(std::string_view token) const {
    std::uint64_t number = 0;
    if (const auto it = access_tokens_.find(token); it != access_tokens_.end())
        number = it->second.grant;
    if (const auto it = refresh_tokens_.find(token); it != refresh_tokens_.end())
        number = it->second;
    const auto grant = grants_.find(number);
    return grant == grants_.end() ? std::string() : grant->second.email;
}

void Grants::end(std::uint64_t number) {
    const auto grant = grants_.find(number);
    if (grant == grants_.end()) return;
    world_->ledger.add({.method = "token.end", .account = grant->second.email});
    std::erase_if(access_tokens_, [&](const auto& entry) { return entry.second.grant == number; });
    std::erase_if(refresh_tokens_, [&](const auto& entry) { return entry.second == number; });
    grants_.erase(grant);
}

void Grants::end_of(std::string_view refresh_token) {
    if (const auto it = refresh_tokens_.find(refresh_token); it != refresh_tokens_.end())
        end(it->second);
}

int Grants::revoke_account(std::string_view email) {
    std::vector<std::uint64_t> ended;
    for (const auto& [number, grant] : grants_)
        if (grant.email == email) ended.push_back(number);
    for (const auto number : ended) end(number);
    if (const auto it = consents_.find(email); it != consents_.end()) consents_.erase(it);
    return static_cast<int>(ended.size());
}

}  // namespace calhost::sandbox
