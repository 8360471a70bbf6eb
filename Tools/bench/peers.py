#!/usr/bin/env python3
"""What PyTorch, ONNX Runtime and OpenVINO do with the networks that EspalierBenchmarks and tables.py time, one measurement a call.

    peers.py installed
    peers.py train ARCHITECTURE THREADS SECONDS      samples/s of PyTorch, eager; forward, backward and SGD step, batch 64
    peers.py train-compiled ARCHITECTURE THREADS SECONDS      the same through torch.compile
    peers.py ticket ARCHITECTURE THREADS SECONDS     steps/s of PyTorch, eager; forward, backward and Adam's fused step, batch 60;
                                                     of THREADS trainings side by side, each on one thread, together
    peers.py ticket-default ARCHITECTURE THREADS SECONDS     the same with Adam as it is by default, not fused
    peers.py ticket-threads ARCHITECTURE THREADS SECONDS     the same of one training on so many threads, Adam fused
    peers.py ticket-threads-default ARCHITECTURE THREADS SECONDS     and not fused
    peers.py gradients ARCHITECTURE THREADS SECONDS  samples/s of PyTorch; forward and backward, batch 64
    peers.py squares ARCHITECTURE THREADS SECONDS    samples/s of squared per-sample gradients by torch.func, batch 64
    peers.py latency MODEL THREADS SECONDS           milliseconds of ONNX Runtime, one sample
    peers.py openvino-latency MODEL THREADS SECONDS f32|bf16      milliseconds of OpenVINO, one sample
    peers.py once [MODEL]                            nothing: ONNX Runtime runs one sample, or is only loaded
    peers.py inputs MODEL FILE                       nothing: FILE becomes an archive of one sample

Prints one JSON object. The networks are written here from their descriptions; weights do not matter for time.
"""

import json
import os
import statistics
import sys
import time

# What old OpenBLAS builds need here and there must not slow a peer down.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

BATCH = 64


def installed():
    found = {}
    for name in ("torch", "onnxruntime"):
        try:
            found[name] = __import__(name).__version__
        except ImportError:
            found[name] = None
    return found


def network(architecture):
    from torch import nn

    class Block(nn.Module):
        def __init__(self, width_in, width_out, stride):
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False), nn.BatchNorm2d(width_out), nn.ReLU(),
                nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False), nn.BatchNorm2d(width_out))
            same = width_in == width_out and stride == 1
            self.shortcut = nn.Identity() if same else nn.Sequential(
                nn.Conv2d(width_in, width_out, 1, stride, bias=False), nn.BatchNorm2d(width_out))

        def forward(self, x):
            return nn.functional.relu(self.main(x) + self.shortcut(x))

    if architecture == "lenet-300-100":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(),
                             nn.Linear(100, 10))
    if architecture == "lenet-5":
        return nn.Sequential(
            nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    if architecture == "resnet-8":
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2),
            Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    raise SystemExit(f"unknown architecture {architecture}")


def train(architecture, threads, seconds, compiled):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = network(architecture).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(BATCH, 1, 28, 28)
    labels = torch.randint(0, 10, (BATCH,))
    run = torch.compile(model) if compiled else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(run(images), labels).backward()
        optimizer.step()

    for _ in range(10):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return {"samplesPerSecond": steps * BATCH / (time.perf_counter() - start)}


def ticket(architecture, threads, seconds, fused=True, together=None):
    """Steps of a training with Adam, its samples drawn from 2,400 by a permutation: what a lottery ticket takes."""
    import torch

    batch = 60
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = network(architecture).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.2e-3, fused=fused)
    images = torch.randn(40 * batch, 1, 28, 28)
    labels = torch.randint(0, 10, (40 * batch,))

    def step(number):
        if number % 40 == 0:
            step.order = torch.randperm(40 * batch)
        chosen = step.order[number % 40 * batch:(number % 40 + 1) * batch]
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()

    for number in range(40):
        step(number)
    if together:
        together.wait()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step(steps)
        steps += 1
    return steps / (time.perf_counter() - start)


def one_ticket(architecture, seconds, fused, together, results):
    results.put(ticket(architecture, 1, seconds, fused, together))


def tickets(architecture, count, seconds, fused):
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    together, results = context.Barrier(count), context.Queue()
    workers = [context.Process(target=one_ticket, args=(architecture, seconds, fused, together, results))
               for _ in range(count)]
    for worker in workers:
        worker.start()
    rates = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return {"stepsPerSecond": sum(rates)}


