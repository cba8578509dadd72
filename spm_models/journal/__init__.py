"""What people write: notes, replies, submissions, overrides, agreements, corrections, and who looked.

Nothing is ever changed or deleted; a newer entry supersedes an older one, and both stay.
"""

from spm_models.journal.audit import AuditLog
from spm_models.journal.bodies import BODIES
from spm_models.journal.entry import ABOUT, Entry
from spm_models.journal.journal import Journal

__all__ = ["ABOUT", "BODIES", "AuditLog", "Entry", "Journal"]
