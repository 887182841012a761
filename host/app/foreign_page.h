/// Which requests a browser sends on behalf of somebody else's page. A host on loopback has no
/// secret that such a page would lack.
#pragma once

#include <string_view>

#include "net/message.h"

namespace calhost::app {

/// True for a request that a browser says (Origin, Sec-Fetch-Site) came from a page of another
/// origin than `own_url`'s, and for one that reached this host under another machine's name (DNS
/// rebinding). Programs say nothing of the kind.
bool is_from_foreign_page(const net::Request& request, std::string_view own_url);

}  // namespace calhost::app
