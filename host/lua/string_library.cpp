#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "lua/budget.h"
#include "lua/core.h"
#include "lua/library.h"
#include "lua/patterns.h"

namespace calhost::lua {
namespace {

using patterns::Matcher;

std::string_view check_text(lua_State* state, int index) {
    std::size_t size = 0;
    const char* text = luaL_checklstring(state, index, &size);
    return {text, size};
}

std::uint64_t step_limit(lua_State* state) {
    const Running* running = core_of(state).running;
    return running != nullptr ? running->budget.pattern_steps : Budget{}.pattern_steps;
}

[[noreturn]] void raise(lua_State* state, const patterns::Fault& fault) {
    if (fault.is_out_of_steps) kill(state, Overrun::instructions);
    lua_pushlstring(state, fault.message.data(), fault.message.size());
    luaL_error(state, "%s", lua_tostring(state, -1));
    std::abort();
}

std::optional<std::size_t> match(lua_State* state, Matcher& matcher, std::size_t start) {
    const auto found = matcher.match(start);
    if (!found) raise(state, found.error());
    return *found;
}

void charge(lua_State* state, const Matcher& matcher) { spend(state, matcher.steps_used() / 4); }

void push_capture(lua_State* state, const Matcher& matcher, int index, std::size_t begin,
                  std::size_t end) {
    const auto capture = matcher.capture(index, begin, end);
    if (!capture) raise(state, capture.error());
    if (capture->is_position) {
        lua_pushinteger(state, static_cast<lua_Integer>(capture->begin) + 1);
    } else {
        lua_pushlstring(state, capture->text.data(), capture->text.size());
    }
}

/// All captures; the whole match when there are none.
int push_captures(lua_State* state, const Matcher& matcher, std::size_t begin, std::size_t end) {
    const int count = std::max(matcher.capture_count(), 1);
    luaL_checkstack(state, count, "too many captures");
    for (int i = 0; i < count; ++i) push_capture(state, matcher, i, begin, end);
    return count;
}

/// Argument `index` as a start from 0, counted from the end when negative.
std::size_t start_argument(lua_State* state, int index, std::size_t size) {
    const lua_Integer given = luaL_optinteger(state, index, 1);
    if (given > 0) return static_cast<std::size_t>(given) - 1;
    if (given == 0 || given < -static_cast<lua_Integer>(size)) return 0;
    return size - static_cast<std::size_t>(-given);
}

int find_plain(lua_State* state, std::string_view text, std::string_view wanted,
               std::size_t start) {
    spend(state, (text.size() - start) / 8);
    const void* at = text.data() + start;
    // memmem is linear, whatever the two strings are.
    if (!wanted.empty()) at = memmem(at, text.size() - start, wanted.data(), wanted.size());
    if (at == nullptr) return 0;
    const lua_Integer begin = static_cast<const char*>(at) - text.data() + 1;
    lua_pushinteger(state, begin);
    lua_pushinteger(state, begin + static_cast<lua_Integer>(wanted.size()) - 1);
    return 2;
}

int find_or_match(lua_State* state, bool is_find) {
    const std::string_view text = check_text(state, 1);
    std::string_view pattern = check_text(state, 2);
    const std::size_t start = start_argument(state, 3, text.size());
    if (start > text.size()) {
        lua_pushnil(state);
        return 1;
    }
    if (is_find && (lua_toboolean(state, 4) != 0 || patterns::is_plain(pattern))) {
        const int results = find_plain(state, text, pattern, start);
        if (results == 0) lua_pushnil(state);
        return std::max(results, 1);
    }
    const bool is_anchored = pattern.starts_with('^');
    if (is_anchored) pattern.remove_prefix(1);
    Matcher matcher(text, pattern, step_limit(state));
    for (std::size_t begin = start; begin <= text.size(); ++begin) {
        if (const auto end = match(state, matcher, begin)) {
            charge(state, matcher);
            if (!is_find) return push_captures(state, matcher, begin, *end);
            lua_pushinteger(state, static_cast<lua_Integer>(begin) + 1);
            lua_pushinteger(state, static_cast<lua_Integer>(*end));
            if (matcher.capture_count() == 0) return 2;
            return 2 + push_captures(state, matcher, begin, *end);
        }
        if (is_anchored) break;
    }
    charge(state, matcher);
    lua_pushnil(state);
    return 1;
}

int string_find(lua_State* state) { return find_or_match(state, true); }
int string_match(lua_State* state) { return find_or_match(state, false); }

/// Upvalues: text, pattern, where to go on, where the last match ended (-1 before the first).
int gmatch_next(lua_State* state) {
    const std::string_view text = check_text(state, lua_upvalueindex(1));
    const std::string_view pattern = check_text(state, lua_upvalueindex(2));
    auto begin = static_cast<std::size_t>(lua_tointeger(state, lua_upvalueindex(3)));
    const lua_Integer last = lua_tointeger(state, lua_upvalueindex(4));
    Matcher matcher(text, pattern, step_limit(state));
    for (; begin <= text.size(); ++begin) {
        const auto end = match(state, matcher, begin);
        if (!end || static_cast<lua_Integer>(*end) == last) continue;
        lua_pushinteger(state, static_cast<lua_Integer>(*end));
        lua_copy(state, -1, lua_upvalueindex(3));
        lua_replace(state, lua_upvalueindex(4));
        charge(state, matcher);
        return push_captures(state, matcher, begin, *end);
    }
    charge(state, matcher);
    return 0;
}

int string_gmatch(lua_State* state) {
    const std::string_view text = check_text(state, 1);
    check_text(state, 2);
    const std::size_t start = std::min(start_argument(state, 3, text.size()), text.size() + 1);
    lua_settop(state, 2);
    lua_pushinteger(state, static_cast<lua_Integer>(start));
    lua_pushinteger(state, -1);
    lua_pushcclosure(state, gmatch_next, 4);
    return 1;
}

void check_length(lua_State* state, std::size_t size) {
    if (size > kLongestString) luaL_error(state, "the resulting string is too long");
}

/// Makes room each time a buffer has doubled: its next block, and the string it becomes.
void follow_growth(lua_State* state, std::size_t size, std::size_t& roomy) {
    if (size <= roomy) return;
    roomy = 2 * size;
    make_room(state, 2 * roomy);
}

/// Argument 3 as a replacement text: %0 to %9 are captures.
void add_template(lua_State* state, luaL_Buffer& buffer, const Matcher& matcher,
                  std::string_view subject, std::size_t begin, std::size_t end) {
    const std::string_view text = check_text(state, 3);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t escape = std::min(text.find('%', i), text.size());
        luaL_addlstring(&buffer, text.data() + i, escape - i);
        if (escape == text.size()) return;
        i = escape + 1;
        const char kind = i < text.size() ? text[i] : '\0';
        if (kind == '%' && i < text.size()) {
            luaL_addchar(&buffer, '%');
        } else if (kind == '0') {
            luaL_addlstring(&buffer, subject.data() + begin, end - begin);
        } else if (kind >= '1' && kind <= '9') {
            push_capture(state, matcher, kind - '1', begin, end);
            luaL_addvalue(&buffer);
        } else {
            luaL_error(state, "invalid use of '%%' in replacement string");
        }
    }
}

/// Adds what a match turns into; false when the script keeps the match as it is.
bool add_replacement(lua_State* state, luaL_Buffer& buffer, const Matcher& matcher,
                     std::string_view text, std::size_t begin, std::size_t end) {
    const int type = lua_type(state, 3);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        add_template(state, buffer, matcher, text, begin, end);
        return true;
    }
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(state, 3);
        const int count = push_captures(state, matcher, begin, end);
        lua_call(state, count, 1);
    } else {
        push_capture(state, matcher, 0, begin, end);
        lua_gettable(state, 3);
    }
    if (lua_toboolean(state, -1) == 0) {
        lua_pop(state, 1);
        luaL_addlstring(&buffer, text.data() + begin, end - begin);
        return false;
    }
    if (lua_isstring(state, -1) == 0)
        luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
    luaL_addvalue(&buffer);
    return true;
}

