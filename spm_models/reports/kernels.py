"""Which Python runs a notebook, and what it may know of its surroundings."""

from __future__ import annotations

import os
from collections.abc import Mapping

from jupyter_client.kernelspec import KernelSpecManager
from traitlets import default

from spm_models.shipped import shipped

#: What a kernel may know of the environment; everything else (database addresses, keys) stays behind.
ALLOWED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")


WARM = "spm"  #: the kernel that is forked from a parent with the imports done


class NativeKernels(KernelSpecManager):
    """Offers this Python, also warm, and no kernel that happens to be installed elsewhere on the machine."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        return [str(shipped("templates/kernels"))]


def kernel_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Everything that a kernel's environment holds: the allowed names that are set, and what is given.

    Examples
    --------
    >>> kernel_environment({"SPM_SCOPE": "{}"})["SPM_SCOPE"]
    '{}'
    """
    known = {name: os.environ[name] for name in ALLOWED if name in os.environ}
    return {**known, "PYTHONNOUSERSITE": "1", **given}
