-- CalDAV: RFC 4791 (calendars), 6578 (sync-collection), 5397 (principal), 6764 (discovery).
local dav, ical, xml, json = require("host.dav"), require("host.ical"), require("host.xml"), require("host.json")
local crypto, html, log, time = require("host.crypto"), require("host.html"), require("host.log"), require("host.time")
local recurrence = require("host.recurrence")

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
      help = "https://www.fastmail.com/help/clients/apppassword.html" },
    { title = "Nextcloud", example = "https://cloud.example.org/remote.php/dav/",
      help = "https://docs.nextcloud.com/server/latest/user_manual/en/session_management.html" },
    { title = "Radicale", example = "https://dav.example.org/" },
    { title = "Another server", example = "https://dav.example.org/" },
  },
}

local BATCH = 50       -- resources a multiget
local LARGE = 5 << 20  -- bytes; the answer to one of these may be more than the host takes
local REDIRECTS = 5
local ATTEMPTS = 3     -- of a change that is made to whatever is there, while others change it too

--- A write that was done. Xandikos tells of a conflict in a multistatus.
local function is_done(answer) return answer.status >= 200 and answer.status < 300 and answer.status ~= 207 end

--- The server heard and does not do it. Xandikos answers a token that it does not know with 500.
local function is_refusal(err)
  local status = err.status or 0
  return status >= 400 and status <= 501 and status ~= 401 and status ~= 429
end

--- PROPFIND or REPORT; redirects keep method and body (RFC 6764 section 5), and the host lets them go to granted
--- origins only. Gives the responses and where they came from; an error of an answer has its `status`.
local function ask(ctx, method, url, depth, body)
  local options = {
    method = method, url = url, body = body,
    headers = { Depth = depth, ["Content-Type"] = "application/xml; charset=utf-8" },
  }
  for _ = 0, REDIRECTS do
    local answer, err = ctx.http:request(options)
    if not answer then return nil, err end
    local target = answer.headers.location
    if answer.status < 300 or answer.status >= 400 or not target then
      if answer.status ~= 207 then return dav.failure(answer) end
      local list, broken = dav.multistatus(answer.body, options.url, ctx.account.url)
      if not list then broken.status = answer.status end
      return list, broken or options.url
    end
    options.url = dav.resolve(target, options.url, ctx.account.url)
  end
  return nil, { code = "invalid_response", message = "The calendar server redirects without end" }
end

--- The first response's properties, and where it was found.
local function look(ctx, url, ...)
  local list, at = ask(ctx, "PROPFIND", url, "0", dav.propfind(...))
  if not list then return nil, at end
  for _, one in ipairs(list) do
    if one.found then return one.found, at end
  end
  return nil, { code = "not_found", message = "The calendar server tells nothing about this address" }
end

--- Follows the address that a person entered to the principal.
local function find_principal(ctx)
  local path, first = ctx.account.url:gsub("^%a+://[^/]+", ""), nil
  local places = { "/.well-known/caldav", "/" }
  if path ~= "" and path ~= "/" then table.insert(places, 1, path) end
  for _, place in ipairs(places) do
    local found, at = look(ctx, place, "D:current-user-principal", "D:principal-URL", "C:calendar-home-set")
    if found then
      if xml.text(found, "C:calendar-home-set/D:href") then return at end
      local href = xml.text(found, "D:current-user-principal/D:href") or xml.text(found, "D:principal-URL/D:href")
      if href then return href end
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
  local found, problem = look(ctx, principal, "C:calendar-home-set", "C:calendar-user-address-set", "D:displayname")
  if not found then return nil, problem end
  local home = xml.text(found, "C:calendar-home-set/D:href")
  if not home then return nil, { code = "not_found", message = "This account has no calendars" } end
  local email
  for _, address in ipairs(found["C:calendar-user-address-set"] or {}) do
    email = email or address.text:match("^[Mm][Aa][Ii][Ll][Tt][Oo]:(.+)$")
  end
  email = email or (ctx.account.username or ""):match("^[^@%s]+@[^@%s]+%.[^@%s]+$")
  return { principal = principal, home = home, email = email, name = xml.text(found, "D:displayname") }
end

function M.identity(ctx)
  local account = ctx.account
  local id = dav.resolve(account.principal, account.url, account.url)
  return { id = id, email = account.email or "", name = account.name }
