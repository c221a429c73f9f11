"""Opening a picture in the system's viewer without holding anything up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from latmix.tui.messages import ViewerAnswered
from latmix.viewer import open_picture


def view_in_thread(path: Path, tell: Callable[[ViewerAnswered], object]) -> None:
    """Open a picture and tell the answer: a viewer may take two seconds to fail."""

    def work() -> None:
        answer = open_picture(path)
        with suppress(RuntimeError):  # the program has ended meanwhile
            tell(ViewerAnswered(path, answer))

    threading.Thread(target=work, name="latmix-viewer", daemon=True).start()
