std = "lua54"
max_line_length = 120
-- The operator's rules register on the injected object `rule`.
files["scripts/"] = { read_globals = { "rule" } }
files["tests/rules/"] = { read_globals = { "rule" } }
