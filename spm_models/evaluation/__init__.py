"""How good forecasts are: probabilities of deals, amounts of periods."""

from spm_models.evaluation.probability import auc, brier, calibration_error, log_loss, log_losses, reliability

__all__ = ["auc", "brier", "calibration_error", "log_loss", "log_losses", "reliability"]
