"""Reads a PDF that somebody uploaded, in a process of its own with limits, and writes it anew.

``python -m twinclass_server.roster.slide_check IN OUT`` prints one JSON object: ``pages`` and
``title``, or ``code`` of a refusal. What a page does not need (scripts, actions, attached files,
forms) is left out; a second file before or behind the PDF does not survive being written anew.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pikepdf

#: Of the lesson's core: more pages are not a lesson's slides.
MAX_PAGES = 500
#: A 50 MB file of pictures needs some 300 MB; one that unpacks to more is a bomb.
_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_S = 20
_FILE_BYTES = 64 * 1024 * 1024
#: What may act by itself when a viewer opens the file.
_ROOT_KEYS = ("/OpenAction", "/AA", "/AcroForm", "/Collection", "/AF")
_NAME_KEYS = ("/JavaScript", "/EmbeddedFiles")
_LINKS = ("/URI", "/GoTo")


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _strip(pdf: pikepdf.Pdf) -> None:
    for key in _ROOT_KEYS:
        if key in pdf.Root:
            del pdf.Root[key]
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        for key in _NAME_KEYS:
            if key in names:
                del names[key]
    for page in pdf.pages:
        if "/AA" in page.obj:
            del page.obj["/AA"]
        annotations = page.obj.get("/Annots")
        if not isinstance(annotations, pikepdf.Array):
            continue
        kept = [one for one in annotations if _is_harmless(one)]
        page.obj["/Annots"] = pikepdf.Array(kept)


def _is_harmless(annotation: pikepdf.Object) -> bool:
    """Links stay; all else that acts, plays or carries files goes."""
    if not isinstance(annotation, pikepdf.Dictionary) or "/AA" in annotation:
        return False
    if str(annotation.get("/Subtype")) in {"/FileAttachment", "/Widget", "/RichMedia", "/Screen"}:
        return False
    action = annotation.get("/A")
    if action is None:
        return True
    return (
        isinstance(action, pikepdf.Dictionary)
        and str(action.get("/S")) in _LINKS
        and "/Next" not in action
    )


def _title(pdf: pikepdf.Pdf) -> str:
    text = str(pdf.docinfo.get("/Title", ""))
    return "".join(c for c in text if c.isprintable()).strip()[:120]


def check(source: Path, target: Path) -> dict[str, object]:
    """Returns what is said of a file; writes the clean one when it is good."""
    with source.open("rb") as file:
        head = file.read(5)
    if not head:
        return {"code": "slides_empty"}
    if head != b"%PDF-":
        return {"code": "slides_not_pdf"}
    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                return {"code": "slides_encrypted"}
            pages = len(pdf.pages)
            if pages == 0:
                return {"code": "slides_broken"}
            if pages > MAX_PAGES:
                return {"code": "slides_too_many_pages"}
            _strip(pdf)
            title = _title(pdf)
            # The same upload twice is one document.
            pdf.save(target, deterministic_id=True)
    except pikepdf.PasswordError:
        return {"code": "slides_encrypted"}
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, RecursionError, MemoryError):
        return {"code": "slides_broken"}
    return {"pages": pages, "title": title}


if __name__ == "__main__":
    _limit()
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))
