"""What benches share: commands run as whole processes, with their time and memory."""

import json
import subprocess
import sys

# A process of its own runs each command, because the largest resident set is that of all children so far.
RUNNER = """
import json, resource, subprocess, sys, time
begin = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds, used = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
figures = [done.returncode, seconds, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]
print(json.dumps([*figures, done.stderr.decode()[-2000:]]))
"""


def run(command):
    """Runs a command that has to succeed."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr.decode()}")


def timed(command, good=(0,)):
    """Seconds, largest resident set in MiB and seconds of CPU of a command that ends with one of these codes."""
    out = subprocess.run([sys.executable, "-c", RUNNER, *command], capture_output=True, check=True).stdout
    code, seconds, mib, cpu, errors = json.loads(out)
    if code not in good:
        sys.exit(f"{' '.join(command)}\nexit code {code}\n{errors}")
    return seconds, mib, cpu
