#include "app/key_setup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "storage/sealed.h"

namespace calhost::app {
namespace {

constexpr std::string_view kNoKey =
    "There is no key to seal tokens with, so the host does not start. Set CALENDAR_ENCRYPTION_KEY "
    "to what "
    "`calhost keys new` prints.";

Result<void> write_private_file(const std::filesystem::path& file, std::string_view text) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool is_written = descriptor >= 0 &&
                            ::write(descriptor, text.data(), text.size()) == ssize_t(text.size()) &&
                            ::fsync(descriptor) == 0;
    const std::string why = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    if (!is_written)
        return fail(ErrorCode::unavailable,
                    fmt::format("{} cannot be written ({}). Look at the rights of its folder, or "
                                "name another one with --data.",
                                file.string(), why));
    return {};
}

}  // namespace

Result<crypto::KeyRing> make_key_ring(const config::Keys& keys) {
    if (keys.keys.empty()) return fail(ErrorCode::misconfigured, std::string(kNoKey));
    std::vector<crypto::NamedKey> named;
    for (const auto& [id, text] : keys.keys) {
        auto key = crypto::parse_key(text.expose());
        if (!key)
            return fail(ErrorCode::misconfigured,
                        fmt::format("keys.{}: {}", id, key.error().message));
        named.push_back({id, std::move(*key)});
    }
    return crypto::KeyRing::create(std::move(named), keys.active);
}

Result<void> check_retired_keys(storage::Store& store, const crypto::KeyRing& ring) {
    boost::asio::io_context context;
    const auto database = store.database(context.get_executor());
    auto counts = storage::count_sealed_by_key(database->reader());
    if (!counts) return fail(counts.error());
    return check_retired_keys(*counts, ring);
}

Result<void> check_retired_keys(const SealedCounts& counts, const crypto::KeyRing& ring) {
    const auto ids = ring.ids();
    for (const auto& [id, count] : counts) {
        if (id.empty() || std::ranges::find(ids, id) != ids.end()) continue;
        return fail(ErrorCode::misconfigured,
                    fmt::format("The key '{}' is not configured, but {} sealed values still need "
                                "it. Put it back under "
                                "`keys`, run `calhost keys rotate`, then take it out.",
                                id, count));
    }
    return {};
}

Result<void> fill_sandbox_secrets(config::Settings& settings,
                                  const std::filesystem::path& data_folder) {
    std::error_code ignored;
    std::filesystem::create_directories(data_folder, ignored);
    const auto file = data_folder / "sandbox-secrets";
    if (!std::filesystem::exists(file, ignored)) {
        crypto::SystemRandom random;
        const auto text =
            fmt::format("{}\n{}\n", hex_encode(random_bytes(random, 32)), new_token(random));
        if (auto written = write_private_file(file, text); !written) return written;
        log::info("made keys for the sandbox", {{"file", file.string()}});
    }
    std::ifstream input(file);
    std::string key, secret;
    if (!std::getline(input, key) || !std::getline(input, secret))
        return fail(
            ErrorCode::unavailable,
            fmt::format("{} cannot be read; delete it to have new keys made.", file.string()));
    if (settings.keys.keys.empty()) {
        settings.keys.active = "sandbox";
        settings.keys.keys.emplace_back("sandbox", Secret(std::move(key)));
    }
    if (settings.auth.jwt_secret.empty()) settings.auth.jwt_secret = Secret(std::move(secret));
    return {};
}

}  // namespace calhost::app
