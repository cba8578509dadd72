"""Results as they are published: once per run, with a manifest, atomically; read only within a scope."""
