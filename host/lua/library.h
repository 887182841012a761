/// The bounded library of a state (design: Containment). Nobody outside the room includes this.
#pragma once

#include <lua.hpp>
#include <string_view>

namespace calhost::lua {

/// Opens everything in a fresh state, inside a protected call.
void open_library(lua_State* state);

/// Each pushes its table of functions.
void push_string_library(lua_State* state);
void push_table_library(lua_State* state);

/// Replaces the table on top by an object through which scripts can read it and nothing else.
/// `name` is what messages call it.
void freeze(lua_State* state, std::string_view name);

/// Pushes the value at `index` as text. Runs __tostring when `may_run_script`. Tables and functions
/// are named by their type: an address would tell where the host's memory lies.
void push_text(lua_State* state, int index, bool may_run_script);

/// Pushes `function` so that calling it charges for the length of a string that is its first
/// argument.
void push_charged(lua_State* state, lua_CFunction function);

/// Makes a module or a global object known to scripts; the value is on top and popped.
void set_module(lua_State* state, std::string_view name);
void set_global(lua_State* state, std::string_view name);

}  // namespace calhost::lua
