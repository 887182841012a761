#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/key_setup.h"
#include "app/offline.h"
#include "app/sandbox_mount.h"
#include "crypto/crypto.h"
#include "net/server.h"
#include "plugin/discovery.h"

namespace calhost::app {

std::optional<config::Complaint> check_certificate(const config::Server& server, Timestamp now) {
    constexpr std::chrono::days kSoon{14};
    if (server.tls_certificate.empty()) return std::nullopt;
    const std::string key = "server.tls.certificate";
    const auto end = net::check_tls({server.tls_certificate, server.tls_key});
    if (!end) return config::Complaint{.key = key, .message = end.error().message};
    if (*end > now + kSoon) return std::nullopt;
    return config::Complaint{
        .key = key,
        .message = fmt::format("{} at {}{}; put a new one there; the host takes it within a minute",
                               *end > now ? "ends" : "ended", format_rfc3339(*end),
                               *end > now ? "" : ", so that clients refuse to connect"),
        .is_error = false};
}

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
    if (auto certificate = check_certificate(settings.server, clock.now())) {
        certificate->file = load.file.string();
        complaints.push_back(std::move(*certificate));
    }
    if (load.is_sandbox) return complaints;
    if (auto ring = make_key_ring(settings.keys); !ring)
        complaints.push_back(
            {.file = load.file.string(), .key = "keys", .message = ring.error().message});
    return complaints;
}

}  // namespace calhost::app
