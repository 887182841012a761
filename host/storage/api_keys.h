/// Table `api_keys`: what programs sign in with. A key belongs to an application or to a user; of
/// its secret only the hash is here.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

struct ApiKey {
    std::string id;
    std::string hash;  ///< SHA-256 hex of the key
    /// Exactly one of the two.
    std::optional<std::string> application_id;
    std::optional<std::string> user_id;
    std::string name;
    std::vector<std::string> scopes;
    std::vector<std::string> providers;  ///< whose tokens it may lease; empty: of every one
    Timestamp created_at{};
};

/// *Errors*: conflict, when the owner does not exist.
Result<void> insert_api_key(Sql& sql, const ApiKey& key);
Result<std::optional<ApiKey>> find_api_key_by_hash(Sql& sql, std::string_view hash);

/// In the order of their ids, those behind `after`, at most `limit`.
Result<std::vector<ApiKey>> list_keys_of_user(Sql& sql, std::string_view user_id,
                                              std::string_view after, int limit);
Result<bool> delete_key_of_user(Sql& sql, std::string_view user_id, std::string_view id);
/// All of them: an application has a few.
Result<std::vector<ApiKey>> list_keys_of_application(Sql& sql, std::string_view application_id);
Result<bool> delete_key_of_application(Sql& sql, std::string_view application_id,
                                       std::string_view id);

}  // namespace calhost::storage
