-- The keys of `providers.outlook` in calhost.yaml. Data only: it is read without running any code.
return {
  fields = {
    { name = "client_id", type = "string", title = "Application (client) id of your app registration" },
    { name = "client_secret", type = "string", secret = true, title = "The value of its client secret" },
    {
      name = "tenant", type = "string", default = "common",
      title = "Who may sign in: common, organizations, consumers, or a tenant's id or domain",
    },
    { name = "redirect_uri", type = "url", title = "Default: public_url + /api/calendar/callback/outlook" },
    {
      name = "endpoints", type = "map", title = "Other addresses than Microsoft's own, for tests and national clouds",
      fields = {
        { name = "authorize", type = "url" },
        { name = "token", type = "url" },
        { name = "userinfo", type = "url" },
        { name = "api", type = "url" },
      },
    },
  },
}
