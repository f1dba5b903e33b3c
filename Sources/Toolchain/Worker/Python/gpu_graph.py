"""Replay of one forward as a CUDA graph: the GPU's time without any launch cost of the host."""

import torch

import gpu_errors
from gpu_sampling import Timed


def captured(timed, feed, device):
    """The thing to time as a replay, or the reason why it cannot be captured."""
    if device.type != "cuda":
        return None, "no GPU"
    timed.before()
    timed.adapt(feed.inputs)
    try:
        with torch.no_grad():
            stream = torch.cuda.Stream(device)
            stream.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(stream):
                for _ in range(2):
                    timed.call(feed.inputs)
            torch.cuda.current_stream(device).wait_stream(stream)
            torch.cuda.synchronize(device)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                value = timed.call(feed.inputs)
            torch.cuda.synchronize(device)
    except Exception as error:
        torch.cuda.synchronize(device)
        return None, gpu_errors.described(error)["message"][:300]

    def replay(_):
        graph.replay()
        return value

    return Timed(timed.name, replay, timed.before, timed.adapt), None
