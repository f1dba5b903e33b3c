"""The worker: does what Hone asks, one JSON line in, one JSON line out.

Started by Hone as `PYTHON -u main.py SCRATCH`. It reads requests from standard input and answers
on what was standard output; both are taken away from the code it runs (see protocol.py).
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
# A module of the user's with the name of one of ours must not replace it, nor the other way round
# while Python itself starts: our folder is on the path from here on only.
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import protocol  # noqa: E402
import sandbox  # noqa: E402


def main():
    channel = protocol.Channel()
    sandbox.enter(sys.argv[1])
    operations = protocol.Operations(HERE)
    channel.send({"ready": protocol.VERSION, "pid": os.getpid()})
    for request in channel.requests():
        channel.answer(request, operations)


if __name__ == "__main__":
    main()
