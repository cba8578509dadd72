"""Forecasts of many short series from their own past: :class:`.forecaster.SeriesForecaster`."""
