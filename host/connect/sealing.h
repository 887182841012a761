/// Tokens of a connection at rest: sealed, each bound to its column, row and user.
#pragma once

#include "connect/services.h"
#include "storage/connections.h"

namespace calhost::connect {

std::string seal_token(Services& services, const Secret& token, std::string_view column,
                       std::string_view connection_id, std::string_view user_id);
Result<Secret> open_token(Services& services, std::string_view sealed, std::string_view column,
                          std::string_view connection_id, std::string_view user_id);

inline constexpr std::string_view kAccessColumn = "sealed_access_token";
inline constexpr std::string_view kRefreshColumn = "sealed_refresh_token";

}  // namespace calhost::connect
