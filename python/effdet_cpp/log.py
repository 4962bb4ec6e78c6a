"""What the library has to say, in Python's logging: the logger "effdet_cpp", which is silent until a program asks for it."""

import atexit
import logging
from typing import Any

from . import _library as lib

logger = logging.getLogger("effdet_cpp")
logger.addHandler(logging.NullHandler())

_LEVELS = {0: logging.DEBUG, 1: logging.INFO, 2: logging.WARNING}


@lib.LogFunction
def _hand_on(level: int, text: bytes, _user: Any) -> None:
    logger.log(_LEVELS.get(level, logging.WARNING), "%s", text.decode(errors="replace"))


lib.call("set_log", _hand_on, None)
# The library's threads may run on when there is no interpreter any more.
atexit.register(lib.call, "set_log", lib.LogFunction(), None)
