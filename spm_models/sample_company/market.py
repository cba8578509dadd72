"""What is sold, to whom, and what money is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from spm_models.sample_company.draws import Draws, Floats, Ints
from spm_models.sample_company.seasons import day_number

CURRENCIES = ("TRY", "USD", "EUR")
#: id, name, family, list price in TRY of the base day
PRODUCTS = (
    ("P01", "Atlas Core", "platform", 240_000), ("P02", "Atlas Pro", "platform", 420_000),
    ("P03", "Atlas Enterprise", "platform", 760_000), ("P04", "Rota Analytics", "analytics", 180_000),
    ("P05", "Rota Forecast", "analytics", 310_000), ("P06", "Liman Connect", "integration", 120_000),
    ("P07", "Servis Plus", "services", 90_000), ("P08", "Eğitim", "services", 60_000),
)  # fmt: skip
LIST_PRICES = np.array([price for *_, price in PRODUCTS], dtype=np.float64)
SEGMENTS = ("small", "mid_market", "enterprise")
INDUSTRIES = ("logistics", "retail", "manufacturing", "health", "finance", "food", "technology", "construction")
COMPETITORS = ("Nova Yazılım", "Delta CRM", "Merkez Bilişim", "Global Suite")
SOURCES = ("inbound", "outbound", "partner", "event", "referral", "existing_customer")
INBOUND, OUTBOUND, PARTNER, EVENT, REFERRAL, EXISTING = range(len(SOURCES))
ACCOUNTS_PER_SEAT = 100_000  #: account numbers of one seat start at seat × this
POOL = 110  #: accounts that a territory has from the start

_BASE = day_number(date(2023, 7, 1))
_MONTHLY_INFLATION = ((2023.5, 0.040), (2024.5, 0.029), (2025.5, 0.022), (2026.5, 0.016), (2028.5, 0.010))
_USD, _EUR = 26.0, 28.4


@dataclass(frozen=True)
class Prices:
    """Price level and exchange rates by day; beyond the last published day they move without noise.

    Parameters
    ----------
    first : int
        Day number of position 0 of the arrays.
    index : array
        Price level in TRY, 1 on 1 July 2023.
    lists : array
        Price level at which price lists stand: lists are revised each January and July.
    rates : array of shape (currencies, days)
        TRY for one unit of each currency.
    """

    first: int
    index: Floats
    lists: Floats
    rates: Floats

    def at(self, what: Floats, day: Ints) -> Floats:
        """Values of one of the arrays on some days."""
        found: Floats = what[np.clip(day - self.first, 0, len(what) - 1)]
        return found

    def to_company(self, amount: Floats, currency: Ints, day: Ints) -> Floats:
        """Amounts in TRY at the rate of the day."""
        position = np.clip(day - self.first, 0, self.rates.shape[1] - 1)
        return amount * self.rates[currency, position]


def prices(draws: Draws, first: int, last: int, ahead: int) -> Prices:
    """Inflation and a lira that loses value a little more slowly than prices rise."""
    days = np.arange(first, last + ahead + 1)
    years = 2023.5 + (days - _BASE) / 365.25
    monthly = np.interp(years, [y for y, _ in _MONTHLY_INFLATION], [m for _, m in _MONTHLY_INFLATION])
    log_index = np.cumsum(monthly * 12 / 365.25)
    log_index -= np.interp(_BASE, days, log_index) if first <= _BASE <= days[-1] else (_BASE - first) * 0.0013
    months = (days.astype("datetime64[D]")).astype("datetime64[M]").astype(np.int64)
    revised = ((months // 6 * 6).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)).clip(first)
    index = np.exp(log_index)
    noise = np.where(days <= last, 1.0, 0.0)
    key = draws.keys("rate", days)
    usd = _USD * np.exp(0.62 * log_index + np.cumsum(0.0022 * draws.normal("usd", key) * noise))
    eur = _EUR / _USD * usd * np.exp(np.cumsum(0.002 * draws.normal("eur", key) * noise))
    rates: Floats = np.stack([np.ones(len(days)), usd, eur]).round(4)
    return Prices(first, index, index[revised - first], rates)


@dataclass(frozen=True)
class Accounts:
    """What buyers are like: a function of the account's number alone, so nothing needs to be stored."""

    segment: Ints
    industry: Ints
    scale: Floats  #: size of what they buy, 1 is usual
    need: Floats  #: 0 to 1, how well our products fit


def accounts(draws: Draws, number: Ints) -> Accounts:
    """Attributes of the accounts with the given numbers."""
    key = draws.keys("account", number)
    segment = draws.choice("segment", key, (0.5, 0.36, 0.14))
    industry = draws.choice("industry", key, (14, 16, 20, 10, 9, 14, 9, 8))
    scale = np.array([0.62, 1.15, 2.2])[segment] * np.exp(0.22 * draws.normal("scale", key))
    fit = np.array([0.04, -0.03, 0.05, 0.0, -0.06, 0.02, 0.07, -0.06])[industry]
    need = (0.52 + fit + 0.17 * draws.normal("need", key)).clip(0.05, 0.97)
    return Accounts(segment, industry, scale, need)
