/// The operator's rules: small scripts on an injected object, run in the order the YAML lists them.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lua/state.h"
#include "plugin/breaker.h"

namespace calhost::plugin {

struct RuleSource {
    std::string name;  ///< "redirect.lua"
    std::string code;
};

/// Rules are pure: no I/O, 20 ms each. One that throws, loops or returns the wrong kind of value is
/// logged and passed over. *Thread*: one worker's.
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

  private:
    struct Script;
    struct Handler {
        Script* script;
        lua::Ref function;
    };
    using Accept = std::function<Result<void>(const lua::Reader&)>;

    Result<void> load_script(const RuleSource& source, const Clock& clock);
    void run(const std::string& rule, const std::vector<lua::Push>& arguments,
             const Accept& accept);

    std::vector<std::unique_ptr<Script>> scripts_;
    std::map<std::string, std::vector<Handler>> handlers_;

  public:
    Rules();
    ~Rules();
};

/// True for a path of the frontend and nothing else: begins with one '/', no scheme, host,
/// backslash, control character or dot segment, however it is spelled. Used for `return_to` as
/// well.
bool is_frontend_path(std::string_view path);

}  // namespace calhost::plugin
