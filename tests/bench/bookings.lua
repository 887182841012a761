-- For wrk: every request books something else; what is appended may set `name` and `delay`.
local number, thread = 0, 0
name = "fast"

function setup(started)
  thread = thread + 1
  started:set("thread", thread)
end

function request()
  number = number + 1
  return wrk.format("PUT", "/api/bookings/" .. name .. "-" .. thread .. "-" .. number, nil, wrk.body)
end
