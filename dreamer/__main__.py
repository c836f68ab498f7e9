"""The command ``dreamer``, and ``python -m dreamer``."""

from __future__ import annotations

import signal


def main() -> None:
    """Entry point of both."""
    if hasattr(signal, "pthread_sigmask"):
        # Who interrupts the program while it is still being imported waits until it can answer, without a traceback.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    from dreamer.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
