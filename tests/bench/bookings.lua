-- For wrk: every request books something else.
local number, thread = 0, 0

function setup(started)
  thread = thread + 1
  started:set("thread", thread)
end

function request()
  number = number + 1
  return wrk.format("PUT", "/api/bookings/" .. thread .. "-" .. number, nil, wrk.body)
end
