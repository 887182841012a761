#include "lua/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/log.h"
#include "lua/budget.h"
#include "lua/core.h"
#include "lua/marks.h"

namespace calhost::lua {
namespace {

constexpr int kDeepestPcall = 32;
/// What a caught error costs, in instructions.
constexpr std::uint64_t kErrorUnits = 300;

const char kGlobals = 0;
const char kModules = 0;

/// Copies `names` from the table on top into the table below it.
void copy_fields(lua_State* state, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        lua_getfield(state, -1, name);
        lua_setfield(state, -3, name);
    }
}

int finish_pcall(lua_State* state, int status, lua_KContext /*context*/) {
    Running* running = core_of(state).running;
    if (running != nullptr) --running->protected_depth;
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(state);
    if (status == LUA_ERRMEM) kill(state, Overrun::memory);
    if (is_killed(state)) return lua_error(state);
    spend(state, kErrorUnits);
    lua_pushboolean(state, 0);
    lua_insert(state, -2);
    return 2;
}

int library_pcall(lua_State* state) {
    luaL_checkany(state, 1);
    Running* running = core_of(state).running;
    if (running != nullptr) {
        if (running->protected_depth >= kDeepestPcall)
            return luaL_error(state, "pcall inside pcall, more than %d deep", kDeepestPcall);
        ++running->protected_depth;
    }
    lua_pushboolean(state, 1);
    lua_insert(state, 1);
    const int arguments = lua_gettop(state) - 2;
    const int status = lua_pcallk(state, arguments, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(state, status, 0);
}

int library_setmetatable(lua_State* state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    const int type = lua_type(state, 2);
    luaL_argexpected(state, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(state, 1, "__metatable") != LUA_TNIL)
        return luaL_error(state, "this table's metatable cannot be changed");
    for (const char* name : {"__gc", "__close", "__len", "__mode", "__metatable"}) {
        if (type == LUA_TNIL) break;
        lua_pushstring(state, name);
        if (lua_rawget(state, 2) != LUA_TNIL)
            return luaL_error(state, "a metatable cannot have %s here", name);
        lua_pop(state, 1);
    }
    lua_settop(state, 2);
    lua_setmetatable(state, 1);
    return 1;
}

int library_tostring(lua_State* state) {
    luaL_checkany(state, 1);
    push_text(state, 1, true);
    return 1;
}

int library_print(lua_State* state) {
    const int count = lua_gettop(state);
    std::string line;
    for (int i = 1; i <= count; ++i) {
        push_text(state, i, false);
        std::size_t size = 0;
        const char* text = lua_tolstring(state, -1, &size);
        if (i > 1) line += '\t';
        line.append(text, std::min<std::size_t>(size, 8192));
        lua_pop(state, 1);
        if (line.size() > 8192) break;
    }
    spend(state, 100 + line.size());
    log::info(line, {{"plugin", core_of(state).options.name}});
    return 0;
}

/// Assigning or reading a name that nobody declared is nearly always a forgotten `local` or a typo.
int refuse_global_write(lua_State* state) {
    return luaL_error(state, "'%s' is not a local variable; write 'local %s' first",
                      lua_tostring(state, 2), lua_tostring(state, 2));
}
int refuse_global_read(lua_State* state) {
    return luaL_error(state, "there is no variable '%s' here", lua_tostring(state, 2));
}
int refuse_frozen_write(lua_State* state) {
    return luaL_error(state, "%s cannot be changed", lua_tostring(state, lua_upvalueindex(1)));
}

/// The names in the table on top, sorted.
std::string list_names(lua_State* state) {
    std::vector<std::string> names;
    lua_pushnil(state);
    while (lua_next(state, -2) != 0) {
        names.emplace_back(lua_tostring(state, -2));
        lua_pop(state, 1);
    }
    std::ranges::sort(names);
    return fmt::format("{}", fmt::join(names, ", "));
}

int library_require(lua_State* state) {
    const char* name = luaL_checkstring(state, 1);
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kModules);
    lua_pushvalue(state, 1);
    if (lua_rawget(state, -2) != LUA_TNIL) return 1;
    lua_pop(state, 1);
    const std::string names = list_names(state);
    return luaL_error(state, "there is no module '%s' here; there are: %s", name, names.c_str());
}

int call_charged(lua_State* state) {
    std::size_t size = 0;
    if (lua_type(state, 1) == LUA_TSTRING) size = lua_rawlen(state, 1);
    spend(state, size / 8);
    make_room(state, 2 * size);
    return lua_tocfunction(state, lua_upvalueindex(1))(state);
}

void add_function(lua_State* state, const char* name, lua_CFunction function) {
    lua_pushcfunction(state, function);
    lua_setfield(state, -2, name);
}

void add_base_functions(lua_State* state) {
    luaopen_base(state);
    copy_fields(state, {"assert", "error", "getmetatable", "ipairs", "next", "pairs", "rawequal",
                        "rawget", "rawlen", "rawset", "select", "type", "_VERSION"});
    lua_getfield(state, -1, "tonumber");
    const lua_CFunction to_number = lua_tocfunction(state, -1);
    lua_pop(state, 2);
    push_charged(state, to_number);
    lua_setfield(state, -2, "tonumber");
    add_function(state, "pcall", library_pcall);
    add_function(state, "setmetatable", library_setmetatable);
    add_function(state, "tostring", library_tostring);
    add_function(state, "print", library_print);
    add_function(state, "require", library_require);
}

void push_math_library(lua_State* state) {
    lua_newtable(state);
    luaopen_math(state);
    copy_fields(state, {"abs",  "ceil",      "cos",  "deg",        "exp", "floor",      "fmod",
                        "huge", "log",       "max",  "maxinteger", "min", "mininteger", "modf",
                        "pi",   "rad",       "sin",  "sqrt",       "tan", "acos",       "asin",
                        "atan", "tointeger", "type", "ult"});
    lua_pop(state, 1);
}

void push_utf8_library(lua_State* state) {
    lua_newtable(state);
    luaopen_utf8(state);
    copy_fields(state, {"char", "charpattern", "codes"});
    for (const char* name : {"codepoint", "len", "offset"}) {
        lua_getfield(state, -1, name);
        push_charged(state, lua_tocfunction(state, -1));
        lua_setfield(state, -4, name);
        lua_pop(state, 1);
    }
    lua_pop(state, 1);
}

/// Scripts see an empty table that reads through to `globals` and cannot be written: what one
/// script does, another never meets.
void install_globals(lua_State* state) {
    lua_newtable(state);
    lua_createtable(state, 0, 3);
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kGlobals);
    lua_setfield(state, -2, "__index");
    lua_pushcfunction(state, refuse_global_write);
    lua_setfield(state, -2, "__newindex");
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_setmetatable(state, -2);
    lua_rawseti(state, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);

