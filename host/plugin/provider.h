/// One provider in one worker: its Lua functions as C++ calls with neutral types.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lua/state.h"
#include "plugin/access.h"
#include "plugin/breaker.h"
#include "plugin/environment.h"
#include "plugin/lanes.h"
#include "plugin/provider_info.h"
#include "plugin/provider_values.h"

namespace calhost::plugin {

/// Source of a provider, read once and loaded into each worker.
struct ProviderSource {
    std::string name;        ///< its folder
    std::string chunk_name;  ///< "providers/google/provider.lua"
    std::string code;
};

/// Every call that gives a Task waits for the provider. *Thread*: one worker's.
/// *Errors* of the calls: what the script returned, those of Access and of the transport,
/// unsupported for a function that the script does not have, and invalid_response for a bug in the
/// script or an answer of the wrong shape (logged with traceback). After `timeout` and
/// `unavailable` of a write its effect is unknown: the same call again is safe.
class Provider {
  public:
    /// Loads the script. *Errors*: misconfigured, with file, line and reason.
    static Result<std::unique_ptr<Provider>> load(const ProviderSource& source,
                                                  Environment environment);

    [[nodiscard]] const ProviderInfo& info() const { return info_; }
    ProviderInfo& info() { return info_; }
    /// The script has a function of that name.
    [[nodiscard]] bool offers(std::string_view function) const;

    /// The script's last bug since this was asked, "providers/acme/provider.lua:12: attempt to …",
    /// for whoever writes it; empty: none. The log has the whole of each.
    std::string take_fault() { return std::exchange(fault_, {}); }

    // --- the account -------------------------------------------------------------------------

    /// What must be known of an account at an address that a person entered, to be kept in its
    /// Account: the script's answer as JSON.
    Task<Result<boost::json::object>> discover(Access& access);
    Task<Result<Identity>> identity(Access& access);
    Task<Result<std::vector<CalendarInfo>>> list_calendars(Access& access);

    // --- reading -----------------------------------------------------------------------------

    /// Changes since `cursor`, or what is in `window` when there is none. Most providers give
    /// everything from its start on; one with `can.windowed_feed` needs its finish too. *Errors*:
    /// cursor_expired: begin again without one.
    Task<Result<Changes>> list_changes(Access& access, std::string calendar_id,
                                       std::optional<std::string> cursor,
                                       std::optional<std::string> page, calendar::Window window);
    /// What happens in `window`, expanded. A provider without this function is asked for all its
    /// changes, in one page.
    Task<Result<Occurrences>> list_events(Access& access, std::string calendar_id,
                                          calendar::Window window, std::optional<std::string> page);
    /// When any of the calendars is busy, cut to `window`, by start, those that touch joined. A
    /// provider without this function is asked for the events.
    Task<Result<std::vector<calendar::Window>>> busy(Access& access,
                                                     std::vector<std::string> calendar_ids,
                                                     calendar::Window window);
    /// *Errors*: not_found, also for one that was deleted.
    Task<Result<calendar::Event>> get_event(Access& access, std::string calendar_id,
                                            std::string id);

    // --- writing -----------------------------------------------------------------------------
    // The event is whole: an empty text is cleared, an event without recurrence is a single one.
    // Left as they are: reminders that are not set, an empty color, no categories, marks of other
    // names. Attendees and the organizer are never written, and nobody gets mail.

    /// `key` names the intent (at most 200 characters of ASCII): the same key again gives the same
    /// event, changed or not since, and never a second one; one that was deleted meanwhile comes
    /// back. An event with `series_id` and `recurrence_id` becomes an override of that slot, and
    /// takes it away when its status is cancelled. *Errors*: invalid, unsupported (what this
    /// provider cannot express).
    Task<Result<Written>> create_event(Access& access, std::string calendar_id,
                                       calendar::Event event, std::string key);
    /// `etag` is what the change was based on; empty: whatever is there now is replaced. *Errors*:
    /// conflict, when it is another one now; not_found, for one that was deleted.
    Task<Result<Written>> update_event(Access& access, std::string calendar_id, std::string id,
                                       calendar::Event event, std::string etag);
    /// One that is gone already is a success. `id` may be an occurrence's, which takes its slot
    /// away. `etag` as above. *Errors*: conflict.
    Task<Result<void>> delete_event(Access& access, std::string calendar_id, std::string id,
                                    std::string etag);

    // --- the grant ---------------------------------------------------------------------------

    /// What a refusal of the token endpoint means, where the provider knows more than OAuth's word
    /// for it says (RFC 6749 section 5.2). At once.
    std::optional<ErrorCode> classify_token_error(const net::ClientResponse& answer);

    // --- channels ----------------------------------------------------------------------------

    /// Store the request before calling: the first notification may come before the answer.
    Task<Result<Channel>> open_channel(Access& access, std::string calendar_id,
                                       ChannelRequest request);
    /// A provider that cannot extend a channel opens one for `request`; the answer's id says which
    /// of the two lives now, and the caller closes the other.
    Task<Result<Channel>> renew_channel(Access& access, std::string calendar_id,
                                        ChannelRequest request, Channel known);
    /// One that is gone already is a success.
    Task<Result<void>> close_channel(Access& access, std::string calendar_id, Channel known);
    /// At once. *Errors*: invalid, for a request that is no notification.
    Result<Notification> read_notification(const net::Request& request);

  private:
    using Read = std::function<Result<void>(const lua::Reader&)>;

    Provider(ProviderSource source, Environment environment);
    Result<void> load_script();
    /// `changes`, where it is set, becomes `ctx.changes`.
    Task<Result<void>> call(std::string function, Access& access, std::vector<lua::Push> arguments,
                            Read read, lua::Ref changes = {});
    Task<Result<Written>> write(std::string function, Access& access,
                                std::vector<lua::Push> arguments);
    Task<Result<Channel>> call_channel(std::string function, Access& access,
                                       std::vector<lua::Push> arguments, std::string id);
    Task<Result<Occurrences>> expand_changes(Access& access, std::string calendar_id,
                                             calendar::Window window);
    Task<Result<std::vector<calendar::Window>>> busy_from_events(Access& access,
                                                                 std::vector<std::string> ids,
                                                                 calendar::Window window);
    [[nodiscard]] lua::Push context(const lua::Ref& http, const lua::Ref& changes,
                                    const Account* account) const;
    /// For the log. Gives the error that callers see.
    Error report(const lua::Failure& failure, std::string_view function,
                 std::string_view connection_id);

    ProviderSource source_;
    Environment environment_;
    ProviderInfo info_;
    Breakers breakers_;
    Lanes lanes_;  ///< of the connections: calls on their way
    std::unique_ptr<lua::State> state_;
    lua::Ref table_;
    std::string fault_;
};

}  // namespace calhost::plugin
