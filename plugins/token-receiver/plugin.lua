-- The other end of token-sync: another host or an older system pushes the tokens of its users, and
-- they become connections of the users here whom the configuration names.
local config, crypto, time = require("host.config"), require("host.crypto"), require("host.time")
local M = {
  id = "token-receiver", title = "Tokens from another service", api = 1,
  needs = { "connections", "users", "routes" },
}

local FIVE_MINUTES = 5 * 60
local FIELDS = { "access_token", "refresh_token", "token_expiry", "scope" }

local function problem(status, code, detail)
  return { status = status, json = { status = status, status_code = status, code = code, title = code, detail = detail,
    type = "about:blank" }, headers = { ["Content-Type"] = "application/problem+json" } }
end

--- The sender signed timestamp, method, path and body, and did so just now.
local function is_signed(ctx, request)
  local timestamp = request.headers["x-calhost-timestamp"] or ""
  local given = request.headers["x-calhost-signature"] or ""
  local signed = table.concat({ timestamp, request.method, request.path, request.raw_body }, "\n")
  local is_right = crypto.equal(given, "v1=" .. ctx.secrets:hmac_sha256("secret", signed))
  local seconds = timestamp:match("^%d+$") and tonumber(timestamp)
  return is_right and seconds ~= nil and math.abs(ctx.clock:now() // 1000 - seconds) <= FIVE_MINUTES
end

--- Somebody may repeat messages that he overheard, as long as their signature is good. The newest
--- message about a user, repeated, gets the answer that it had; older ones are refused.
local function once(ctx, request, act)
  local key = "newest/" .. request.params.user_id
  local signature = request.headers["x-calhost-signature"]
  local at = tonumber(request.headers["x-calhost-timestamp"])
  local newest = ctx.store:get(key)
  if newest and newest.signature == signature then return newest.answer end
  if newest and at < newest.at then
    return problem(409, "older_message", "A newer message about this user has come already.")
  end
  local answer = act()
  if not answer.status then
    ctx.store:put(key, { at = at, signature = signature, answer = answer }, { ttl = 2 * FIVE_MINUTES })
  end
  return answer
end

--- The user here whom the configuration names for the sender's user; nobody else is reached.
local function user_for(ctx, their_id)
  local email = config.users[their_id]
  return email and ctx.users:find_by_email(email)
end

--- What the caller is refused with before anything is looked at.
local function refusal(ctx, request)
  if not ctx.secrets:has("secret") then
    return problem(500, "misconfigured", "token-receiver has no secret; set plugins.token-receiver.secret.")
  end
  if not is_signed(ctx, request) then
    return problem(401, "unauthorized", "The signature is missing, wrong, or five minutes old.")
  end
  return nil
end

local function missing_field(body)
  if type(body) ~= "table" then return "The body must be a JSON object." end
  for _, name in ipairs(FIELDS) do
    if type(body[name]) ~= "string" or body[name] == "" then return name .. " is missing." end
  end
  if not time.parse(body.token_expiry) then return "token_expiry must be an RFC 3339 time." end
  return nil
end

--- The account that was pushed for the user, if any.
local function received(ctx, user)
  for _, connection in ipairs(ctx.connections:list(user.id)) do
    if connection.provider == "google" and connection.account == config.account then return connection end
  end
  return nil
end

local function connect(ctx, request)
  local their_id, body = request.params.user_id, request.body
  local fault = missing_field(body)
  if fault then return problem(400, "invalid", fault) end
  local user = user_for(ctx, their_id)
  if not user then return problem(400, "unknown_user", "This user id is not mapped to a user of this host.") end
  local connection, err = ctx.connections:adopt({
    user_id = user.id, provider = "google", account = config.account, scope = body.scope,
    refresh_token = body.refresh_token,
  })
  if not connection then
    local is_theirs = err.code == "invalid"
    return problem(is_theirs and 400 or 500, is_theirs and "invalid" or "unavailable", err.message)
  end
  ctx.log:info("tokens received", { userId = user.id, connection_id = connection.id })
  return { json = { success = true, message = "Google Calendar connected successfully", user_id = their_id,
    token_expiry = body.token_expiry } }
end

local function disconnect(ctx, request)
  local their_id = request.params.user_id
  local user = user_for(ctx, their_id)
  local connection = user and received(ctx, user)
  if not connection then return problem(404, "not_found", "There are no tokens of this user.") end
  local forgotten, err = ctx.connections:forget(connection.id)
  if err then return problem(500, "unavailable", err.message) end
  if not forgotten then return problem(404, "not_found", "There are no tokens of this user.") end
  ctx.log:info("tokens deleted", { userId = user.id, connection_id = connection.id })
  return { json = { success = true, message = "Google Calendar disconnected successfully", user_id = their_id } }
end

--- A handler for what the sender signed.
local function signed(act)
  return function(ctx, request)
    return refusal(ctx, request) or once(ctx, request, function() return act(ctx, request) end)
  end
end

M.routes = {
  {
    method = "POST", path = "/api/users/{user_id}/google-calendar/connect", who = "open", body_limit = 32768,
    summary = "Another service hands over the tokens of one of its users", handler = signed(connect),
  },
  {
    method = "DELETE", path = "/api/google-tokens/{user_id}", who = "open", body_limit = 1024,
    summary = "Another service takes the tokens of one of its users back", handler = signed(disconnect),
  },
}

return M
