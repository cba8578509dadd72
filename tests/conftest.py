"""Fixtures that several rooms share."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from spm_models.crm.currency import AMOUNTS
from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.columns import WAREHOUSE_TYPES
from spm_models.crm.tables import Tables
from spm_models.database import connect

Rows = list[dict[str, Any]]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture
def tables_of() -> Callable[..., Tables]:
    """Make `Tables` in memory from rows: every column of the schema exists, absent ones are empty."""

    def make(frames: Mapping[str, Rows | pd.DataFrame], extracted_on: date, **settings: Any) -> Tables:
        backend = connect(threads=2)
        custom = settings.get("custom_fields", {})
        for name, rows in frames.items():
            given = pd.DataFrame(rows)
            types = {column: WAREHOUSE_TYPES[TABLES[name].facts(column)["kind"]] for column in TABLES[name].columns}
            if name in ("contracts", "costs"):
                amount = AMOUNTS[name]
                types |= {f"{amount}_company": "decimal(18, 4)"}
                given[f"{amount}_company"] = given[amount]
            if name == "opportunities":
                types |= {"amount_company": "decimal(18, 4)"}
                types |= {f"field_{field}": WAREHOUSE_TYPES[kind] for field, kind in custom.items()}
                if "amount" in given and "amount_company" not in given:
                    given["amount_company"] = given["amount"]
            backend.con.register("given", given.astype(object).where(given.notna(), None))
            picks = ", ".join(
                f'cast({column if column in given else "null"} as {_sql(kind)}) as "{column}"'
                for column, kind in types.items()
            )
            backend.con.execute(f'create table "{name}" as select {picks} from given')
            backend.con.unregister("given")
        present = frozenset(name for name, rows in frames.items() if len(rows))
        return Tables(backend, present, "0" * 64, extracted_on, **settings)

    return make


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Mapping[str, str]]:
    """Debian's PostgreSQL in a server of its own that listens on a socket only: host, user and database."""
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
        yield {"host": str(folder), "user": user, "database": "postgres"}
    finally:
        run(f"{bin_}/pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium; one for all tests, because two of them in one process do not get on."""
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


def _sql(kind: str) -> str:
    return {"string": "varchar", "int64": "bigint", "float64": "double", "timestamp(6)": "timestamp"}.get(kind, kind)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """How many faults were caused and survived, how many attacks tried and held."""
    for marker, outcome_word in (("faults", "survived"), ("attacks", "held")):
        counted: dict[str, int] = {}
        for outcome in ("passed", "failed", "error"):
            for report in terminalreporter.stats.get(outcome, []):
                if marker in getattr(report, "keywords", {}) and (report.when == "call" or outcome != "passed"):
                    counted[outcome] = counted.get(outcome, 0) + 1
        if counted:
            said = f"{marker}: {sum(counted.values())} tried, {counted.get('passed', 0)} {outcome_word}"
            terminalreporter.write_line(said)
