"""Connection aliases: what novaops.toml declares, and the pooler that serves it."""
