"""How far apart two colours look, also to the colour-blind.

Colour-blind sight as Machado, Oliveira and Fernandes simulate it (2009, severity 1); the distance
is that of CAM02-UCS (Luo, Cui and Li, 2006) under the viewing conditions of sRGB. Written out here
because the library that has both is no longer kept.
"""

from __future__ import annotations

import itertools
import math

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

SIGHTS: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ: Matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
CAT02: Matrix = ((0.7328, 0.4296, -0.1624), (-0.7036, 1.6975, 0.0061), (0.0030, 0.0136, 0.9834))
FROM_CAT02: Matrix = (
    (1.096124, -0.278869, 0.182745),
    (0.454369, 0.473533, 0.072098),
    (-0.009628, -0.005698, 1.015326),
)
HPE: Matrix = (
    (0.38971, 0.68898, -0.07868),
    (-0.22981, 1.18340, 0.04641),
    (0.0, 0.0, 1.0),
)
WHITE: Vector = (95.047, 100.0, 108.883)
GREY, ADAPTING = 20.0, 64 / math.pi / 5  # luminance of the background, and what the eye adapts to


def smallest_distance(hues: tuple[str, ...]) -> float:
    """Return the least CAM02-UCS distance of two hues over normal and colour-blind sight."""
    return min(
        math.dist(_cam02_ucs(one, sight), _cam02_ucs(two, sight))
        for sight in SIGHTS.values()
        for one, two in itertools.combinations(hues, 2)
    )


def _times(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)


def _linear(hue: str) -> Vector:
    parts = [int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)


def _cam02_ucs(hue: str, sight: Matrix) -> Vector:
    rgb = tuple(min(max(part, 0.0), 1.0) for part in _times(sight, _linear(hue)))
    k = 1 / (5 * ADAPTING + 1)
    luminance = 0.2 * k**4 * 5 * ADAPTING + 0.1 * (1 - k**4) ** 2 * (5 * ADAPTING) ** (1 / 3)
    n = GREY / WHITE[1]
    induction = 0.725 * (1 / n) ** 0.2
    white = _responses(WHITE, luminance)
    r, g, b = _responses(tuple(100 * part for part in _times(TO_XYZ, rgb)), luminance)
    red_green = r - 12 * g / 11 + b / 11
    yellow_blue = (r + g - 2 * b) / 9
    angle = math.atan2(yellow_blue, red_green)
    achromatic, of_white = (
        (2 * r + g + b / 20 - 0.305) * induction for r, g, b in ((r, g, b), white)
    )
    lightness = 100 * (achromatic / of_white) ** (0.69 * (1.48 + math.sqrt(n)))
    eccentricity = (math.cos(angle + 2) + 3.8) / 4
    t = 50000 / 13 * induction * eccentricity * math.hypot(red_green, yellow_blue)
    t /= r + g + 21 * b / 20
    chroma = t**0.9 * math.sqrt(lightness / 100) * (1.64 - 0.29**n) ** 0.73
    colourfulness = math.log(1 + 0.0228 * chroma * luminance**0.25) / 0.0228
    j = 1.7 * lightness / (1 + 0.007 * lightness)
    return j, colourfulness * math.cos(angle), colourfulness * math.sin(angle)


def _responses(xyz: Vector, luminance: float) -> Vector:
    """Return what the three kinds of cones answer, after the eye has adapted to the white."""
    degree = 1 - math.exp((-ADAPTING - 42) / 92) / 3.6
    adapted = tuple(
        (100 / white * degree + 1 - degree) * part
        for part, white in zip(_times(CAT02, xyz), _times(CAT02, WHITE), strict=True)
    )
    cones = _times(HPE, _times(FROM_CAT02, adapted))
    compressed = [(luminance * abs(cone) / 100) ** 0.42 for cone in cones]
    return tuple(
        math.copysign(400 * part / (part + 27.13), cone) + 0.1
        for part, cone in zip(compressed, cones, strict=True)
    )
