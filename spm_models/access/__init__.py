"""Who asks, and which rows he may see. Whoever is not known sees nothing."""

from spm_models.access.scope import Scope, role_of, scope, scope_from_environment
from spm_models.access.viewer import Viewer, find_person, same_login, viewer_from_environment

__all__ = [
    "Scope", "Viewer", "find_person", "role_of", "same_login", "scope", "scope_from_environment",
    "viewer_from_environment",
]  # fmt: skip
