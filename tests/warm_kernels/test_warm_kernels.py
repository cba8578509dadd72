"""Kernels forked from a warm parent: clean, private, gone with their clients; ordinary ones where that cannot serve."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from jupyter_client.manager import KernelManager

from spm_models.warm_kernels import client as clients
from spm_models.warm_kernels.client import ForkedKernel, ForkUnavailableError, address_of, fork_kernel, parent_of

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="kernels are forked on Linux only"),
    pytest.mark.xdist_group("warm_kernels"),
]
LIGHT = ["json"]  #: what the parents of these tests import


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Parents of a test are its own, and end with it."""
    folder = Path(tempfile.mkdtemp(prefix="w-", dir="/tmp"))  # short: sockets have short names
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    for line in subprocess.run(["pgrep", "-f", f"parent {folder}"], capture_output=True, text=True).stdout.split():
        os.kill(int(line), signal.SIGKILL)
    shutil.rmtree(folder)


class Running:
    """A kernel started by name, as any tool would."""

    def __init__(self, manager: KernelManager, log: Path) -> None:
        self.manager, self.log = manager, log
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def process(self) -> Any:
        return self.manager.provisioner.process

    def said(self, code: str) -> str:
        """What the code prints."""
        out: list[str] = []
        self.client.execute_interactive(
            code, timeout=30, output_hook=lambda message: out.append(message["content"].get("text", ""))
        )
        return "".join(out).strip()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def started(**given: Any) -> Running:
        log = tmp_path / f"{len(running)}.log"
        manager = KernelManager(kernel_name="spm")
        manager.kernel_spec.metadata["kernel_provisioner"]["config"]["modules"] = given.pop("modules", LIGHT)
        with log.open("wb") as said:
            manager.start_kernel(stdout=said, stderr=said, **given)
        running.append(Running(manager, log))
        return running[-1]

    yield started
    for one in running:
        one.client.stop_channels()
        if one.manager.has_kernel:
            one.manager.shutdown_kernel(now=True)


def gone(pid: int, seconds: float = 8.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def parent(environment: dict[str, str] | None = None) -> int:
    found = parent_of(LIGHT, dict(os.environ) if environment is None else environment)
    assert found is not None
    return int(found["pid"])


def test_a_kernel_is_forked_by_name_and_the_next_from_the_same_parent(start):
    first, second = start(), start()
    assert isinstance(first.process, ForkedKernel) and isinstance(second.process, ForkedKernel)
    assert {int(one.said("import os; print(os.getppid())")) for one in (first, second)} == {parent()}
    assert first.said("print(6 * 7)") == "42" and first.said("import sys; print('json' in sys.modules)") == "True"


def test_it_has_the_environment_and_folder_of_its_caller_and_nothing_else(start, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "hush")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SPM_SCOPE": "r1", "TZ": "Asia/Tokyo"}
    kernel = start(env=env, cwd=str(tmp_path))
    told = kernel.said("import os, json; print(json.dumps(dict(os.environ)))")
    assert '"SPM_SCOPE": "r1"' in told and "hush" not in told
    assert kernel.said("import os; print(os.getcwd())") == str(tmp_path)
    assert kernel.said("import time; print(time.tzname[0])") == "JST"
    assert "hush" not in kernel.said("print(open('/proc/self/environ').read())")


def test_temporary_files_go_where_the_callers_environment_says(start, tmp_path):
    usual = start().said("import tempfile; print(tempfile.tempdir)")
    assert usual == tempfile.gettempdir()  # found by the parent, once
    there = start(env=dict(os.environ) | {"TMPDIR": str(tmp_path)})
    assert there.said("import tempfile; print(tempfile.gettempdir())") == str(tmp_path)


def test_two_kernels_draw_different_numbers_and_share_no_names(start):
    code = "import random; import numpy; print(random.random(), numpy.random.random())"
    first, second = start(modules=["numpy"]), start(modules=["numpy"])
    drawn = [*first.said(code).split(), *second.said(code).split()]
    assert len(set(drawn)) == 4
    first.said("kept = 1")
    assert second.said("print('kept' in dir())") == "False"


@pytest.mark.parametrize(("code", "status"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9)])
def test_exit_codes_are_kept_and_the_parent_outlives_its_child(start, code, status):
    kernel, before = start(), parent()
    kernel.client.execute(f"import os; {code}")
    assert kernel.process.wait(10) == status and parent() == before
    assert start().said("print('still here')") == "still here"


