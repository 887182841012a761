/// Keys of the host: from the configuration, or, in sandbox mode, made once in the data folder.
#pragma once

#include <filesystem>

#include "config/settings.h"
#include "crypto/key_ring.h"
#include "storage/store.h"

namespace calhost::app {

/// Parses what the YAML says. *Errors*: misconfigured: no key at all, a key that is not 32 bytes.
Result<crypto::KeyRing> make_key_ring(const config::Keys& keys);

/// Refuses a ring without a retired key that sealed values still need, with their count; `counts`
/// is storage::count_sealed_by_key. *Errors*: misconfigured.
using SealedCounts = std::vector<std::pair<std::string, std::int64_t>>;
Result<void> check_retired_keys(const SealedCounts& counts, const crypto::KeyRing& ring);
/// The same for a store that nobody uses yet.
Result<void> check_retired_keys(storage::Store& store, const crypto::KeyRing& ring);

/// The sandbox's own key and token secret: read from `<data>/sandbox-secrets`, or made there (mode
/// 0600).
Result<void> fill_sandbox_secrets(config::Settings& settings,
                                  const std::filesystem::path& data_folder);

}  // namespace calhost::app
