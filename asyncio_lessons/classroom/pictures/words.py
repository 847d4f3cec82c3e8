"""How wide words are, without a font at hand: the advance widths of DejaVu Sans.

matplotlib writes with this font, and Verdana, its sister, is as wide; a browser is told the width
of each text besides, so that a line in another font takes the same room.
"""

import functools
import unicodedata

_EM = 2048  # the units of these fonts
_MONO = 1233  # every character of DejaVu Sans Mono

# Width: the characters that are so wide. A letter with an accent is as wide as the letter.
_SANS = {
    563: "'",
    569: "ijlіјı",
    582: "ł",
    604: "IJΙІЈ",
    651: " ,.·‘’",
    690: "/:;\\|¦",
    693: "ι",
    721: "f",
    739: "-",
    799: "()[]",
    803: "t",
    821: "!¡²³¹",
    842: "r",
    942: '"',
    965: "ªº",
    1024: "*_`§¨¯°´¸–",
    1061: "“”„",
    1067: "sѕ",
    1075: "z",
    1076: "г",
    1087: "?¿",
    1089: "з",
    1107: "ε",
    1114: "ζ",
    1124: "эє",
    1126: "cс",
    1141: "LΓ",
    1142: "ξ",
    1144: "ν",
    1151: "Ł",
    1178: "F",
    1183: "χ",
    1185: "υ",
    1186: "k",
    1193: "т",
    1202: "ς",
    1207: "κвь",
    1208: "•",
    1210: "ч",
    1212: "vxyγλух",
    1232: "я",
    1233: "πτ",
    1235: "PΡР",
    1237: "к",
    1239: "Þ",
    1248: "У",
    1249: "Г",
    1251: "TYΤΥТ",
    1253: "o«»ðøδθοо",
    1255: "aа",
    1260: "eе",
    1263: "б",
    1280: "ђ",
    1290: "ß",
    1294: "EΕΞΣЕ",
    1298: "hnuησ",
    1300: "SbdgpqþρЅр",
    1303: "$0123456789{}¢£¤¥µ¶μ€",
    1305: "√",
    1307: "β",
    1309: "л",
    1313: "З",
    1331: "и",
    1335: "ћ",
    1339: "нпџ",
    1343: "KΚ",
    1350: "α",
    1351: "φψ",
    1394: "ц",
    1401: "AVΑΔΛА",
    1403: "XZΖΧХ",
    1404: "Ч",
    1405: "BΒБВЬ",
    1416: "д",
    1423: "RЯ",
    1430: "CЄСЭ",
    1447: "ъ",
    1454: "К",
    1499: "U",
    1532: "NΝИ",
    1540: "HΗΠЏЛНП",
    1545: "м",
    1565: "Ω",
    1575: "▽",
    1577: "D",
    1587: "GÐ",
    1590: "Ц",
    1597: "&",
    1600: "Д",
    1610: "ЂЋ",
    1612: "OQØΘΟΦΨО",
    1617: "ы",
    1675: "w",
    1705: "Ъ",
    1706: "∞",
    1715: "ω",
    1716: "#+<=>^~¬±×÷→←↑↓−≈≤≥✓✕",
    1724: "ю",
    1751: "ф",
    1763: "Ф",
    1767: "MΜМ",
    1807: "Ы",
    1836: "♥",
    1840: "њ",
    1845: "ж",
    1848: "љ",
    1874: "ш",
    1929: "щ",
    1946: "%",
    1985: "¼½¾",
    1995: "mÆ",
    2011: "æ",
    2025: "W",
    2048: "@©®—…™",
    2095: "œ",
    2140: "Њ",
    2190: "Ш",
    2191: "Œ",
    2206: "Ж",
    2211: "Ю",
    2240: "ЉЩ",
}
_BOLD = {
    627: "'",
    702: "ijlіјı",
    713: " ",
    748: "/\\|¦",
    760: "ł",
    762: "IJΙІЈ",
    778: ",.·‘’",
    798: "ι",
    819: ":;",
    850: "-",
    891: "f",
    897: "²³¹",
    934: "!¡",
    936: "()[]",
    979: "t",
    1010: "r",
    1024: "_`§¨¯°´¸–",
    1067: '"',
    1070: "г",
    1071: "*",
    1140: "ε",
    1155: "ªº",
    1187: "т",
    1188: "?¿",
    1190: "з",
    1192: "z",
    1210: "ζξ",
    1214: "cςсэє",
    1219: "sѕ",
    1294: "Ξ",
    1295: "ь",
    1296: "λв",
    1303: "¤¶",
    1305: "LΓГ",
    1307: "τ",
    1309: "•",
    1315: "яŁ",
    1321: "xχх",
    1323: "«»",
    1335: "vyу",
    1346: "“”„",
    1362: "k",
    1366: "√",
    1382: "aа",
    1383: "υ",
    1389: "eе",
    1390: "к",
    1395: "γν",
    1397: "TΤТ",
    1399: "EFΕΣЕ",
    1406: "ч",
    1407: "oðøαδθοо",
    1415: "нпџ",
    1425: "$0123456789¢£¥€",
    1430: "б",
    1435: "и",
    1455: "κЗ",
    1458: "hnu{}η",
    1462: "ђ",
    1466: "bdgpqþβρр",
    1473: "ß",
    1475: "SЅ",
    1483: "YΥ",
    1485: "ZΖ",
    1500: "л",
    1501: "PΡР",
    1503: "CЄСЭ",
    1504: "ћ",
    1507: "µμ",
    1511: "Þ",
    1518: "ц",
    1539: "ъ",
    1561: "BΒБВЬ",
    1575: "▽",
    1577: "RЯ",
    1579: "XΧУХ",
    1585: "AVΑΔΛА",
    1587: "KΚ",
    1595: "σ",
    1602: "φ",
    1620: "π",
    1626: "ψ",
    1654: "д",
    1655: "Ч",
    1663: "U",
    1674: "Км",
    1681: "G",
    1700: "D",
    1701: "Л",
    1706: "∞",
    1714: "HNΗΝΠЏИНП",
    1716: "#+<=>^~¬±Ð×÷→←↑↓−≈≤≥✓✕",
    1740: "Ψ",
    1741: "OQØΘΟΦΩО",
    1780: "ω",
    1786: "&",
    1799: "ЂЋ",
    1824: "Д",
    1836: "♥",
    1852: "ы",
    1892: "w",
    1900: "Ц",
    1924: "Ъ",
    1958: "њ",
    1991: "ю",
    2030: "љ",
    2031: "Ф",
    2032: "ф",
    2038: "MΜМж",
    2048: "@©®—…™",
    2052: "%",
    2120: "¼½¾",
    2122: "Ы",
    2134: "m",
    2146: "æ",
    2175: "ш",
    2222: "Æ",
    2241: "œ",
    2259: "W",
    2264: "щ",
    2314: "Њ",
    2364: "Љ",
    2390: "Œ",
    2404: "Ю",
    2507: "Ж",
    2530: "Ш",
    2715: "Щ",
}
_WIDTHS = {
    weight: {character: width for width, characters in table.items() for character in characters}
    for weight, table in (("normal", _SANS), ("bold", _BOLD))
}


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, weight: str = "normal", family: str = "sans") -> float:
    """Return how wide a text is, in points; size: in points; family: "sans" or "mono"."""
    widths = _WIDTHS[weight] if family == "sans" else {}
    return size / _EM * sum(_advance(character, widths) for character in text)


def _advance(character: str, widths: dict[str, int]) -> int:
    if character in widths:
        return widths[character]
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _EM
    return widths.get(unicodedata.normalize("NFD", character)[0], _MONO)


def shortened(
    text: str, size: float, room: float, weight: str = "normal", family: str = "sans"
) -> str:
    """Return as much of a text as there is room for, with "…" where it is cut; "" for none."""
    if text_width(text, size, weight, family) <= room:
        return text
    for end in range(min(len(text) - 1, int(room / size * 2.5) + 1), 3, -1):
        cut = text[:end].rstrip() + "…"
        if text_width(cut, size, weight, family) <= room:
            return cut
    return ""


def wrapped(text: str | None, size: float, room: float) -> list[str]:
    """Return a text in lines that have the room."""
    lines: list[str] = []
    for word in (text or "").split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
