"""What readers read, in Turkish, English and Arabic: messages, numbers, money and dates.

Messages live in ``en/``, ``tr/`` and ``ar/``, one file a room; how to add one stands at the top of ``en/words.toml``.
"""

from spm_models.translations.catalogue import catalogue, keys
from spm_models.translations.locales import LOCALES
from spm_models.translations.translator import Translator

__all__ = ["LOCALES", "Translator", "catalogue", "keys"]
