-- Pushes the tokens of connected Google calendars to another service, which reads the calendars by
-- itself, and deletes them there when a person disconnects. Whatever the service does, connecting
-- has succeeded: this runs as a job behind it.
local config, event, json = require("host.config"), require("host.event"), require("host.json")
local M = { id = "token-sync", title = "Tokens for another service", api = 1, needs = { "tokens" } }

-- The words that operators search their logs for.
local SKIPPED = "GOOGLE_CALENDAR_MICROSERVICE_URL not configured, skipping token sync"
local CONNECT = {
  begun = "Syncing Google Calendar tokens to microservice",
  done = "Tokens synced to microservice successfully",
  failed = "Failed to sync tokens to microservice",
}
local DISCONNECT = {
  begun = "Deleting Google Calendar tokens from microservice",
  done = "Tokens deleted from microservice successfully",
  failed = "Failed to delete tokens from microservice",
}
local STATUS_TEXTS = {
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found", [409] = "Conflict",
  [422] = "Unprocessable Content", [429] = "Too Many Requests", [500] = "Internal Server Error",
  [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

local function base_url() return (config.url:gsub("/+$", "")) end

--- The path as the service sees it, which the signature covers.
local function path_of(url) return url:match("^%a+://[^/]+(.*)$") end

local function headers_for(ctx, method, url, body)
  local headers = { ["Content-Type"] = body ~= "" and "application/json" or nil }
  if not ctx.secrets:has("secret") then return headers end
  local timestamp = tostring(ctx.clock:now() // 1000)
  local signed = table.concat({ timestamp, method, path_of(url), body }, "\n")
  headers["X-Calhost-Timestamp"] = timestamp
  headers["X-Calhost-Signature"] = "v1=" .. ctx.secrets:hmac_sha256("secret", signed)
  return headers
end

--- What the answer means for the job: done, again later, or never.
local function judge(answer, gone_is_done)
  if answer.status >= 200 and answer.status < 300 then return true end
  if answer.status == 404 and gone_is_done then return true end
  local code = "invalid"
  if answer.status == 429 then code = "rate_limited" end
  if answer.status >= 500 then code = "unavailable" end
  local message = "The service answered " .. answer.status .. "."
  return nil, { code = code, message = message, retry_after = code ~= "invalid" and answer.retry_after or nil }
end

local function send(ctx, told, words, request)
  local where = { userId = told.user_id, microserviceUrl = base_url() }
  ctx.log:info(words.begun, where)
  local answer, err = ctx.http:request({
    method = request.method, url = request.url, body = request.body, timeout = config.timeout_seconds,
    headers = headers_for(ctx, request.method, request.url, request.body),
  })
  local ok
  if answer then ok, err = judge(answer, request.gone_is_done) end
  if ok then
    ctx.log:info(words.done, { userId = told.user_id, tokenExpiry = request.token_expiry })
    return ctx.audit:write(request.audit, { user_id = told.user_id, subject = told.connection.id })
  end
  where.error = err.message
  where.details = answer and { status = answer.status, statusText = STATUS_TEXTS[answer.status] }
  ctx.log:error(words.failed, where)
  return nil, err
end

--- The service knows one Google account of a person.
local function is_ours(told)
  return told.connection.provider == "google" and told.connection.account == config.account
end

local function is_configured(ctx, told)
  if config.url then return true end
  ctx.log:warning(SKIPPED, { userId = told.user_id })
  return false
end

local function push(ctx, told)
  if not is_ours(told) or not is_configured(ctx, told) then return true end
  local tokens, err = ctx.tokens:of(told.connection.id)
  if not tokens then
    -- Disconnected, or its grant withdrawn, before this ran: there is nothing to push.
    if err.code == "not_found" or err.code == "needs_reauth" then return true end
    return nil, err
  end
  return send(ctx, told, CONNECT, {
    method = "POST",
    url = base_url() .. "/api/users/" .. event.escape(told.user_id) .. "/google-calendar/connect",
    body = json.encode({
      access_token = tokens.access_token,
      refresh_token = tokens.refresh_token,
      token_expiry = tokens.expires_at,
      scope = tokens.scope,
    }),
    token_expiry = tokens.expires_at,
    audit = "sent",
  })
end

M.hooks = {
  ["connection.created"] = push,
  ["connection.deleted"] = function(ctx, told)
    if not is_ours(told) or not is_configured(ctx, told) then return true end
    return send(ctx, told, DISCONNECT, {
      method = "DELETE",
      url = base_url() .. "/api/google-tokens/" .. event.escape(told.user_id),
      body = "",
      gone_is_done = true,
      audit = "deleted",
    })
  end,
}

-- The service refreshes by itself, so that it need not be told; but a provider may give a new
-- refresh token and end the old one.
if config.on_refresh then M.hooks["connection.refreshed"] = push end

return M
