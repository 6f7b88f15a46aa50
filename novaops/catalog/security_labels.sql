SELECT classoid, objoid, objsubid, provider, label FROM pg_catalog.pg_seclabel
