"""Results as they are published: once per run, with a manifest, atomically; read only within a scope."""

from spm_models.published.manifest import Manifest, code_hash, run_key, versions
from spm_models.published.reader import Results, current_run, read_manifest
from spm_models.published.writer import publish

__all__ = ["Manifest", "Results", "code_hash", "current_run", "publish", "read_manifest", "run_key", "versions"]
