"""Reads a photo that a pupil or tutor uploaded, in a process of its own with limits, and draws it
anew, large and small.

``python -m twinclass_server.desk.content.photo_check IN OUT`` prints one JSON object: ``width`` and
``height``, or ``code`` of a refusal. The small picture is written to OUT with ``.thumb`` behind.
What is refused and what is left out, ``uploads.image_check`` says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

from twinclass_server.uploads import image_check

#: A sheet of A4 at 220 dpi: handwriting stays legible, and a phone shows no more.
MAX_SIDE = 2560
#: A card in a list, at twice the pixels of CSS.
THUMB_SIDE = 360
_THUMB_QUALITY = 78


def thumb_of(target: Path) -> Path:
    """Returns where the small picture of a photo is written."""
    return target.with_name(target.name + ".thumb")


def check(source: Path, target: Path) -> dict[str, object]:
    """Returns what is said of a file; writes both clean pictures when it is good."""
    said = image_check.check(source, target, MAX_SIDE)
    if "code" not in said:
        with Image.open(target, formats=("JPEG",)) as clean:
            clean.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
            clean.thumbnail((THUMB_SIDE, THUMB_SIDE))
            clean.save(thumb_of(target), "JPEG", quality=_THUMB_QUALITY, optimize=True)
    return said


if __name__ == "__main__":
    image_check.limit()
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))
