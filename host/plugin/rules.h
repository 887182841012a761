/// The operator's rules: small scripts on an injected object, run in the order the YAML lists them.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "calendar/event.h"
#include "lua/state.h"
#include "plugin/breaker.h"

namespace calhost::plugin {

struct RuleSource {
    std::string name;  ///< "redirect.lua"
    std::string code;
};

/// What the rules say, and what went wrong on the way to it.
template <class T>
struct Ruled {
    T answer;
    /// A line for each rule that was passed over, for operators: "redirect.lua:3: …". All of them
    /// are in the log already.
    std::vector<std::string> failures;
};

/// What becomes of a booking whose event somebody deleted in their calendar.
enum class WhenDeleted { respect, restore };

/// Rules are pure: no I/O, 20 ms each. One that throws, loops or returns the wrong kind of value is
/// logged and passed over. scripts/README.md tells authors what each gets and may answer.
/// *Thread*: one worker's.
class Rules {
  public:
    /// *Errors*: misconfigured: a script that does not load, or a rule name that does not exist.
    static Result<std::unique_ptr<Rules>> load(const std::vector<RuleSource>& sources,
                                               const Clock& clock);

    /// Where the person lands: a path of the frontend; the first answer wins, nothing if none has
    /// one. A path that would leave the frontend is refused and logged.
    std::optional<std::string> connection_redirect(const boost::json::object& user,
                                                   const boost::json::object& connection,
                                                   const boost::json::object& flow);

    // Bookings. Each is asked for one booking and one of its two people; nothing where no rule has
    // an answer, and the host then does what it does without rules.

    /// Whether the booking goes to that calendar of the person.
    Ruled<std::optional<bool>> booking_filter(const boost::json::object& booking,
                                              const boost::json::object& person,
                                              const boost::json::object& calendar);
    /// The event as the rules want it, each seeing what the one before made of it. They decide what
    /// it says, when it is and who is invited; its names, series and marks stay as they were.
    Ruled<calendar::Event> booking_event(calendar::Event event, const boost::json::object& booking,
                                         const boost::json::object& person);
    /// An empty list means no reminders.
    Ruled<std::optional<std::vector<calendar::Reminder>>> booking_reminders(
        const boost::json::object& booking, const boost::json::object& person);
    Ruled<std::optional<WhenDeleted>> booking_deleted(const boost::json::object& booking,
                                                      const boost::json::object& person);

  private:
    struct Script;
    struct Handler {
        Script* script;
        lua::Ref function;
        int line;
    };
    /// Takes an answer, or says what is wrong with it; then it counts as none.
    using Accept = std::function<Result<void>(const lua::Reader&)>;
    enum class Asked { until_answered, all };

    Result<void> load_script(const RuleSource& source, const Clock& clock);
    /// Asks the handlers of a rule in their order; what it gives is what went wrong.
    std::vector<std::string> run(std::string_view rule, const std::vector<lua::Push>& arguments,
                                 const Accept& accept, Asked asked = Asked::until_answered);

    std::vector<std::unique_ptr<Script>> scripts_;
    std::map<std::string, std::vector<Handler>, std::less<>> handlers_;

  public:
    Rules();
    ~Rules();
};

/// True for a path of the frontend and nothing else: begins with one '/', no scheme, host,
/// backslash, control character or dot segment, however it is spelled. Used for `return_to` as
/// well.
bool is_frontend_path(std::string_view path);

}  // namespace calhost::plugin
