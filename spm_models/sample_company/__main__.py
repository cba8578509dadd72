"""``python -m spm_models.sample_company FOLDER --size usual --seed 1``: write a sample company."""

from __future__ import annotations

import argparse
from pathlib import Path

from spm_models.sample_company import write_workspace
from spm_models.sample_company.sizes import SEATS


def main() -> None:
    """Read the arguments and write the company."""
    parser = argparse.ArgumentParser(prog="python -m spm_models.sample_company", description="Write a sample company.")
    parser.add_argument("folder", type=Path, help="workspace to write")
    parser.add_argument("--size", choices=tuple(SEATS), default="usual")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=int, default=36, help="length of the records")
    parser.add_argument("--drift", type=float, default=0.0, help="1: the market turns and win rates about double")
    given = parser.parse_args()
    write_workspace(given.folder, size=given.size, seed=given.seed, months=given.months, drift=given.drift)


if __name__ == "__main__":
    main()
