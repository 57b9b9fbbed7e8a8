"""PDF slides for tests: drawn ones as a teacher would export them, and a poor one."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import async_playwright

from e2e.conftest import CHROMIUM, require
from light.drawings import font

TITLE = "有理数的乘法"
_PAGES = (
    (
        "有理数的乘法",
        "<p class=sub>七年级数学 · 第 12 课</p><p>今天我们要弄清楚一件事：</p>"
        "<p class=big>两个负数相乘，为什么得正数？</p>",
    ),
    (
        "两数相乘，符号怎么定？",
        "<p>(−3) × 4 = <b>−12</b>　　(−3) × (−4) = ？</p>"
        "<p class=ask>想一想：温度每小时下降 3 ℃，4 小时前是多少度？</p>"
        '<svg width="1100" height="150" viewBox="0 0 1100 150" fill="none" stroke="#1c2621"'
        ' stroke-width="4"><path d="M10 70h1070m-18-12 18 12-18 12"/>'
        + "".join(
            f'<path d="M{550 + n * 40} 60v20"/><text x="{550 + n * 40}" y="116" fill="#1c2621"'
            f' stroke="none" font-size="28" text-anchor="middle">{str(n).replace("-", "−")}</text>'
            for n in range(-12, 13, 3)
        )
        + '<path d="M550 56C470 0 350 0 270 54m6-20-8 21 22 3" stroke="#b4472f"/></svg>',
    ),
    (
        "法则",
        "<p>同号得正，异号得负，并把绝对值相乘。</p><p>任何数与 0 相乘，都得 0。</p>"
        "<p class=ask>例：(−5) × (−6) = <b>30</b>，(−½) × 8 = <b>−4</b></p>",
    ),
    (
        "练一练",
        "<p>1. (−7) × 3</p><p>2. (−0.5) × (−8)</p><p>3. (−1)² × (−1)³</p>",
    ),
)
_STYLE = """
@page { size: 1280px 720px; margin: 0; }
* { box-sizing: border-box; }
body { margin: 0; font-family: "Noto Sans CJK SC"; color: #1c2621; }
section { width: 1280px; height: 720px; padding: 70px 90px; background: #f7f5ee;
  break-after: page; overflow: hidden; }
section:last-child { break-after: auto; }
h1 { font-size: 60px; margin: 0 0 44px; }
p { font-size: 42px; margin: 0 0 28px; }
.sub, .ask { color: #55645c; font-size: 36px; } .big { font-size: 54px; margin-top: 70px; }
b { color: #b4472f; }
"""


async def slides_pdf(folder: Path) -> Path:
    """Four pages, with their fonts."""
    path = folder / f"{TITLE}.pdf"
    sections = "".join(f"<section><h1>{title}</h1>{body}</section>" for title, body in _PAGES)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require(CHROMIUM, "chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        await page.set_content(f"<style>{_STYLE}</style>{sections}")
        await page.pdf(path=path, width="1280px", height="720px", print_background=True)
        await browser.close()
    return path


def scanned_pdf(folder: Path) -> Path:
    """One page as a scanner makes it: black and white, packed as fax machines do (CCITT G4)."""
    picture = Image.new("1", (1280, 720), 1)
    draw = ImageDraw.Draw(picture)
    draw.text((120, 240), "扫描的讲义", fill=0, font=font(160))
    path = folder / "scanned.pdf"
    picture.save(path, "PDF", resolution=144)
    if b"/CCITTFaxDecode" not in path.read_bytes():
        raise RuntimeError("Pillow packs black and white otherwise")
    return path


def poor_pdf(folder: Path) -> Path:
    """One page of Chinese text without its font: only character maps tell what is meant."""
    text = "同号得正".encode("utf-16-be").hex()
    content = f"BT /F1 96 Tf 60 200 Td <{text}> Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 640 360] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        b" /DescendantFonts [6 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >>"
        b" /FontDescriptor 7 0 R >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [0 -120 1000 880]"
        b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 700 /StemV 93 >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
    )
    path = folder / "poor.pdf"
    path.write_bytes(bytes(out))
    return path
