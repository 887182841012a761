/// What the rooms connect, sync and api share of one worker. No room owns it: `app` builds it,
/// tests build their own on virtual time.
#pragma once

#include "base/crash_point.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "net/message.h"
#include "plugin/discovery.h"
#include "plugin/plugins.h"
#include "storage/database.h"

namespace calhost::connect {

/// *Ownership*: refers to what outlives every room of the worker.
struct Services {
    storage::Database& database;
    net::Transport& transport;
    const plugin::Providers& providers;
    crypto::Keys& keys;
    const Clock& clock;
    Timers& timers;
    Random& random;
    CrashPoints& crash_points;
    const plugin::Plugins* plugins = nullptr;  ///< null: none
    plugin::Rules* rules = nullptr;            ///< null: none
};

}  // namespace calhost::connect
