#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <lua.hpp>
#include <string>

#include "lua/json.h"
#include "lua/marks.h"

namespace calhost::lua {
namespace {

using boost::json::error_code;

constexpr int kNameSlots = 128;

/// Where a name that is not empty is kept.
int slot_of(std::string_view name) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(name[at]); };
    const std::size_t last = name.size() - 1;
    return 1 + static_cast<int>(
                   (byte(0) * 3U + byte(last / 2) * 5U + byte(last) * 5U + name.size() * 3) %
                   kNameSlots);
}

/// Leaves each finished value on the Lua stack; the end of a container gathers its members from
/// there, so that its table is made once, in the right size.
struct Handler {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    Handler(lua_State* given, const Shared& given_shared) : state(given), shared(given_shared) {}

    /// True for what belongs to a member that is not wanted; the end of its value ends it.
    bool skips() {
        if (!is_skipping) return false;
        if (depth == 1) is_skipping = false;
        return true;
    }

    /// Leaves the name that was just pushed, or begins to skip its member.
    void check_wanted() {
        if (shared.wanted == 0 || depth != 1) return;
        lua_pushvalue(state, -1);
        is_skipping = lua_rawget(state, shared.wanted) == LUA_TNIL;
        lua_pop(state, is_skipping ? 2 : 1);
        skipped += is_skipping ? 1 : 0;
    }

    /// For one more value, and what the end of a container pushes for a moment.
    bool has_room(error_code& ec) {
        if (room-- > 0) return true;
        room = 32;
        if (lua_checkstack(state, room + 8) != 0) return true;
        ec = boost::json::error::array_too_large;
        return false;
    }

    bool push_text(std::string_view last, error_code& ec) {
        if (!has_room(ec)) return false;
        if (parts.empty()) {
            lua_pushlstring(state, last.data(), last.size());
        } else {
            parts.append(last);
            lua_pushlstring(state, parts.data(), parts.size());
            parts.clear();
        }
        return true;
    }

    /// From the table of names if it is there: to make a string again, Lua hashes it and compares.
    bool push_name(std::string_view name, error_code& ec) {
        if (shared.names == 0 || name.empty() || !parts.empty()) return push_text(name, ec);
        if (!has_room(ec)) return false;
        const int slot = slot_of(name);
        lua_rawgeti(state, shared.names, slot);
        std::size_t size = 0;
        const char* known = lua_tolstring(state, -1, &size);
        if (known != nullptr && name == std::string_view(known, size)) return true;
        lua_pop(state, 1);
        lua_pushlstring(state, name.data(), name.size());
        lua_pushvalue(state, -1);
        lua_rawseti(state, shared.names, slot);
        return true;
    }

    bool on_document_begin(error_code& /*ec*/) { return true; }
    bool on_document_end(error_code& /*ec*/) { return true; }
    bool on_array_begin(error_code& /*ec*/) { return ++depth > 0; }
    bool on_object_begin(error_code& /*ec*/) { return ++depth > 0; }

    bool on_array_end(std::size_t count, error_code& ec) {
        --depth;
        if (skips()) return true;
        if (!has_room(ec)) return false;
        const auto size = static_cast<int>(count);
        lua_createtable(state, size, 0);
        mark_array(state);
        lua_insert(state, -size - 1);
        for (int i = size; i > 0; --i) lua_rawseti(state, -i - 1, i);
        return true;
    }

    bool on_object_end(std::size_t count, error_code& ec) {
        --depth;
        if (skips()) return true;
        if (!has_room(ec)) return false;
        const auto size = static_cast<int>(depth == 0 ? count - skipped : count);
        lua_createtable(state, 0, size);
        const int table = lua_gettop(state);
        for (int member = table - 2 * size; member < table; member += 2) {
            lua_pushvalue(state, member);
            lua_pushvalue(state, member + 1);
            lua_rawset(state, table);
        }
        if (size == 0) return true;
        lua_replace(state, table - 2 * size);
        lua_settop(state, table - 2 * size);
        return true;
    }

    bool on_string_part(std::string_view part, std::size_t /*size*/, error_code& /*ec*/) {
        if (!is_skipping) parts.append(part);
        return true;
    }
    bool on_key_part(std::string_view part, std::size_t size, error_code& ec) {
        return on_string_part(part, size, ec);
    }
    bool on_string(std::string_view last, std::size_t /*size*/, error_code& ec) {
        return skips() || push_text(last, ec);
    }
    bool on_key(std::string_view last, std::size_t /*size*/, error_code& ec) {
        if (is_skipping) return true;
        if (!push_name(last, ec)) return false;
        check_wanted();
        return true;
    }
    bool on_number_part(std::string_view /*part*/, error_code& /*ec*/) { return true; }
    bool on_int64(std::int64_t value, std::string_view /*text*/, error_code& ec) {
        if (skips()) return true;
        if (!has_room(ec)) return false;
        lua_pushinteger(state, value);
        return true;
    }
    bool on_uint64(std::uint64_t value, std::string_view text, error_code& ec) {
        return on_double(static_cast<double>(value), text, ec);
    }
    bool on_double(double value, std::string_view /*text*/, error_code& ec) {
        if (skips()) return true;
        if (!std::isfinite(value)) {
            ec = boost::json::error::not_number;
            return false;
        }
        if (!has_room(ec)) return false;
        lua_pushnumber(state, value);
        return true;
    }
    bool on_bool(bool value, error_code& ec) {
        if (skips()) return true;
        if (!has_room(ec)) return false;
        lua_pushboolean(state, value ? 1 : 0);
        return true;
    }
    bool on_null(error_code& ec) {
        if (skips()) return true;
        if (!has_room(ec)) return false;
        lua_pushlightuserdata(state, null_mark());
        return true;
    }
    bool on_comment_part(std::string_view /*part*/, error_code& /*ec*/) { return true; }
    bool on_comment(std::string_view /*last*/, error_code& /*ec*/) { return true; }

    lua_State* state;
    Shared shared;
    int room = 0;
    int depth = 0;  ///< containers that are open
    bool is_skipping = false;
    std::size_t skipped = 0;  ///< members of the outermost object
    std::string parts;
};

std::unexpected<Error> not_json(const error_code& ec, std::size_t at) {
    return fail(ErrorCode::invalid, fmt::format("not JSON: {} at byte {}", ec.message(), at + 1));
}

}  // namespace

Result<std::size_t> push_json_value(Writer& writer, std::string_view text, const Shared& shared) {
    lua_State* state = writer.state();
    const int top = lua_gettop(state);
    boost::json::parse_options options;
    options.max_depth = 32;
    boost::json::basic_parser<Handler> parser(options, state, shared);
    error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec) return read;
    lua_settop(state, top);
    return not_json(ec, read);
}

Result<void> push_json_text(Writer& writer, std::string_view text) {
    const int top = lua_gettop(writer.state());
    const auto read = push_json_value(writer, text);
    if (!read) return fail(read.error());
    if (*read == text.size()) return {};
    lua_settop(writer.state(), top);
    return not_json(boost::json::error::extra_data, *read);
}

}  // namespace calhost::lua
