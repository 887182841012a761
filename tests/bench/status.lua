-- luacheck: std ngx_lua
-- nginx's side of the status benchmark: the HS256 check of a bearer token, then an answer of the same bytes.
-- In its favour: the HMAC key schedule is kept, claims are found by pattern, the answer never changes.
local ffi = require("ffi")
local base64 = require("ngx.base64")

ffi.cdef([[
typedef struct hmac_ctx_st HMAC_CTX;
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
HMAC_CTX *HMAC_CTX_new(void);
int HMAC_Init_ex(HMAC_CTX *ctx, const void *key, int len, const EVP_MD *md, void *engine);
int HMAC_Update(HMAC_CTX *ctx, const char *data, size_t len);
int HMAC_Final(HMAC_CTX *ctx, unsigned char *digest, unsigned int *len);
]])

local M = {}
local crypto = ffi.load("libcrypto.so.3")
local context = crypto.HMAC_CTX_new()
local digest = ffi.new("unsigned char[32]")
local answer

function M.init(secret, answer_file)
  assert(crypto.HMAC_Init_ex(context, secret, #secret, crypto.EVP_sha256(), nil) == 1)
  local file = assert(io.open(answer_file, "rb"))
  answer = file:read("*a")
  file:close()
end

local function signature_of(text)
  crypto.HMAC_Init_ex(context, nil, 0, nil, nil)
  crypto.HMAC_Update(context, text, #text)
  crypto.HMAC_Final(context, digest, nil)
  return base64.encode_base64url(ffi.string(digest, 32))
end

local function is_good(authorization)
  local token = authorization and authorization:match("^Bearer (.+)$")
  if not token then return false end
  local header, payload, signature = token:match("^([^.]+)%.([^.]+)%.([^.]+)$")
  if not header or signature_of(header .. "." .. payload) ~= signature then return false end
  if not base64.decode_base64url(header):find('"alg":"HS256"', 1, true) then return false end
  local expires = base64.decode_base64url(payload):match('"exp":(%d+)')
  return expires ~= nil and tonumber(expires) > ngx.time()
end

function M.serve()
  if not is_good(ngx.var.http_authorization) then return ngx.exit(401) end
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #answer
  ngx.print(answer)
end

return M
