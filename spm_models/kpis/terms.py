"""Agreed words in transcripts of calls, in Turkish, English and Arabic, without a language model.

Text and agreed words are folded alike, cut into words (runs of letters and digits, so that an apostrophe ends a word:
CRM'in is "crm" and "in"), and each *distinct* word of all texts is held against the agreed ones once. The rules err
where a language model would not: a stem that is also the beginning of another word with the same endings is counted
(``at`` finds ``ata``), and the four letters I, İ, ı, i are one. Choose words that are clear by themselves.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.shipped import shipped

FILE = "templates/kpis/terms/terms.toml"
Terms = Mapping[str, Mapping[Any, Sequence[str]]]  #: term -> language ("tr", "en", "ar") -> words

# I and i differ by language (Unicode, SpecialCasing.txt: in Turkish I is the capital of ı, and İ of i), and systems
# that do not know it write INDIRIM for indirim: so they are one letter. A circumflex is optional in Turkish (hâlâ).
_LETTERS = str.maketrans({
    "İ": "i", "I": "i", "ı": "i", "Â": "a", "â": "a", "Î": "i", "î": "i", "Û": "u", "û": "u",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ی": "ي", "ؤ": "و", "ة": "ه", "ک": "ك",
})  # fmt: skip
#: The dot that lower-casing İ leaves, Arabic diacritics and superscript alef, tatweel, marks of direction and joining.
_SILENT = "[\u0307\u0610-\u061a\u064b-\u065f\u0670\u0640\u200c-\u200f\u202a-\u202e\u2066-\u2069\u00ad]"
_WORD = r"[^\W_]+"

# Nominal suffixes and copulas of Turkish (G. Lewis, Turkish Grammar, 2nd ed. 2000, chapters II to VIII), vowels of
# harmony written as classes, ı folded to i: -lAr, possessives, cases, -lI, -sIz, -lIk, -CI, -ki, -DIr, -DI, -mIş, -sA.
_TURKISH = (
    "l[ae]r", "[iuü]?m", "[iuü]?n", "s?[iuü]", "[iuü]?[mn][iuü]z", "[yn]?[iuü]", "[yn]?[ae]", "n?[dt][ae]n?",
    "n?[iuü]n", "y?l[ae]", "[nc]?[cç][ae]", "l[iuü]", "s[iuü]z", "l[iuü][kğ]", "[cç][iuü]", "ki", "[dt][iuü]r",
    "y?[dt][iuü][kmn]?", "y?m[iuü]ş", "y?s[ae][kmn]?", "y?[iuü][mz]",
)  # fmt: skip
_SOFTENED = {"p": "[pb]", "ç": "[çc]", "t": "[td]", "k": "[kğg]"}
# The affixes of L. Larkey, L. Ballesteros and M. Connell, Improving Stemming for Arabic Information Retrieval
# (SIGIR 2002), light10, with ب ك ل without an article, the other pronouns and the alef of nunation.
_ARABIC_BEFORE = "[وف]?(?:[بك]?ال|لل|[بكل])?"
_ARABIC_AFTER = "(?:ات|ان|ين|ون|يه|ي|ا)?(?:ها|هم|هن|نا|كم|كن|ك|ه|ي)?"
_SHORTEST = 3  #: letters that must be left of an Arabic word when its article is taken away


@dataclass(frozen=True)
class Words:
    """The words of all texts that are any of the agreed ones, in the order in which they were said.

    Parameters
    ----------
    vocabulary : sequence of str
        Distinct words.
    token, spot, text : array of int
        Of each word said: its place in the vocabulary, its number among all words, and the number of its text.
    """

    vocabulary: Sequence[str]
    token: npt.NDArray[np.int64]
    spot: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]

    def are(self, pattern: str) -> npt.NDArray[np.bool_]:
        """Which of them match."""
        return _matching(self.vocabulary, pattern)[self.token]


def agreed(own: Terms | None = None) -> dict[str, dict[str, tuple[str, ...]]]:
    """The shipped terms and a company's own, which replace those of the same name; an empty one is switched off.

    Parameters
    ----------
    own : mapping of term to mapping of language ("tr", "en", "ar") to words

    Returns
    -------
    dict
        In the order of the file, then of the company.

    Examples
    --------
    >>> sorted(agreed({"warranty": {"tr": ["garanti"]}, "price": {}}))
    ['budget', 'competitor', 'decision_maker', 'discount', 'next_step', 'objection', 'warranty']
    """
    given = tomllib.loads(shipped(FILE).read_text(encoding="utf-8")) | dict(own or {})
    found = {
        term: {name: tuple(words) for name, words in languages.items() if words} for term, languages in given.items()
    }
    return {term: languages for term, languages in found.items() if languages}


def fold(texts: pd.Series) -> pd.Series:
    """Texts with all that does not matter taken out: case, shapes of Arabic letters, diacritics, tatweel.

    Parameters
    ----------
    texts : Series of str

    Examples
    --------
    >>> fold(pd.Series(["İNDİRİM", "INDIRIM", "indirim", "Kârlılık", "خُصُومَـــات", "الأسعار"])).tolist()
    ['indirim', 'indirim', 'indirim', 'karlilik', 'خصومات', 'الاسعار']
    """
    composed = texts.astype("str").str.normalize("NFKC").str.translate(_LETTERS)
    return composed.str.casefold().str.replace(_SILENT, "", regex=True)


def mentions(texts: pd.Series, terms: Terms) -> pd.DataFrame:
    """How often each term comes up in each text.

    Parameters
    ----------
    texts : Series of str
        Without missing values.
    terms : mapping of term to mapping of language to words
        As :func:`agreed` gives them. Words of every language are looked for in every text: calls mix languages.

    Returns
    -------
    DataFrame
        One row per text, with its index; one column per term. A word that is part of a longer phrase of the same term
        is counted once, as the phrase.

    Examples
    --------
    >>> said = pd.Series(["Fiyatlarınızda İNDİRİM var mı? Rakibiniz ucuz.", "والأسعار بدون خصم", "No discounts."])
    >>> mentions(said, agreed())[["price", "discount", "competitor"]].values.tolist()
    [[1, 1, 1], [1, 1, 0], [0, 1, 0]]
    """
    code, distinct = pd.factorize(texts)
    said = fold(pd.Series(distinct, dtype="str")).str.findall(_WORD).explode().dropna()
    token, vocabulary = pd.factorize(said.astype("str"))
    phrases = {term: _phrases(languages) for term, languages in terms.items()}
    anything = "|".join(dict.fromkeys(word for of in phrases.values() for phrase in of for word in phrase)) or "(?!)"
    chosen = _matching(list(vocabulary), anything)
    spot = np.flatnonzero(chosen[token])  # of millions of words few are any of the agreed ones
    number = np.cumsum(chosen) - 1
    words = Words(list(vocabulary[chosen]), number[token[spot]], spot, said.index.to_numpy(dtype=np.int64)[spot])
    counts = np.zeros((len(distinct), len(terms)), dtype=np.int64)
    for column, of in enumerate(phrases.values()):
        for begins in _found(words, of):
            counts[:, column] += np.bincount(words.text[begins], minlength=len(distinct))
    return pd.DataFrame(counts[code], index=texts.index, columns=list(terms))


def _matching(words: Sequence[str], pattern: str) -> npt.NDArray[np.bool_]:
    matches = re.compile(pattern).fullmatch
    return np.fromiter((matches(word) is not None for word in words), dtype=bool, count=len(words))


def _found(words: Words, phrases: Sequence[tuple[str, ...]]) -> list[npt.NDArray[np.int64]]:
    """Where each phrase begins, longest first; what one has taken is not counted again."""
    size = len(words.token)
    free = np.ones(size, dtype=bool)
    found = []
    for phrase in phrases:
        start = np.arange(max(size - len(phrase) + 1, 0))
        hit = np.ones(len(start), dtype=bool)
        for nth, pattern in enumerate(phrase):
            at = start + nth
            follows = (words.spot[at] == words.spot[start] + nth) & (words.text[at] == words.text[start])
            hit &= words.are(pattern)[at] & free[at] & follows
        begins = start[hit]
        for nth in range(len(phrase)):
            free[begins + nth] = False
        found.append(begins)
    return found


def _phrases(languages: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Patterns of all words of a term, one tuple a phrase, the longest first."""
    found = []
    for language, written in languages.items():
        for phrase in fold(pd.Series(list(written), dtype="str")):
            words = re.findall(rf"{_WORD}\*?", phrase)
            found.append(tuple(_pattern(word, language) for word in words))
    return sorted(dict.fromkeys(phrase for phrase in found if phrase), key=len, reverse=True)


