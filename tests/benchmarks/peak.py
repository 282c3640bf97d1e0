"""Run a command and print its peak memory in bytes.

A small process of its own, because Linux counts towards the peak of a new process what the one
that starts it holds at that moment.
"""

import resource
import subprocess
import sys

UNIT = 1 if sys.platform == "darwin" else 1024

if __name__ == "__main__":
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(UNIT * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
