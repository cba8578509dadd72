"""The list price stands in the company's currency, as every amount does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from spm_models import crm
from spm_models.snapshots import outcomes, pipeline
from spm_models.win_probability import WinProbability
from spm_models.workspace import Workspace

FILES = {
    "reps": "rep_id,name\nr1,Ada\n",
    "products": "product_id,list_price,currency\np1,100,EUR\np2,100,\n",
    "exchange_rates": "day,currency,rate\n2026-01-01,EUR,40\n",
    "opportunities": "opportunity_id,rep_id,product_id,created_on,closed_on,status,amount,currency\n"
    "o1,r1,p1,2026-01-05,,open,,TRY\no2,r1,p2,2026-01-06,,open,,TRY\no3,r1,p2,2026-01-06,,open,70,TRY\n"
    + "".join(f"c{n},r1,p1,2026-01-05,2026-02-{n + 1:02},{'won' if n % 2 else 'lost'},10,TRY\n" for n in range(20)),
}
SETTINGS = '[company]\ncurrency = "TRY"\n[models]\nknown_at_creation = ["product_id", "rep_id"]\n'


def test_in_the_company_s_currency_and_used_where_there_is_no_amount(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name, text in FILES.items():
        (tmp_path / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "spm.toml").write_text(SETTINGS, encoding="utf-8")
    tables = crm.load(Workspace.open(tmp_path), run_id="t").tables
    day = tables.extracted_on
    now = pipeline(tables, day).set_index("opportunity_id")
    assert now["list_price"].to_dict() == {"o1": 4000.0, "o2": 100.0, "o3": 100.0}
    assert day == date(2026, 2, 20)
    model = WinProbability(method="base_rate").fit(pipeline(tables, date(2026, 1, 31)), outcomes(tables, day), day)
    scores = model.predict(now.reset_index()).table.set_index("opportunity_id")
    worth = scores["expected_amount"] / scores["win_probability"]
    assert worth.round(6).to_dict() == {"o1": 4000.0, "o2": 100.0, "o3": 70.0}
