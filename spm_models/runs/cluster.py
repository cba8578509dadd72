"""Reports on the machines of a Dask cluster, which all see the workspace's folder at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from spm_models.errors import RunError
from spm_models.published import Manifest, code_hash
from spm_models.runs.ledger import Report
from spm_models.runs.one_report import write_one
from spm_models.runs.order import Order
from spm_models.runs.runner import Submit
from spm_models.workspace import Workspace

_CONNECT_SECONDS = 20


@contextmanager
def on_a_cluster(workspace: Workspace, manifest: Manifest, folder: Path, scheduler: str) -> Iterator[Submit]:
    """Reports on the workers of a Dask scheduler; what a lost worker had begun is begun again by another.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
    folder : Path
        Where the reports go, on a file system that the workers share.
    scheduler : str
        Its address, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    RunError
        When nobody answers there, there are no workers, or one has other code or does not see the folder.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise RunError(
            "The Dask scheduler does not answer", where=scheduler, found=f"{type(error).__name__}: {error}",
            remedy="Start one with `dask scheduler` and workers with `dask worker ADDRESS`, or leave --scheduler away.",
        ) from error  # fmt: skip
    with client:
        _check_workers(client, scheduler, folder)
        told = manifest.to_json()
        mark = uuid4().hex[:8]  # a run that writes the same reports once more asks for new work, not for old results

        def submit(order: Order) -> Any:
            return client.submit(
                _write_there, str(workspace.root), told, order, str(folder), key=f"{order.key(manifest)}-{mark}",
                pure=False,
            )  # fmt: skip

        yield submit


def _check_workers(client: Any, scheduler: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".seen-by-all-{uuid4().hex}"
    probe.touch()
    try:
        answers: dict[str, tuple[str, bool]] = client.run(_who_are_you, str(probe))
    finally:
        probe.unlink(missing_ok=True)
    remedy = "Install the same version everywhere, and give all machines the workspace's folder at the same place."
    if not answers:
        raise RunError("The Dask cluster has no workers", where=scheduler, remedy=f"Start: dask worker {scheduler}")
    for worker, (code, sees) in answers.items():
        if code != code_hash():
            raise RunError("A worker has another version of the code", where=worker, found=code[:12], remedy=remedy)
        if not sees:
            raise RunError("A worker does not see the folder of reports", where=worker, found=str(folder),
                           remedy=remedy)  # fmt: skip


def _who_are_you(probe: str) -> tuple[str, bool]:
    return code_hash(), Path(probe).exists()


def _write_there(root: str, manifest: str, order: Order, folder: str) -> Report:
    return write_one(Workspace.open(root), Manifest.from_json(manifest), order, Path(folder))
