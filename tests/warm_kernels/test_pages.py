"""The parent's data in large pages, where the system has them."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, re
from spm_models.warm_kernels.pages import use_large_pages
held = [bytes(100) for _ in range(200_000)]
def large():
    return int(re.search(r"AnonHugePages: *([0-9]+)", open("/proc/self/smaps_rollup").read())[1])
before = large()
use_large_pages()
print(large() - before, sum(map(len, held)))
if not (child := os.fork()):
    held.append(held.pop(0))
    os._exit(len(held) != 200_000)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux only")
def test_all_that_fits_goes_into_large_pages_and_stays_as_it_was():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    gained, held, child = map(int, done.stdout.split())
    assert held == 20_000_000 and child == 0
    if not gained:
        pytest.skip("this system gives no large pages")
    assert gained >= 10_000
