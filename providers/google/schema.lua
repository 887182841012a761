-- The keys of `providers.google` in calhost.yaml. Data only: it is read without running any code.
return {
  fields = {
    { name = "client_id", type = "string", title = "Client id of your Google Cloud project" },
    { name = "client_secret", type = "string", secret = true, title = "Its client secret" },
    { name = "redirect_uri", type = "url", title = "Default: public_url + /api/calendar/callback/google" },
    {
      name = "endpoints", type = "map", title = "Other addresses than Google's own, for tests and private clouds",
      fields = {
        { name = "authorize", type = "url" },
        { name = "token", type = "url" },
        { name = "revoke", type = "url" },
        { name = "userinfo", type = "url" },
        { name = "api", type = "url" },
        { name = "issuer", type = "url" },
      },
    },
  },
}
