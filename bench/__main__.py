"""`python -m bench`: every benchmark, one after the other. Prints Markdown."""

import sys

from bench import engine
from bench.http.__main__ import main as http

if __name__ == "__main__":
    print("## The service\n", flush=True)
    print(http(sys.argv[1:]), flush=True)
    print("\n## The engine\n", flush=True)
    engine.main(100_000 if "--quick" in sys.argv else 1_000_000)