end

--- A set that is missing allows what it does not forbid.
local function is_read_only(found)
  local privileges = found["D:current-user-privilege-set"]
  for _, privilege in ipairs(privileges or {}) do
    if privilege["D:all"] or privilege["D:write"] or privilege["D:write-content"] then return false end
  end
  return privileges ~= nil
end

local function takes_events(found)
  local components = found["C:supported-calendar-component-set"] or {}
  for _, component in ipairs(components) do
    if component.attributes and component.attributes.name == "VEVENT" then return true end
  end
  return #components == 0
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
  local list, err = ask(ctx, "PROPFIND", ctx.account.home, "1", dav.propfind("D:resourcetype", "D:displayname",
    "D:current-user-privilege-set", "C:supported-calendar-component-set", "C:calendar-timezone", "A:calendar-color"))
  if not list then return nil, err end
  local calendars, primary = {}, nil
  for _, one in ipairs(list) do
    local kind = one.found and one.found["D:resourcetype"]
    if kind and kind["C:calendar"] and takes_events(one.found) then
      local calendar = calendar_of(one.href, one.found)
      calendars[#calendars + 1] = calendar
      if not primary and not calendar.read_only then primary = calendar end
    end
  end
  if primary then primary.primary = true end
  return calendars
end

--- One answer of sync-collection: changed resources, gone ones, the next token, and whether there is more of it.
local function report(ctx, calendar, token)
  local body = dav.sync_collection(token)
  local list, err = ask(ctx, "REPORT", calendar.id, "0", body)
  if not list and err.status == 400 then  -- a server of the draft
    list, err = ask(ctx, "REPORT", calendar.id, "1", body)
  end
  if not list then return nil, err end
  if not list.token then
    return nil, { code = "invalid_response", message = "The calendar server gave no sync token" }
  end
  local state = { left = {}, gone = {}, token = list.token, more = false }
  for _, one in ipairs(list) do
    if one.status == 507 then
      state.more = true
    elseif one.href:sub(-1) ~= "/" then  -- neither the collection itself nor one inside it
      local is_gone = one.status and one.status // 100 == 4
      table.insert(is_gone and state.gone or state.left, one.href)
    end
  end
  return state
end

--- Every resource's etag, for servers without sync-collection.
local function list_etags(ctx, calendar)
  local list, err = ask(ctx, "PROPFIND", calendar.id, "1", dav.propfind("D:getetag", "D:resourcetype"))
  if not list then return nil, err end
  local etags = {}
  for _, one in ipairs(list) do
    local kind = one.found and one.found["D:resourcetype"]
    if one.found and one.href:sub(-1) ~= "/" and not (kind and kind["D:collection"]) then
      etags[one.href] = xml.text(one.found, "D:getetag") or ""
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

--- The resources of a collection with an event to which the filter applies.
local function query(ctx, collection, filter)
  local list, err = ask(ctx, "REPORT", collection, "1", dav.query(filter))
  if not list then return nil, err end
  local hrefs = {}
  for _, one in ipairs(list) do
    if one.found then hrefs[#hrefs + 1] = one.href end
  end
  return hrefs
end

--- Those with an event in the window, and every series: some servers look at its first occurrence only.
local function find_in_window(ctx, collection, window)
  local list, err = query(ctx, collection, window)
  if not list then return nil, err end
  local is_there = {}
  for _, href in ipairs(list) do is_there[href] = true end
  for _, property in ipairs({ "RRULE", "RDATE" }) do
    for _, href in ipairs(query(ctx, collection, { property = property }) or {}) do
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
  local found, is_there = find_in_window(ctx, calendar.id, { start = window.start })
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

--- How the events of a resource are called here, and whose account it is.
local function names(ctx, href, etag) return { id = href, etag = etag, owner = ctx.account.email } end

--- The events of one resource, all that there are: a series with its overrides, or a single event.
local function read_resource(ctx, one, events)
  local etag, text = xml.text(one.found, "D:getetag"), xml.text(one.found, "C:calendar-data")
  local data = ical.read(text or "", names(ctx, one.href, etag))
  if not data then log.warning("a calendar resource cannot be read and is left out") end
  table.move(data and data.events or {}, 1, data and #data.events or 0, #events + 1, events)
  events[#events + 1] = { id = one.href, whole = true }
end

--- Adds the events of these resources.
local function multiget(ctx, calendar, hrefs, events)
  local list, err = ask(ctx, "REPORT", calendar.id, "1", dav.multiget(hrefs))
  if not list then return nil, err end
  for _, one in ipairs(list) do
    if one.found then
      read_resource(ctx, one, events)
    elseif one.status == 404 or one.status == 410 then
      events[#events + 1] = { id = one.href, deleted = true }  -- it went meanwhile
    else
      log.warning("the calendar server does not give a resource that it lists; it is left as it was")
    end
  end
  return true
end

--- The same in halves while the answer is one that the host does not take, as when it is too large. A resource that
--- is too large by itself is left as it was, so that it does not hold up the others.
local function fetch_batch(ctx, calendar, hrefs, events)
  local done, err = multiget(ctx, calendar, hrefs, events)
  if done or err.code ~= "invalid_response" or err.status then return done, err end
  if #hrefs == 1 then
    local found = look(ctx, hrefs[1], "D:getcontentlength")
    local size = tonumber(found and xml.text(found, "D:getcontentlength"))
    if not size or size < LARGE then return nil, err end
    log.warning("a calendar resource is too large and left as it was: " .. hrefs[1]:match("[^/]*$"))
    return true
  end
  local half = #hrefs // 2
  done, err = fetch_batch(ctx, calendar, table.move(hrefs, 1, half, 1, {}), events)
  if not done then return nil, err end
  return fetch_batch(ctx, calendar, table.move(hrefs, half + 1, #hrefs, 1, {}), events)
end

--- Fetches up to `max_page` of the resources in `state.left`; gives the next page's state, if there is one.
local function fetch_page(ctx, calendar, state, events)
  local last = math.min(#state.left, M.can.max_page)
  for from = 1, last, BATCH do
    local batch = table.move(state.left, from, math.min(from + BATCH - 1, last), 1, {})
    local done, err = fetch_batch(ctx, calendar, batch, events)
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
    local left, err = find_in_window(ctx, calendar.id, window)
    if not left then return nil, err end
    state = { left = left }
  end
  local done, problem = fetch_page(ctx, calendar, state, events)
  if not done then return nil, problem end
  return { events = events, page = #state.left > 0 and json.encode(state) or nil }
end

local function get(ctx, href)
  local answer, err = ctx.http:get(href)
  if not answer then return nil, err end
  if answer.status ~= 200 then return dav.failure(answer) end
  local etag = answer.headers.etag
  if not etag then
    local found, problem = look(ctx, href, "D:getetag")
    if not found then return nil, problem end
    etag = xml.text(found, "D:getetag")
  end
  return { href = href, text = answer.body, etag = etag }
end

--- What is stored for an id: "/cal/a.ics", or "/cal/a.ics_20261124T080000Z" for an occurrence. One that only looks
--- like the second is a resource of that name.
local function fetch(ctx, id)
  local href, slot = recurrence.split_id(id)
  local found, err = get(ctx, href or id)
  if found then
    found.slot = slot
  elseif slot and err.code == "not_found" then
    found, err = get(ctx, id)
  end
  return found, err
end

--- The event that `found` is about.
local function read_event(ctx, found)
  local called = names(ctx, found.href, found.etag)
  if found.slot then return ical.occurrence(found.text, found.slot, called) end
  local data = ical.read(found.text, called)
  for _, item in ipairs(data and data.events or {}) do
    if not item.recurrence_id then return item end
  end
  return nil, { code = "not_found", message = "The calendar server has no such event" }
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

--- DESCRIPTION is text (RFC 5545 section 3.8.1.5): of HTML goes there what it shows. Says what is lost by that.
local function keep_text(wanted)
  if wanted.description_format ~= "html" then return {} end
  local markup = wanted.description
  local bare = markup:gsub("<[bB][rR][^<>]*>", "\n"):gsub("</[pPdDhHlL][^<>]*>", "\n"):gsub("<[^<>]*>", "")
  local text = html.text(markup)
  wanted.description, wanted.description_format = text or html.text(bare) or bare, "text"
  return { text == nil and "The description is kept as text." or nil }
end

--- A meeting needs an organizer: without the account's address there are no guests (RFC 5545 section 3.8.4.1).
local function keep_guests(ctx, wanted, lossy)
  if ctx.account.email or not wanted.attendees then return lossy end
  if #wanted.attendees > 0 then
    lossy[#lossy + 1] = "The guests are left out: the account has no e-mail address that could invite them."
  end
  wanted.attendees = nil
  return lossy
end

--- What a write left there. Without an etag the server may have stored something else (RFC 4791 section 5.3.4).
local function written(ctx, found, answer, wanted, lossy)
  local now = { href = found.href, text = found.text, etag = answer.headers.etag }
  if not now.etag then
    local there, err = get(ctx, found.href)
    if not there then return nil, err end
    now = there
  end
  now.slot = found.slot
  local item, problem = read_event(ctx, now)
  if not item then return nil, problem end
  local more = #(item.reminders or {}) - #(wanted.reminders or item.reminders or {})
  if more > 0 then lossy[#lossy + 1] = "Reminders that other programs set stay." end
  if more < 0 then lossy[#lossy + 1] = "The calendar server did not keep all reminders." end
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
    if answer.status ~= 412 then return dav.failure(answer) end
    local mine = read_event(ctx, found)
    local there, gone = M.get_event(ctx, nil, id)
    local is_ours = mine and there and is_same(mine, there) or not mine and not there and gone.code == "not_found"
    if is_ours then return found, { headers = {} } end
    if etag ~= "" or attempt == ATTEMPTS then return dav.failure(answer) end
  end
end

function M.update_event(ctx, _, id, wanted, etag)
  local lossy = keep_guests(ctx, wanted, keep_text(wanted))
  local found, answer = rewrite(ctx, id, etag, function(stored)
    wanted.id, wanted.recurrence_id = id, nil
    return ical.update(stored.text, wanted, { owner = ctx.account.email, slot = stored.slot })
  end)
  if not found then return nil, answer end
  return written(ctx, found, answer, wanted, lossy)
end

--- Where the event is that keeps us from creating it again: in this calendar, or, at services with one UID an
--- account, in another one, where its owner moved it.
local function find_taken(ctx, calendar, answer, uid)
  local named = xml.text(xml.parse(answer.body, { D = "DAV:", C = "urn:ietf:params:xml:ns:caldav" }),
    "C:no-uid-conflict/D:href")
  if named and named ~= "" then return dav.resolve(named, calendar.id, ctx.account.url) end
  local function find(place) return (query(ctx, place.id, { property = "UID", text = uid }) or {})[1] end
  local href = find(calendar)
  for _, other in ipairs(href and {} or M.list_calendars(ctx) or {}) do href = href or find(other) end
  return href
end

--- The event that this key made before: under our name, or under our UID where the server put it.
local function adopt(ctx, calendar, href, answer, uid)
  local found, err = get(ctx, href)
  if not found and err.code == "not_found" then
    local other = find_taken(ctx, calendar, answer, uid)
    if other and other:sub(1, #calendar.id) ~= calendar.id then
      local target = href:find("^%a+://") and href or ctx.account.url:match("^%a+://[^/?#]+") .. href
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
  local lossy = keep_guests(ctx, wanted, keep_text(wanted))
  if wanted.attendees then wanted.organizer = ctx.account.email end
  local text, err = ical.write({ wanted }, { owner = ctx.account.email })
  if not text then return nil, err end
  local found = { href = dav.resolve(name .. ".ics", calendar.id, ctx.account.url), text = text }
  local answer, problem = put(ctx, found.href, text, { ["If-None-Match"] = "*" })
  if not answer then return nil, problem end
  if is_done(answer) then return written(ctx, found, answer, wanted, lossy) end
  if answer.status == 412 or answer.body:find("no-uid-conflict", 1, true) then
    return adopt(ctx, calendar, found.href, answer, wanted.uid)
  end
  return dav.failure(answer)
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
      if not is_done(answer) then return dav.failure(answer) end
      etag = ""
    end
  end
  local answer, err = ctx.http:delete(found.href, { headers = etag ~= "" and { ["If-Match"] = etag } or {} })
  if not answer then return nil, err end
  if is_done(answer) or answer.status == 404 or answer.status == 410 then return true end
  return dav.failure(answer)
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
