#include "simulation/knowledge.h"

#include "connect/sealing.h"

namespace calhost::simulation {

void Knowledge::add_code(const std::string& code, const std::string& account) {
    add_secret(code);
    codes_.emplace(code, account);
}

void Knowledge::learn(const net::Query& form, const net::Response& answer) {
    for (const auto* name : {"code", "code_verifier", "refresh_token", "client_secret"})
        add_secret(form.get(name));
    const auto body = json::parse(answer.body);
    if (!body || answer.status != 200) return;
    const std::string access(json::text_of(*body, "access_token"));
    const std::string refresh(json::text_of(*body, "refresh_token"));
    auto number = grant_number(std::string(form.get("refresh_token")));
    if (!number) {
        number = grants_.size();
        grants_.push_back({.account = codes_[std::string(form.get("code"))], .refresh_token = {}});
    }
    if (!refresh.empty()) grants_[*number].refresh_token = refresh;
    for (const auto& token : {access, refresh}) {
        if (token.empty()) continue;
        add_secret(token);
        tokens_[token] = *number;
    }
}

const Grant* Knowledge::grant_of(const std::string& token) const {
    const auto number = grant_number(token);
    return number ? &grants_[*number] : nullptr;
}

std::optional<std::size_t> Knowledge::grant_number(const std::string& token) const {
    const auto found = tokens_.find(token);
    if (found == tokens_.end()) return std::nullopt;
    return found->second;
}

std::vector<StoredConnection> stored_connections(test::TestHost& host) {
    std::vector<StoredConnection> rows;
    const auto read = [&](const storage::Row& row) {
        StoredConnection c{.id = row.string(0),
                           .user_id = row.string(1),
                           .account = row.string(2),
                           .email = row.string(3),
                           .state = row.string(4),
                           .access_token = {},
                           .refresh_token = {}};
        auto& services = host.worker().services();
        const auto access =
            connect::open_token(services, row.text(5), connect::kAccessColumn, c.id, c.user_id);
        const auto refresh =
            connect::open_token(services, row.text(6), connect::kRefreshColumn, c.id, c.user_id);
        if (access) c.access_token = access->expose();
        if (refresh) c.refresh_token = refresh->expose();
        rows.push_back(std::move(c));
    };
    test::must(host.sql().query(
        "SELECT id, user_id, account, email, state, sealed_access_token, sealed_refresh_token "
        "FROM connections ORDER BY id",
        {}, read));
    return rows;
}

}  // namespace calhost::simulation
