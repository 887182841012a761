/// The author API: what a script may `require`. plugins/README.md and providers/README.md describe
/// it for authors; every function says there whether it waits.
#pragma once

#include <string>
#include <string_view>

#include "lua/state.h"

namespace calhost::plugin {

/// host.json, host.event, host.time, host.crypto, host.html, host.log, host.xml, host.ical,
/// host.dav, host.recurrence, host.template.
/// *Ownership*: the clock outlives the state.
void add_modules(lua::State& state, const Clock& clock);

// --- for the modules' own files --------------------------------------------------------------

/// The argument as text; an author's mistake otherwise.
std::string_view text_argument(lua::Call& call, int index);
void give_text(lua::Call& call, std::string text);

void fill_event(lua::Table& table);
void fill_crypto(lua::Table& table);
void fill_html(lua::Table& table);
void fill_xml(lua::Table& table);
void fill_dav(lua::Table& table);
void fill_recurrence(lua::Table& table);
void fill_template(lua::Table& table);
void fill_ical(lua::Table& table, const Clock& clock);

}  // namespace calhost::plugin