def evidence(architecture, threads, seconds, squares):
    import torch
    from torch.func import functional_call, grad, vmap

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    # Batch norm frozen: samples must not influence each other.
    model = network(architecture).eval()
    images = torch.randn(BATCH, 1, 28, 28)
    labels = torch.randint(0, 10, (BATCH,))
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    buffers = {name: value.detach() for name, value in model.named_buffers()}
    sums = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in parameters.items()}

    def loss(parameters, image, label):
        outputs = functional_call(model, (parameters, buffers), (image.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(outputs, label.unsqueeze(0))

    per_sample = vmap(grad(loss), in_dims=(None, 0, 0))

    def step():
        if squares:
            for name, gradients in per_sample(parameters, images, labels).items():
                sums[name] += gradients.square().sum(0)
        else:
            model.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(images), labels, reduction="sum").backward()
            for name, value in model.named_parameters():
                sums[name] += value.grad

    for _ in range(3):
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return {"samplesPerSecond": steps * BATCH / (time.perf_counter() - start)}


def onnxruntime_session(model, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def noise(values):
    """One sample by name, for inputs with a name, a shape whose open extents are no numbers, and numpy's name of their type."""
    import numpy

    random = numpy.random.default_rng(0)

    def draw(shape, dtype):
        shape = [extent if isinstance(extent, int) else 1 for extent in shape]
        real = numpy.issubdtype(dtype, numpy.floating)
        # 0 and 1 are valid as an index, a token and a mask.
        return (random.standard_normal(shape) if real else random.integers(0, 2, shape)).astype(dtype)

    return {name: draw(shape, numpy.dtype(dtype)) for name, shape, dtype in values}


def session_noise(session):
    def dtype(value):
        name = value.type.removeprefix("tensor(").removesuffix(")")
        return {"float": "float32", "double": "float64"}.get(name, name)

    return noise((value.name, value.shape, dtype(value)) for value in session.get_inputs())


def median_ms(run, seconds):
    """Of single runs within so many seconds, after runs that are not counted: 20, fewer where those take half as long."""
    start = time.perf_counter()
    for count in range(20):
        if count >= 3 and time.perf_counter() - start > seconds / 2:
            break
        run()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - before))
    return {"medianMs": statistics.median(times)}


def latency(model, threads, seconds):
    session = onnxruntime_session(model, threads)
    # In place, as the inputs of the others are.
    binding = session.io_binding()
    for name, value in session_noise(session).items():
        binding.bind_cpu_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return median_ms(lambda: session.run_with_iobinding(binding), seconds)


def openvino_latency(model, threads, seconds, precision):
    """Inputs and outputs stay float32 in either precision."""
    import openvino

    core = openvino.Core()
    network = core.read_model(model)
    if network.is_dynamic():
        network.reshape({value: [extent.get_length() if extent.is_static else 1 for extent in value.get_partial_shape()]
                         for value in network.inputs})
    compiled = core.compile_model(network, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    for name, value in noise((value.any_name, list(value.shape), value.element_type.to_dtype()) for value in compiled.inputs).items():
        request.set_tensor(name, openvino.Tensor(value))
    return median_ms(lambda: request.infer(share_outputs=True), seconds)


def once(model):
    import onnxruntime  # noqa: F401

    if model:
        session = onnxruntime_session(model, 1)
        session.run(None, session_noise(session))
    return {}


def write_inputs(model, path):
    import numpy

    numpy.savez(path, **session_noise(onnxruntime_session(model, 1)))
    return {}


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else None
    if kind == "installed":
        result = installed()
    elif kind in ("train", "train-compiled"):
        result = train(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), kind == "train-compiled")
    elif kind in ("ticket", "ticket-default"):
        result = tickets(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), kind == "ticket")
    elif kind in ("ticket-threads", "ticket-threads-default"):
        result = {"stepsPerSecond": ticket(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), kind == "ticket-threads")}
    elif kind in ("gradients", "squares"):
        result = evidence(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), kind == "squares")
    elif kind == "latency":
        result = latency(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    elif kind == "openvino-latency":
        result = openvino_latency(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
    elif kind == "once":
        result = once(sys.argv[2] if len(sys.argv) > 2 else None)
    elif kind == "inputs":
        result = write_inputs(sys.argv[2], sys.argv[3])
    else:
        raise SystemExit(__doc__)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
