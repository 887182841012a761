-- CalDAV: RFC 4791 (calendars), 6578 (sync-collection), 5397 (principal), 6764 (discovery).
local json, ical, xml = require("host.json"), require("host.ical"), require("host.xml")
local crypto, log, time = require("host.crypto"), require("host.log"), require("host.time")

---@type host.Provider
local M = { id = "caldav", title = "CalDAV", api = 1 }

M.can = { incremental = true, windowed_feed = false, push = false, chosen_id = true, quiet_attendees = true,
  conditional_writes = true, reminder_methods = { "popup", "email" }, in_flight = 2, max_page = 500 }

M.auth = {
  kind = "basic",
  fields = {
    { name = "url", title = "Address of the calendar server", kind = "url",
      help = "As its settings show it, such as https://cloud.example.org; the rest is found." },
    { name = "username", title = "User name", kind = "text", help = "Often your e-mail address." },
    { name = "password", title = "App password", kind = "password",
      help = "Made for this host in the service's settings; your own password only where there is no other." },
  },
  presets = {
    { title = "iCloud", url = "https://caldav.icloud.com/", origins = { "https://*.icloud.com" },
      help = "https://account.apple.com/" },
    { title = "Fastmail", url = "https://caldav.fastmail.com/dav/",
      help = "https://app.fastmail.com/settings/security" },
    { title = "Nextcloud", example = "https://cloud.example.org/remote.php/dav/",
      help = "https://docs.nextcloud.com/server/latest/user_manual/en/session_management.html" },
    { title = "Radicale", example = "https://dav.example.org/" },
    { title = "Another server", example = "https://dav.example.org/" },
  },
}

local NS = { D = "DAV:", C = "urn:ietf:params:xml:ns:caldav", A = "http://apple.com/ns/ical/",
  CS = "http://calendarserver.org/ns/" }
local BATCH = 50       -- resources a multiget
local REDIRECTS = 5
local ATTEMPTS = 3     -- of a change that is made to whatever is there, while others change it too

local CODES = {
  [400] = "invalid", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [409] = "invalid",
  [410] = "not_found", [412] = "conflict", [413] = "invalid", [415] = "invalid", [423] = "conflict",
  [429] = "rate_limited", [507] = "forbidden",
}
--- What a refused write lacked (RFC 4791 section 5.3.2.1), told in the body of a 403 or 409.
local CONDITIONS = {
  ["supported-calendar-component"] = "unsupported", ["supported-calendar-data"] = "unsupported",
  ["valid-calendar-data"] = "invalid", ["valid-calendar-object-resource"] = "invalid",
  ["max-resource-size"] = "invalid", ["max-instances"] = "invalid", ["min-date-time"] = "invalid",
  ["max-date-time"] = "invalid",
}

local function failure(answer)
  local code = CODES[answer.status] or (answer.status >= 500 and "unavailable") or "invalid_response"
  local message = "The calendar server answered " .. answer.status
  for name, meaning in pairs(answer.status < 500 and CONDITIONS or {}) do
    if answer.body:find(name, 1, true) then code, message = meaning, message .. " (" .. name .. ")" end
  end
  return nil, { code = code, message = message, retry_after = answer.retry_after, status = answer.status }
end

--- A write that was done. Xandikos tells of a conflict in a multistatus.
local function is_done(answer) return answer.status >= 200 and answer.status < 300 and answer.status ~= 207 end

--- The server heard and does not do it. Xandikos answers a token that it does not know with 500.
local function is_refusal(err)
  local status = err.status or 0
  return status >= 400 and status <= 501 and status ~= 401 and status ~= 429
end

--- One spelling for each path: what needs no escape has none, the others are in upper case.
local function normal(href)
  return (href:gsub(" ", "%%20"):gsub("%%(%x%x)", function(hex)
    local character = string.char(tonumber(hex, 16))
    return character:find("[%w%-._~@:!$&'()*+,;=]") and character or "%" .. hex:upper()
  end))
end

local function origin_of(url) return url:match("^(%a+://[^/?#]+)") end

