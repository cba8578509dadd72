"""How good forecasts are: probabilities of deals, amounts of periods."""

from spm_models.evaluation.calibration import Consistency, brier_parts, consistency
from spm_models.evaluation.forecast import absolute_error, bias, forecast_scores, hits, interval_score, mase
from spm_models.evaluation.probability import auc, brier, calibration_error, log_loss, log_losses, reliability
from spm_models.evaluation.stream import prequential

__all__ = [
    "Consistency",
    "absolute_error",
    "auc",
    "bias",
    "brier",
    "brier_parts",
    "calibration_error",
    "consistency",
    "forecast_scores",
    "hits",
    "interval_score",
    "log_loss",
    "log_losses",
    "mase",
    "prequential",
    "reliability",
]
