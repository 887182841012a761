/// One provider in one worker: its Lua functions as C++ calls with neutral types.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "calendar/event.h"
#include "lua/state.h"
#include "net/message.h"
#include "plugin/access.h"
#include "plugin/breaker.h"
#include "plugin/provider_info.h"

namespace calhost::plugin {

struct Identity {
    std::string id;  ///< the provider's, stable
    std::string email;
    std::string name;
};

struct CalendarInfo {
    std::string id;
    std::string name;
    bool is_primary = false;
    bool is_read_only = false;
    std::string color;
    std::string time_zone;
};

/// One page of what changed.
struct Changes {
    std::vector<calendar::Event> events;
    std::vector<std::string> deleted;   ///< ids
    std::optional<std::string> page;    ///< more to come
    std::optional<std::string> cursor;  ///< on the last page
    std::string time_zone;              ///< the calendar's, if the provider says so
    int unreadable = 0;                 ///< events left out because they make no sense; logged
};

/// The worker's things that providers use.
struct Environment {
    net::Transport& transport;
    const Clock& clock;
    Timers& timers;
    Random& random;
};

/// Source of a provider, read once and loaded into each worker.
struct ProviderSource {
    std::string name;        ///< its folder
    std::string chunk_name;  ///< "providers/google/provider.lua"
    std::string code;
};

/// *Thread*: one worker's.
/// *Errors* of the calls: what the script returned, those of Access and of the transport, and
/// invalid_response for a bug in the script (logged with traceback).
class Provider {
  public:
    /// Loads the script. *Errors*: misconfigured, with file, line and reason.
    static Result<std::unique_ptr<Provider>> load(const ProviderSource& source,
                                                  Environment environment);

    [[nodiscard]] const ProviderInfo& info() const { return info_; }
    ProviderInfo& info() { return info_; }

    /// What must be known of an account at an address that a person entered, to be kept in its
    /// Account: the script's answer as JSON.
    Task<Result<boost::json::object>> discover(Access& access);
    Task<Result<Identity>> identity(Access& access);
    Task<Result<std::vector<CalendarInfo>>> list_calendars(Access& access);
    /// Changes since `cursor`, or everything from `window` on when there is none.
    Task<Result<Changes>> list_changes(Access& access, std::string calendar_id,
                                       std::optional<std::string> cursor,
                                       std::optional<std::string> page, Timestamp window_start);

  private:
    using Read = std::function<Result<void>(const lua::Reader&)>;

    Provider(ProviderSource source, Environment environment);
    Result<void> load_script();
    /// `changes`, where it is set, becomes `ctx.changes`.
    Task<Result<void>> call(std::string function, Access& access, std::vector<lua::Push> arguments,
                            Read read, lua::Ref changes = {});
    [[nodiscard]] lua::Push context(const lua::Ref& http, const lua::Ref& changes,
                                    const Account* account) const;

    ProviderSource source_;
    Environment environment_;
    ProviderInfo info_;
    Breaker breaker_;
    std::unique_ptr<lua::State> state_;
    lua::Ref table_;
};

}  // namespace calhost::plugin
