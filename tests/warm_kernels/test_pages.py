"""The parent's data in large pages, where the system has them."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import mmap, os, re
from spm_models.warm_kernels.pages import use_large_pages
held = mmap.mmap(-1, 20 << 20, flags=mmap.MAP_PRIVATE)
held[:] = bytes(range(256)) * (20 << 12)
def large():
    return int(re.search(r"AnonHugePages: *([0-9]+)", open("/proc/self/smaps_rollup").read())[1])
before = large()
use_large_pages()
print(large() - before, held[:] == bytes(range(256)) * (20 << 12))
if not (child := os.fork()):
    held[0] = 7
    os._exit(held[:3] != bytes((7, 1, 2)))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux only")
def test_all_that_fits_goes_into_large_pages_and_stays_as_it_was():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    gained, same, child = done.stdout.split()
    assert same == "True" and child == "0"
    if gained == "0":
        pytest.skip("this system gives no large pages")
    assert int(gained) >= 18 << 10  # 20 MB, less what lies over the ends
