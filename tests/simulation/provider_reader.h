/// The provider's own word on what it holds, asked past the host and its network.
#pragma once

#include "support/test_host.h"

namespace calhost::simulation {

/// The account's events of the window with series expanded, as Calendar v3 items.
json::array read_provider_events(test::TestHost& host, const std::string& account,
                                 calendar::Window window);

/// Whether the provider would still refresh with this token.
bool is_live_at_provider(test::TestHost& host, const std::string& refresh_token);

}  // namespace calhost::simulation
