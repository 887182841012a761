#include "connect/sealing.h"

namespace calhost::connect {

std::string seal_token(Services& services, const Secret& token, std::string_view column,
                       std::string_view connection_id, std::string_view user_id) {
    if (token.empty()) return {};
    const crypto::Place place{"connections", column, connection_id, user_id};
    return services.keys.current()->seal(token, place, services.random);
}

Result<Secret> open_token(Services& services, std::string_view sealed, std::string_view column,
                          std::string_view connection_id, std::string_view user_id) {
    if (sealed.empty()) return Secret();
    return services.keys.current()->open(sealed, {"connections", column, connection_id, user_id});
}

}  // namespace calhost::connect
