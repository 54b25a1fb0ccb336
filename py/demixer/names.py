"""Names of files and folders that Windows, macOS and Linux accept.

`web/base/names.js` is the same rule for the page; `tests/names.json` has cases that both must agree on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

#: Most bytes of a name in UTF-8. File systems take 255. The rest is for numbers such as ` (2)`, and for what browsers
#: and the command line append while they write, such as `.part`.
LONGEST: Final = 232

#: Endings of files that may hold a song, by themselves or beside pictures.
SONG_ENDINGS: Final = (
    "aac ac3 adts aif aifc aiff alac amr ape au caf flac m4a m4b mka mp2 mp3 oga ogg opus snd w64 wav wave weba wma wv "
    "3gp avi m4v mkv mov mp4 mpeg mpg ogv ts webm wmv"
)

#: Spaces, tabs and line breaks, all of which become one space.
_SPACES: Final = re.compile("[\t-\r \x85\u2028\u2029]+")

#: Refused by Windows, a separator somewhere, or no character at all.
_FORBIDDEN: Final = re.compile('[\\\\/:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')

#: Reverse the text around them, so that a name could show another ending than it has.
_DIRECTIONS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

#: Dropped at the end by Windows; dots at the beginning hide a file elsewhere.
_EDGES: Final = " ."

#: Devices on Windows, with any ending.
_RESERVED: Final = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]", re.IGNORECASE)


def legal_name(text: str, ending: str = "") -> str:
    """The name as every system accepts it.

    Parameters
    ----------
    text : str
    ending : str
        With its dot; it is legal and kept.

    Returns
    -------
    str
        Empty when nothing of the text is left.
    """
    name = _cut(_unreserved(_tidy(text)), LONGEST - _bytes(ending)).strip(_EDGES)
    return name and name + ending


def unique_names(names: Iterable[str], ending: str = "") -> list[str]:
    """Legal names that differ on systems which ignore case and Unicode's forms; later ones are numbered.

    Parameters
    ----------
    names : iterable of str
        Legal names.
    ending : str
        The ending that all of them have.
    """
    unique: list[str] = []
    taken: set[str] = set()
    for name in names:
        found, number = name, 1
        while _folded(found) in taken:
            number += 1
            found = f"{name.removesuffix(ending)} ({number}){ending}"
        taken.add(_folded(found))
        unique.append(found)
    return unique


def song_name(file: str) -> str:
    """The name of a song: that of its file without the ending, if it has one."""
    name, _, ending = file.rpartition(".")
    return name if name and ending.lower() in SONG_ENDINGS.split() else file


def graphemes(text: str) -> Iterator[str]:
    """The characters of a text as a reader counts them.

    The rules of Unicode's annex 29 as far as the standard library knows the properties behind them: marks, emoji with
    their joiners and skin tones, flags, Hangul syllables, and the conjuncts of Indian scripts.
    """
    start = 0
    for at in range(1, len(text)):
        if not _joined(text[start:at], text[at]):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


_ZWJ: Final = "\u200d"

#: Signs that kill the vowel of an Indian consonant and join it to the next one.
_LINKERS: Final = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")


def _joined(before: str, after: str) -> bool:
    """True when a character belongs to the grapheme before it."""
    last = before[-1]
    if before == "\r":
        return after == "\n"
    if unicodedata.category(last) in {"Cc", "Cf", "Zl", "Zp"} and not _extends(last):
        return False
    if _extends(after):
        return True
    if last == _ZWJ and _is_symbol(after):
        return _is_symbol(before[0])
    if _is_regional(after):
        return len(before) == 1 and _is_regional(last)
    if _continues_syllable(last, after):
        return True
    linker = before[1:].rstrip(_ZWJ)[-1:]
    is_consonant = unicodedata.category(after) == "Lo"
    return linker in _LINKERS and is_consonant and ord(before[0]) >> 7 == ord(linker) >> 7 == ord(after) >> 7


def _extends(character: str) -> bool:
    """Marks, joiners, two vowels, half-width voicing marks, skin tones, and the letters of flags such as Scotland's."""
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_symbol(character: str) -> bool:
    is_symbol = unicodedata.category(character) == "So" or character in "\u2194\u2195"
    return (is_symbol or "\U0001f000" <= character <= "\U0001faff") and not _is_regional(character)


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _continues_syllable(last: str, after: str) -> bool:
    """Leading consonants, a vowel, and trailing consonants of Hangul, one by one or composed."""
    leads, vowels, trails = ("\u1100" <= last <= "\u115f"), "\u1160" <= after <= "\u11a7", "\u11a8" <= after <= "\u11ff"
    is_syllable = "\uac00" <= last <= "\ud7a3"
    is_open = is_syllable and (ord(last) - 0xAC00) % 28 == 0
    if leads:
        return "\u1100" <= after <= "\u115f" or vowels or "\uac00" <= after <= "\ud7a3"
    if is_open or "\u1160" <= last <= "\u11a7":
        return vowels or trails
    return (is_syllable or "\u11a8" <= last <= "\u11ff") and trails


def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", _DIRECTIONS.sub("", text))
    return _FORBIDDEN.sub("_", _SPACES.sub(" ", text)).strip(_EDGES)


def _unreserved(name: str) -> str:
    return f"_{name}" if _RESERVED.fullmatch(name.split(".")[0].rstrip(" ")) else name


def _cut(text: str, limit: int) -> str:
    """The beginning of a text, of at most so many bytes in UTF-8 and of whole graphemes."""
    if _bytes(text) <= limit:
        return text
    kept, size = "", 0
    for grapheme in graphemes(text):
        size += _bytes(grapheme)
        if size > limit:
            break
        kept += grapheme
    return kept


def _bytes(text: str) -> int:
    return len(text.encode())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).upper().lower())
