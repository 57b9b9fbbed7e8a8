import subprocess
import sys


def test_a_media_worker_loads_no_codecs_and_no_web_server() -> None:
    code = (
        "import sys, twinclass_media.worker.process\n"
        "print([n for n in ('av', 'numpy', 'starlette', 'redis', 'uvicorn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
