#include "app/check.h"

#include <algorithm>
#include <iterator>

#include "app/key_setup.h"
#include "app/offline.h"
#include "app/sandbox_mount.h"
#include "crypto/crypto.h"
#include "plugin/discovery.h"

namespace calhost::app {

std::vector<config::Complaint> check_installation(config::Settings settings,
                                                  const config::LoadOptions& load) {
    // The sandbox brings its own clients and keys.
    if (load.is_sandbox) point_providers_at_sandbox(settings);
    NoTransport transport;
    const SystemClock clock;
    SystemTimers timers;
    crypto::SystemRandom random;
    auto installed = plugin::discover(settings, clock);
    auto complaints = std::move(installed.complaints);
    auto broken = plugin::check_scripts(installed, {transport, clock, timers, random});
    std::ranges::move(broken, std::back_inserter(complaints));
    if (load.is_sandbox) return complaints;
    if (auto ring = make_key_ring(settings.keys); !ring)
        complaints.push_back(
            {.file = load.file.string(), .key = "keys", .message = ring.error().message});
    return complaints;
}

}  // namespace calhost::app
