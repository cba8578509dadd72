"""One small company on several engines, for the tests that hold their figures to each other."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest

from spm_models.crm import load
from spm_models.crm.tables import Tables
from spm_models.sample_company import write_workspace
from spm_models.workspace import Workspace


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables of a tiny sample company, on DuckDB."""
    folder = tmp_path_factory.mktemp("company")
    write_workspace(folder, size="tiny", seed=1)
    return load(Workspace.open(folder), run_id="engines").tables


@pytest.fixture(scope="session")
def postgres(company: Tables) -> Iterator[Tables]:
    """The same tables on PostgreSQL, in a server of its own that listens on a socket only."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: as root, apt-get install postgresql")
    bin_, folder = programs[-1].parent, Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user, as_user = getpass.getuser(), []
    if os.getuid() == 0:  # the server refuses to run as root
        user, as_user = "postgres", ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run(f"{bin_}/initdb", "-D", str(data), "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    run(f"{bin_}/pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        backend = ibis.postgres.connect(host=str(folder), user=user, database="postgres")
        yield _copied(company, backend)
        backend.disconnect()
    finally:
        run(f"{bin_}/pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def spark(company: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The same tables on Spark, in this process."""
    sql = pytest.importorskip("pyspark.sql", reason="Spark is in .venv-spark only: make pytest-spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java: as root, apt-get install default-jre-headless")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": "1",  # few rows: what takes time is planning and compiling
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
    }
    builder = sql.SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    backend, folder = ibis.pyspark.connect(session), tmp_path_factory.mktemp("spark")
    for name in company:
        company[name].to_parquet(folder / f"{name}.parquet")
        backend.read_parquet(folder / f"{name}.parquet", table_name=name)
    yield replace(company, backend=backend)
    session.stop()


def _copied(tables: Tables, backend: Any) -> Tables:
    for name in tables:
        backend.create_table(name, tables[name].to_pyarrow(), schema=tables[name].schema())
    return replace(tables, backend=backend)
