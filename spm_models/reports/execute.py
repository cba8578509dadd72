"""Run a report notebook with typed parameters in a clean environment, and judge its success by evidence.

A notebook file proves nothing: papermill's output can say "completed" after a killed kernel, and ``sys.exit(0)`` in a
cell looks like success. A report has succeeded when papermill came back without an error, every cell ran and none has
an error output, and the last cell wrote its result record.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, cast

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from spm_models.errors import KernelStartError, ReportError
from spm_models.reports.kernels import WARM, NativeKernels, kernel_environment
from spm_models.reports.limits import TOKEN, Guard, Limits

RECORD = "SPM_RESULT"
START_SECONDS = 60  #: for a kernel to come up
_ENGINE = "spm"
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Executed:
    """A notebook that ran well.

    Parameters
    ----------
    notebook : Path
        The executed notebook: the evidence.
    record : dict
        What its last cell wrote.
    seconds : float
        Wall time.
    """

    notebook: Path
    record: dict[str, Any]
    seconds: float


class _NativeKernel(AsyncKernelManager):
    """Starts this Python's own kernel whatever else is installed under the same name, and talks to it privately.

    Each kernel has a folder of its own for its sockets, which goes with the manager: names of sockets in a shared
    folder are looked up and taken in two steps, and kernels that start at the same moment would clash.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._folder = TemporaryDirectory(prefix="spm-")
        super().__init__(
            kernel_spec_manager=NativeKernels(), transport="ipc", ip=f"{self._folder.name}/s",
            connection_file=f"{self._folder.name}/kernel.json", **kwargs,
        )  # fmt: skip

    guard: Guard

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kwargs: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **kwargs)
        self.guard.started(cast(int, cast(LocalProvisioner, self.provisioner).pid))

    _launch_kernel = _async_launch_kernel


class _Engine(NBClientEngine):
    """papermill's engine with the environment of the kernel under our control."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        guard: Guard = kwargs["guard"]
        client = PapermillNotebookClient(
            nb_man, kernel_name=kernel_name, timeout=guard.limits.cell_seconds, startup_timeout=START_SECONDS,
            kernel_manager_class=type("_GuardedKernel", (_NativeKernel,), {"guard": guard}),
        )  # fmt: skip
        with kwargs["kernel_log"].open("wb") as log, TemporaryDirectory(prefix="spm-") as empty:
            env = {**kwargs["environment"], "IPYTHONDIR": empty}  # no one's start-up files; works without a home
            return client.execute(env=env, cwd=empty, stdout=log, stderr=log)  # no module of the folder we are in


papermill_engines.register(_ENGINE, _Engine)


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, object],
    environment: Mapping[str, str],
    *,
    limits: Limits | None = None,
) -> Executed:
    """Run a report notebook.

    Parameters
    ----------
    notebook : Path
        With a cell tagged ``parameters``.
    output : Path
        Where the executed notebook goes; it is written as far as it came, also on failure. Beside it lie the result
        record (``.json``) and what the kernel said on the terminal (``.log``).
    parameters : mapping
        Values for the parameters cell; each name must be there, and each value of its annotated type.
    environment : mapping
        What the kernel's environment holds besides a short allow-list (the scope, for one).
    limits : Limits, optional
        What it may take.

    Returns
    -------
    Executed

    Raises
    ------
    KernelStartError
        When no kernel came up: another try may help.
    ReportError
        When a parameter is unknown or of the wrong type, or the run did not succeed.
    """
    check_parameters(notebook, parameters)
    record = output.with_suffix(".json")
    output.parent.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    started, guard = time.monotonic(), Guard(limits or Limits())
    known = kernel_environment({**environment, RECORD: str(record), TOKEN: guard.token})
    try:
        papermill.execute_notebook(
            notebook, output, parameters=dict(parameters),
            engine_name=_ENGINE, kernel_name=WARM, language="python",
            progress_bar=False, guard=guard, environment=known, kernel_log=output.with_suffix(".log"),
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001 told as an error of ours
        _refuse(notebook, output, error, guard)
    finally:
        guard.close()
    return Executed(output, _evidence(output, record), time.monotonic() - started)


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse unknown parameters and values of another type than the notebook declares.

    Raises
    ------
    ReportError
        With the names that the notebook knows.
    """
    declared = declared_parameters(notebook)
    for name, value in parameters.items():
        kind = _TYPES.get(declared.get(name, ""))
        if kind is None:
            raise ReportError(
                "The notebook has no such parameter", where=str(notebook), found=name,
                remedy=f"It knows {', '.join(declared) or 'none'}.",
            )  # fmt: skip
        if type(value) is not kind:
            raise ReportError(
                f"The parameter {name} has another type", where=str(notebook), found=value,
                remedy=f"Give a {kind.__name__}.",
            )  # fmt: skip


def declared_parameters(notebook: Path) -> dict[str, str]:
    """Names and annotations of a notebook's parameters cell, read from its syntax tree."""
    cells = _cells(notebook)
    source = next((cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])), "")
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _evidence(output: Path, record: Path) -> dict[str, Any]:
    """The result record, once nothing in the executed notebook speaks against success."""
    code = [cell for cell in _cells(output) if cell.cell_type == "code"]
    failed = [out.get("evalue", "") for cell in code for out in cell.outputs if out.output_type == "error"]
    not_run = sum(cell.execution_count is None for cell in code if cell.source.strip())
    found = f"error: {failed[0]}" if failed else f"{not_run} cells did not run" if not_run else ""
    if not found and not record.is_file():
        found = "the last cell wrote no result record"
    if not found:
        written: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        if written.get("ok") is True:
            return written
        found = "the result record does not say ok"
    raise ReportError("The report did not succeed", where=str(output), found=found, remedy="See the notebook's cells.")


def _cells(notebook: Path) -> list[Any]:
    return list(nbformat.read(notebook, as_version=4).cells)  # type: ignore[no-untyped-call]


def _refuse(notebook: Path, output: Path, error: Exception, guard: Guard) -> NoReturn:
    """Say why it did not run: a limit, a kernel that did not come up, or what a cell said."""
    seen = f"See {output}, as far as it came."
    if guard.exceeded:
        raise ReportError(
            "The report's notebook was ended", where=str(notebook), found=guard.exceeded,
            remedy=f"{seen} What a report may take is set under [reports] in spm.toml.",
        ) from error  # fmt: skip
    kind = KernelStartError if _did_not_start(error) else ReportError
    raise kind(
        "The report's notebook did not run to its end", where=str(notebook), found=_reason(error), remedy=seen
    ) from error


def _did_not_start(error: Exception) -> bool:
    """Whether the kernel never came up: nothing of the notebook has run, and the cause may pass."""
    said = str(error)
    return (
        isinstance(error, RuntimeError)
        and ("before replying to kernel_info" in said or "Kernel didn't respond" in said)
    ) or "Address already in use" in said


def _reason(error: Exception) -> str:
    if isinstance(error, PapermillExecutionError):
        return f"{error.ename}: {error.evalue}"[:500]
    lines = [line for line in str(error).strip().splitlines() if line.strip(" -")]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:500]
