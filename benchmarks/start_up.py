"""Processor seconds until the command line answers: help, a page of options, what a shell completes.

python benchmarks/start_up.py
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

ROUNDS = 10
CASES = {
    "dreamer --help": (["--help"], {}),
    "dreamer dream --help": (["dream", "--help"], {}),
    "dreamer dream --help-all": (["dream", "--help-all"], {}),
    "completing --layer": ([], {"COMP_WORDS": "dreamer dream --layer block", "COMP_CWORD": "3"}),
}


def main() -> None:
    print(json.dumps({name: round(min(seconds(*case) for _ in range(ROUNDS)), 3) for name, case in CASES.items()}))


def seconds(arguments: list[str], completing: dict[str, str]) -> float:
    environment = os.environ | ({"_DREAMER_COMPLETE": "bash_complete"} | completing if completing else {})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "dreamer", *arguments], capture_output=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
