#include "lua/value.h"

#include <lua.hpp>

#include "lua/core.h"
#include "lua/json.h"
#include "lua/marks.h"

namespace calhost::lua {
namespace {

const char kNull = 0;
const char kArray = 0;

}  // namespace

void* null_mark() { return const_cast<char*>(&kNull); }

void create_array_mark(lua_State* state) {
    lua_createtable(state, 0, 1);
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_rawsetp(state, LUA_REGISTRYINDEX, &kArray);
}

void mark_array(lua_State* state) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kArray);
    lua_setmetatable(state, -2);
}

bool is_marked_array(lua_State* state, int index) {
    if (lua_getmetatable(state, index) == 0) return false;
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kArray);
    const bool is_array = lua_rawequal(state, -1, -2) != 0;
    lua_pop(state, 2);
    return is_array;
}

void Writer::nil() { lua_pushnil(state_); }
void Writer::boolean(bool value) { lua_pushboolean(state_, value ? 1 : 0); }
void Writer::integer(std::int64_t value) { lua_pushinteger(state_, value); }
void Writer::number(double value) { lua_pushnumber(state_, value); }
void Writer::string(std::string_view value) { lua_pushlstring(state_, value.data(), value.size()); }
void Writer::null() { lua_pushlightuserdata(state_, null_mark()); }

void Writer::begin_table(int items, int fields) {
    luaL_checkstack(state_, 6, "the value is nested too deeply");
    lua_createtable(state_, items, fields);
}

void Writer::begin_array(int items) {
    begin_table(items, 0);
    mark_array(state_);
}

void Writer::field(std::string_view name, std::string_view value) {
    string(name);
    string(value);
    lua_rawset(state_, -3);
}

void Writer::field(std::string_view name, bool value) {
    string(name);
    boolean(value);
    lua_rawset(state_, -3);
}

void Writer::field(std::string_view name, std::int64_t value) {
    string(name);
    integer(value);
    lua_rawset(state_, -3);
}

void Writer::open_field(std::string_view /*name*/, int items, int fields) {
    begin_table(items, fields);
}

void Writer::close_field(std::string_view name) { set_field(name); }

void Writer::set_item(std::int64_t index) { lua_rawseti(state_, -2, index); }

void Writer::set_field(std::string_view name) {
    string(name);
    lua_insert(state_, -2);
    lua_rawset(state_, -3);
}

void Writer::copy(const Reader& value) {
    lua_pushvalue(value.state(), value.index());
    if (value.state() != state_) lua_xmove(value.state(), state_, 1);
}

void Writer::json(const boost::json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return null();
        case boost::json::kind::bool_:
            return boolean(value.get_bool());
        case boost::json::kind::int64:
            return integer(value.get_int64());
        case boost::json::kind::uint64:
            return number(static_cast<double>(value.get_uint64()));
        case boost::json::kind::double_:
            return number(value.get_double());
        case boost::json::kind::string:
            return string(value.get_string());
        case boost::json::kind::array: {
            const auto& items = value.get_array();
            begin_array(static_cast<int>(items.size()));
            for (std::size_t i = 0; i < items.size(); ++i) {
                json(items[i]);
                set_item(static_cast<std::int64_t>(i) + 1);
            }
            return;
        }
        case boost::json::kind::object: {
            const auto& members = value.get_object();
            begin_table(0, static_cast<int>(members.size()));
            for (const auto& member : members) {
                json(member.value());
                set_field(member.key());
            }
            return;
        }
    }
}

int Reader::absolute(lua_State* state, int index) { return lua_absindex(state, index); }

Type Reader::type() const {
    switch (lua_type(state_, index_)) {
        case LUA_TNONE:
        case LUA_TNIL:
            return Type::nil;
        case LUA_TBOOLEAN:
            return Type::boolean;
        case LUA_TNUMBER:
            return Type::number;
        case LUA_TSTRING:
            return Type::string;
        case LUA_TTABLE:
            return Type::table;
        case LUA_TFUNCTION:
            return Type::function;
        default:
            return is_null_mark(state_, index_) ? Type::nil : Type::other;
    }
}

std::string_view Reader::string() const {
    if (lua_type(state_, index_) != LUA_TSTRING) return {};
    std::size_t size = 0;
    const char* text = lua_tolstring(state_, index_, &size);
    return {text, size};
}

bool Reader::boolean() const {
    return lua_isboolean(state_, index_) && lua_toboolean(state_, index_) != 0;
}

std::optional<std::int64_t> Reader::integer() const {
    if (lua_type(state_, index_) != LUA_TNUMBER) return std::nullopt;
    int is_integer = 0;
    const lua_Integer value = lua_tointegerx(state_, index_, &is_integer);
    if (is_integer == 0) return std::nullopt;
    return value;
}

std::optional<double> Reader::number() const {
    if (lua_type(state_, index_) != LUA_TNUMBER) return std::nullopt;
    return lua_tonumber(state_, index_);
}

std::int64_t Reader::size() const {
    return is_table() ? static_cast<std::int64_t>(lua_rawlen(state_, index_)) : 0;
}

std::string_view Reader::string_field(std::string_view name) const {
    std::string_view text;
    // The view outlives the stack slot: its table holds the string.
    with_field(name, [&](const Reader& member) { text = member.string(); });
    return text;
}

bool Reader::boolean_field(std::string_view name) const {
    bool value = false;
    with_field(name, [&](const Reader& member) { value = member.boolean(); });
    return value;
}

std::optional<std::int64_t> Reader::integer_field(std::string_view name) const {
    std::optional<std::int64_t> value;
    with_field(name, [&](const Reader& member) { value = member.integer(); });
    return value;
}

void Reader::with_field(std::string_view name,
                        const std::function<void(const Reader&)>& use) const {
    const StackGuard guard(state_);
    lua_checkstack(state_, 4);
    if (is_table()) {
        lua_pushlstring(state_, name.data(), name.size());
        lua_rawget(state_, index_);
    } else {
        lua_pushnil(state_);
    }
    use(Reader(state_, -1));
}

void Reader::with_item(std::int64_t index, const std::function<void(const Reader&)>& use) const {
    const StackGuard guard(state_);
    lua_checkstack(state_, 4);
    if (is_table()) {
        lua_rawgeti(state_, index_, index);
    } else {
        lua_pushnil(state_);
    }
    use(Reader(state_, -1));
}

void Reader::each_item(const std::function<void(std::int64_t, const Reader&)>& use) const {
    const std::int64_t count = size();
    for (std::int64_t i = 1; i <= count; ++i)
        with_item(i, [&](const Reader& item) { use(i, item); });
}

void Reader::each_field(const std::function<void(std::string_view, const Reader&)>& use) const {
    if (!is_table()) return;
    const StackGuard guard(state_);
    lua_checkstack(state_, 4);
    const int key = lua_gettop(state_) + 1;
    lua_pushnil(state_);
    while (lua_next(state_, index_) != 0) {
        if (lua_type(state_, key) == LUA_TSTRING)
            use(Reader(state_, key).string(), Reader(state_, key + 1));
        lua_settop(state_, key);
    }
}

}  // namespace calhost::lua