int string_gsub(lua_State* state) {
    const std::string_view text = check_text(state, 1);
    std::string_view pattern = check_text(state, 2);
    const int type = lua_type(state, 3);
    luaL_argexpected(
        state,
        type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE,
        3, "string/function/table");
    const lua_Integer most = luaL_optinteger(state, 4, static_cast<lua_Integer>(text.size()) + 1);
    const bool is_anchored = pattern.starts_with('^');
    if (is_anchored) pattern.remove_prefix(1);

    Matcher matcher(text, pattern, step_limit(state));
    luaL_Buffer buffer;
    luaL_buffinit(state, &buffer);
    std::size_t at = 0;
    std::optional<std::size_t> last;
    lua_Integer count = 0;
    bool is_changed = false;
    std::size_t roomy = 64U << 10U;
    while (count < most) {
        const auto end = match(state, matcher, at);
        if (end && end != last) {
            ++count;
            spend(state, 10);
            is_changed |= add_replacement(state, buffer, matcher, text, at, *end);
            check_length(state, luaL_bufflen(&buffer));
            follow_growth(state, luaL_bufflen(&buffer), roomy);
            at = *end;
            last = end;
        } else if (at < text.size()) {
            luaL_addchar(&buffer, text[at++]);
        } else {
            break;
        }
        if (is_anchored) break;
    }
    charge(state, matcher);
    if (is_changed) {
        luaL_addlstring(&buffer, text.data() + at, text.size() - at);
        check_length(state, luaL_bufflen(&buffer));
        luaL_pushresult(&buffer);
    } else {
        lua_pushvalue(state, 1);
    }
    lua_pushinteger(state, count);
    return 2;
}