def _pattern(word: str, language: str) -> str:
    """A regular expression for the forms of one folded word."""
    stem, any_ending = (word[:-1], True) if word.endswith("*") else (word, False)
    if language == "ar":
        return _arabic(stem, any_ending)
    if any_ending:
        return re.escape(stem) + r"\w*"
    return _turkish(stem) if language == "tr" else re.escape(stem) + "(?:s|es)?"


def _turkish(stem: str) -> str:
    suffixes = f"(?:{'|'.join(_TURKISH)})"
    softened = re.escape(stem[:-1]) + _SOFTENED.get(stem[-1], re.escape(stem[-1]))
    # a stem softens before a vowel only
    return f"(?:{re.escape(stem)}{suffixes}{{0,6}}|{softened}(?=[aeiuü]){suffixes}{{1,6}})"


def _arabic(stem: str, any_ending: bool) -> str:
    if stem.startswith("ال") and len(stem) - 2 >= _SHORTEST:
        stem = stem[2:]
    if any_ending:
        return f"{_ARABIC_BEFORE}{re.escape(stem)}" + r"\w*"
    if stem.endswith("ه") and len(stem) > _SHORTEST:  # ta marbuta: تكلفة, تكلفتنا, and the plural in ات
        body = re.escape(stem[:-1])
        return f"{_ARABIC_BEFORE}{body}(?:ه|(?:ت|ات|تان|تين){_ARABIC_AFTER})"
    return f"{_ARABIC_BEFORE}{re.escape(stem)}{_ARABIC_AFTER}"
