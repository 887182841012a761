-- The keys of `providers.caldav` in calhost.yaml: there are none, since people enter their server's address.
return { fields = {} }
