-- CalDAV: RFC 4791 (calendars), 6578 (sync-collection), 5397 (principal), 6764 (discovery).
local json, ical, xml = require("host.json"), require("host.ical"), require("host.xml")
local log, time = require("host.log"), require("host.time")

---@type host.Provider
local M = { id = "caldav", title = "CalDAV", api = 1 }

M.can = { incremental = true, windowed_feed = false, push = false, chosen_id = true, quiet_attendees = true,
  conditional_writes = true, in_flight = 2, max_page = 500 }

M.auth = { kind = "basic" }

local NS = { D = "DAV:", C = "urn:ietf:params:xml:ns:caldav", A = "http://apple.com/ns/ical/" }
local BATCH = 50       -- resources a multiget
local REDIRECTS = 5

local CODES = {
  [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [410] = "not_found", [412] = "conflict",
  [423] = "conflict", [429] = "rate_limited",
}

local function failure(answer)
  local code = CODES[answer.status] or (answer.status >= 500 and "unavailable") or "invalid_response"
  local message = "The calendar server answered " .. answer.status
  return nil, { code = code, message = message, retry_after = answer.retry_after }
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
    elseif at.code ~= "not_found" and at.code ~= "invalid_response" and at.code ~= "forbidden" then
      return nil, at
    else
      first = first or at
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
  if not root and at.code == "invalid_response" then root, at = body("1") end  -- servers of the draft
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

local function compare_etags(ctx, calendar, known)
  local etags, err = list_etags(ctx, calendar)
  if not etags then return nil, err end
  local state = { left = {}, gone = {}, etags = etags, more = false }
  for href, etag in pairs(etags) do
    if etag == "" or known[href] ~= etag then state.left[#state.left + 1] = href end
  end
  for href in pairs(known) do
    if not etags[href] then state.gone[#state.gone + 1] = href end
  end
  table.sort(state.left)
  return state
end

local function is_final(err)
  return err.code == "unauthorized" or err.code == "needs_reauth" or err.code == "rate_limited" or err.code == "timeout"
end

--- What changed since `cursor`: "sync:" with the server's token, or "etags:" with what was there.
local function begin(ctx, calendar, cursor)
  local etags = cursor and cursor:match("^etags:(.*)$")
  if etags then return compare_etags(ctx, calendar, json.decode(etags) or {}) end
  local token = cursor and cursor:match("^sync:(.*)$") or ""
  local state, err = report(ctx, calendar, token)
  if state or is_final(err) then return state, err end
  -- A token that the server lost is told in many ways, Xandikos' is 500; a full pull shows whether it was that.
  if cursor then return nil, { code = "cursor_expired" } end
  return compare_etags(ctx, calendar, {})
end

--- Says which of the people in an event is the account's owner.
local function mark_owner(item, email)
  if not email then return end
  email = email:lower()
  if item.organizer then item.is_organizer = item.organizer:lower() == email end
  for _, person in ipairs(item.attendees or {}) do person.is_self = person.email:lower() == email end
end

--- The events of one resource: a series with its overrides, or a single event.
local function read_resource(ctx, href, found, events)
  local data = ical.read(xml.text(found, "C:calendar-data") or "")
  if not data or #data.events == 0 then
    if not data then log.warning("a calendar resource cannot be read and is left out") end
    events[#events + 1] = { id = href, deleted = true }
    return
  end
  local etag = xml.text(found, "D:getetag")
  for _, item in ipairs(data.events) do
    local slot = item.recurrence_id
    item.id = slot and (href .. "#" .. (slot.date or time.format(slot.instant))) or href
    item.series_id = slot and href or nil
    item.etag = etag
    mark_owner(item, ctx.account.email)
    events[#events + 1] = item
  end
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
      if found then
        read_resource(ctx, href, found, events)
      else
        events[#events + 1] = { id = href, deleted = true }  -- it went meanwhile
      end
    end
  end
  return true
end

--- Changes since `cursor`, or the whole calendar; a page is up to `max_page` resources. Between pages the list of
--- what is left to fetch travels in `page`.
function M.list_changes(ctx, calendar, cursor, page)
  local state, err = page and json.decode(page)
  if not state then
    state, err = begin(ctx, calendar, cursor)
  elseif #state.left == 0 and state.more then
    state, err = report(ctx, calendar, state.token)
  end
  if not state then return nil, err end
  local events = {}
  for _, href in ipairs(state.gone or {}) do events[#events + 1] = { id = href, deleted = true } end
  state.gone = nil
  local last = math.min(#state.left, M.can.max_page)
  for from = 1, last, BATCH do
    local batch = table.move(state.left, from, math.min(from + BATCH - 1, last), 1, {})
    local done, problem = multiget(ctx, calendar, batch, events)
    if not done then return nil, problem end
  end
  state.left = table.move(state.left, last + 1, #state.left, 1, json.array({}))
  if #state.left > 0 or state.more then return { events = events, page = json.encode(state) } end
  local next_cursor = state.token and ("sync:" .. state.token) or ("etags:" .. json.encode(state.etags))
  return { events = events, cursor = next_cursor }
end

return M
