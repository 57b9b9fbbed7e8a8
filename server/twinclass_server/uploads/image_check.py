"""Reads a picture that somebody uploaded, in a process of its own with limits, and draws it anew.

``python -m twinclass_server.uploads.image_check IN OUT`` prints one JSON object: ``width`` and
``height``, or ``code`` of a refusal. What comes out is a JPEG of the pixels and nothing else: no
place where it was taken, no second file behind the picture, no comment.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

#: A phone's 50 megapixels; more unpacks to more than a check may use.
MAX_PIXELS = 50_000_000
#: A sheet of A4 at 250 dpi: handwriting stays legible.
MAX_SIDE = 2900
_QUALITY = 86
#: Decoders that are few and well worn; others are not even looked at.
_FORMATS = ("JPEG", "PNG", "WEBP")
_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_S = 15
_FILE_BYTES = 32 * 1024 * 1024


def limit() -> None:
    """Bounds what this process may use, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check(source: Path, target: Path, max_side: int = MAX_SIDE) -> dict[str, object]:
    """Returns what is said of a file; writes the clean picture, no side longer than ``max_side``
    pixels, when it is good."""
    if source.stat().st_size == 0:
        return {"code": "image_empty"}
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            # Pillow warns of what is over its limit and refuses what is over twice that.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=_FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    return {"code": "image_too_many_pixels"}
                # A JPEG is decoded at a smaller size at once: less memory, less time.
                opened.draft("RGB", (max_side, max_side))
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail((max_side, max_side))
                plain = Image.new("RGB", upright.size, "white")
                if upright.mode in ("RGBA", "LA", "PA", "P"):
                    seen = upright.convert("RGBA")
                    plain.paste(seen, mask=seen.getchannel("A"))
                else:
                    plain.paste(upright.convert("RGB"))
        plain.save(target, "JPEG", quality=_QUALITY, optimize=True)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"code": "image_too_many_pixels"}
    except UnidentifiedImageError:
        return {"code": "image_unknown"}
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, OverflowError):
        return {"code": "image_broken"}
    return {"width": plain.width, "height": plain.height}


if __name__ == "__main__":
    limit()
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))
