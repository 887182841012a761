"""A mitmproxy addon that breaks answers: the file $CALHOST_FAULTS has a line "what METHOD times".

lose: the server has done its work, and the client hears nothing. truncate: half of the answer comes, as if it were
all. pass: nothing is wrong yet. Each line is counted down as it is used, the first one first."""

import os
import pathlib

FAULTS = pathlib.Path(os.environ["CALHOST_FAULTS"])


def next_fault(method):
    """What is to happen to the answer to a request of this method; None: nothing."""
    lines = [line.split() for line in FAULTS.read_text().splitlines()]
    for line in lines:
        if line[1] == method and int(line[2]) > 0:
            line[2] = str(int(line[2]) - 1)
            FAULTS.write_text("".join(" ".join(other) + "\n" for other in lines))
            return line[0]
    return None


def response(flow):
    fault = next_fault(flow.request.method)
    if fault == "lose":
        flow.kill()
    if fault == "truncate":
        flow.response.content = flow.response.content[: len(flow.response.content) // 2]