/// The stock function, once its result is known to be bounded.
int call_stock(lua_State* state) { return lua_tocfunction(state, lua_upvalueindex(1))(state); }

int string_rep(lua_State* state) {
    const std::size_t size = check_text(state, 1).size();
    const lua_Integer count = luaL_checkinteger(state, 2);
    const std::size_t gap = lua_isnoneornil(state, 3) ? 0 : check_text(state, 3).size();
    if (count <= 0 || size + gap == 0) {
        lua_pushliteral(state, "");
        return 1;
    }
    if (static_cast<std::uint64_t>(count) > kLongestString / (size + gap) + 1)
        return luaL_error(state, "the resulting string is too long");
    const std::size_t total = (size + gap) * static_cast<std::size_t>(count);
    spend(state, total / 32 + static_cast<std::uint64_t>(count) / 4);
    make_room(state, 2 * total);
    return call_stock(state);
}

int string_format(lua_State* state) {
    const std::string_view format = check_text(state, 1);
    std::size_t size = format.size();
    const int count = lua_gettop(state);
    for (int i = 2; i <= count; ++i) {
        const int type = lua_type(state, i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TNIL &&
            type != LUA_TBOOLEAN) {
            push_text(state, i, true);
            lua_replace(state, i);
        }
        if (lua_type(state, i) == LUA_TSTRING) size += lua_rawlen(state, i);
    }
    check_length(state, size);
    for (std::size_t at = format.find('%'); at != std::string_view::npos;
         at = format.find('%', at)) {
        const std::size_t kind =
            std::min(format.find_first_not_of("-+ #0.123456789", at + 1), format.size());
        if (kind < format.size() && format[kind] == 'p')
            return luaL_error(state, "string.format has no %%p here");
        at = kind + 1;
    }
    spend(state, size / 8);
    make_room(state, 3 * size);
    return call_stock(state);
}

int string_byte(lua_State* state) {
    const std::size_t size = check_text(state, 1).size();
    const lua_Integer first = luaL_optinteger(state, 2, 1);
    const lua_Integer last = luaL_optinteger(state, 3, first);
    const bool is_short = size <= static_cast<std::size_t>(kMostItems);
    if (!is_short && (first < 0) != (last < 0))
        return luaL_error(state, "string.byte: give both positions from the same end");
    if (!is_short && last - first > kMostItems) return luaL_error(state, "string slice too long");
    return call_stock(state);
}

void add_with_stock(lua_State* state, const char* name, lua_CFunction function) {
    lua_getfield(state, -1, name);
    lua_pushcclosure(state, function, 1);
    lua_setfield(state, -3, name);
}

}  // namespace

void push_string_library(lua_State* state) {
    lua_newtable(state);
    luaopen_string(state);
    for (const char* name : {"char", "len", "sub"}) {
        lua_getfield(state, -1, name);
        lua_setfield(state, -3, name);
    }
    for (const char* name : {"lower", "reverse", "upper"}) {
        lua_getfield(state, -1, name);
        push_charged(state, lua_tocfunction(state, -1));
        lua_setfield(state, -4, name);
        lua_pop(state, 1);
    }
    add_with_stock(state, "byte", string_byte);
    add_with_stock(state, "format", string_format);
    add_with_stock(state, "rep", string_rep);
    lua_pop(state, 1);
    constexpr luaL_Reg kOwn[] = {{"find", string_find},
                                 {"gmatch", string_gmatch},
                                 {"gsub", string_gsub},
                                 {"match", string_match},
                                 {nullptr, nullptr}};
    luaL_setfuncs(state, kOwn, 0);

    // Strings' own methods, instead of the metatable that the stock library made.
    lua_pushliteral(state, "");
    lua_createtable(state, 0, 2);
    lua_pushvalue(state, -3);
    lua_setfield(state, -2, "__index");
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_setmetatable(state, -2);
    lua_pop(state, 1);
}

}  // namespace calhost::lua
