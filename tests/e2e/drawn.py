"""Drawn people and slides as the devices of real pages."""

from __future__ import annotations

import subprocess
from pathlib import Path

from playwright.async_api import BrowserContext, Page

from e2e.conftest import require
from light.drawings import LOOP_S, Draw

FPS = 10
SLIDE_TITLE = "slide-to-share"
#: Shares the tab of that title without asking.
SHARES_SLIDE = f"--auto-select-tab-capture-source-by-title={SLIDE_TITLE}"


def camera(folder: Path, name: str, scene: Draw, size: tuple[int, int]) -> str:
    """The Chromium flag of a camera that shows a drawn scene, round and round."""
    path = folder / f"{name}.y4m"
    if not path.exists():
        pictures = b"".join(scene(n / FPS, size).tobytes() for n in range(round(LOOP_S * FPS)))
        subprocess.run(
            [
                *(require("ffmpeg", "ffmpeg"), "-loglevel", "error", "-y"),
                *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}"),
                *("-r", str(FPS), "-i", "-", "-pix_fmt", "yuv420p", str(path)),
            ],
            input=pictures,
            check=True,
        )
    return f"--use-file-for-fake-video-capture={path}"


SLIDE = f"""<!doctype html><html lang="zh-CN"><title>{SLIDE_TITLE}</title><style>
html, body {{ margin: 0; height: 100%; background: #f7f5ee; color: #1c2621;
  font-family: "Noto Sans CJK SC"; }}
body {{ padding: 62px 84px; box-sizing: border-box; }}
h1 {{ font-size: 62px; margin: 0 0 40px; }}
p {{ font-size: 44px; margin: 0 0 22px; }}
.ask {{ color: #55645c; font-size: 36px; }}
b {{ color: #b4472f; }}
svg {{ position: absolute; left: 84px; bottom: 54px; }}
</style><h1>两数相乘，符号怎么定？</h1>
<p>(−3) × 4 = <b>−12</b></p><p>(−3) × (−4) = ？</p>
<p class="ask">想一想：温度每小时下降 3 ℃，4 小时前是多少度？</p>
<svg width="1110" height="110" viewBox="0 0 1110 110" fill="none" stroke="#1c2621"
  stroke-width="4" font-size="26" font-family="Noto Sans CJK SC">
<path d="M10 50h1084m-16-11 16 11-16 11"/>
<g id="marks"></g><path d="M550 42C470-6 350-6 270 40m6-18-8 19 20 4" stroke="#b4472f"/></svg>
<script>
const marks = document.getElementById('marks');
for (let n = -12; n <= 12; n += 3) {{
  const x = 550 + n * 40;
  marks.innerHTML += `<path d="M${{x}} 42v16"/><text x="${{x}}" y="92" fill="#1c2621" stroke="none"
    text-anchor="middle">${{String(n).replace('-', '−')}}</text>`;
}}
// A picture that never changes is captured once a second only: let one grain move.
const grain = document.createElement('i');
grain.style = 'position:fixed;right:0;bottom:0;width:2px;height:2px;background:#f0eee6';
document.body.append(grain);
setInterval(() => grain.hidden = !grain.hidden, 200);
</script></html>"""


async def open_slide(context: BrowserContext) -> Page:
    """A drawn slide in a tab of its own, for the page beside it to share."""
    page = await context.new_page()
    await page.set_viewport_size({"width": 1280, "height": 720})
    await page.set_content(SLIDE)
    return page
