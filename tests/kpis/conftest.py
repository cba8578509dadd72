"""One small company on several engines, for the tests that hold their figures to each other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
def postgres(company: Tables, postgres_server: Mapping[str, str]) -> Iterator[Tables]:
    """The same tables on PostgreSQL."""
    backend = ibis.postgres.connect(**postgres_server)
    yield _copied(company, backend)
    backend.disconnect()


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
