/// What `calhost check` says about a provider's table: mistakes that would let it load and show
/// only when somebody uses it.
#pragma once

#include <vector>

#include "config/settings.h"
#include "plugin/provider.h"

namespace calhost::plugin {

/// Holds the table that the script returns against providers/README.md, all of it: its id, the
/// types, what its kind of sign-in needs, the names of `can` and of the functions. Nothing for a
/// script that does not load; Provider::load says why.
std::vector<config::Complaint> check_provider(const ProviderSource& source, const Clock& clock);

}  // namespace calhost::plugin
