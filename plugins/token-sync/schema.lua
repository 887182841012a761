-- The keys of `plugins.token-sync` in calhost.yaml.
return {
  fields = {
    { name = "url", type = "url", title = "Address of the service; empty: nothing is pushed" },
    { name = "secret", type = "string", secret = true, title = "Signs the requests, when the service checks that" },
    { name = "account", type = "string", default = "primary", title = "Label of the Google accounts that are pushed" },
    { name = "on_refresh", type = "boolean", default = false, title = "Push refreshed tokens, too" },
    { name = "timeout_seconds", type = "integer", default = 10, title = "How long one request may take" },
  },
}