def test_what_a_kernel_started_goes_with_it(start):
    kernel = start()
    child = int(kernel.said("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"))
    kernel.client.execute("import os; os._exit(0)")
    assert gone(child)
    other = start()
    child = int(other.said("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"))
    other.manager.shutdown_kernel(now=True)
    assert gone(child)


@pytest.mark.faults
def test_a_kernel_goes_when_its_client_is_killed(tmp_path):
    script = tmp_path / "client.py"
    script.write_text(
        "import os, time\nfrom spm_models.warm_kernels.client import fork_kernel\n"
        f"import json; f = {str(tmp_path / 'k.json')!r}\n"
        "from jupyter_client.connect import write_connection_file; write_connection_file(f)\n"
        f"k = fork_kernel(['-f', f], dict(os.environ), {str(tmp_path)!r}, outputs=(1, 2), modules={LIGHT!r})\n"
        "print(k.pid, flush=True); time.sleep(600)\n"
    )
    running = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    pid = int(running.stdout.readline())
    assert not gone(pid, 0.3)
    running.kill()
    running.wait()
    assert gone(pid)


@pytest.mark.faults
def test_kernels_outlive_a_killed_parent_and_the_next_has_another(start):
    kernel, before = start(), parent()
    os.kill(before, signal.SIGKILL)
    assert gone(before)
    assert kernel.said("print('working on')") == "working on"
    assert start().said("print('new')") == "new" and parent() != before
    kernel.client.execute("import os; os._exit(3)")
    assert kernel.process.wait(10) == clients.UNKNOWN  # who could have told it is gone


def test_a_parent_ends_when_nobody_needs_it(tmp_path, place):
    env, connection = dict(os.environ), tmp_path / "k.json"
    from jupyter_client.connect import write_connection_file

    write_connection_file(str(connection))
    with (tmp_path / "log").open("wb") as log:
        kernel = fork_kernel(["-f", str(connection)], env, str(tmp_path), outputs=(log.fileno(), log.fileno()),
                             modules=LIGHT, idle_seconds=0.6)  # fmt: skip
    before = parent(env)
    time.sleep(1.5)
    assert not gone(before, 0.1)  # it waits for its kernel
    kernel.kill()
    assert kernel.wait(10) == -9 and gone(before)
    assert list(place.rglob("*.sock")) == []
    kernel.close()


def test_changed_code_asks_another_parent(monkeypatch):
    env = dict(os.environ)
    before = address_of(LIGHT, env)
    assert address_of(LIGHT, env | {"SPM_SCOPE": "x"}) == before and address_of(["csv"], env) != before
    assert address_of(LIGHT, env | {"PYTHONPATH": "/elsewhere"}) != before
    monkeypatch.setattr(clients, "_code", lambda: "changed")
    assert address_of(LIGHT, env) != before


def test_where_forking_is_unsafe_an_ordinary_kernel_starts_and_says_why(start, tmp_path, monkeypatch, caplog):
    (tmp_path / "makes_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kernel = start(modules=["makes_a_thread"])
    assert not isinstance(kernel.process, ForkedKernel) and kernel.said("print(1)") == "1"
    assert "ordinary one is started" in caplog.text and "2 threads run" in caplog.text
    began = time.monotonic()
    with pytest.raises(ForkUnavailableError, match="a short while ago"):
        fork_kernel([], dict(os.environ), "/", outputs=(1, 2), modules=["makes_a_thread"])
    assert time.monotonic() - began < 2


def test_a_folder_of_somebody_else_is_not_used(place):
    (place / f"spm-warm-kernels-{os.getuid()}").mkdir(mode=0o755)
    (place / f"spm-warm-kernels-{os.getuid()}").chmod(0o755)
    with pytest.raises(ForkUnavailableError, match="this user alone"):
        fork_kernel([], dict(os.environ), "/", outputs=(1, 2), modules=LIGHT)


def test_a_runtime_folder_that_went_with_its_users_login_is_done_without(monkeypatch, place):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place / "gone"))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert address_of(LIGHT, dict(os.environ)).parent == place / f"spm-warm-kernels-{os.getuid()}"