--- What `href` means in an answer from `at`: a path on the account's own origin, else a whole address.
local function resolve(ctx, at, href)
  local origin, own = origin_of(href), origin_of(ctx.account.url)
  if not origin then
    origin = origin_of(at) or own
    if href:sub(1, 1) ~= "/" then
      local path = at:gsub("^%a+://[^/]+", ""):gsub("[?#].*", "")
      href = path:match("^.*/") .. href
    end
    href = origin .. href
  end
  href = normal(href)
  return origin == own and href:sub(#own + 1) or href
end

--- PROPFIND or REPORT; redirects keep method and body (RFC 6764 section 5), and the host lets them go to granted
--- origins only. Gives the multistatus and where it came from.
local function ask(ctx, method, url, depth, body)
  local options = {
    method = method, url = url, body = xml.write(body, NS),
    headers = { Depth = depth, ["Content-Type"] = "application/xml; charset=utf-8" },
  }
  for _ = 0, REDIRECTS do
    local answer, err = ctx.http:request(options)
    if not answer then return nil, err end
    local target = answer.headers.location
    if answer.status < 300 or answer.status >= 400 or not target then
      if answer.status ~= 207 then return failure(answer) end
      local root, broken = xml.parse(answer.body, NS)
      if not root then return nil, broken end
      if root.name ~= "D:multistatus" then
        return nil, { code = "invalid_response", message = "The calendar server sent no multistatus" }
      end
      return root, options.url
    end
    options.url = resolve(ctx, options.url, target)
  end
  return nil, { code = "invalid_response", message = "The calendar server redirects without end" }
end

local function propfind(ctx, url, depth, ...)
  return ask(ctx, "PROPFIND", url, depth, { name = "D:propfind", { name = "D:prop", ... } })
end

--- The properties that a response has, or nil for one that tells of a failure.
local function properties(response)
  for _, part in ipairs(response) do
    if part.name == "D:propstat" and (xml.text(part, "D:status") or ""):find(" 2%d%d") then return part["D:prop"] end
  end
end

local function href_of(ctx, at, response) return resolve(ctx, at, xml.text(response, "D:href") or "") end

--- The first response's properties, and where it was found.
local function look(ctx, url, ...)
  local root, at = propfind(ctx, url, "0", ...)
  if not root then return nil, at end
  for _, response in ipairs(root) do
    local found = response.name == "D:response" and properties(response)
    if found then return found, at end
  end
  return nil, { code = "not_found", message = "The calendar server tells nothing about this address" }
end

--- Follows the address that a person entered to the principal.
local function find_principal(ctx)
  local entered, first = ctx.account.url, nil
  local path = entered:gsub("^%a+://[^/]+", "")
  local places = { "/.well-known/caldav", "/" }
  if path ~= "" and path ~= "/" then table.insert(places, 1, path) end
  for _, place in ipairs(places) do
    local found, at = look(ctx, place, "D:current-user-principal", "D:principal-URL", "C:calendar-home-set")
    if found then
      if xml.text(found, "C:calendar-home-set/D:href") then return at end
      local href = xml.text(found, "D:current-user-principal/D:href") or xml.text(found, "D:principal-URL/D:href")
      if href then return resolve(ctx, at, href) end
    elseif is_refusal(at) or at.code == "not_found" or at.code == "invalid_response" or at.code == "forbidden" then
      first = first or at
    else
      return nil, at
    end
  end
  return nil, first or { code = "not_found", message = "There is no calendar account at this address" }
end

--- From an address to the account's principal and the home of its calendars.
function M.discover(ctx)
  local principal, err = find_principal(ctx)
  if not principal then return nil, err end
  local found, at = look(ctx, principal, "C:calendar-home-set", "C:calendar-user-address-set", "D:displayname")
  if not found then return nil, at end
  local home = xml.text(found, "C:calendar-home-set/D:href")
  if not home then return nil, { code = "not_found", message = "This account has no calendars" } end
  local email
  for _, address in ipairs(found["C:calendar-user-address-set"] or {}) do
    email = email or address.text:match("^[Mm][Aa][Ii][Ll][Tt][Oo]:(.+)$")
  end
  email = email or (ctx.account.username or ""):match("^[^@%s]+@[^@%s]+%.[^@%s]+$")
  local name = xml.text(found, "D:displayname")
  return { principal = principal, home = resolve(ctx, at, home), email = email, name = name }
end

function M.identity(ctx)
  local account = ctx.account
  return { id = resolve(ctx, account.url, account.principal), email = account.email or "", name = account.name }
end

--- A set that is missing allows what it does not forbid.
local function is_read_only(found)
  local privileges = found["D:current-user-privilege-set"]
  if not privileges then return false end
  for _, privilege in ipairs(privileges) do
    if privilege["D:all"] or privilege["D:write"] or privilege["D:write-content"] then return false end
  end
  return true
end

local function takes_events(found)
  local components = found["C:supported-calendar-component-set"]
  if not components or #components == 0 then return true end
  for _, component in ipairs(components) do
    if component.attributes and component.attributes.name == "VEVENT" then return true end
  end
  return false
end

local function calendar_of(id, found)
  local zone = (xml.text(found, "C:calendar-timezone") or ""):match("TZID:([^\r\n]+)")
  local name = xml.text(found, "D:displayname")
  return {
    id = id, name = name ~= "" and name or id:match("([^/]+)/*$"), primary = false, read_only = is_read_only(found),
    color = (xml.text(found, "A:calendar-color") or ""):match("^#%x%x%x%x%x%x"),
    time_zone = zone and time.is_zone(zone) and zone or nil,
  }
end

--- The calendars that hold events. The first that can be written is the primary one.
function M.list_calendars(ctx)
  local root, at = propfind(ctx, ctx.account.home, "1", "D:resourcetype", "D:displayname",
    "D:current-user-privilege-set", "C:supported-calendar-component-set", "C:calendar-timezone", "A:calendar-color")
  if not root then return nil, at end
  local list, primary = {}, nil
  for _, response in ipairs(root) do
    local found = response.name == "D:response" and properties(response)
    if found and found["D:resourcetype"] and found["D:resourcetype"]["C:calendar"] and takes_events(found) then
      local calendar = calendar_of(href_of(ctx, at, response), found)
      list[#list + 1] = calendar
      if not primary and not calendar.read_only then primary = calendar end
    end
  end
  if primary then primary.primary = true end
  return list
end

--- One answer of sync-collection: changed resources, gone ones, the next token, and whether there is more of it.
local function report(ctx, calendar, token)
  local function body(depth)
    return ask(ctx, "REPORT", calendar.id, depth, { name = "D:sync-collection",
      { name = "D:sync-token", text = token }, { name = "D:sync-level", text = "1" },
      { name = "D:prop", "D:getetag" } })
  end
  local root, at = body("0")
  if not root and at.status == 400 then root, at = body("1") end  -- servers of the draft
  if not root then return nil, at end
  local next_token = xml.text(root, "D:sync-token")
  if not next_token then
    return nil, { code = "invalid_response", message = "The calendar server gave no sync token" }
  end
  local state = { left = {}, gone = {}, token = next_token, more = false }
  for _, response in ipairs(root) do
    if response.name == "D:response" then
      local href = href_of(ctx, at, response)
      local status = xml.text(response, "D:status") or ""
      if status:find(" 507") then
        state.more = true
      elseif href:sub(-1) ~= "/" then  -- neither the collection itself nor one inside it
        local list = status:find(" 4%d%d") and state.gone or state.left
        list[#list + 1] = href
      end
    end
  end
  return state
end

--- Every resource's etag, for servers without sync-collection.
local function list_etags(ctx, calendar)
  local root, at = propfind(ctx, calendar.id, "1", "D:getetag", "D:resourcetype")
  if not root then return nil, at end
  local etags = {}
  for _, response in ipairs(root) do
    local found = response.name == "D:response" and properties(response)
    local href = found and href_of(ctx, at, response)
    if found and href:sub(-1) ~= "/" and not (found["D:resourcetype"] and found["D:resourcetype"]["D:collection"]) then
      etags[href] = xml.text(found, "D:getetag") or ""
    end
  end
  return etags
end

--- `known` is what was there: `{ etags, ctag? }`. A ctag that stayed says that nothing changed.
local function compare_etags(ctx, calendar, known)
  local found = look(ctx, calendar.id, "CS:getctag")
  local ctag = found and xml.text(found, "CS:getctag") or nil
  if ctag and ctag == known.ctag then return { left = {}, etags = known.etags, ctag = ctag, more = false } end
  local etags, err = list_etags(ctx, calendar)
  if not etags then return nil, err end
  local state = { left = {}, gone = {}, etags = etags, ctag = ctag, more = false }
  for href, etag in pairs(etags) do
    if etag == "" or known.etags[href] ~= etag then state.left[#state.left + 1] = href end
  end
  for href in pairs(known.etags) do
    if not etags[href] then state.gone[#state.gone + 1] = href end
  end
  table.sort(state.left)
  return state
end

--- The resources of a collection with an event to which the filters apply.
local function query(ctx, collection, filter)
  local root, at = ask(ctx, "REPORT", collection, "1", { name = "C:calendar-query", { name = "D:prop", "D:getetag" },
    { name = "C:filter", { name = "C:comp-filter", attributes = { name = "VCALENDAR" },
      { name = "C:comp-filter", attributes = { name = "VEVENT" }, filter } } } })
  if not root then return nil, at end
  local list = {}
  for _, response in ipairs(root) do
    if response.name == "D:response" and properties(response) then list[#list + 1] = href_of(ctx, at, response) end
  end
  return list
end

--- Those with an event in the window (RFC 3339 texts; no finish: without end), and every series: some servers look
--- at its first occurrence only.
local function find_in_window(ctx, collection, start, finish)
  local function basic(text) return text and text:gsub("%.%d+", ""):gsub("[-:]", "") end
  local range = { start = basic(start), ["end"] = basic(finish) }
  local list, err = query(ctx, collection, { name = "C:time-range", attributes = range })
  if not list then return nil, err end
  local is_there = {}
  for _, href in ipairs(list) do is_there[href] = true end
  for _, name in ipairs({ "RRULE", "RDATE" }) do
    for _, href in ipairs(query(ctx, collection, { name = "C:prop-filter", attributes = { name = name } }) or {}) do
      if not is_there[href] then list[#list + 1] = href end
      is_there[href] = true
    end
  end
  return list, is_there
end

--- Of a long list only what the window can show: what is over does not change any more, and if it does, the
--- server says so. A server that cannot tell gives everything.
local function leave_out_past(ctx, calendar, state, window)
  if #state.left <= M.can.max_page then return state end
  local found, is_there = find_in_window(ctx, calendar.id, window.start)
  if not found then return state end
  local left = {}
  for _, href in ipairs(state.left) do
    if is_there[href] then left[#left + 1] = href end
  end
  state.left = left
  return state
end

--- What changed since `cursor`: "sync:" with the server's token, or "etags:" with what was there.
local function begin(ctx, calendar, cursor, window)
  local etags = cursor and cursor:match("^etags:(.*)$")
  local known = etags and json.decode(etags)
  if known and known.etags then return compare_etags(ctx, calendar, known) end
  if etags then return nil, { code = "cursor_expired" } end
  local token = cursor and cursor:match("^sync:(.*)$") or ""
  local state, err = report(ctx, calendar, token)
  if not state and not is_refusal(err) then return nil, err end
  -- A token that the server lost is told in many ways; a full pull shows whether it was that.
  if not state and cursor then return nil, { code = "cursor_expired" } end
  if not state then state, err = compare_etags(ctx, calendar, { etags = {} }) end
  return state and not cursor and leave_out_past(ctx, calendar, state, window) or state, err
end

--- Says which of the people in an event is the account's owner.
local function mark_owner(item, email)
  if not email then return end
  email = email:lower()
  if item.organizer then item.is_organizer = item.organizer:lower() == email end
  for _, person in ipairs(item.attendees or {}) do person.is_self = person.email:lower() == email end
end

--- An event of the resource under the names that it has here.
local function name_event(ctx, href, etag, item)
  local slot = item.recurrence_id
  item.id = slot and ical.occurrence_id(href, slot) or href
  item.series_id = slot and href or nil
  item.etag = etag
  mark_owner(item, ctx.account.email)
  return item
end

--- The events of one resource, all that there are: a series with its overrides, or a single event.
local function read_resource(ctx, href, found, events)
  local data = ical.read(xml.text(found, "C:calendar-data") or "")
  if not data then log.warning("a calendar resource cannot be read and is left out") end
  for _, item in ipairs(data and data.events or {}) do
    events[#events + 1] = name_event(ctx, href, xml.text(found, "D:getetag"), item)
  end
  events[#events + 1] = { id = href, whole = true }
end

local function multiget(ctx, calendar, hrefs, events)
  local body = { name = "C:calendar-multiget", { name = "D:prop", "D:getetag", "C:calendar-data" } }
  for _, href in ipairs(hrefs) do
    body[#body + 1] = { name = "D:href", text = href:gsub("^%a+://[^/]+", "") }
  end
  local root, at = ask(ctx, "REPORT", calendar.id, "1", body)
  if not root then return nil, at end
  for _, response in ipairs(root) do
    if response.name == "D:response" then
      local href, found = href_of(ctx, at, response), properties(response)
      local status = (xml.text(response, "D:status") or ""):match(" (%d%d%d)")
      if found then
        read_resource(ctx, href, found, events)
      elseif status == "404" or status == "410" then
        events[#events + 1] = { id = href, deleted = true }  -- it went meanwhile
      else
        log.warning("the calendar server does not give a resource that it lists; it is left as it was")
      end
    end
  end
  return true
end

--- Fetches up to `max_page` of the resources in `state.left`; gives the next page's state, if there is one.
local function fetch_page(ctx, calendar, state, events)
  local last = math.min(#state.left, M.can.max_page)
  for from = 1, last, BATCH do
    local batch = table.move(state.left, from, math.min(from + BATCH - 1, last), 1, {})
    local done, err = multiget(ctx, calendar, batch, events)
    if not done then return nil, err end
  end
  state.left = table.move(state.left, last + 1, #state.left, 1, json.array({}))
  return true
end

--- Changes since `cursor`, or the whole calendar. Between pages the list of what is left to fetch travels in `page`.
function M.list_changes(ctx, calendar, cursor, page, window)
  local state, err = page and json.decode(page)
  if not state then
    state, err = begin(ctx, calendar, cursor, window)
  elseif #state.left == 0 and state.more then
    state, err = report(ctx, calendar, state.token)
  end
  if not state then return nil, err end
  local events = {}
  for _, href in ipairs(state.gone or {}) do events[#events + 1] = { id = href, deleted = true } end
  state.gone = nil
  local done, problem = fetch_page(ctx, calendar, state, events)
  if not done then return nil, problem end
  if #state.left > 0 or state.more then return { events = events, page = json.encode(state) } end
  local known = { etags = state.etags, ctag = state.ctag }
  return { events = events, cursor = state.token and ("sync:" .. state.token) or ("etags:" .. json.encode(known)) }
end

--- What the window may hold. The host expands: servers do it in too many ways.
function M.list_events(ctx, calendar, window, page)
  local state, events = page and json.decode(page), {}
  if not state then
    local left, err = find_in_window(ctx, calendar.id, window.start, window.finish)
    if not left then return nil, err end
    state = { left = left }
  end
  local done, problem = fetch_page(ctx, calendar, state, events)
  if not done then return nil, problem end
  return { events = events, page = #state.left > 0 and json.encode(state) or nil }
end

--- The path and, for an occurrence, the slot: "/cal/a.ics_20261124T080000Z".
local function split(id)
  local href, slot = id:match("^(.+)_(%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ)$")
  if not href then href, slot = id:match("^(.+)_(%d%d%d%d%d%d%d%d)$") end
  return href or id, slot
end

local function get(ctx, href)
  local answer, err = ctx.http:get(href)
  if not answer then return nil, err end
  if answer.status ~= 200 then return failure(answer) end
  local etag = answer.headers.etag
  if not etag then
    local found, problem = look(ctx, href, "D:getetag")
    if not found then return nil, problem end
    etag = xml.text(found, "D:getetag")
  end
  return { href = href, text = answer.body, etag = etag }
end

--- What is stored for an id. One that only looks like an occurrence's is a resource of that name.
local function fetch(ctx, id)
  local href, slot = split(id)
  local found, err = get(ctx, href)
  if found then
    found.slot = slot
  elseif slot and err.code == "not_found" then
    found, err = get(ctx, id)
  end
  return found, err
end

--- The event that `found` is about.
local function read_event(ctx, found)
  local item, err
  if found.slot then
    item, err = ical.occurrence(found.text, found.slot)
  else
    local data = ical.read(found.text) or { events = {} }
    for _, one in ipairs(data.events) do item = item or (not one.recurrence_id and one or nil) end
    err = { code = "not_found", message = "The calendar server has no such event" }
  end
  if not item then return nil, err end
  return name_event(ctx, found.href, found.etag, item)
end

function M.get_event(ctx, _, id)
  local found, err = fetch(ctx, id)
  if not found then return nil, err end
  return read_event(ctx, found)
end

local function put(ctx, href, text, condition)
  condition["Content-Type"] = "text/calendar; charset=utf-8"
  return ctx.http:put(href, { body = text, headers = condition })
end

--- What a write left there. Without an etag the server may have stored something else (RFC 4791 section 5.3.4).
local function written(ctx, found, answer, wanted)
  local now = { href = found.href, text = found.text, etag = answer.headers.etag }
  if not now.etag then
    local there, err = get(ctx, found.href)
    if not there then return nil, err end
    now = there
  end
  now.slot = found.slot
  local item, problem = read_event(ctx, now)
  if not item then return nil, problem end
  local lossy = {}
  if wanted.reminders and #wanted.reminders < #(item.reminders or {}) then
    lossy[1] = "Reminders that other programs set stay."
  elseif wanted.reminders and #wanted.reminders > #(item.reminders or {}) then
    lossy[1] = "The calendar server did not keep all reminders."
  end
  return { event = item, lossy = lossy }
end

--- An earlier attempt may have been stored, and only its answer was lost.
local function is_same(one, other)
  for _, name in ipairs({ "title", "description", "location", "busy", "status", "visibility", "updated" }) do
    if one[name] ~= other[name] then return false end
  end
  return one.start.instant == other.start.instant and one.finish.instant == other.finish.instant
    and one.start.date == other.start.date and one.finish.date == other.finish.date
end

--- Puts what `change` makes of it where `id` is stored, if that is still what `etag` names; empty: whatever is there.
--- `known` is what was fetched already.
local function rewrite(ctx, id, etag, change, known)
  for attempt = 1, ATTEMPTS do
    local found, err = known, nil
    if not found then found, err = fetch(ctx, id) end
    if not found then return nil, err end
    known = nil
    local text, problem = change(found)
    if not text then return nil, problem end
    found.text = ical.quiet(text, ctx.account.email)
    local answer, failed = put(ctx, found.href, found.text, { ["If-Match"] = etag ~= "" and etag or found.etag })
    if not answer then return nil, failed end
    if is_done(answer) then return found, answer end
    if answer.status ~= 412 then return failure(answer) end
    local mine = read_event(ctx, found)
    local there, gone = M.get_event(ctx, nil, id)
    local is_ours = mine and there and is_same(mine, there) or not mine and not there and gone.code == "not_found"
    if is_ours then return found, { headers = {} } end
    if etag ~= "" or attempt == ATTEMPTS then return failure(answer) end
  end
end

function M.update_event(ctx, _, id, wanted, etag)
  local found, answer = rewrite(ctx, id, etag, function(stored)
    wanted.id, wanted.recurrence_id = id, nil
    return ical.update(stored.text, wanted, { owner = ctx.account.email, slot = stored.slot })
  end)
  if not found then return nil, answer end
  return written(ctx, found, answer, wanted)
end

--- Where a UID stands in a collection, if anywhere.
local function find_uid(ctx, collection, uid)
  local list = query(ctx, collection,
    { name = "C:prop-filter", attributes = { name = "UID" }, { name = "C:text-match", text = uid } })
  return list and list[1]
end

--- Where the event is that keeps us from creating it again: in this calendar, or, at services with one UID an
--- account, in another one, where its owner moved it.
local function find_taken(ctx, calendar, answer, uid)
  local root = xml.parse(answer.body, NS)
  local named = xml.text(root, "C:no-uid-conflict/D:href")
  if named and named ~= "" then return resolve(ctx, calendar.id, named) end
  local href = find_uid(ctx, calendar.id, uid)
  for _, other in ipairs(href and {} or M.list_calendars(ctx) or {}) do
    if other.id ~= calendar.id then href = href or find_uid(ctx, other.id, uid) end
  end
  return href
end

--- The event that this key made before: under our name, or under our UID where the server put it.
local function adopt(ctx, calendar, href, answer, uid)
  local found, err = get(ctx, href)
  if not found and err.code == "not_found" then
    local other = find_taken(ctx, calendar, answer, uid)
    if other and other:sub(1, #calendar.id) ~= calendar.id then
      local target = origin_of(href) and href or origin_of(ctx.account.url) .. href
      ctx.http:request({ method = "MOVE", url = other, headers = { Destination = target, Overwrite = "F" } })
      other = href
    end
    if other then found, err = get(ctx, other) end
  end
  local item = found and read_event(ctx, found)
  if item and item.uid == uid then return { event = item } end
  if err and err.code ~= "not_found" then return nil, err end
  return nil, { code = "already_exists", message = "Another event has the place of this one on the calendar server" }
end

--- A fixed name and UID for each key: the same key again finds what it made.
local function create_resource(ctx, calendar, wanted, key)
  local name = crypto.sha256(key):sub(1, 40)
  wanted.id, wanted.uid = name, name .. "@calhost"
  local text, err = ical.write({ wanted }, { owner = ctx.account.email })
  if not text then return nil, err end
  local found = { href = resolve(ctx, calendar.id, name .. ".ics"), text = text }
  local answer, problem = put(ctx, found.href, text, { ["If-None-Match"] = "*" })
  if not answer then return nil, problem end
  if is_done(answer) then return written(ctx, found, answer, wanted) end
  if answer.status == 412 or answer.body:find("no-uid-conflict", 1, true) then
    return adopt(ctx, calendar, found.href, answer, wanted.uid)
  end
  return failure(answer)
end

function M.create_event(ctx, calendar, wanted, key)
  if not (wanted.series_id and wanted.recurrence_id) then return create_resource(ctx, calendar, wanted, key) end
  local id = ical.occurrence_id(wanted.series_id, wanted.recurrence_id)
  if wanted.status ~= "cancelled" then return M.update_event(ctx, calendar, id, wanted, "") end
  local done, err = M.delete_event(ctx, calendar, id, "")
  if not done then return nil, err end
  wanted.id = id
  return { event = wanted }
end

--- A server that sends invitations takes a deletion for a cancellation, and tells the guests: first it is told not to.
local function delete_resource(ctx, found, etag)
  if found.text then
    local text = ical.quiet(found.text, ctx.account.email)
    if text ~= found.text then
      local answer, err = put(ctx, found.href, text, { ["If-Match"] = etag ~= "" and etag or found.etag })
      if not answer then return nil, err end
      if not is_done(answer) then return failure(answer) end
      etag = ""
    end
  end
  local answer, err = ctx.http:delete(found.href, { headers = etag ~= "" and { ["If-Match"] = etag } or {} })
  if not answer then return nil, err end
  if is_done(answer) or answer.status == 404 or answer.status == 410 then return true end
  return failure(answer)
end

--- Takes one occurrence out of its series, or deletes the resource when it held nothing else.
local function exclude(ctx, found, id, etag)
  local is_empty = false
  local done, err = rewrite(ctx, id, etag, function(stored)
    local text, problem = ical.exclude(stored.text, stored.slot)
    is_empty = text ~= nil and #ical.read(text).events == 0
    if is_empty then return nil, {} end
    return text, problem
  end, found)
  if is_empty then return delete_resource(ctx, found, etag) end
  return done and true, err
end

function M.delete_event(ctx, _, id, etag)
  local found, err = fetch(ctx, id)
  local done = false
  if found then
    if found.slot then done, err = exclude(ctx, found, id, etag) else done, err = delete_resource(ctx, found, etag) end
  end
  if done or err.code == "not_found" then return true end
  return nil, err
end

return M
