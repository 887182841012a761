// JSON as C++ reads it, and as it becomes Lua's tables. Of a name given twice only Lua looks at the
// first value, so that it refuses an infinite number there.
#include "base/json.h"

#include "fuzz/check.h"
#include "lua/json.h"

using namespace calhost;

namespace {

constexpr std::string_view kScript = R"(
local json = require("host.json")
return function(text)
  local value, err = json.decode(text)
  if value == nil then return nil, err end
  return json.encode(value)
end)";

struct Script {
    SystemClock clock;
    std::unique_ptr<lua::State> state;
    lua::Ref again;
    Script() : state(lua::State::create({.name = "fuzz"}, clock).value()) {
        state->add_module("host.json", lua::fill_json);
        again = state->load("fuzz.lua", kScript).value();
    }
};

/// Decoded and encoded by a script.
Result<std::string> through_lua(std::string_view text) {
    static Script script;
    std::string written;
    const auto done =
        script.state->call_now(script.again, {[text](lua::Writer& writer) { writer.string(text); }},
                               {}, [&](std::span<const lua::Reader> results) -> Result<void> {
                                   written = results[0].string();
                                   return {};
                               });
    if (done) return written;
    fuzz::promise(!done.error().is_bug, "decoding is no mistake of the script");
    return fail(done.error().error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    const auto text = fuzz::to_text(bytes, size);
    const auto value = json::parse(text);
    const auto lua = through_lua(text);
    fuzz::promise(value || !lua, "what Lua takes, C++ takes");
    if (value)
        fuzz::promise(json::parse(json::serialize(*value)).has_value(), "what is written is JSON");
    if (lua) fuzz::promise(json::parse(*lua).has_value(), "what a script writes is JSON");
    return 0;
}
