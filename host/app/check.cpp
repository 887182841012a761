#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "app/key_setup.h"
#include "app/offline.h"
#include "app/sandbox_mount.h"
#include "crypto/crypto.h"
#include "net/server.h"
#include "plugin/discovery.h"

namespace calhost::app {
namespace {

bool is_about_keys(const config::Complaint& complaint) {
    return complaint.key == "keys" || complaint.key.starts_with("keys.");
}

/// What the YAML's own check said about a key is not said again in other words.
void add_untold(std::vector<config::Complaint>& complaints, std::vector<config::Complaint> more) {
    const auto place = [](const config::Complaint& complaint) {
        return std::tie(complaint.file, complaint.key);
    };
    std::erase_if(more, [&](const config::Complaint& one) {
        return !one.key.empty() && std::ranges::any_of(complaints, [&](const auto& told) {
            return place(told) == place(one);
        });
    });
    std::ranges::move(more, std::back_inserter(complaints));
}

}  // namespace

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

std::vector<config::Complaint> check_installation(config::Loaded loaded,
                                                  const config::LoadOptions& load) {
    auto& settings = loaded.settings;
    auto complaints = std::move(loaded.complaints);
    // Without a usable `keys` section there is nothing to look at in it.
    const bool has_keys = std::ranges::none_of(complaints, is_about_keys);
    // The sandbox brings its own clients and keys.
    if (load.is_sandbox) point_providers_at_sandbox(settings);
    NoTransport transport;
    const SystemClock clock;
    SystemTimers timers;
    crypto::SystemRandom random;
    auto installed = plugin::discover(settings, clock);
    add_untold(complaints, std::move(installed.complaints));
    add_untold(complaints, plugin::check_scripts(installed, {transport, clock, timers, random}));
    if (auto certificate = check_certificate(settings.server, clock.now())) {
        certificate->file = load.file.string();
        add_untold(complaints, {std::move(*certificate)});
    }
    if (load.is_sandbox || !has_keys) return complaints;
    if (auto ring = make_key_ring(settings.keys); !ring)
        complaints.push_back({.file = load.file.string(), .message = ring.error().message});
    return complaints;
}

}  // namespace calhost::app
