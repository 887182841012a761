-- What a booking says in the calendars of its two people: a text for each language and role, which
-- the operator may replace in the YAML.
local config, template = require("host.config"), require("host.template")
local M = { id = "booking-templates", title = "Texts of bookings", api = 1 }

local ENGLISH = [[
{{subject}} with {{other.name}}
{{when}} ({{person.time_zone}})
{{#if location}}
Where: {{location}}
{{/if}}
{{#if link}}
Link: {{link}}
{{/if}}
{{#if price}}
Price: {{price}}
{{/if}}
{{#if notes}}

{{notes}}
{{/if}}]]

local GERMAN = [[
{{subject}} mit {{other.name}}
{{when}} ({{person.time_zone}})
{{#if location}}
Ort: {{location}}
{{/if}}
{{#if link}}
Link: {{link}}
{{/if}}
{{#if price}}
Preis: {{price}}
{{/if}}
{{#if notes}}

{{notes}}
{{/if}}]]

local TEXTS = {
  en = {
    client = { title = "{{subject}} with {{other.name}}", description = ENGLISH },
    tutor = { title = "{{subject}} for {{other.name}}", description = ENGLISH },
  },
  de = {
    client = { title = "{{subject}} mit {{other.name}}", description = GERMAN },
    tutor = { title = "{{subject}} für {{other.name}}", description = GERMAN },
  },
}

-- What a booking may leave open.
local NOBODY = { en = "somebody", de = "jemandem" }
local NO_SUBJECT = { en = "Lesson", de = "Termin" }

local MONTHS = {
  en = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December" },
  de = { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
    "Oktober", "November", "Dezember" },
}

-- "2026-11-20T09:00:00" as people write it.
local DATES = {
  en = function(day, month, year) return day .. " " .. MONTHS.en[month] .. " " .. year end,
  de = function(day, month, year) return day .. ". " .. MONTHS.de[month] .. " " .. year end,
}

local function is_text(value) return type(value) == "string" and value ~= "" end

--- "de-AT" reads German, and a language without texts English.
local function language_of(person)
  local language = is_text(person.language) and person.language:lower():match("^%a+") or "en"
  local texts = config.texts
  return (TEXTS[language] or texts and texts[language]) and language or "en"
end

local function date_and_time(moment, language)
  local year, month, day, time = moment:match("^(%d+)-(%d+)-(%d+)T(%d+:%d+)")
  if not year then return moment, "" end
  local write = DATES[language]
  if not write then return year .. "-" .. month .. "-" .. day, time end
  return write(tonumber(day), tonumber(month), year), time
end

local function when(person, language)
  if not is_text(person.start) or not is_text(person.finish) then return nil end
  local day, start = date_and_time(person.start, language)
  local last_day, finish = date_and_time(person.finish, language)
  if day == last_day then return day .. ", " .. start .. "–" .. finish end
  return day .. ", " .. start .. " – " .. last_day .. ", " .. finish
end

--- A text, a number, or { amount, currency }.
local function price_of(booking)
  local price = booking.price
  if type(price) ~= "table" then return price end
  if not price.amount then return nil end
  return is_text(price.currency) and price.amount .. " " .. price.currency or price.amount
end

local function first_text(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if is_text(value) then return value end
  end
  return nil
end

local function values_of(booking, person, other, language)
  local data = type(booking.data) == "table" and booking.data or {}
  return {
    booking = booking,
    person = person,
    other = { name = first_text(other.name) or NOBODY[language] or NOBODY.en, role = other.role },
    subject = first_text(data.subject, booking.title) or NO_SUBJECT[language] or NO_SUBJECT.en,
    when = when(person, language),
    location = first_text(booking.location),
    link = first_text(data.link, data.meeting_url, data.url),
    notes = first_text(data.notes),
    price = price_of(booking),
  }
end

--- The operator's text for this language and role, else ours.
local function text_for(language, role, field)
  local texts = config.texts and config.texts[language]
  local own = texts and texts[role] and texts[role][field]
  if is_text(own) then return own end
  local built_in = TEXTS[language] or TEXTS.en
  return (built_in[role] or built_in.client)[field]
end

local function render(field, language, role, values)
  local text, err = template.render(text_for(language, role, field), values)
  if not text then error("texts." .. language .. "." .. role .. "." .. field .. ": " .. err.message) end
  return text
end

M.templates = {
  booking = function(booking, person, other)
    local language = language_of(person)
    local values = values_of(booking, person, other, language)
    return {
      title = render("title", language, person.role, values),
      description = render("description", language, person.role, values),
      location = values.location,
    }
  end,
}

return M