    lua_rawgetp(state, LUA_REGISTRYINDEX, &kGlobals);
    lua_createtable(state, 0, 1);
    lua_pushcfunction(state, refuse_global_read);
    lua_setfield(state, -2, "__index");
    lua_setmetatable(state, -2);
    lua_pop(state, 1);
}

}  // namespace

void push_charged(lua_State* state, lua_CFunction function) {
    lua_pushcfunction(state, function);
    lua_pushcclosure(state, call_charged, 1);
}

void freeze(lua_State* state, std::string_view name) {
    lua_newuserdatauv(state, 0, 0);
    lua_createtable(state, 0, 4);
    lua_pushvalue(state, -3);
    lua_setfield(state, -2, "__index");
    lua_pushlstring(state, name.data(), name.size());
    lua_pushvalue(state, -1);
    lua_setfield(state, -3, "__name");
    lua_pushcclosure(state, refuse_frozen_write, 1);
    lua_setfield(state, -2, "__newindex");
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_setmetatable(state, -2);
    lua_remove(state, -2);
}

void push_text(lua_State* state, int index, bool may_run_script) {
    index = lua_absindex(state, index);
    luaL_checkstack(state, 4, "too many values");
    const int type = lua_type(state, index);
    if (type == LUA_TSTRING) return lua_pushvalue(state, index);
    if (type == LUA_TNUMBER) {
        lua_pushvalue(state, index);
        lua_tolstring(state, -1, nullptr);
        return;
    }
    if (type == LUA_TBOOLEAN) {
        lua_pushstring(state, lua_toboolean(state, index) != 0 ? "true" : "false");
        return;
    }
    if (is_null_mark(state, index)) {
        lua_pushliteral(state, "null");
        return;
    }
    if (may_run_script && luaL_callmeta(state, index, "__tostring") != 0) {
        if (lua_type(state, -1) != LUA_TSTRING)
            luaL_error(state, "'__tostring' must return a string");
        return;
    }
    lua_pushstring(state, lua_typename(state, type));
}

void set_module(lua_State* state, std::string_view name) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kModules);
    lua_pushlstring(state, name.data(), name.size());
    lua_pushvalue(state, -3);
    lua_rawset(state, -3);
    lua_pop(state, 2);
}

void set_global(lua_State* state, std::string_view name) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kGlobals);
    lua_pushlstring(state, name.data(), name.size());
    lua_pushvalue(state, -3);
    lua_rawset(state, -3);
    lua_pop(state, 2);
}

void open_library(lua_State* state) {
    create_array_mark(state);
    lua_newtable(state);
    lua_rawsetp(state, LUA_REGISTRYINDEX, &kModules);
    lua_newtable(state);
    lua_pushvalue(state, -1);
    lua_rawsetp(state, LUA_REGISTRYINDEX, &kGlobals);

    add_base_functions(state);
    lua_pop(state, 1);
    using PushLibrary = void (*)(lua_State*);
    const std::pair<const char*, PushLibrary> libraries[] = {{"math", push_math_library},
                                                             {"string", push_string_library},
                                                             {"table", push_table_library},
                                                             {"utf8", push_utf8_library}};
    for (const auto& [name, push] : libraries) {
        push(state);
        freeze(state, name);
        set_global(state, name);
    }
    install_globals(state);
}

}  // namespace calhost::lua
