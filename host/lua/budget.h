/// Budgets of a running call: the count hook, and the work of functions where no hook fires.
/// Nobody outside the room includes this.
#pragma once

#include "lua/core.h"

namespace calhost::lua {

/// Starts the count for a thread that is about to run.
void begin_budget(Core& core, Running& running);
/// Called before each resume: time that passed while waiting is not work.
void resume_budget(Core& core, Running& running);

/// Charges `units` (about one instruction each). Every library function charges before it does work
/// that grows with its input. Raises when the call is over its budget.
void spend(lua_State* state, std::uint64_t units);

/// Collects when `bytes` more would not fit: Lua's string buffers allocate without asking its
/// collector first. Called before one grows.
void make_room(lua_State* state, std::size_t bytes);

/// Ends the call: the hook fires at every instruction from now on, so that no handler goes on.
[[noreturn]] void kill(lua_State* state, Overrun why);

/// True when the running call is killed: errors must then pass every handler.
bool is_killed(lua_State* state);

/// lua_Alloc with the Core's memory as its data.
void* allocate(void* data, void* block, std::size_t old_size, std::size_t new_size);

}  // namespace calhost::lua