def test_a_folder_too_deep_for_a_socket_is_left_for_another(tmp_path, monkeypatch):
    (deep := tmp_path / ("deep" * 30)).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert address_of(LIGHT, dict(os.environ)).parent == Path(f"/tmp/spm-warm-kernels-{os.getuid()}")


def test_nobody_else_can_reach_the_socket(start, place):
    start()
    for path in (place / f"spm-warm-kernels-{os.getuid()}", *place.rglob("*.sock")):
        assert path.stat().st_mode & 0o077 == 0 and path.stat().st_uid == os.getuid()


def test_papermill_uses_it_by_name_alone(tmp_path):
    cell = nbformat.v4.new_code_cell("import os; print(open(f'/proc/{os.getppid()}/cmdline').read())")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    done = papermill.execute_notebook(
        tmp_path / "a.ipynb", tmp_path / "b.ipynb", kernel_name="spm", language="python", progress_bar=False
    )
    assert "spm_models.warm_kernels.parent" in done.cells[-1].outputs[0]["text"]


def test_what_the_reports_need_is_loaded_and_no_thread_runs(start):
    kernel = start(modules=["spm_models.warm_kernels.preload"])
    assert isinstance(kernel.process, ForkedKernel), kernel.log.read_text()
    loaded = "import sys; print('spm_models.reports.per_rep' in sys.modules, 'pandas' in sys.modules)"
    assert kernel.said(loaded) == "True True"


def test_a_kernel_that_shows_things_imports_nothing_late(start):
    kernel = start(modules=["spm_models.warm_kernels.preload"])
    kernel.said(
        "import pandas as pd, matplotlib, warnings\nfrom IPython.display import HTML, SVG, display\n"
        "display(pd.DataFrame({'a': [1.5]}), HTML('<p>'), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))"
    )
    late = "import sys; from spm_models.warm_kernels.kernel import _names; print(sorted(set(sys.modules) - _names))"
    assert kernel.said(late) == "[]"


def test_it_knows_the_loaded_modules_without_having_looked_at_them(start):
    kernel = start()
    assert kernel.said("import json; print(json.__file__ in get_ipython().kernel.debugger.kernel_modules)") == "True"
    assert kernel.said("print({'json', 'sys'} <= get_ipython()._sys_modules_keys)") == "True"
    seen = "import sys, ipykernel.ipkernel as a, IPython.core.shellapp as b; print(a.sys is b.sys is sys)"
    assert kernel.said(seen) == "True"


def test_start_up_files_run_and_may_change_what_sys_holds(start, tmp_path):
    folder = tmp_path / "ipython" / "profile_default" / "startup"
    folder.mkdir(parents=True)
    (folder / "00-first.py").write_text("import sys; sys.path.insert(0, '/somewhere'); began = len(sys.modules) > 99")
    kernel = start(env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")})
    assert kernel.said("import sys; print(began, sys.path[0], sys.argv[0])") == "True /somewhere ipykernel_launcher"


def test_it_can_be_debugged(start):
    kernel = start()
    kernel.client.control_channel.start()

    def asked(number: int, command: str, **arguments: Any) -> Any:
        content = {"type": "request", "seq": number, "command": command, "arguments": arguments}
        kernel.client.control_channel.send(kernel.client.session.msg("debug_request", content))
        return kernel.client.get_control_msg(timeout=20)["content"]

    assert asked(1, "initialize", clientID="test", adapterID="", pathFormat="path")["success"]
    assert asked(2, "attach")["success"]
    code = "def double(x):\n    return 2 * x\n"
    assert asked(3, "dumpCell", code=code)["body"]["sourcePath"].endswith(".py")


def test_unusual_arguments_are_parsed_as_ever(tmp_path):
    from jupyter_client.connect import write_connection_file

    write_connection_file(str(tmp_path / "k.json"))
    with (tmp_path / "log").open("wb") as log:
        kernel = fork_kernel(["-f", str(tmp_path / "k.json"), "--no-such-option=1", "--help"], dict(os.environ),
                             str(tmp_path), outputs=(log.fileno(), log.fileno()), modules=LIGHT)  # fmt: skip
    assert kernel.wait(20) == 0
    assert "--IPKernelApp" in (tmp_path / "log").read_text() or "Options" in (tmp_path / "log").read_text()
    kernel.close()
