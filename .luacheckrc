std = "lua54"
max_line_length = 120
-- The operator's rules register on the injected object `rule`.
-- A rule names all it is given, so that the next line can use it.
files["scripts/"] = { read_globals = { "rule" }, unused_args = false }
files["tests/rules/"] = { read_globals = { "rule" } }
-- wrk calls these by their names.
files["tests/bench/bookings.lua"] = { globals = { "setup", "request", "name" }, read_globals = { "wrk" } }
