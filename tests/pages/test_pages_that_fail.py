"""A page whose notebook fails, hangs, dies or says nothing tells its reader within seconds."""

from __future__ import annotations

import json
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

PAGES = {
    "fails": ["from IPython.display import HTML, display; display(HTML('<p>first</p>'))", "1 / 0 # secret-of-the-code"],
    "hangs": ["import time; time.sleep(600)"],
    "dies": ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
    "silent": ["1 + 1"],
    "environment": [
        "import json, os; from IPython.display import HTML, display",
        "display(HTML('<pre>' + json.dumps(dict(os.environ)) + '</pre>'))",
    ],
    "parent": [
        "import os; from IPython.display import HTML, display",
        "display(HTML('<pre>' + open(f'/proc/{os.getppid()}/cmdline').read().replace(chr(0), ' ') + '</pre>'))",
        "display(HTML('<pre>' + open('/proc/self/environ').read() + '</pre>'))",
    ],
    "quiet": ["import sys; from IPython.display import HTML, display; sys.stderr.write('a warning'); print('x')",
              "display(HTML('<p>all well</p>'))"],
}  # fmt: skip
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="module")
def strange(tmp_path_factory, published, serve):
    folder = tmp_path_factory.mktemp("notebooks")
    for name, cells in PAGES.items():
        notebook = new_notebook(cells=[new_code_cell(source) for source in cells], metadata=KERNEL)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    secret = {"DATABASE_URL": "postgresql://user:secret@host/db", "SPM_VIEWER": '{"id": "intruder", "role": null}'}
    running = serve(published(), patience=20, notebooks=folder, **secret)
    running.enter()
    return running


def test_a_failing_page_says_so_shows_no_code_and_ends_its_kernel(strange):
    status, _, text = strange.ask("/pages/fails")
    assert status == 200 and "<p>first</p>" in text and "This page could not be made" in text
    assert "ZeroDivisionError" not in text and "secret-of-the-code" not in text
    config = text.split('type="application/json">')[1].split("</script>")[0]
    assert strange.ask(f"/api/kernels/{json.loads(config)['kernelId']}")[0] == 403


@pytest.mark.parametrize("name", ["hangs", "dies", "silent"])
def test_a_page_never_stays_white(strange, name):
    began = time.monotonic()
    status, _, text = strange.ask(f"/pages/{name}")
    assert status == 200 and "data-page-failed" in text
    assert time.monotonic() - began < 40


def test_what_a_notebook_prints_besides_its_page_stays_with_the_server(strange):
    _, _, text = strange.ask("/pages/quiet")
    assert "all well" in text and "a warning" not in text and "data-page-failed" not in text


def test_a_kernel_gets_its_viewer_from_the_server_and_nothing_of_the_servers_secrets(strange):
    headers = {"X-SPM-Viewer": "intruder", "SPM_VIEWER": "intruder"}
    _, _, text = strange.ask("/pages/environment?SPM_VIEWER=intruder&viewer=intruder", headers=headers)
    environment = json.loads(text.split("<pre>")[1].split("</pre>")[0])
    assert json.loads(environment["SPM_VIEWER"]) == {"id": "boss", "role": "executive"}
    assert "DATABASE_URL" not in environment and "secret" not in text and "intruder" not in text
    allowed = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONNOUSERSITE"}
    ours = {name for name in environment if name.startswith(("SPM_", "VOILA_KERNEL_ID", "JPY_", "JUPYTER"))}
    tools = {
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "TERM",
        "PAGER",
        "GIT_PAGER",
        "MPLBACKEND",
        "PYDEVD_USE_FRAME_EVAL",
    }
    assert set(environment) <= allowed | ours | tools


def test_a_pages_kernel_starts_warm_and_its_process_shows_no_secret_either(strange):
    _, _, text = strange.ask("/pages/parent")
    assert "spm_models.warm_kernels.parent" in text and "secret" not in text and "intruder" not in text
